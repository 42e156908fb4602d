"""Reads any corpus from two CSV files, `segments.csv` and `annotations.csv`."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from emotion_mt.corpus import textfiles
from emotion_mt.corpus.assemble import (
    FilmReading,
    Reading,
    Segment,
    Source,
    keep_rated,
)
from emotion_mt.corpus.corpus import SEGMENT_COLUMNS, CorpusError, is_rated

#: The two files, at the root of the folder.
SEGMENTS_FILE = "segments.csv"
ANNOTATIONS_FILE = "annotations.csv"

#: Columns of `ANNOTATIONS_FILE`.
ANNOTATION_COLUMNS = ("segment_id", "viewer", "value")

#: Why a segment is left out.
NOT_RATED = "no viewer rated it"


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row of a CSV file and where it stands."""

    where: str
    cells: Mapping[str, str]


class _Problems:
    """Messages, and the films that cannot be used because of them."""

    def __init__(self) -> None:
        self._messages: list[tuple[frozenset[str], str]] = []

    def add(self, where: str, movies: Iterable[str], message: str) -> None:
        """Adds a message that concerns some films, or none in particular."""
        concerned = frozenset(movie for movie in movies if movie)
        self._messages.append((concerned, f"{where}: {message}"))

    def concern(self, movie: str) -> bool:
        """Says whether a film cannot be used."""
        return any(movie in movies for movies, _ in self._messages)

    def messages(self, movies: Iterable[str]) -> tuple[str, ...]:
        """Returns what concerns some of `movies` or none in particular."""
        wanted = frozenset(movies)
        return tuple(
            message
            for concerned, message in self._messages
            if not concerned or concerned & wanted
        )


def is_manifest(folder: Path) -> bool:
    """Says whether a folder holds a manifest, or half of one."""
    return any(
        (folder / name).is_file() for name in (SEGMENTS_FILE, ANNOTATIONS_FILE)
    )


def read_manifest(folder: Path, movies: Sequence[str] | None = None) -> Reading:
    """Reads a manifest.

    `segments.csv` has the columns segment_id, movie, start_s, end_s, text and
    video; video is a path relative to `folder` or empty, and must not lead
    out of it. `annotations.csv` has the columns segment_id, viewer and value
    in [-1, 1]; a viewer who did not rate a segment has no row for it, or an
    empty value. Further columns are ignored. Both are comma-separated with a
    header, in UTF-8 (or what `textfiles.read_text` makes of them).

    Args:
        folder: The folder.
        movies: Films to read; by default all.

    Returns:
        The films that can be used, in the order of the file, with problems
        and notes. A film with a faulty row is not used.

    Raises:
        CorpusError: If a file or a column is missing, or a file is no CSV.
    """
    notes: list[str] = []
    problems = _Problems()
    segment_rows, rating_rows = _read_tables(folder, problems, notes)
    segments = _read_segments(folder, segment_rows, problems)
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
    folder: Path, problems: _Problems, notes: list[str]
) -> list[list[_Row]]:
    """Reads both files; raises what is wrong with either of them."""
    tables: list[list[_Row]] = []
    fatal: list[str] = []
    for name, columns in (
        (SEGMENTS_FILE, SEGMENT_COLUMNS),
        (ANNOTATIONS_FILE, ANNOTATION_COLUMNS),
    ):
        try:
            tables.append(_read_table(folder / name, columns, problems, notes))
        except CorpusError as error:
            fatal += error.problems
    if fatal:
        raise CorpusError(fatal)
    return tables


def _read_table(
    path: Path,
    columns: Sequence[str],
    problems: _Problems,
    notes: list[str],
) -> list[_Row]:
    """Reads a CSV file; further columns are noted and ignored."""
    if not path.is_file():
        raise CorpusError(
            f"{path}: expected a file with the columns {', '.join(columns)}. "
            "Received: nothing there"
        )
    text, encoding = textfiles.read_text(path)
    if encoding in textfiles.FALLBACK_ENCODINGS:
        notes.append(f"{path}: not UTF-8, read as {encoding}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, columns, notes)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                problems.add(
                    where,
                    [],
                    f"expected {len(header)} fields. "
                    f"Received {len(cells)}: {','.join(cells)[:80]!r}",
                )
                continue
            stripped = [cell.strip() for cell in cells]
            rows.append(_Row(where, dict(zip(header, stripped, strict=True))))
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {reader.line_num}: expected comma-separated "
            f"values. Received: {error}"
        ) from error
    return rows


def _check_header(
    path: Path, header: Sequence[str], columns: Sequence[str], notes: list[str]
) -> None:
    missing = [column for column in columns if column not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing or twice:
        raise CorpusError(
            f"{path}, line 1: expected the columns {', '.join(columns)}, each "
            f"once. Received: {','.join(header)!r}; "
            + (f"missing: {', '.join(missing)}" if missing else "")
            + (f"more than once: {', '.join(twice)}" if twice else "")
        )
    more = [name for name in header if name not in columns]
    if more:
        notes.append(f"{path}: columns not used: {', '.join(more)}")


def _read_segments(
    folder: Path, rows: Sequence[_Row], problems: _Problems
) -> dict[str, Segment]:
    """Returns segment id to segment, faulty rows included where possible.

    A faulty segment keeps its id, so that its ratings are no problem too.
    """
    segments: dict[str, Segment] = {}
    lines: dict[str, str] = {}
    for row in rows:
        movie, id_ = row.cells["movie"], row.cells["segment_id"]
        for column in ("segment_id", "movie"):
            if not row.cells[column]:
                problems.add(
                    row.where, [movie], f"expected a {column}. Received: ''"
                )
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
        video = _video(folder, row, problems)
        lines[id_] = row.where
        segments[id_] = Segment(id_, movie, *times, _text(row), video)
    return segments


def _text(row: _Row) -> str:
    return " ".join(row.cells["text"].split())


def _times(row: _Row, problems: _Problems) -> tuple[float, float]:
    movie = row.cells["movie"]
    times = []
    for column in ("start_s", "end_s"):
        time_s = _number(row.cells[column])
        if time_s is None or time_s < 0:
            problems.add(
                row.where,
                [movie],
                f"expected {column} in seconds, a number >= 0. "
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


def _video(folder: Path, row: _Row, problems: _Problems) -> str | None:
    """Returns the path of the row's video, or None."""
    cell = row.cells["video"]
    if not cell:
        return None
    relative = posixpath.normpath(cell.replace("\\", "/"))
    outside = (
        relative.split("/")[0] == ".."
        or relative.startswith("/")
        or PureWindowsPath(cell).drive
    )
    if outside:
        problems.add(
            row.where,
            [row.cells["movie"]],
            f"expected a video path relative to {folder} and inside it. "
            f"Received: {cell!r}",
        )
        return None
    path = folder / relative
    if not path.is_file() or path.stat().st_size == 0:
        received = "an empty file" if path.is_file() else "no such file"
        problems.add(
            row.where,
            [row.cells["movie"]],
            f"expected an existing video file, or an empty field. "
            f"Received: {cell!r} ({received})",
        )
        return None
    return str(path)


def _read_ratings(
    folder: Path,
    rows: Sequence[_Row],
    segments: Mapping[str, Segment],
    problems: _Problems,
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
        if not viewer:
            problems.add(row.where, [movie], "expected a viewer. Received: ''")
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


def _value(row: _Row, movie: str, problems: _Problems) -> float | None:
    """Returns the row's value; None if it is empty or no rating."""
    cell = row.cells["value"]
    if not cell:
        return None
    value = _number(cell)
    if value is None or abs(value) > 1:
        problems.add(
            row.where,
            [movie],
            "expected a value in [-1, 1], or an empty field if the viewer did "
            f"not rate. Received: {cell!r}",
        )
        return None
    return value


def _number(cell: str) -> float | None:
    """Returns a finite number, or None if the cell holds none."""
    try:
        number = float(cell)
    except ValueError:
        return None
    # Python also reads "1_000".
    return number if math.isfinite(number) and "_" not in cell else None
