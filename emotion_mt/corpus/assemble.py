"""From what a reader found, film by film, to a `Corpus`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus.corpus import (
    LEFT_OUT_COLUMNS,
    SEGMENT_COLUMNS,
    SOURCE_COLUMNS,
    Corpus,
    is_rated,
    mean_of_rated,
    printable,
)


@dataclasses.dataclass(frozen=True)
class Segment:
    """A segment of a film, with the fields of `SEGMENT_COLUMNS`."""

    segment_id: str
    movie: str
    start_s: float
    end_s: float
    text: str
    video: str | None


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A segment that is not used, with the fields of `LEFT_OUT_COLUMNS`."""

    segment_id: str
    movie: str
    start_s: float
    end_s: float
    reason: str


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a film came from, with the fields of `SOURCE_COLUMNS`."""

    movie: str
    subtitles: str | None
    encoding: str | None
    traces: int
    rated_until_s: float
    video: str | None


@dataclasses.dataclass(frozen=True, eq=False)
class FilmReading:
    """One film as read from disk.

    Attributes:
        segments: The used segments, in order of time.
        ratings: Viewer to float64 [n], segment means in [-1, 1], NaN where
            the viewer did not rate. Each segment is rated by someone.
        left_out: The segments that are not used.
        source: Where it came from.
    """

    segments: tuple[Segment, ...]
    ratings: Mapping[str, np.ndarray]
    left_out: tuple[LeftOut, ...]
    source: Source


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a reader found in a folder.

    Attributes:
        films: The films that can be used.
        problems: Messages about input that cannot be used.
        notes: Messages about things that stop nothing.
    """

    films: tuple[FilmReading, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Returns a sort key that puts "V2" before "V10"."""
    # Python refuses to read a number of thousands of digits.
    parts = re.findall(r"\d{1,18}|\D+", name)
    return tuple((0, int(p)) if p.isdecimal() else (1, p) for p in parts)


def keep_rated(
    segments: Sequence[Segment],
    ratings: Mapping[str, np.ndarray],
    reasons: Sequence[str],
) -> tuple[tuple[Segment, ...], dict[str, np.ndarray], list[LeftOut]]:
    """Leaves out the segments that nobody rated.

    Args:
        segments: N segments.
        ratings: Viewer to float [N], NaN where the viewer did not rate.
        reasons: N reasons to give for a segment that nobody rated.

    Returns:
        The segments that are kept, their ratings, and those left out.
    """
    rated = np.zeros(len(segments), dtype=bool)
    for values in ratings.values():
        rated |= is_rated(values)
    kept = tuple(s for s, keep in zip(segments, rated, strict=True) if keep)
    left_out = [
        LeftOut(s.segment_id, s.movie, s.start_s, s.end_s, reason)
        for s, keep, reason in zip(segments, rated, reasons, strict=True)
        if not keep
    ]
    return kept, {v: values[rated] for v, values in ratings.items()}, left_out


def build_corpus(
    reading: Reading, *, average: bool, name: str, **attributes: Any
) -> Corpus:
    """Puts the films of a reading together.

    Args:
        reading: Its films; at least one.
        average: Whether to add the mean over the viewers as
            `paper.AVERAGE`, if there are several and none has that name.
        name: Name of the corpus.
        **attributes: Further attributes of the corpus.

    Returns:
        The corpus; its viewers are in natural order, the average last.
    """
    segments = [s for film in reading.films for s in film.segments]
    viewers = _ordered({v for film in reading.films for v in film.ratings})
    values = np.concatenate(
        [_table(film, viewers) for film in reading.films], axis=0
    )
    if average and len(viewers) > 1 and paper.AVERAGE not in viewers:
        values = np.column_stack([values, mean_of_rated(values.T)])
        viewers = (*viewers, paper.AVERAGE)
    return Corpus(
        name=name,
        segments=_frame(segments, SEGMENT_COLUMNS),
        viewers=viewers,
        values=values.astype(np.float32),
        left_out=_frame(
            [row for film in reading.films for row in film.left_out],
            LEFT_OUT_COLUMNS,
        ),
        sources=_frame([film.source for film in reading.films], SOURCE_COLUMNS),
        notes=tuple(map(printable, reading.notes)),
        **attributes,
    )


def _ordered(viewers: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        sorted(viewers, key=lambda v: (v == paper.AVERAGE, natural_key(v)))
    )


def _table(film: FilmReading, viewers: Sequence[str]) -> np.ndarray:
    """Returns float64 [n, V]; NaN columns for viewers without a rating."""
    absent = np.full(len(film.segments), np.nan)
    return np.column_stack([film.ratings.get(v, absent) for v in viewers])


def _frame(rows: Sequence[Any], columns: Sequence[str]) -> pd.DataFrame:
    records = [dataclasses.astuple(row) for row in rows]
    frame = pd.DataFrame(records, columns=list(columns))
    times = [c for c in columns if c.endswith("_s")]
    frame = frame.astype(dict.fromkeys(times, float))
    for column in {"subtitles", "encoding", "video"} & set(columns):
        # pandas would turn None into NaN; "no file" is None here. (The
        # constructor has done so already, hence from the records.)
        cells = [record[columns.index(column)] for record in records]
        frame[column] = pd.Series(cells, dtype=object)
    return frame
