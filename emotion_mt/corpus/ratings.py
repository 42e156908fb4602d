"""One viewer's ratings of one movie, and the segments they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from emotion_mt import paper
from emotion_mt.corpus.assemble import Messages
from emotion_mt.corpus.corpus import MEAN_DECIMALS, CorpusError, is_rated
from emotion_mt.corpus.load import load_corpus
from emotion_mt.corpus.manifest import times_of
from emotion_mt.corpus.tables import Scale, read_table

#: Columns of a table of ratings.
RATING_COLUMNS = ("start_s", "end_s", "value")


def read_ratings(
    path: str | os.PathLike[str],
    viewer: str,
    scale: tuple[float, float] = (-1.0, 1.0),
    encoding: str | None = None,
) -> pd.DataFrame:
    """Reads what one viewer says of one movie.

    Args:
        path: A table with the columns start_s, end_s (seconds) and value; an
            empty value is no rating. For separators and decimal commas see
            `tables.read_table`. Or a folder as `load_corpus` reads it, such
            as one with segments.csv and annotations.csv, of one movie.
        viewer: Whose ratings in a folder with several viewers.
        scale: Lowest and highest value there is; its middle becomes 0.
        encoding: See `load_corpus`.

    Returns:
        DataFrame: where (file and line, or segment), start_s, end_s, value in
        [-1, 1]. `.attrs["notes"]` says what was guessed.

    Raises:
        CorpusError: If there is no rating, or something is none; names each.
        ValueError: If `scale` makes no sense.
    """
    if os.path.isdir(path):
        return _from_folder(path, viewer, scale, encoding)
    on, messages, found = Scale(*scale), Messages(), []
    for row in read_table(path, RATING_COLUMNS, messages, encoding):
        times, fault = times_of(row)
        value = row.number("value")
        if row.cells["value"] and (value is None or not on.holds(value)):
            fault = fault or (
                f"a value in {on}, or an empty field{on.hint}. Received: "
                f"{row.cells['value'][:80]!r}"
            )
        if fault:
            messages.problem(f"{row.where}: expected {fault}")
        elif value is not None:
            found.append((row.where, *times, float(on.to_unit(value))))
    if messages.problems():
        raise CorpusError(messages.problems())
    table = pd.DataFrame(found, columns=["where", *RATING_COLUMNS])
    return _noted(path, table, messages.notes)


def values_of_segments(
    ratings: pd.DataFrame, start_s: ArrayLike, end_s: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Averages ratings over segments.

    A rating belongs to the segments that it shares at least half of its time
    with, or half of theirs, whichever is shorter: times that were written
    down by hand may be off a little. The value of a segment is the mean of
    its ratings, weighted by the time that they share with it.

    Args:
        ratings: Of `read_ratings`.
        start_s: float [N], starts of the segments in seconds.
        end_s: float [N], their ends.

    Returns:
        float64 [N] in [-1, 1], NaN where there is no rating; and bool [R],
        which ratings belong to no segment.
    """
    starts, ends, values = ratings[[*RATING_COLUMNS]].to_numpy("float64").T
    segments = np.stack([start_s, end_s], axis=1)
    means, lost = np.full(len(segments), np.nan), np.ones(len(ratings), bool)
    for row, (start, end) in enumerate(segments):
        shared_s = np.minimum(ends, end) - np.maximum(starts, start)
        shorter_s = np.minimum(ends - starts, end - start)
        belongs = shared_s >= shorter_s / 2
        if belongs.any():
            mean = np.average(values[belongs], weights=shared_s[belongs])
            means[row] = np.round(mean, MEAN_DECIMALS)
            lost &= ~belongs
    return means, lost


def _from_folder(
    path: str | os.PathLike[str],
    viewer: str,
    scale: tuple[float, float],
    encoding: str | None,
) -> pd.DataFrame:
    corpus = load_corpus(path, scale=scale, encoding=encoding)
    people = [name for name in corpus.viewers if name != paper.AVERAGE]
    chosen = people[0] if len(people) == 1 else viewer
    if chosen not in people or len(corpus.movies) > 1:
        raise CorpusError(
            f"{path}: expected ratings of one movie by one viewer, or by "
            f"several of whom one is called {viewer!r}. Received the movies "
            f"{', '.join(corpus.movies)} and the viewers {', '.join(people)}"
        )
    values = corpus.values[:, corpus.column(chosen)].astype("float64")
    rows = corpus.segments.assign(value=values)[is_rated(values)]
    where = [f"{path}: {name}" for name in rows["segment_id"]]
    table = rows.assign(where=where)[["where", *RATING_COLUMNS]]
    return _noted(path, table.reset_index(drop=True), corpus.notes)


def _noted(
    path: str | os.PathLike[str], table: pd.DataFrame, notes: Sequence[str]
) -> pd.DataFrame:
    if table.empty:
        raise CorpusError(
            f"{path}: expected at least one rating. Received none"
        )
    table.attrs["notes"] = list(notes)
    return table
