"""From what a reader found, movie by movie, to a `Corpus`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus.corpus import (
    Corpus,
    LeftOut,
    Segment,
    Source,
    is_rated,
    mean_of_rated,
    printable,
)


@dataclasses.dataclass(frozen=True, eq=False)
class MovieReading:
    """One movie as read from disk.

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
        movies: The movies that can be used.
        problems: Messages about input that cannot be used.
        notes: Messages about things that stop nothing.
    """

    movies: tuple[MovieReading, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def order_of(viewer: str) -> tuple[Any, ...]:
    """Returns a key that sorts "V2" before "V10", and the average last.

    No two names have the same key, not even "V2" and "V02", so that the order
    never depends on where the names come from.
    """
    # Python refuses to read a number of thousands of digits.
    parts = re.findall(r"\d{1,18}|\D+", viewer)
    natural = [(0, int(p)) if p.isdecimal() else (1, p) for p in parts]
    return viewer == paper.AVERAGE, natural, viewer


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
        LeftOut(*s[:4], reason)
        for s, keep, reason in zip(segments, rated, reasons, strict=True)
        if not keep
    ]
    return kept, {v: values[rated] for v, values in ratings.items()}, left_out


def build_corpus(
    reading: Reading, *, average: bool, **attributes: Any
) -> Corpus:
    """Puts the movies of a reading together.

    Args:
        reading: Its movies; at least one.
        average: Whether to add the mean over the viewers as
            `paper.AVERAGE`, if there are several and none has that name.
        **attributes: Further attributes of the corpus.

    Returns:
        The corpus; its viewers are in natural order, the average last.
    """
    movies = reading.movies
    names = {viewer for movie in movies for viewer in movie.ratings}
    viewers = tuple(sorted(names, key=order_of))
    tables = [
        np.column_stack(
            [m.ratings.get(v, [np.nan] * len(m.segments)) for v in viewers]
        )
        for m in movies
    ]
    values = np.concatenate(tables, axis=0)
    if average and len(viewers) > 1 and paper.AVERAGE not in viewers:
        values = np.column_stack([values, mean_of_rated(values.T)])
        viewers = (*viewers, paper.AVERAGE)
    return Corpus(
        segments=_frame([s for m in movies for s in m.segments], Segment),
        viewers=viewers,
        values=values.astype(np.float32),
        left_out=_frame([s for m in movies for s in m.left_out], LeftOut),
        sources=_frame([m.source for m in movies], Source),
        notes=tuple(map(printable, reading.notes)),
        **attributes,
    )


def _frame(rows: Sequence[tuple], kind: Any) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(kind._fields))
    times = [c for c in frame if c.endswith("_s")]
    frame = frame.astype(dict.fromkeys(times, float))
    for number, column in enumerate(frame):
        if column in ("subtitles", "encoding", "video"):
            # pandas would turn None into NaN; "no file" is None here.
            cells = [row[number] for row in rows]
            frame[column] = pd.Series(cells, dtype=object)
    return frame


class Messages:
    """What a reader has to say: problems of movies, and notes.

    Attributes:
        notes: Messages about things that stop nothing.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._problems: list[tuple[frozenset[str], str]] = []

    def problem(self, message: str, *movies: str) -> None:
        """Adds a message about some movies, or none in particular."""
        self._problems.append((frozenset(filter(None, movies)), message))

    def spoilt(self, movie: str) -> bool:
        """Says whether a movie cannot be used."""
        return any(movie in movies for movies, _ in self._problems)

    def reading(
        self, movies: Sequence[MovieReading], wanted: Sequence[str]
    ) -> Reading:
        """Returns movies with what is to be said about the `wanted` ones."""
        about = frozenset(wanted)
        problems = (m for of, m in self._problems if not of or of & about)
        return Reading(tuple(movies), tuple(problems), tuple(self.notes))
