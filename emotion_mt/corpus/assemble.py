"""From what a reader found, movie by movie, to a `Corpus`."""

from __future__ import annotations

import itertools
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

    `ratings` are viewer to float64 [n], means in [-1, 1] of the n `segments`,
    which are in order of time; NaN where not rated. A segment that nobody
    rated is left out for its own of the n `reasons`; `left_out` are others.
    The movie is rated until its last segment, unless something else is said.
    """

    movie: str
    segments: Sequence[Segment]
    ratings: Mapping[str, np.ndarray]
    reasons: Sequence[str]
    left_out: Sequence[LeftOut] = ()
    subtitles: str | None = None
    encoding: str | None = None
    traces: int = 0
    rated_until_s: float | None = None

    @property
    def rated(self) -> np.ndarray:
        """Which segments somebody rated, bool [n]."""
        none = np.full(len(self.segments), np.nan)
        found = [is_rated(v) for v in (none, *self.ratings.values())]
        return np.any(found, axis=0)


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


def build_corpus(
    movies: Sequence[MovieReading], *, average: bool, **attributes: Any
) -> Corpus:
    """Puts movies together, with a rating each; viewers in natural order.

    With `average` the mean over the viewers comes last, as `paper.AVERAGE`,
    if there are several and none has that name.
    """
    names = {viewer for movie in movies for viewer in movie.ratings}
    viewers = tuple(sorted(names, key=order_of))
    kept: list[Segment] = []
    left_out: list[LeftOut] = []
    sources, tables = [], []
    for m in movies:
        rated, none = m.rated, np.full(len(m.segments), np.nan)
        columns = [m.ratings.get(viewer, none)[rated] for viewer in viewers]
        tables.append(np.column_stack(columns))
        own = [*itertools.compress(m.segments, rated)]
        unused = zip(m.segments, m.reasons, strict=True)
        kept += own
        left_out += m.left_out
        left_out += [
            LeftOut(*segment[:4], reason)
            for segment, reason in itertools.compress(unused, ~rated)
        ]
        until_s = m.rated_until_s
        if until_s is None:
            until_s = max(segment.end_s for segment in own)
        videos = {segment.video for segment in own}
        video = videos.pop() if len(videos) == 1 else None
        about = (m.movie, m.subtitles, m.encoding, m.traces, until_s, video)
        sources.append(Source(*about))
    values = np.concatenate(tables)
    if average and len(viewers) > 1 and paper.AVERAGE not in viewers:
        values = np.column_stack([values, mean_of_rated(values.T)])
        viewers = (*viewers, paper.AVERAGE)
    attributes["notes"] = tuple(map(printable, attributes["notes"]))
    return Corpus(
        segments=_frame(kept, Segment),
        viewers=viewers,
        values=values.astype(np.float32),
        left_out=_frame(left_out, LeftOut),
        sources=_frame(sources, Source),
        **attributes,
    )


def _frame(rows: Sequence[tuple], kind: Any) -> pd.DataFrame:
    columns = list(kind._fields)
    # As objects, since pandas would turn None into NaN; "no file" is None here.
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    kinds = {c: float for c in columns if c.endswith("_s")}
    return frame.astype(kinds | {c: int for c in columns if c == "traces"})
