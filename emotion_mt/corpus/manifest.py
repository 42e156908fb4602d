"""Reads any corpus from two tables, `segments.csv` and `annotations.csv`."""

from __future__ import annotations

import math
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from emotion_mt.corpus.assemble import (
    Messages,
    MovieReading,
    keep_rated,
    order_of,
)
from emotion_mt.corpus.corpus import (
    SEGMENT_COLUMNS,
    CorpusError,
    Segment,
    Source,
    is_rated,
    is_taken,
    printable,
)
from emotion_mt.corpus.finder import fault_of_video
from emotion_mt.corpus.tables import Row, Scale, read_table
from emotion_mt.corpus.textfiles import plain_line

#: The two files, at the root of the folder.
SEGMENTS_FILE = "segments.csv"
ANNOTATIONS_FILE = "annotations.csv"

#: Columns of `ANNOTATIONS_FILE`.
_RATINGS = ("segment_id", "viewer", "value")

#: Why a segment is left out.
NOT_RATED = "no viewer rated it"

#: Latest time in seconds, more than eleven days: a larger one is in another
#: unit.
LATEST_S = 1e6

#: A viewer with fewer ratings is named, where others have far more.
FEW_RATINGS = 10


def is_manifest(folder: Path) -> bool:
    """Says whether a folder holds a manifest, or half of one."""
    files = (folder / SEGMENTS_FILE, folder / ANNOTATIONS_FILE)
    return any(path.is_file() for path in files)


def read_manifest(
    folder: Path,
    messages: Messages,
    allow_outside: bool,
    movies: Sequence[str] | None,
    scale: Scale,
    encoding: str | None,
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
    tables: dict[str, list[Row]] = {}
    fatal: list[str] = []
    columns = {SEGMENTS_FILE: SEGMENT_COLUMNS, ANNOTATIONS_FILE: _RATINGS}
    for name, expected in columns.items():
        try:
            how = (folder / name, expected, messages, encoding)
            tables[name] = read_table(*how)
        except CorpusError as error:
            fatal += error.problems
    if fatal:
        raise CorpusError(fatal)
    rows = tables[SEGMENTS_FILE]
    segments = _read_segments(folder, allow_outside, rows, messages)
    rows = tables[ANNOTATIONS_FILE]
    ratings = _read_ratings(folder, rows, segments, scale, messages)
    by_movie: dict[str, list[Segment]] = {}
    for segment in segments.values():
        by_movie.setdefault(segment.movie, []).append(segment)
    by_movie.pop("", None)  # rows without a movie, reported already
    found = []
    for movie in dict.fromkeys(by_movie if movies is None else movies):
        if messages.spoilt(movie):
            continue
        if reading := _movie(by_movie.get(movie, []), ratings):
            found.append(reading)
        else:
            messages.problem(
                f"{folder}: {movie}: expected segments in {SEGMENTS_FILE} with "
                f"ratings in {ANNOTATIONS_FILE}. Received none",
                movie,
            )
    messages.notes += _about_viewers(folder / ANNOTATIONS_FILE, found)
    return found


def _movie(
    segments: Sequence[Segment], ratings: Mapping[str, Mapping[str, float]]
) -> MovieReading | None:
    """Puts a movie together; None if nobody rated any of its segments."""
    segments = sorted(segments, key=lambda s: (s.start_s, s.end_s))
    rated = [ratings.get(s.segment_id, {}) for s in segments]
    columns = {
        viewer: np.array([values.get(viewer, np.nan) for values in rated])
        for viewer in {viewer for values in rated for viewer in values}
    }
    reasons = [NOT_RATED] * len(segments)
    kept, columns, left_out = keep_rated(segments, columns, reasons)
    if not kept:
        return None
    videos = {segment.video for segment in kept}
    video = videos.pop() if len(videos) == 1 else None
    until_s = max(segment.end_s for segment in kept)
    source = Source(kept[0].movie, None, None, 0, until_s, video)
    return MovieReading(kept, columns, tuple(left_out), source)


def _about_viewers(path: Path, movies: Sequence[MovieReading]) -> list[str]:
    """Notes on viewers whose ratings say little."""
    notes = []
    found: dict[str, list[float]] = {}
    for movie in movies:
        for viewer, column in movie.ratings.items():
            found.setdefault(viewer, []).extend(column[is_rated(column)])
    for words, side in (("below", -1), ("above", 1)):
        named = [
            viewer
            for viewer, values in found.items()
            if len(values) > 2 and not any(side * x > 0 for x in values)
        ]
        if values := [x for viewer in named for x in found[viewer]]:
            notes.append(
                f"{path}: no value {words} 0 of {_list(named)}, all lie "
                f"between {min(values):g} and {max(values):g}. If the middle "
                "of the scale is not 0, say what it is: --scale=LOW,HIGH"
            )
    counts = {viewer: len(values) for viewer, values in found.items()}
    most = max(counts.values(), default=0)
    if few := [v for v, n in counts.items() if n < FEW_RATINGS < most / 10]:
        notes.append(
            f"{path}: fewer than {FEW_RATINGS} ratings of {_list(few)}; they "
            "take part like all others, and no score of theirs means much"
        )
    return notes


def _list(viewers: Sequence[str], limit: int = 6) -> str:
    more = len(viewers) - limit
    named = ", ".join(sorted(viewers, key=order_of)[:limit])
    return f"{named} and {more} more" if more > 0 else named


def _read_segments(
    folder: Path, allow_outside: bool, rows: Sequence[Row], messages: Messages
) -> dict[str, Segment]:
    """Returns id to segment, faulty rows included where possible.

    A faulty segment keeps its id, so that its ratings are no problem too.
    """
    segments: dict[str, Segment] = {}
    lines: dict[str, str] = {}
    for row in rows:
        movie = plain_line(row.cells["movie"])
        id_ = row.name("segment_id", messages, movie)
        row.name("movie", messages, movie)
        if not id_:
            continue
        if id_ in segments:
            # Either row may be the wrong one, so neither movie is sure.
            messages.problem(
                f"{row.where}: expected a segment_id of its own. Received "
                f"{id_!r}, as in {lines[id_]}",
                *(movie, segments[id_].movie),
            )
            continue
        lines[id_] = row.where
        times, fault = times_of(row)
        video, other = _video(folder, allow_outside, row.cells["video"])
        for message in filter(None, (fault, other)):
            messages.problem(f"{row.where}: expected {message}", movie)
        text = plain_line(row.cells["text"])
        segments[id_] = Segment(id_, movie, *times, text, video)
    return segments


def times_of(row: Row) -> tuple[tuple[float, float], str]:
    """Returns start and end in seconds, and what is wrong with them."""
    times = []
    for column in ("start_s", "end_s"):
        time_s = row.number(column)
        late = time_s is not None and time_s > LATEST_S
        if late or time_s is None or time_s < 0:
            limit = f"at most {LATEST_S:g}" if late else "a number >= 0"
            received = f"Received: {row.cells[column]!r}"
            fault = f"{column} in seconds, {limit}. {received}"
            return (math.nan, math.nan), fault
        times.append(time_s)
    start_s, end_s = times
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
    segments: Mapping[str, Segment],
    scale: Scale,
    messages: Messages,
) -> dict[str, dict[str, float]]:
    """Returns segment id -> viewer -> value in [-1, 1]."""
    ratings: dict[str, dict[str, float]] = {}
    lines: dict[tuple[str, str], str] = {}
    outside: dict[str, list[Row]] = {}
    for row in rows:
        id_, fault = plain_line(row.cells["segment_id"]), ""
        if id_ not in segments:
            messages.problem(
                f"{row.where}: expected a segment_id of "
                f"{folder / SEGMENTS_FILE}. Received: {id_[:200]!r}"
            )
            continue
        movie = segments[id_].movie
        viewer = row.name("viewer", messages, movie)
        value = row.number("value")
        if not viewer:
            continue
        if is_taken(viewer):
            fault = (
                "a viewer with another name: the tables have a column of that "
                f"name. Received: {viewer!r}"
            )
        elif (id_, viewer) in lines:
            fault = (
                f"one rating per segment and viewer. Received a second one of "
                f"{viewer!r} for {id_!r}; the first is in {lines[id_, viewer]}"
            )
        elif row.cells["value"] and (value is None or not scale.holds(value)):
            outside.setdefault(movie, []).append(row)
        elif value is not None:
            ratings.setdefault(id_, {})[viewer] = float(scale.to_unit(value))
        if fault:
            messages.problem(f"{row.where}: expected {fault}", movie)
        lines.setdefault((id_, viewer), row.where)
    for movie, (row, *more) in outside.items():
        messages.problem(
            f"{row.where}: expected a value in {scale}, or an empty field if "
            f"the viewer did not rate{scale.hint}. Received: "
            f"{row.cells['value']!r}"
            + f" (and {len(more)} more such rows of {movie})"
            * bool(more),
            movie,
        )
    return ratings
