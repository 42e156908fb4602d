"""How long work shows that it goes on: the one place that decides.

A bar on a terminal and in a notebook, plain lines now and then in a log.
"""

from __future__ import annotations

import sys
import time
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
) -> tqdm:
    """Starts to show the progress of something on stderr.

    Args:
        desc: What is done.
        total: How much there is to do.
        unit: Of `total`; a leading space keeps it apart from the number.
        initial: How much of it was done before.
        shown: Whether to show anything.

    Returns:
        A context manager with `update(n)` and all else that tqdm has.
    """
    kind: type[tqdm] = LogProgress
    # Without stderr, as in a windowed Python, there is no place to show it.
    shown = shown and sys.stderr is not None
    if not shown or _has_bars():
        from tqdm import auto

        kind = auto.tqdm
    return kind(
        desc=desc, total=total, unit=unit, initial=initial, disable=not shown
    )


def _has_bars() -> bool:
    """Whether stderr is a terminal, or we are in a notebook."""
    if "ipykernel" in sys.modules:
        return True
    return sys.stderr.isatty()


class LogProgress(tqdm):
    """Progress in plain lines: at most one per interval, and one at the end.

    It is a tqdm, so that what follows tqdm (a Gradio page) follows it too.
    Takes tqdm's arguments, by name.
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
        note = f", {self.postfix}" if self.postfix else ""
        print(
            f"{self.desc.removesuffix(': ')}: {done} after {_duration(spent)}"
            f"{self._rest(spent)}{note}",
            file=sys.stderr,
            flush=True,
        )

    def _rest(self, spent_s: float) -> str:
        new = self.n - self.initial
        left = (self.total or 0) - self.n
        if left <= 0 or new <= 0:
            return ""
        return f", about {_duration(spent_s * left / new)} left"


def _duration(seconds: float) -> str:
    """12.3 -> "12 s", 90 -> "1 min 30 s", 7260 -> "2 h 1 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
