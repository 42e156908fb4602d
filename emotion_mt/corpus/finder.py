"""Finds the files of COGNIMUSE's films anywhere under a folder."""

from __future__ import annotations

import dataclasses
import filecmp
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from emotion_mt.corpus import films
from emotion_mt.corpus.corpus import printable
from emotion_mt.corpus.subtitles import SUBTITLE_EXTENSIONS

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

#: Names that say what a file is and leave the film to its folder.
_GENERIC_STEMS = frozenset(
    {"film", "movie", "subtitle", "subtitles", "subs", "text", "video"}
)


@dataclasses.dataclass(frozen=True, order=True)
class TraceFile:
    """A trace file and what its name says.

    Attributes:
        film: Film code.
        annotation: "experienced" or "intended".
        subject: Number of the viewer, from 1; 0 for the expert.
        take: Number of the pass of this rater.
        path: The file.
    """

    film: str
    annotation: str
    subject: int
    take: int
    path: Path


@dataclasses.dataclass(frozen=True, order=True)
class MediaFile:
    """A subtitle or video file.

    Attributes:
        film: Film code.
        rank: How surely it is the film's file: 0 if it is named after the
            film, 1 if it is named after its role in the film's folder
            ("video", "subtitle"), 2 for any other in there.
        path: The file.
    """

    film: str
    rank: int
    path: Path


@dataclasses.dataclass(frozen=True)
class FoundFiles:
    """What `find_files` found.

    Attributes:
        traces: Trace files, sorted.
        subtitles: Subtitle files, sorted.
        videos: Video files, sorted.
        unknown_traces: Film name (or "" if there is none) to the trace files
            that carry it and belong to no known film.
        unknown_media: Subtitle and video files of no known film.
        unreadable: Messages about folders that could not be looked into.
    """

    traces: tuple[TraceFile, ...]
    subtitles: tuple[MediaFile, ...]
    videos: tuple[MediaFile, ...]
    unknown_traces: dict[str, tuple[Path, ...]]
    unknown_media: tuple[Path, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def films(self) -> tuple[str, ...]:
        """The films that any file belongs to, the paper's first."""
        media = (*self.subtitles, *self.videos)
        found = {file.film for file in self.traces}
        found |= {file.film for file in media}
        return tuple(code for code in films.FILM_CODES if code in found)


def find_files(folder: Path) -> FoundFiles:
    """Finds traces, subtitles and videos by the pattern of their names.

    A file belongs to the film that its name says, otherwise to the film that
    the nearest folder above it is named after (`folder` itself included).
    Hidden files and folders are passed over; links are followed.

    Args:
        folder: Where to look.

    Returns:
        The files found.
    """
    traces: list[TraceFile] = []
    media: dict[tuple[str, ...], list[MediaFile]] = {
        SUBTITLE_EXTENSIONS: [],
        VIDEO_EXTENSIONS: [],
    }
    unknown_traces: dict[str, list[Path]] = {}
    unknown_media: list[Path] = []
    unreadable: list[str] = []
    for path in _walk(folder, unreadable):
        extension = path.suffix.lower()
        if extension == ".dat":
            trace = _trace_file(path, folder)
            if isinstance(trace, TraceFile):
                traces.append(trace)
            elif trace is not None:
                unknown_traces.setdefault(trace, []).append(path)
        for extensions, found in media.items():
            if extension in extensions:
                file = _media_file(path, folder)
                found.append(file) if file else unknown_media.append(path)
    return FoundFiles(
        traces=tuple(sorted(traces)),
        subtitles=tuple(sorted(media[SUBTITLE_EXTENSIONS])),
        videos=tuple(sorted(media[VIDEO_EXTENSIONS])),
        unknown_traces={k: tuple(v) for k, v in unknown_traces.items()},
        unknown_media=tuple(unknown_media),
        unreadable=tuple(unreadable),
    )


def pick_media(
    candidates: Sequence[MediaFile], kind: str, same_is_fine: bool
) -> tuple[Path | None, list[str], list[str]]:
    """Chooses a film's file among candidates.

    Args:
        candidates: Files of one film.
        kind: What they are, for messages.
        same_is_fine: Whether to accept copies with the same content (which
            have to be read for that).

    Returns:
        The file or None, problems, and notes.
    """
    if not candidates:
        return None, [], []
    rank = min(file.rank for file in candidates)
    best = [file.path for file in candidates if file.rank == rank]
    others = [file.path for file in candidates if file.rank != rank]
    film = candidates[0].film
    notes = []
    if len(best) > 1 and same_is_fine and _same_content(best):
        others += best[1:]
        best = best[:1]
    if len(best) > 1:
        problem = (
            f"{film}: expected one {kind}. Received {len(best)}: "
            f"{_listed(best)}. Keep one, or name one {film}{best[0].suffix}"
        )
        return None, [problem], []
    if others:
        notes.append(
            f"{film}: {kind} {best[0]} is used; not used: {_listed(others)}"
        )
    return best[0], [], notes


def fault_of_video(path: Path) -> str:
    """Returns what is wrong with a video as a file; "" if nothing is."""
    if not path.is_file():
        return "no such file" if not path.exists() else "something else"
    if path.stat().st_size == 0:
        return "an empty file"
    if printable(str(path)) != str(path):
        # OpenCV takes names as UTF-8, and messages are lines.
        return "a file whose path is not plain text in UTF-8"
    return ""


def pick_traces(
    traces: Sequence[TraceFile],
) -> tuple[list[TraceFile], list[str], list[str]]:
    """Keeps one file per rater and pass.

    Args:
        traces: Sorted trace files of one film and annotation.

    Returns:
        The files to use, problems, and notes.
    """
    by_pass: dict[tuple[int, int], list[TraceFile]] = {}
    for trace in traces:
        by_pass.setdefault((trace.subject, trace.take), []).append(trace)
    used, problems, notes = [], [], []
    for same in by_pass.values():
        paths = [trace.path for trace in same]
        used.append(same[0])
        if len(same) == 1:
            continue
        if _same_content(paths):
            notes.append(
                f"{same[0].film}: trace {paths[0]} is used once; not used: "
                f"{_listed(paths[1:])} (same content)"
            )
        else:
            problems.append(
                f"{same[0].film}: expected one file per rater and pass. "
                f"Received {len(paths)} that differ: {_listed(paths)}"
            )
    return used, problems, notes


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


def _film_of_folders(path: Path, root: Path) -> str | None:
    for name in reversed(path.relative_to(root).parts[:-1]):
        if code := films.film_code(name):
            return code
    return films.film_code(root.resolve().name)


def _trace_file(path: Path, root: Path) -> TraceFile | str | None:
    """Returns the trace, a film name that is not known, or None."""
    for annotation, pattern in _TRACE_NAMES.items():
        match = pattern.fullmatch(path.stem)
        if not match:
            continue
        subject, take, name = match.groups()
        film = films.film_code(name) if name else _film_of_folders(path, root)
        if film is None:
            return name or ""
        return TraceFile(film, annotation, int(subject or 0), int(take), path)
    return None


def _media_file(path: Path, root: Path) -> MediaFile | None:
    if film := films.film_code(path.stem):
        return MediaFile(film, 0, path)
    first_word = re.split(r"[\W_]", path.stem, maxsplit=1)[0]
    if first_word in films.FILM_CODES:
        return MediaFile(first_word, 2, path)
    if film := _film_of_folders(path, root):
        generic = path.stem.casefold() in _GENERIC_STEMS
        return MediaFile(film, 1 if generic else 2, path)
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
