"""Finds the files of COGNIMUSE's movies anywhere under a folder."""

from __future__ import annotations

import dataclasses
import filecmp
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emotion_mt.corpus import films
from emotion_mt.corpus.corpus import printable
from emotion_mt.corpus.subtitles import SUBTITLE_EXTENSIONS
from emotion_mt.corpus.traces import TRACE_EXTENSIONS

#: File name extensions of videos.
VIDEO_EXTENSIONS = (
    ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip

#: What a trace file may hold.
ANNOTATIONS = ("experienced", "intended")

_TRACE_NAMES = {
    "experienced": re.compile(r"subj(\d+)_(\d+)(?:_(.+))?", re.I),
    "intended": re.compile(r"intended()_(\d+)(?:_(.+))?", re.I),
}

#: Names that say what a file is and leave the movie to its folder.
_GENERIC_STEMS = frozenset(
    {"film", "movie", "subtitle", "subtitles", "subs", "text", "video"}
)


class TraceFile(NamedTuple):
    """A trace file and what its name says.

    `subject` is the number of the viewer, from 1, or 0 for the expert; `take`
    that of the pass.
    """

    movie: str
    annotation: str
    subject: int
    take: int
    path: Path


class MediaFile(NamedTuple):
    """A subtitle or video file.

    `rank` says how surely it is the movie's file: 0 if it is named after the
    movie, 1 if it is named after its role in the movie's folder ("video",
    "subtitle"), 2 for any other in there.
    """

    movie: str
    rank: int
    path: Path


@dataclasses.dataclass
class FoundFiles:
    """What `find_files` found, sorted.

    `unknown_traces` are by the movie name that they carry, or ""; these and
    `unknown_media` belong to no known movie. `unreadable` holds messages about
    folders that could not be looked into.
    """

    traces: list[TraceFile] = dataclasses.field(default_factory=list)
    subtitles: list[MediaFile] = dataclasses.field(default_factory=list)
    videos: list[MediaFile] = dataclasses.field(default_factory=list)
    unknown_traces: dict[str, list[Path]] = dataclasses.field(
        default_factory=dict
    )
    unknown_media: list[Path] = dataclasses.field(default_factory=list)
    unreadable: list[str] = dataclasses.field(default_factory=list)

    @property
    def movies(self) -> tuple[str, ...]:
        """The movies that any file belongs to, the paper's first."""
        found = {file.movie for file in self.traces}
        found |= {file.movie for file in (*self.subtitles, *self.videos)}
        return tuple(code for code in films.FILM_CODES if code in found)


def find_files(folder: Path) -> FoundFiles:
    """Finds traces, subtitles and videos by the pattern of their names.

    A file belongs to the movie that its name says, otherwise to the movie
    that the nearest folder above it is named after (`folder` itself
    included). Hidden files and folders are passed over; links are followed.

    """
    found = FoundFiles()
    media = {
        SUBTITLE_EXTENSIONS: found.subtitles,
        VIDEO_EXTENSIONS: found.videos,
    }
    for path in _walk(folder, found.unreadable):
        extension = path.suffix.lower()
        if extension in TRACE_EXTENSIONS:
            _add_trace(path, folder, found)
        for extensions, files in media.items():
            if extension in extensions:
                file = _media_file(path, folder)
                files.append(file) if file else found.unknown_media.append(path)
    found.traces.sort()
    for files in media.values():
        files.sort()
    return found


def pick_media(
    candidates: Sequence[MediaFile], kind: str
) -> tuple[list[Path], str]:
    """Chooses a movie's best files, which should be one, among candidates.

    Also returns what is to be said. Of all kinds but "video" copies with the
    same content count as one, which have to be read for that.
    """
    rank = min((file.rank for file in candidates), default=0)
    best = [file.path for file in candidates if file.rank == rank]
    others = [file.path for file in candidates if file.rank != rank]
    if kind != "video" and _same_content(best):
        others += best[1:]
        best = best[:1]
    movie = candidates[0].movie if candidates else ""
    if len(best) > 1:
        return best, (
            f"{movie}: expected one {kind}. Received {len(best)}: "
            f"{_listed(best)}. Keep one, or name one {movie}{best[0].suffix}"
        )
    if others:
        return best, (
            f"{movie}: {kind} {best[0]} is used; not used: {_listed(others)}"
        )
    return best, ""


def fault_of_video(path: Path) -> str:
    """Returns what is wrong with a video as a file; "" if nothing is."""
    if not path.is_file():
        return "no such file" if not path.exists() else "something else"
    if path.stat().st_size == 0:
        return "an empty file"
    if printable(str(path)) != str(path):
        # Decoders take names as UTF-8, and messages are lines.
        return "a file whose path is not plain text in UTF-8"
    return ""


def pick_traces(
    traces: Sequence[TraceFile],
) -> tuple[list[TraceFile], list[str], list[str]]:
    """Keeps one of a movie's files, sorted, per rater and pass.

    Returns the files to use, problems, and notes.
    """
    by_pass: dict[tuple[int, int], list[TraceFile]] = {}
    for trace in traces:
        by_pass.setdefault((trace.subject, trace.take), []).append(trace)
    problems, notes = [], []
    for first, *more in by_pass.values():
        paths = [trace.path for trace in (first, *more)]
        if more and _same_content(paths):
            notes.append(
                f"{first.movie}: trace {paths[0]} is used once; not used: "
                f"{_listed(paths[1:])} (same content)"
            )
        elif more:
            problems.append(
                f"{first.movie}: expected one file per rater and pass. "
                f"Received {len(paths)} that differ: {_listed(paths)}"
            )
    return [same[0] for same in by_pass.values()], problems, notes


def _walk(folder: Path, unreadable: list[str]) -> Iterator[Path]:
    """Yields the files below a folder, in a fixed order.

    Adds a message to `unreadable` for each folder that does not open.
    """

    def note(error: OSError) -> None:
        unreadable.append(
            f"{error.filename}: expected a folder that can be read. "
            f"Received: {error.strerror}"
        )

    seen: set[str] = set()
    for parent, folders, files in os.walk(
        folder, onerror=note, followlinks=True
    ):
        here = os.path.realpath(parent)
        if here in seen:  # a link that leads back up, or to a place twice
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent, name)


def _movie_of_folders(path: Path, root: Path) -> str | None:
    parents = (root.resolve().name, *path.relative_to(root).parts[:-1])
    return next(filter(None, map(films.film_code, reversed(parents))), None)


def _add_trace(path: Path, root: Path, found: FoundFiles) -> None:
    for annotation, pattern in _TRACE_NAMES.items():
        if not (match := pattern.fullmatch(path.stem)):
            continue
        subject, take, name = match.groups()
        movie = films.film_code(name) if name else _movie_of_folders(path, root)
        if movie is None:
            found.unknown_traces.setdefault(name or "", []).append(path)
        else:
            numbers = (int(subject or 0), int(take))
            found.traces.append(TraceFile(movie, annotation, *numbers, path))


def _media_file(path: Path, root: Path) -> MediaFile | None:
    if movie := films.film_code(path.stem):
        return MediaFile(movie, 0, path)
    first_word = re.split(r"[\W_]", path.stem, maxsplit=1)[0]
    if first_word in films.FILM_CODES:
        return MediaFile(first_word, 2, path)
    if movie := _movie_of_folders(path, root):
        generic = path.stem.casefold() in _GENERIC_STEMS
        return MediaFile(movie, 1 if generic else 2, path)
    return None


def _same_content(paths: Sequence[Path]) -> bool:
    try:
        return all(
            filecmp.cmp(paths[0], other, shallow=False) for other in paths[1:]
        )
    except OSError:  # such as a link to nowhere; it differs from any file
        return False


def _listed(paths: Sequence[Path], limit: int = 4) -> str:
    more = f" and {len(paths) - limit} more" if len(paths) > limit else ""
    return ", ".join(str(path) for path in paths[:limit]) + more
