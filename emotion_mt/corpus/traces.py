"""Annotation traces: one rater's valence and arousal over a film."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from emotion_mt.corpus import corpus as corpus_lib, textfiles
from emotion_mt.corpus.corpus import CorpusError

#: What a trace row holds after the time, in order.
DIMENSIONS = ("valence", "arousal")

_ROW = "3 blank-separated finite numbers (time_s valence arousal)"


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """One rater's trace of one film.

    Attributes:
        path: The file it came from.
        time_s: float64 [T], seconds in the film, strictly increasing.
        values: float64 [T, 2], valence and arousal, each in [-1, 1].
    """

    path: Path
    time_s: np.ndarray
    values: np.ndarray

    @property
    def end_s(self) -> float:
        """Time of the last sample, in seconds."""
        return float(self.time_s[-1])

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
        means = np.round(sums / np.maximum(count, 1), corpus_lib.MEAN_DECIMALS)
        return np.where(count > 0, means, np.nan)


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """Reads a `.dat` trace.

    A row is `time_s valence arousal`, separated by blanks, without header.
    Blank lines are ignored.

    Args:
        path: The file.

    Returns:
        The trace.

    Raises:
        CorpusError: If the file is empty, a row has not three finite
            numbers, time does not increase strictly, or a value lies outside
            [-1, 1]; one message per kind of fault, with the first line that
            has it.
    """
    text, _ = textfiles.read_text(path)
    lines = textfiles.split_lines(text)
    if not text.strip():
        raise CorpusError(
            f"{path}: expected rows of {_ROW}. Received an empty file"
        )
    rows = _parse(path, lines)
    problems = [
        *_check_time(path, lines, rows),
        *_check_range(path, lines, rows),
    ]
    if problems:
        raise CorpusError(problems)
    return Trace(Path(path), time_s=rows[:, 0], values=rows[:, 1:])


def _parse(path: str | os.PathLike[str], lines: Sequence[str]) -> np.ndarray:
    """Returns float64 [T, 3], all finite."""
    try:
        # NumPy's reader is quick but does not know the line of the file.
        rows = np.loadtxt(lines, comments=None, ndmin=2, dtype=np.float64)
    except ValueError:
        rows = np.empty((0, 0))
    if rows.shape[1] == 1 + len(DIMENSIONS) and np.isfinite(rows).all():
        return rows
    bad = [n for n, line in _filled(lines) if not _is_row(line)]
    raise CorpusError(
        _message(path, lines, bad, f"expected {_ROW}")
        if bad
        else f"{path}: expected rows of {_ROW}. Received a file that NumPy "
        "cannot read"
    )


def _is_row(line: str) -> bool:
    fields = line.split()
    if len(fields) != 1 + len(DIMENSIONS) or "_" in line:
        return False
    try:
        return bool(np.isfinite([float(field) for field in fields]).all())
    except ValueError:
        return False


def _filled(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yields the 1-based number and the text of lines that are not blank."""
    return ((n, line) for n, line in enumerate(lines, 1) if line.strip())


def _check_time(
    path: str | os.PathLike[str], lines: Sequence[str], rows: np.ndarray
) -> Iterator[str]:
    # Not their difference, which may overflow.
    bad = np.flatnonzero(rows[1:, 0] <= rows[:-1, 0]) + 1
    if bad.size:
        before = rows[bad[0] - 1, 0]
        numbers = [n for n, _ in _filled(lines)]
        yield _message(
            path,
            lines,
            [numbers[i] for i in bad],
            f"expected a time after that of the row before ({before:g} s)",
        )


def _check_range(
    path: str | os.PathLike[str], lines: Sequence[str], rows: np.ndarray
) -> Iterator[str]:
    bad = np.flatnonzero((np.abs(rows[:, 1:]) > 1).any(axis=1))
    if bad.size:
        numbers = [n for n, _ in _filled(lines)]
        yield _message(
            path,
            lines,
            [numbers[i] for i in bad],
            "expected valence and arousal in [-1, 1]",
        )


def _message(
    path: str | os.PathLike[str],
    lines: Sequence[str],
    bad: Sequence[int],
    expectation: str,
) -> str:
    """Describes the first of some bad lines (1-based) and counts the rest."""
    received = lines[bad[0] - 1].strip()
    more = f" (and {len(bad) - 1} more such lines)" if len(bad) > 1 else ""
    return (
        f"{path}, line {bad[0]}: {expectation}. Received: {received[:80]!r}"
        f"{more}"
    )
