"""Reads any corpus from two tables, `segments.csv` and `annotations.csv`."""

from __future__ import annotations

import math
import os
import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.corpus.assemble import Messages, MovieReading, order_of
from emotion_mt.corpus.corpus import (
    SEGMENT_COLUMNS,
    CorpusError,
    is_taken,
    printable,
)
from emotion_mt.corpus.finder import fault_of_video, listed
from emotion_mt.corpus.tables import Row, Scale, read_table
from emotion_mt.corpus.textfiles import plain_line

#: The two files, at the root of the folder.
SEGMENTS_FILE = "segments.csv"
ANNOTATIONS_FILE = "annotations.csv"

_COLUMNS = {
    SEGMENTS_FILE: SEGMENT_COLUMNS,
    ANNOTATIONS_FILE: ("segment_id", "viewer", "value"),
}

#: Latest time in seconds, more than eleven days: a larger one is in another
#: unit.
LATEST_S = 1e6

#: A viewer with fewer ratings is named, where others have far more.
FEW_RATINGS = 10


def read_manifest(
    folder: Path,
    messages: Messages,
    movies: Sequence[str] | None,
    scale: Scale,
    encoding: str | None,
    allow_outside: bool,
) -> list[MovieReading]:
    """Reads a manifest; for the arguments see `load_corpus`.

    `segments.csv` has the columns segment_id, movie, start_s, end_s, text and
    video; video is a path relative to `folder` or empty, and must not lead
    out of it, links included, unless `allow_outside`. `annotations.csv` has
    the columns segment_id, viewer and value; a viewer who did not rate a
    segment has no row for it, or an empty value. For separators and numbers
    see `tables.read_table`. Movies are in the order of the file; one with a
    faulty row is not used. A missing file or column is a CorpusError.
    """
    tables: list[list[Row]] = []
    fatal: list[str] = []
    for name, columns in _COLUMNS.items():
        try:
            rows = read_table(folder / name, columns, messages, encoding)
        except CorpusError as error:
            fatal += error.problems
        else:
            tables.append(rows)
    if fatal:
        raise CorpusError(fatal)
    found = _read_segments(folder, allow_outside, tables[0], messages)
    movie_of = dict(zip(found["segment_id"], found["movie"], strict=True))
    ratings = _read_ratings(folder, tables[1], movie_of, scale, messages)
    # Rows without a movie are reported already.
    found = found[found["movie"] != ""].assign(reason="no viewer rated it")
    values = pd.DataFrame.from_dict(ratings, orient="index")
    readings = []
    for movie in dict.fromkeys(found["movie"] if movies is None else movies):
        if messages.spoilt(movie):
            continue
        part = found[found["movie"] == movie]
        part = part.sort_values(["start_s", "end_s"], kind="stable")
        own = values.reindex(part["segment_id"]).dropna(axis=1, how="all")
        if own.empty:
            messages.problem(
                f"{folder}: {movie}: expected segments in {SEGMENTS_FILE} with "
                f"ratings in {ANNOTATIONS_FILE}. Received none",
                movie,
            )
        else:
            readings.append(MovieReading(movie, part, own))
    if readings:
        every = pd.concat([reading.ratings for reading in readings])
        messages.notes += _about_viewers(folder / ANNOTATIONS_FILE, every)
    return readings


def _about_viewers(path: Path, ratings: pd.DataFrame) -> list[str]:
    """Notes on viewers whose ratings say little; NaN where not rated."""
    viewers = sorted(map(str, ratings), key=order_of)
    ratings = ratings[viewers]
    notes, given = [], ratings.count()
    for words, side in (("below", -1), ("above", 1)):
        named = (given > 2) & ~(side * ratings > 0).any()
        if named.any():
            own = ratings.loc[:, named]
            values = own.to_numpy() + 0.0  # which makes 0 of -0
            notes.append(
                f"{path}: no value {words} 0 of {listed([*own], 6)}, all lie "
                f"between {np.nanmin(values):g} and {np.nanmax(values):g}. If "
                "the middle of the scale is not 0, say what it is: "
                "--scale=LOW,HIGH"
            )
    few = (given < FEW_RATINGS) & (given.max() / 10 > FEW_RATINGS)
    if few.any():
        notes.append(
            f"{path}: fewer than {FEW_RATINGS} ratings of "
            f"{listed([*ratings.columns[few]], 6)}; they take part like all "
            "others, and no score of theirs means much"
        )
    return notes


def _read_segments(
    folder: Path, allow_outside: bool, rows: Sequence[Row], messages: Messages
) -> pd.DataFrame:
    """Returns `SEGMENT_COLUMNS`, of faulty rows too where possible.

    A faulty segment keeps its id, so that its ratings are no problem too.
    """
    segments: list[tuple[Any, ...]] = []
    first: dict[str, tuple[str, str]] = {}  # id to line and movie
    for row in rows:
        movie = plain_line(row.cells["movie"])
        id_ = row.name("segment_id", messages, movie)
        row.name("movie", messages, movie)
        if not id_:
            continue
        if id_ in first:
            # Either row may be the wrong one, so neither movie is sure.
            line, other = first[id_]
            messages.problem(
                f"{row.where}: expected a segment_id of its own. Received "
                f"{id_!r}, as in {line}",
                *(movie, other),
            )
            continue
        first[id_] = row.where, movie
        times, fault = times_of(row)
        video, none = _video(folder, allow_outside, row.cells["video"])
        for message in filter(None, (fault, none)):
            messages.problem(f"{row.where}: expected {message}", movie)
        text = plain_line(row.cells["text"])
        segments.append((id_, movie, *times, text, video))
    return pd.DataFrame(segments, columns=[*SEGMENT_COLUMNS], dtype=object)


def times_of(row: Row) -> tuple[tuple[float, float], str]:
    """Returns start and end in seconds, and what is wrong with them."""
    times = {column: row.number(column) for column in ("start_s", "end_s")}
    for column, time_s in times.items():
        if time_s is None or not 0 <= time_s <= LATEST_S:
            late = time_s is not None and time_s > 0
            limit = f"at most {LATEST_S:g}" if late else "a number >= 0"
            received = f"Received: {row.cells[column]!r}"
            fault = f"{column} in seconds, {limit}. {received}"
            return (math.nan, math.nan), fault
    start_s, end_s = (time_s or 0.0 for time_s in times.values())
    fault = f"end_s > start_s. Received: start_s={start_s:g}, end_s={end_s:g}"
    return (start_s, end_s), "" if start_s < end_s else fault


def _video(
    folder: Path, allow_outside: bool, cell: str
) -> tuple[str | None, str]:
    """Returns the path of a video, if any, and what is wrong with it."""
    if not cell:
        return None, ""
    expected, fault = "an existing video file, or an empty field", ""
    path = folder / cell if allow_outside else _inside(folder, cell)
    if printable(cell) != cell:
        expected = "a video path in one line, without control characters"
    elif path is None:
        expected = f"a video path relative to {folder} and inside it"
    else:
        try:
            fault = fault_of_video(path)
        except OSError as error:  # such as a name that is too long
            fault = str(error.strerror)
        if not fault:
            return str(path), ""
        fault = f" ({fault})"
    return None, f"{expected}. Received: {cell[:200]!r}{fault}"


def _inside(folder: Path, cell: str) -> Path | None:
    """Returns the path that a cell names, None if it leads out of `folder`."""
    relative = posixpath.normpath(cell.replace("\\", "/"))
    root = relative.startswith("/") or PureWindowsPath(cell).drive
    if root or relative.split("/")[0] == ".." or "\0" in cell:
        return None
    path = folder / relative
    # A link may lead out as well. (Path.resolve would raise for a loop.)
    real = Path(os.path.realpath(path))
    return path if real.is_relative_to(os.path.realpath(folder)) else None


def _read_ratings(
    folder: Path,
    rows: Sequence[Row],
    movie_of: Mapping[str, str],
    scale: Scale,
    messages: Messages,
) -> dict[str, dict[str, float]]:
    """Returns segment id -> viewer -> value in [-1, 1]."""
    ratings: dict[str, dict[str, float]] = defaultdict(dict)
    lines: dict[tuple[str, str], str] = {}
    outside: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        id_ = plain_line(row.cells["segment_id"])
        if id_ not in movie_of:
            messages.problem(
                f"{row.where}: expected a segment_id of "
                f"{folder / SEGMENTS_FILE}. Received: {id_[:200]!r}"
            )
            continue
        movie = movie_of[id_]
        viewer = row.name("viewer", messages, movie)
        value = row.number("value")
        if not viewer:
            continue
        first = lines.setdefault((id_, viewer), row.where)
        if is_taken(viewer):
            messages.problem(
                f"{row.where}: expected a viewer with another name: the tables "
                f"have a column of that name. Received: {viewer!r}",
                movie,
            )
        elif first != row.where:
            messages.problem(
                f"{row.where}: expected one rating per segment and viewer. "
                f"Received a second one of {viewer!r} for {id_!r}; the first "
                f"is in {first}",
                movie,
            )
        elif row.cells["value"] and (value is None or not scale.holds(value)):
            outside[movie].append(row)
        elif value is not None:
            ratings[id_][viewer] = float(scale.to_unit(value))
    for movie, (row, *more) in outside.items():
        others = f" (and {len(more)} more such rows of {movie})" if more else ""
        messages.problem(
            f"{row.where}: expected a value in {scale}, or an empty field if "
            f"the viewer did not rate{scale.hint}. Received: "
            f"{row.cells['value']!r}{others}",
            movie,
        )
    return ratings
