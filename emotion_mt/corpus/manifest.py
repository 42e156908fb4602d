"""Reads any corpus from two tables, `segments.csv` and `annotations.csv`."""

from __future__ import annotations

import dataclasses
import math
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from emotion_mt.corpus.assemble import (
    Messages,
    MovieReading,
    Reading,
    keep_rated,
    order_of,
)
from emotion_mt.corpus.corpus import (
    SEGMENT_COLUMNS,
    CorpusError,
    Segment,
    Source,
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
ANNOTATION_COLUMNS = ("segment_id", "viewer", "value")

#: Why a segment is left out.
NOT_RATED = "no viewer rated it"

#: Latest time in seconds, more than eleven days: a larger one is in another
#: unit.
LATEST_S = 1e6

#: A viewer with fewer ratings is named, where others have far more.
FEW_RATINGS = 10


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
    scale: Scale | None = None,
    encoding: str | None = None,
) -> Reading:
    """Reads a manifest.

    `segments.csv` has the columns segment_id, movie, start_s, end_s, text and
    video; video is a path relative to `folder` or empty, and must not lead
    out of it, links included, unless `allow_outside`. `annotations.csv` has
    the columns segment_id, viewer and value; a viewer who did not rate a
    segment has no row for it, or an empty value. Further columns are ignored.
    For separators and numbers see `tables.read_table`.

    Args:
        folder: The folder.
        movies: Movies to read; by default all.
        allow_outside: Whether videos may lie outside of `folder`.
        scale: Of the values; by default [-1, 1].
        encoding: See `textfiles.read_text`.

    Returns:
        The movies that can be used, in the order of the file, with problems
        and notes. A movie with a faulty row is not used.

    Raises:
        CorpusError: If a file or a column is missing, or a file is no table.
    """
    messages = Messages()
    segment_rows, rating_rows = _read_tables(folder, messages, encoding)
    root = None if allow_outside else folder
    segments = _Segments(folder, root, messages).read(segment_rows)
    ratings = _read_ratings(
        folder, rating_rows, segments, scale or Scale(), messages
    )
    by_movie: dict[str, list[Segment]] = {}
    for segment in segments.values():
        by_movie.setdefault(segment.movie, []).append(segment)
    by_movie.pop("", None)  # rows without a movie, reported already
    wanted = tuple(by_movie) if movies is None else tuple(dict.fromkeys(movies))
    readings = []
    for movie in wanted:
        if messages.spoilt(movie):
            continue
        reading = _movie(by_movie.get(movie, []), ratings)
        if reading is None:
            messages.problem(
                f"{folder}: {movie}: expected segments in {SEGMENTS_FILE} with "
                f"ratings in {ANNOTATIONS_FILE}. Received none",
                movie,
            )
        else:
            readings.append(reading)
    messages.notes += _about_viewers(folder, readings)
    return messages.reading(readings, wanted)


def _read_tables(
    folder: Path, messages: Messages, encoding: str | None
) -> list[list[Row]]:
    """Reads both files; raises what is wrong with either of them."""
    tables: list[list[Row]] = []
    fatal: list[str] = []
    for name, columns in (
        (SEGMENTS_FILE, SEGMENT_COLUMNS),
        (ANNOTATIONS_FILE, ANNOTATION_COLUMNS),
    ):
        path = folder / name
        try:
            rows = read_table(path, columns, messages, encoding=encoding)
            tables.append(rows)
        except CorpusError as error:
            fatal += error.problems
    if fatal:
        raise CorpusError(fatal)
    return tables


def _movie(
    segments: Sequence[Segment], ratings: Mapping[str, Mapping[str, float]]
) -> MovieReading | None:
    """Puts a movie together; None if nobody rated any of its segments."""
    segments = sorted(segments, key=lambda s: (s.start_s, s.end_s))
    rated = [ratings.get(s.segment_id, {}) for s in segments]
    viewers = {viewer for values in rated for viewer in values}
    columns = {
        v: np.array([values.get(v, np.nan) for values in rated])
        for v in viewers
    }
    reasons = [NOT_RATED] * len(segments)
    kept, columns, left_out = keep_rated(segments, columns, reasons)
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
    return MovieReading(kept, columns, tuple(left_out), source)


def _about_viewers(folder: Path, movies: Sequence[MovieReading]) -> list[str]:
    """Notes on viewers whose ratings say little."""
    found: dict[str, list[float]] = {}
    for movie in movies:
        for viewer, values in movie.ratings.items():
            found.setdefault(viewer, []).extend(values[~np.isnan(values)])
    path, most = (
        folder / ANNOTATIONS_FILE,
        max(map(len, found.values()), default=0),
    )
    notes = []
    for words, side in (("below", -1), ("above", 1)):
        named = [v for v in found if not any(side * x > 0 for x in found[v])]
        if named:
            values = [x for v in named for x in found[v]]
            notes.append(
                f"{path}: no value {words} 0 of {_list(named)}, all lie "
                f"between {min(values):g} and {max(values):g}. If the middle "
                "of the scale is not 0, say what it is: --scale=LOW,HIGH"
            )
    few = {
        v: n for v in found if (n := len(found[v])) < FEW_RATINGS < most / 10
    }
    if few:
        counted = _list([f"{v} ({n})" for v, n in few.items()])
        notes.append(
            f"{path}: fewer than {FEW_RATINGS} ratings of {counted}; they take "
            "part like all others, and no score of theirs means much"
        )
    return notes


def _list(viewers: Sequence[str], limit: int = 6) -> str:
    more = len(viewers) - limit
    named = ", ".join(sorted(viewers, key=order_of)[:limit])
    return f"{named} and {more} more" if more > 0 else named


@dataclasses.dataclass(frozen=True)
class _Segments:
    """Reads the rows of `segments.csv`.

    `root` is what the videos have to lie in, if anything.
    """

    folder: Path
    root: Path | None
    messages: Messages

    def read(self, rows: Sequence[Row]) -> dict[str, Segment]:
        """Returns id to segment, faulty rows included where possible.

        A faulty segment keeps its id, so that its ratings are no problem too.
        """
        segments: dict[str, Segment] = {}
        lines: dict[str, str] = {}
        for row in rows:
            movie = plain_line(row.cells["movie"])
            id_ = row.name("segment_id", self.messages, movie)
            row.name("movie", self.messages, movie)
            if not id_:
                continue
            if id_ in segments:
                # Either row may be the wrong one, so neither movie is sure.
                self.messages.problem(
                    f"{row.where}: expected a segment_id of its own. Received "
                    f"{id_!r}, as in {lines[id_]}",
                    *(movie, segments[id_].movie),
                )
                continue
            text, lines[id_] = plain_line(row.cells["text"]), row.where
            times, video = self._times(row, movie), self._video(row, movie)
            segments[id_] = Segment(id_, movie, *times, text, video)
        return segments

    def _times(self, row: Row, movie: str) -> tuple[float, float]:
        times = []
        for column in ("start_s", "end_s"):
            time_s = row.number(column)
            if time_s is None or not 0 <= time_s <= LATEST_S:
                late = time_s is not None and time_s > LATEST_S
                limit = f"at most {LATEST_S:g}" if late else "a number >= 0"
                self.messages.problem(
                    f"{row.where}: expected {column} in seconds, {limit}. "
                    f"Received: {row.cells[column]!r}",
                    movie,
                )
                return math.nan, math.nan
            times.append(time_s)
        start_s, end_s = times
        if end_s <= start_s:
            self.messages.problem(
                f"{row.where}: expected end_s > start_s. "
                f"Received: start_s={start_s:g}, end_s={end_s:g}",
                movie,
            )
        return start_s, end_s

    def _video(self, row: Row, movie: str) -> str | None:
        """Returns the path of the row's video, or None."""
        cell = row.cells["video"]
        if not cell:
            return None
        expected, path = "an existing video file, or an empty field", None
        if printable(cell) != cell:
            expected = "a video path in one line, without control characters"
            fault = "no such path"
        else:
            path = self._inside(cell) if self.root else self.folder / cell
            if path is None:
                expected = (
                    f"a video path relative to {self.folder} and inside it"
                )
            try:
                fault = fault_of_video(path) if path else "elsewhere"
            except OSError as error:  # such as a name that is too long
                fault = str(error.strerror)
        if fault:
            self.messages.problem(
                f"{row.where}: expected {expected}. "
                f"Received: {cell[:200]!r} ({fault})",
                movie,
            )
            return None
        return str(path)

    def _inside(self, cell: str) -> Path | None:
        """Returns the path that a cell names, None if it leads out."""
        relative = posixpath.normpath(cell.replace("\\", "/"))
        if (
            relative.split("/")[0] == ".."
            or relative.startswith("/")
            or PureWindowsPath(cell).drive
        ):
            return None
        path = self.folder / relative
        # A link may lead out as well. (Path.resolve would raise for a loop.)
        real = Path(os.path.realpath(path))
        return (
            path if real.is_relative_to(os.path.realpath(self.folder)) else None
        )


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
        id_ = plain_line(row.cells["segment_id"])
        if id_ not in segments:
            messages.problem(
                f"{row.where}: expected a segment_id of "
                f"{folder / SEGMENTS_FILE}. Received: {id_!r}"
            )
            continue
        movie = segments[id_].movie
        viewer = row.name("viewer", messages, movie)
        value, fault = row.number("value"), ""
        if is_taken(viewer):
            fault = (
                "expected a viewer with another name: the tables have a "
                f"column of that name. Received: {viewer!r}"
            )
        elif (id_, viewer) in lines:
            fault = (
                "expected one rating per segment and viewer. Received a "
                f"second one of {viewer!r} for {id_!r}; the first is in "
                f"{lines[id_, viewer]}"
            )
        elif row.cells["value"] and (value is None or not scale.holds(value)):
            outside.setdefault(movie, []).append(row)
        elif viewer and value is not None:
            ratings.setdefault(id_, {})[viewer] = float(scale.to_unit(value))
        if viewer:
            lines.setdefault((id_, viewer), row.where)
        if fault:
            messages.problem(f"{row.where}: {fault}", movie)
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
