"""From what a reader found, movie by movie, to a `Corpus`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus.corpus import (
    LEFT_OUT_COLUMNS,
    SEGMENT_COLUMNS,
    SOURCE_COLUMNS,
    Corpus,
    mean_of_rated,
    printable,
)


class MovieReading(NamedTuple):
    """One movie as read from disk.

    Attributes:
        movie: Its name.
        segments: DataFrame of n rows with `SEGMENT_COLUMNS` and "reason", for
            which a row is left out if nobody rated it. Others are in order of
            time.
        ratings: Float DataFrame with a column per viewer and the rows of
            `segments`: means in [-1, 1], NaN where not rated.
        subtitles: The subtitle file, and its encoding.
        traces: How many there are.
        rated_until_s: Time of the last rating; None for the last rated
            segment's end.
    """

    movie: str
    segments: pd.DataFrame
    ratings: pd.DataFrame
    subtitles: str | None = None
    encoding: str | None = None
    traces: int = 0
    rated_until_s: float | None = None


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
    segments = pd.concat([m.segments for m in movies], ignore_index=True)
    ratings = pd.concat([m.ratings for m in movies], ignore_index=True)
    viewers = tuple(sorted(map(str, ratings), key=order_of))
    rated = ratings.notna().any(axis=1)
    values = ratings.loc[rated, [*viewers]].to_numpy()
    if average and len(viewers) > 1 and paper.AVERAGE not in viewers:
        values = np.column_stack([values, mean_of_rated(values.T)])
        viewers = (*viewers, paper.AVERAGE)
    used, sources = segments[rated], []
    for m in movies:
        own = used[used["movie"] == m.movie]
        until_s, videos = m.rated_until_s, own["video"].unique()
        if until_s is None:
            until_s = own["end_s"].max()
        video = videos[0] if len(videos) == 1 else None
        about = (m.movie, m.subtitles, m.encoding, m.traces, until_s, video)
        sources.append(about)
    attributes["notes"] = tuple(map(printable, attributes["notes"]))
    return Corpus(
        segments=_table(used, SEGMENT_COLUMNS),
        viewers=viewers,
        values=values.astype(np.float32),
        left_out=_table(segments[~rated], LEFT_OUT_COLUMNS),
        sources=_table(sources, SOURCE_COLUMNS),
        **attributes,
    )


def _table(rows: Any, columns: Sequence[str]) -> pd.DataFrame:
    # As objects, since pandas would turn None into NaN; "no file" is None here.
    table = pd.DataFrame(rows, columns=[*columns], dtype=object)
    kinds: dict[str, type] = {c: float for c in columns if c.endswith("_s")}
    kinds |= {c: int for c in columns if c == "traces"}
    return table.astype(kinds).reset_index(drop=True)
