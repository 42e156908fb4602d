"""Finds the files of COGNIMUSE's movies anywhere under a folder."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emotion_mt.corpus import films
from emotion_mt.corpus.assemble import Messages
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

#: Other kinds of files.
SUBTITLES, VIDEO = "subtitle file", "video"

_EXTENSIONS = {SUBTITLES: SUBTITLE_EXTENSIONS, VIDEO: VIDEO_EXTENSIONS}
_TRACE_NAMES = {
    "experienced": re.compile(r"subj(\d+)_(\d+)(?:_(.+))?", re.I),
    "intended": re.compile(r"intended()_(\d+)(?:_(.+))?", re.I),
}

#: Names that say what a file is and leave the movie to its folder.
_GENERIC_STEMS = frozenset(
    {"film", "movie", "subtitle", "subtitles", "subs", "text", "video"}
)


class FoundFile(NamedTuple):
    """A file of a movie, or of None that is known.

    `kind` is an annotation, `SUBTITLES` or `VIDEO`. `numbers` are viewer (from
    1, 0 for the expert) and pass of a trace; of others they say how surely it
    is the movie's file: 0 if it is named after the movie, 1 if it is named
    after its role in the movie's folder ("video", "subtitle"), 2 for any other
    in there. `name` is the name of a movie that is not known.
    """

    movie: str | None
    kind: str
    numbers: tuple[int, ...]
    path: Path
    name: str = ""


def find_files(folder: Path, messages: Messages) -> list[FoundFile]:
    """Finds traces, subtitles and videos by the pattern of their names.

    A file belongs to the movie that its name says, otherwise to the movie
    that the nearest folder above it is named after (`folder` itself
    included). Hidden files and folders are passed over; links are followed. A
    folder that does not open is a problem.
    """
    found = (_classify(p, folder) for p in _walk(folder, messages))
    files = [file for file in found if file]
    # By number, not by name: the tenth viewer comes after the second.
    return sorted(files, key=lambda file: (file.kind, file.numbers, file.path))


def pick(files: Sequence[FoundFile], messages: Messages) -> Path | None:
    """Chooses the best of files that stand for one; None if there is not one.

    Of all kinds but `VIDEO` copies with the same content count as one, which
    have to be read for that.
    """
    if not files:
        return None
    movie, kind, numbers = files[0][:3]
    best = [file.path for file in files if file.numbers == numbers]
    others = [file.path for file in files if file.numbers != numbers]
    if kind != VIDEO and _same_content(best):
        best, others = best[:1], others + best[1:]
    trace = kind in ANNOTATIONS
    if len(best) > 1:
        messages.problem(
            f"{movie}: expected one "
            f"{'file per rater and pass' if trace else kind}. Received "
            f"{len(best)}: {listed(best)}. Keep one"
            + ("" if trace else f", or name one {movie}{best[0].suffix}"),
            movie or "",
        )
        return None
    if others:
        messages.notes.append(
            f"{movie}: {'trace' if trace else kind} {best[0]} is used; not "
            f"used: {listed(others)}"
        )
    return best[0]


def listed(items: Sequence[object], limit: int = 4) -> str:
    """Returns the first of some items, and how many more there are."""
    more = f" and {len(items) - limit} more" if items[limit:] else ""
    return ", ".join(map(str, items[:limit])) + more


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


def _walk(folder: Path, messages: Messages) -> Iterator[Path]:
    """Yields the files below a folder, in a fixed order."""

    def note(error: OSError) -> None:
        messages.problem(
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


def _classify(path: Path, root: Path) -> FoundFile | None:
    """Says what a file is, by its name; None for any other file."""
    extension, stem = path.suffix.lower(), path.stem
    parents = (root.resolve().name, *path.relative_to(root).parts[:-1])
    above = next(filter(None, map(films.film_code, reversed(parents))), None)
    if extension in TRACE_EXTENSIONS:
        for kind, pattern in _TRACE_NAMES.items():
            if match := pattern.fullmatch(stem):
                subject, take, name = match.groups(default="")
                movie = films.film_code(name) if name else above
                numbers = (int(subject or 0), int(take))
                return FoundFile(movie, kind, numbers, path, name)
    for kind, extensions in _EXTENSIONS.items():
        if extension in extensions:
            first_word = re.split(r"[\W_]", stem, maxsplit=1)[0]
            if movie := films.film_code(stem):
                return FoundFile(movie, kind, (0,), path)
            if first_word in films.FILM_CODES:
                return FoundFile(first_word, kind, (2,), path)
            generic = stem.casefold() in _GENERIC_STEMS
            return FoundFile(above, kind, (1 if generic else 2,), path)
    return None


def _same_content(paths: Sequence[Path]) -> bool:
    first, *others = paths
    try:
        return all(filecmp.cmp(first, other, shallow=False) for other in others)
    except OSError:  # such as a link to nowhere; it differs from any file
        return False
