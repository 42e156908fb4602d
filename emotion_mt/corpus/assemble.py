"""From what a reader found, movie by movie, to a `Corpus`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


class MovieReading(NamedTuple):
    """One movie as read from disk.

    `segments` are used, in order of time, and each has a rating; `ratings` are
    viewer to float64 [n], segment means in [-1, 1], NaN where not rated.
    """

    segments: tuple[Segment, ...]
    ratings: Mapping[str, np.ndarray]
    left_out: tuple[LeftOut, ...]
    source: Source


class Messages:
    """What a reader has to say; `notes` are about things that stop nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._problems: list[tuple[frozenset[str], str]] = []

    def problem(self, message: str, *movies: str) -> None:
        """Adds a message about some movies, or none in particular."""
        self._problems.append((frozenset(filter(None, movies)), message))

    def spoilt(self, movie: str) -> bool:
        """Says whether a movie cannot be used."""
        return any(movie in movies for movies, _ in self._problems)

    def problems(self, movies: Sequence[str] | None = None) -> list[str]:
        """Returns all, or what concerns some movies or none in particular."""
        return [
            message
            for of, message in self._problems
            if movies is None or not of or of & set(movies)
        ]


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
    """Leaves out the segments that nobody rated, for one of `reasons` each.

    Ratings are float [N], NaN where the viewer did not rate.
    """
    none = np.full(len(segments), np.nan)
    rated = np.any([is_rated(v) for v in (none, *ratings.values())], axis=0)
    left_out = [
        LeftOut(*segments[row][:4], reasons[row])
        for row in np.flatnonzero(~rated).tolist()
    ]
    kept = tuple(segments[row] for row in np.flatnonzero(rated).tolist())
    return kept, {v: values[rated] for v, values in ratings.items()}, left_out


def build_corpus(
    movies: Sequence[MovieReading], *, average: bool, **attributes: Any
) -> Corpus:
    """Puts movies together, one at least; viewers are in natural order.

    With `average` the mean over the viewers comes last, as `paper.AVERAGE`,
    if there are several and none has that name.
    """
    names = {viewer for movie in movies for viewer in movie.ratings}
    viewers = tuple(sorted(names, key=order_of))
    tables = [
        [m.ratings.get(v, np.full(len(m.segments), np.nan)) for v in viewers]
        for m in movies
    ]
    values = np.concatenate(tables, axis=1).T
    if average and len(viewers) > 1 and paper.AVERAGE not in viewers:
        values = np.column_stack([values, mean_of_rated(values.T)])
        viewers = (*viewers, paper.AVERAGE)
    attributes["notes"] = tuple(map(printable, attributes["notes"]))
    return Corpus(
        segments=_frame([s for m in movies for s in m.segments], Segment),
        viewers=viewers,
        values=values.astype(np.float32),
        left_out=_frame([s for m in movies for s in m.left_out], LeftOut),
        sources=_frame([m.source for m in movies], Source),
        **attributes,
    )


def _frame(rows: Sequence[tuple], kind: Any) -> pd.DataFrame:
    columns = list(kind._fields)
    # As objects, since pandas would turn None into NaN; "no file" is None here.
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    kinds = {c: float for c in columns if c.endswith("_s")}
    return frame.astype(kinds | {c: int for c in columns if c == "traces"})
