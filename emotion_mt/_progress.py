"""How long work shows that it goes on: the one place that decides.

A bar on a terminal and in a notebook, plain lines now and then in a log.
"""

from __future__ import annotations

import sys
import time
from collections.abc import MutableMapping
from typing import Any

from tqdm.std import tqdm

#: Seconds between two lines in a log.
LOG_INTERVAL_S = 30.0


def progress(
    desc: str,
    total: float,
    unit: str,
    *,
    initial: float = 0,
    shown: bool = True,
    effort: float = 0.0,
) -> Progress:
    """Starts to show the progress of something on stderr.

    Args:
        desc: What is done.
        total: How much there is to do.
        unit: Of `total`; a leading space keeps it apart from the number.
        initial: How much of it was done before.
        shown: Whether to show anything.
        effort: What all pieces that are left take together, in any unit, if
            some take longer than others. The time left is then estimated from
            what `finish` is told; without it, all pieces count the same.

    Returns:
        A context manager with `update(n)` and all else that tqdm has.
    """
    kind: type[Progress] = LogProgress
    # Without stderr, as in a windowed Python, there is no place to show it.
    shown = shown and sys.stderr is not None
    if not shown or _has_bars():
        from tqdm import auto

        kind = type("Bar", (Progress, auto.tqdm), {})
    return kind(
        effort=effort,
        desc=desc,
        total=total,
        unit=unit,
        initial=initial,
        disable=not shown,
    )


def _has_bars() -> bool:
    """Whether stderr is a terminal, or we are in a notebook."""
    if "ipykernel" in sys.modules:
        return True
    return sys.stderr.isatty()


class Progress(tqdm):
    """A tqdm that knows when the pieces that are left take longer, or less.

    Args:
        effort: See `progress`.
        **kwargs: tqdm's arguments.
    """

    def __init__(self, effort: float = 0.0, **kwargs: Any) -> None:
        # Before tqdm draws its first bar.
        self._effort = effort
        self._finished = 0.0
        super().__init__(**kwargs)

    def finish(self, effort: float) -> None:
        """Counts one piece as done, and what it took of the whole effort."""
        self._finished += effort
        self.update()

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        """What tqdm makes a bar from; the time left follows from its rate."""
        shown = super().format_dict
        if self._effort and not self.disable:
            left_s = self.seconds_left(shown["elapsed"])
            left = (self.total or 0) - self.n
            shown["rate"] = left / left_s if left_s else None
        return shown

    def seconds_left(self, spent_s: float) -> float | None:
        """Estimates how long the rest takes, or None."""
        done = self.n - self.initial
        left = (self.total or 0) - self.n
        if left <= 0 or done <= 0:
            return None
        if self._effort:
            done, left = self._finished, self._effort - self._finished
        return spent_s * max(left, 0.0) / done if done > 0 else None


class LogProgress(Progress):
    """Progress in plain lines: at most one per interval, and one at the end.

    It is a tqdm, so that what follows tqdm (a Gradio page) follows it too.
    Takes tqdm's arguments, by name, and `effort`.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._start = self._last = time.monotonic()
        # Nothing is left behind for tqdm itself to write.
        super().__init__(**{**kwargs, "leave": False})

    def display(self, *_: object, **__: object) -> None:
        """Draws no bar."""

    def clear(self, *_: object, **__: object) -> None:
        """Wipes no bar away."""

    def update(self, n: float | None = 1) -> bool | None:
        """Counts `n` more as done, and says so if it is time."""
        shown = super().update(n)
        now = time.monotonic()
        if now - self._last >= LOG_INTERVAL_S:
            self._last = now
            self._write(now)
        return shown

    def close(self) -> None:
        """Writes the last line, unless nothing was done."""
        if not self.disable and self.n > self.initial:
            self._write(time.monotonic())
        super().close()

    def _write(self, now: float) -> None:
        spent = now - self._start
        unit = self.unit.strip()
        done = f"{self.n:g} {unit}"
        if self.total:
            share = self.n / self.total
            done = f"{self.n:g} of {self.total:g} {unit} ({share:.0%})"
        left_s = self.seconds_left(spent)
        rest = "" if left_s is None else f", about {_duration(left_s)} left"
        note = f", {self.postfix}" if self.postfix else ""
        print(
            f"{self.desc.removesuffix(': ')}: {done} after {_duration(spent)}"
            f"{rest}{note}",
            file=sys.stderr,
            flush=True,
        )


def _duration(seconds: float) -> str:
    """12.3 -> "12 s", 90 -> "1 min 30 s", 7260 -> "2 h 1 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
