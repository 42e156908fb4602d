"""Reads any corpus from two CSV files, `segments.csv` and `annotations.csv`."""

from __future__ import annotations

import math
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from emotion_mt.corpus.assemble import (
    FilmReading,
    Reading,
    Segment,
    Source,
    keep_rated,
)
from emotion_mt.corpus.corpus import (
    SEGMENT_COLUMNS,
    CorpusError,
    is_rated,
    is_taken,
    printable,
)
from emotion_mt.corpus.csv_rows import (
    Problems,
    Row,
    is_name,
    number,
    read_table,
)
from emotion_mt.corpus.finder import fault_of_video
from emotion_mt.corpus.textfiles import plain_line

#: The two files, at the root of the folder.
SEGMENTS_FILE = "segments.csv"
ANNOTATIONS_FILE = "annotations.csv"

#: Columns of `ANNOTATIONS_FILE`.
ANNOTATION_COLUMNS = ("segment_id", "viewer", "value")

#: Why a segment is left out.
NOT_RATED = "no viewer rated it"

#: Latest time in seconds, more than eleven days: a larger one is in another
#: unit.
LATEST_S = 1e6


def is_manifest(folder: Path) -> bool:
    """Says whether a folder holds a manifest, or half of one."""
    return any(
        (folder / name).is_file() for name in (SEGMENTS_FILE, ANNOTATIONS_FILE)
    )


def read_manifest(
    folder: Path,
    movies: Sequence[str] | None = None,
    *,
    allow_outside: bool = False,
) -> Reading:
    """Reads a manifest.

    `segments.csv` has the columns segment_id, movie, start_s, end_s, text and
    video; video is a path relative to `folder` or empty, and must not lead
    out of it, links included, unless `allow_outside`. `annotations.csv` has
    the columns segment_id, viewer and value in [-1, 1]; a viewer who did not
    rate a segment has no row for it, or an empty value. Further columns are
    ignored. Both are comma-separated with a header, in UTF-8 (or what
    `textfiles.read_text` makes of them).

    Args:
        folder: The folder.
        movies: Films to read; by default all.
        allow_outside: Whether videos may lie outside of `folder`.

    Returns:
        The films that can be used, in the order of the file, with problems
        and notes. A film with a faulty row is not used.

    Raises:
        CorpusError: If a file or a column is missing, or a file is no CSV.
    """
    notes: list[str] = []
    problems = Problems()
    segment_rows, rating_rows = _read_tables(folder, problems, notes)
    root = None if allow_outside else folder
    segments = _read_segments(folder, root, segment_rows, problems)
    ratings = _read_ratings(folder, rating_rows, segments, problems)
    by_movie: dict[str, list[Segment]] = {}
    for segment in segments.values():
        by_movie.setdefault(segment.movie, []).append(segment)
    by_movie.pop("", None)  # rows without a film, reported already
    wanted = tuple(by_movie) if movies is None else tuple(dict.fromkeys(movies))
    films = []
    for movie in wanted:
        if problems.concern(movie):
            continue
        film = _film(by_movie.get(movie, []), ratings)
        if film is None:
            problems.add(
                f"{folder}: {movie}",
                [movie],
                f"expected segments in {SEGMENTS_FILE} with ratings in "
                f"{ANNOTATIONS_FILE}. Received none",
            )
        else:
            films.append(film)
    return Reading(tuple(films), problems.messages(wanted), tuple(notes))


def _film(
    segments: Sequence[Segment], ratings: Mapping[str, Mapping[str, float]]
) -> FilmReading | None:
    """Puts a film together; None if nobody rated any of its segments."""
    segments = sorted(segments, key=lambda s: (s.start_s, s.end_s))
    viewers = {v for s in segments for v in ratings.get(s.segment_id, ())}
    values = {
        viewer: np.array(
            [
                ratings.get(s.segment_id, {}).get(viewer, np.nan)
                for s in segments
            ]
        )
        for viewer in viewers
    }
    values = {
        v: column for v, column in values.items() if is_rated(column).any()
    }
    reasons = [NOT_RATED] * len(segments)
    kept, values, left_out = keep_rated(segments, values, reasons)
    if not kept:
        return None
    videos = {segment.video for segment in kept}
    source = Source(
        movie=kept[0].movie,
        subtitles=None,
        encoding=None,
        traces=0,
        rated_until_s=max(segment.end_s for segment in kept),
        video=videos.pop() if len(videos) == 1 else None,
    )
    return FilmReading(kept, values, tuple(left_out), source)


def _read_tables(
    folder: Path, problems: Problems, notes: list[str]
) -> list[list[Row]]:
    """Reads both files; raises what is wrong with either of them."""
    tables: list[list[Row]] = []
    fatal: list[str] = []
    for name, columns in (
        (SEGMENTS_FILE, SEGMENT_COLUMNS),
        (ANNOTATIONS_FILE, ANNOTATION_COLUMNS),
    ):
        try:
            tables.append(read_table(folder / name, columns, problems, notes))
        except CorpusError as error:
            fatal += error.problems
    if fatal:
        raise CorpusError(fatal)
    return tables


def _read_segments(
    folder: Path, root: Path | None, rows: Sequence[Row], problems: Problems
) -> dict[str, Segment]:
    """Returns segment id to segment, faulty rows included where possible.

    A faulty segment keeps its id, so that its ratings are no problem too.
    `root` is what the videos have to lie in, if anything.
    """
    segments: dict[str, Segment] = {}
    lines: dict[str, str] = {}
    for row in rows:
        movie, id_ = row.cells["movie"], row.cells["segment_id"]
        for column in ("segment_id", "movie"):
            is_name(row, column, [movie], problems)
        if not id_:
            continue
        if id_ in segments:
            # Either row may be the wrong one, so neither film is sure.
            problems.add(
                row.where,
                [movie, segments[id_].movie],
                f"expected a segment_id of its own. Received {id_!r}, as in "
                f"{lines[id_]}",
            )
            continue
        times = _times(row, problems)
        video = _video(folder, root, row, problems)
        text = plain_line(row.cells["text"])
        lines[id_] = row.where
        segments[id_] = Segment(id_, movie, *times, text, video)
    return segments


def _times(row: Row, problems: Problems) -> tuple[float, float]:
    movie = row.cells["movie"]
    times = []
    for column in ("start_s", "end_s"):
        time_s = number(row.cells[column])
        if time_s is None or not 0 <= time_s <= LATEST_S:
            late = time_s is not None and time_s > LATEST_S
            limit = f"at most {LATEST_S:g}" if late else "a number >= 0"
            problems.add(
                row.where,
                [movie],
                f"expected {column} in seconds, {limit}. "
                f"Received: {row.cells[column]!r}",
            )
            time_s = None
        times.append(time_s)
    start_s, end_s = times
    if start_s is None or end_s is None:
        return math.nan, math.nan
    if end_s <= start_s:
        problems.add(
            row.where,
            [movie],
            "expected end_s > start_s. "
            f"Received: start_s={start_s:g}, end_s={end_s:g}",
        )
    return start_s, end_s


def _video(
    folder: Path, root: Path | None, row: Row, problems: Problems
) -> str | None:
    """Returns the path of the row's video, or None."""
    cell = row.cells["video"]
    if not cell:
        return None
    if printable(cell) != cell:
        problems.add(
            row.where,
            [row.cells["movie"]],
            "expected a video path in one line, without control characters. "
            f"Received: {cell[:200]!r}",
        )
        return None
    path = folder / cell if root is None else _inside(root, cell)
    if path is None:
        problems.add(
            row.where,
            [row.cells["movie"]],
            f"expected a video path relative to {folder} and inside it. "
            f"Received: {cell!r}",
        )
        return None
    try:
        fault = fault_of_video(path)
    except OSError as error:  # such as a name that is too long
        fault = str(error.strerror)
    if fault:
        problems.add(
            row.where,
            [row.cells["movie"]],
            f"expected an existing video file, or an empty field. "
            f"Received: {cell[:200]!r} ({fault})",
        )
        return None
    return str(path)


def _inside(root: Path, cell: str) -> Path | None:
    """Returns the path that a cell names, None if it leads out of `root`."""
    relative = posixpath.normpath(cell.replace("\\", "/"))
    if (
        relative.split("/")[0] == ".."
        or relative.startswith("/")
        or PureWindowsPath(cell).drive
    ):
        return None
    path = root / relative
    # A link may lead out as well. (Path.resolve would raise for a loop.)
    real = Path(os.path.realpath(path))
    return path if real.is_relative_to(os.path.realpath(root)) else None


def _read_ratings(
    folder: Path,
    rows: Sequence[Row],
    segments: Mapping[str, Segment],
    problems: Problems,
) -> dict[str, dict[str, float]]:
    """Returns segment id -> viewer -> value in [-1, 1]."""
    ratings: dict[str, dict[str, float]] = {}
    lines: dict[tuple[str, str], str] = {}
    for row in rows:
        id_, viewer = row.cells["segment_id"], row.cells["viewer"]
        if id_ not in segments:
            problems.add(
                row.where,
                [],
                f"expected a segment_id of {folder / SEGMENTS_FILE}. "
                f"Received: {id_!r}",
            )
            continue
        movie = segments[id_].movie
        if not is_name(row, "viewer", [movie], problems):
            continue
        if is_taken(viewer):
            problems.add(
                row.where,
                [movie],
                "expected a viewer with another name: the tables have a "
                f"column of that name. Received: {viewer!r}",
            )
            continue
        if (id_, viewer) in lines:
            problems.add(
                row.where,
                [movie],
                "expected one rating per segment and viewer. Received a "
                f"second one of {viewer!r} for {id_!r}; the first is in "
                f"{lines[id_, viewer]}",
            )
            continue
        lines[id_, viewer] = row.where
        value = _value(row, movie, problems)
        if value is not None:
            ratings.setdefault(id_, {})[viewer] = value
    return ratings


def _value(row: Row, movie: str, problems: Problems) -> float | None:
    """Returns the row's value; None if it is empty or no rating."""
    cell = row.cells["value"]
    if not cell:
        return None
    value = number(cell)
    if value is None or abs(value) > 1:
        problems.add(
            row.where,
            [movie],
            "expected a value in [-1, 1], or an empty field if the viewer did "
            f"not rate. Received: {cell!r}",
        )
        return None
    return value
