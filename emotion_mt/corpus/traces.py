"""Annotation traces: one rater's valence and arousal over a film."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotion_mt.corpus.corpus import MEAN_DECIMALS, CorpusError, check_choice
from emotion_mt.corpus.tables import SEPARATORS, Scale
from emotion_mt.corpus.textfiles import read_text

#: What a trace row holds after the time, in order.
DIMENSIONS = ("valence", "arousal")
_COLUMNS = ("time", *DIMENSIONS)

#: File name extensions of traces.
TRACE_EXTENSIONS = (".csv", ".dat")

_ROW = (
    "3 blank-separated finite numbers (time_s valence arousal), or a table "
    "with the columns time, valence and maybe arousal"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """One rater's trace of one film.

    Attributes:
        path: The file it came from.
        time_s: float64 [T], seconds in the film, strictly increasing.
        values: float64 [T, 2], valence and arousal, each in [-1, 1]; NaN for
            the arousal of a file without.
        notes: What was guessed or ignored when it was read.
    """

    path: Path
    time_s: np.ndarray
    values: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def end_s(self) -> float:
        """Time of the last sample, in seconds."""
        return float(self.time_s[-1])

    def fault_of_unit(self, subtitles_end_s: float) -> str:
        """Says why the times cannot be seconds; "" if they can.

        Nobody rates ten times as long as there are subtitles, with a second
        and more from sample to sample (milliseconds, frames), nor a tenth of
        them, 50 times a second and more (minutes).

        Args:
            subtitles_end_s: When the last cue ends.
        """
        if len(self.time_s) < 2:
            return ""
        with np.errstate(over="ignore"):
            end, step = self.end_s, float(np.median(np.diff(self.time_s)))
        if end > 10 * subtitles_end_s and step >= 1:
            unit = "milliseconds or frames"
        elif end < subtitles_end_s / 10 and step <= 0.02:
            unit = "minutes"
        else:
            return ""
        return (
            f"{self.path}: expected times in seconds, as those of the "
            f"subtitles, which end at {subtitles_end_s:.2f} s. Received times "
            f"up to {end:g} in steps of {step:g}, which look like {unit}"
        )

    def segment_means(
        self,
        dimension: str,
        start_s: Sequence[float] | np.ndarray,
        end_s: Sequence[float] | np.ndarray,
    ) -> np.ndarray:
        """Averages the samples of each segment (Sect. IV-A).

        Args:
            dimension: One of `DIMENSIONS`.
            start_s: [N], start of each segment in seconds.
            end_s: [N], end of each segment in seconds, `end_s >= start_s`.

        Returns:
            float64 [N] in [-1, 1]: the mean over the samples with
            start <= t <= end, rounded to `corpus.MEAN_DECIMALS`; NaN where
            there is no sample.

        Raises:
            ValueError: If `dimension` is unknown.
        """
        check_choice("dimension", dimension, DIMENSIONS)
        column = self.values[:, DIMENSIONS.index(dimension)]
        first = np.searchsorted(self.time_s, start_s, side="left")
        beyond = np.searchsorted(self.time_s, end_s, side="right")
        count = beyond - first
        # Each segment is summed on its own: with differences of one running
        # sum a segment of zeros would inherit the rounding of all samples
        # before it and could come out positive. The appended zero makes
        # "one past the last sample" a legal index.
        pairs = np.stack([first, np.maximum(first, beyond)], axis=1).ravel()
        padded = np.append(column, 0.0)
        sums = np.add.reduceat(padded, pairs)[::2] if pairs.size else column[:0]
        means = np.round(sums / np.maximum(count, 1), MEAN_DECIMALS)
        return np.where(count > 0, means, np.nan)


def read_trace(
    path: str | os.PathLike[str],
    scale: Scale | None = None,
    encoding: str | None = None,
) -> Trace:
    """Reads a trace.

    COGNIMUSE's rows are `time_s valence arousal`, separated by blanks,
    without header. With a header the columns time (or time_s), valence and
    maybe arousal are read, whatever separates them; between semicolons or
    tabs numbers may have a decimal comma. Blank lines are ignored.

    Args:
        path: The file.
        scale: Of the values. Defaults to None, [-1, 1].
        encoding: See `textfiles.read_text`.

    Returns:
        The trace.

    Raises:
        CorpusError: If the file is empty, a row has other than finite
            numbers, time does not increase strictly, or a value lies outside
            of the scale; one message per kind of fault, with the first line
            that has it.
    """
    file = read_text(path, encoding)
    lines = {n: line for n, line in enumerate(file.lines, 1) if line.strip()}
    if not lines:
        raise CorpusError(
            f"{path}: expected rows of {_ROW}. Received an empty file"
        )
    header, separator, notes = list(_COLUMNS), None, file.notes
    if "valence" in next(iter(lines.values())).casefold():
        first = lines.pop(next(iter(lines))).casefold()
        separator = max(SEPARATORS, key=first.count)
        separator = separator if separator in first else None
        header = [name.strip(' "') for name in first.split(separator)]
        header = ["time" if name == "time_s" else name for name in header]
        if separator not in (None, ","):
            lines = {n: line.replace(",", ".") for n, line in lines.items()}
            said = f"{path}: columns separated by {SEPARATORS[separator]}"
            notes = (*notes, f"{said}; a comma in a number is a decimal comma")
    wanted = [c for c in _COLUMNS if header.count(c) == 1]
    twice = any(header.count(c) > 1 for c in _COLUMNS)
    if wanted[:2] != list(_COLUMNS[:2]) or twice or not lines:
        raise CorpusError(
            f"{path}: expected rows of {_ROW}. Received {len(lines)} rows "
            f"under the header {', '.join(header)[:200]!r}"
        )

    def faults(expected: str, bad: Iterable[Any]) -> Iterator[str]:
        """The first of the lines that are bad, and how many there are."""
        numbers = [n for n, is_bad in zip(lines, bad, strict=True) if is_bad]
        if numbers:
            yield (
                f"{path}, line {numbers[0]}: expected {expected}. "
                f"Received: {lines[numbers[0]].strip()[:80]!r}"
                + f" (and {len(numbers) - 1} more such lines)"
                * bool(numbers[1:])
            )

    places = [header.index(column) for column in wanted]
    found = [
        _numbers(line.split(separator), len(header), places)
        for line in lines.values()
    ]
    if problems := [*faults(_ROW, [row is None for row in found])]:
        raise CorpusError(problems)
    rows = np.full((len(found), len(_COLUMNS)), np.nan)
    rows[:, : len(places)] = found
    time_s, values, scale = rows[:, 0], rows[:, 1:], scale or Scale()
    outside = ~(scale.holds(values) | np.isnan(values)).all(axis=1)
    # Not the differences, which may overflow.
    back = np.append(False, time_s[1:] <= time_s[:-1])
    problems = [
        *faults("a time after that of the row before", back),
        *faults(f"valence and arousal in {scale}{scale.hint}", outside),
    ]
    if problems:
        raise CorpusError(problems)
    return Trace(Path(path), time_s, scale.to_unit(values), notes)


def _numbers(
    cells: Sequence[str], fields: int, places: Sequence[int]
) -> list[float] | None:
    """The finite numbers at some places of a row, None if it is no row."""
    used = "".join(cells[place] for place in places if place < len(cells))
    # Python also reads "1_000" and digits of other scripts.
    if len(cells) != fields or "_" in used or not used.isascii():
        return None
    try:
        numbers = [float(cells[place]) for place in places]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
