"""Annotation traces: one rater's valence and arousal over a film."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emotion_mt.corpus.corpus import MEAN_DECIMALS, CorpusError
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
            step = float(np.median(np.diff(self.time_s)))
        end = self.end_s
        long = end > 10 * subtitles_end_s and step >= 1
        short = end < subtitles_end_s / 10 and step <= 0.02
        if not long and not short:
            return ""
        unit = "milliseconds or frames" if long else "minutes"
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
        if dimension not in DIMENSIONS:
            raise ValueError(
                f"`dimension` must be one of {DIMENSIONS}. "
                f"Received: {dimension!r}"
            )
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
    places = [header.index(column) for column in wanted]
    found = _parse(path, lines, separator, len(header), places)
    rows = np.full((len(found), len(_COLUMNS)), np.nan)
    rows[:, : len(places)] = found
    scale = scale or Scale()
    outside = ~(scale.holds(rows[:, 1:]) | np.isnan(rows[:, 1:])).all(axis=1)
    faults = {
        # Not the differences, which may overflow.
        "expected a time after that of the row before": np.append(
            False, rows[1:, 0] <= rows[:-1, 0]
        ),
        f"expected valence and arousal in {scale}{scale.hint}": outside,
    }
    numbers = np.array([*lines])
    problems = [
        _message(path, lines, numbers[bad], text)
        for text, bad in faults.items()
        if bad.any()
    ]
    if problems:
        raise CorpusError(problems)
    values = scale.to_unit(rows[:, 1:])
    return Trace(Path(path), rows[:, 0], values, notes)


def _parse(
    path: str | os.PathLike[str],
    lines: Mapping[int, str],
    separator: str | None,
    fields: int,
    places: Sequence[int],
) -> np.ndarray:
    """Returns the finite numbers at some places of lines by their number."""

    def is_row(line: str) -> bool:
        cells = line.split(separator)
        try:
            numbers = [float(cells[place]) for place in places]
        except (ValueError, IndexError):
            return False
        whole = len(cells) == fields and "_" not in line
        return whole and bool(np.isfinite(numbers).all())

    # NumPy's reader is quick but does not know the line of the file, nor
    # whether a row that it takes some columns of has too many.
    plain = list(places) == list(range(fields))
    try:
        if not plain and not all(map(is_row, lines.values())):
            raise ValueError
        rows = np.loadtxt(
            [*lines.values()],
            comments=None,
            delimiter=separator,
            usecols=None if plain else places,
            ndmin=2,
        )
    except ValueError:
        rows = np.empty((0, 0))
    if rows.shape[1] == len(places) and np.isfinite(rows).all():
        return rows
    bad = [number for number, line in lines.items() if not is_row(line)]
    raise CorpusError(
        _message(path, lines, bad, f"expected {_ROW}")
        if bad
        else f"{path}: expected rows of {_ROW}. Received a file that NumPy "
        "cannot read"
    )


def _message(
    path: str | os.PathLike[str],
    lines: Mapping[int, str],
    bad: Sequence[int],
    expectation: str,
) -> str:
    """Describes the first of some bad lines (1-based) and counts the rest."""
    more = f" (and {len(bad) - 1} more such lines)" if len(bad) > 1 else ""
    return (
        f"{path}, line {bad[0]}: {expectation}. "
        f"Received: {lines[bad[0]].strip()[:80]!r}{more}"
    )
