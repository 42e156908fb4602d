"""`load_corpus`: a folder on disk to a `Corpus`."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_mt.corpus.assemble import Messages, build_corpus
from emotion_mt.corpus.cognimuse import read_cognimuse
from emotion_mt.corpus.corpus import Corpus, CorpusError, printable
from emotion_mt.corpus.finder import ANNOTATIONS, find_files
from emotion_mt.corpus.manifest import (
    SEGMENTS_FILE,
    is_manifest,
    read_manifest,
)
from emotion_mt.corpus.own import FOLDS_FILE, read_folds
from emotion_mt.corpus.tables import Scale
from emotion_mt.corpus.textfiles import read_text
from emotion_mt.corpus.traces import DIMENSIONS

#: File at the root of a folder that `simulate_corpus` wrote.
SIMULATION_FILE = "simulation.json"

_ON_PROBLEM = ("raise", "skip")


def load_corpus(
    folder: str | os.PathLike[str],
    annotation: str = "experienced",
    dimension: str = "valence",
    on_problem: str = "raise",
    movies: Sequence[str] | None = None,
    allow_outside: bool = False,
    scale: tuple[float, float] = (-1.0, 1.0),
    encoding: str | None = None,
) -> Corpus:
    """Reads a corpus of movies, segments and ratings.

    The folder holds either COGNIMUSE's files in any of its layouts
    (`cognimuse.read_cognimuse`), or a manifest: `segments.csv` and
    `annotations.csv` (`manifest.read_manifest`). A `folds.csv` beside them
    says what trains, validates and tests (`own.read_folds`).

    Args:
        folder: The folder.
        annotation: "experienced", what viewers felt ("V1" … and their mean
            "Vavg"), or "intended", what an expert says the film aims at
            ("Expert", no average). For a manifest, which holds one kind of
            rating, it only says which.
        dimension: "valence" or "arousal"; for a manifest as above.
        on_problem: "raise" stops at input that cannot be used; "skip" leaves
            out the movies it concerns and lists the messages in
            `Corpus.problems`.
        movies: Movies to read, by code; by default all that are found.
        allow_outside: Whether the videos that a manifest names may lie
            outside of `folder`, by their path or behind a link. Defaults to
            False, so that a manifest from others names no other files.
        scale: Lowest and highest value of the ratings; its middle becomes 0.
        encoding: Encoding of text files that are not Unicode, such as
            "cp1250". Defaults to None, guess it and say so.

    Returns:
        The corpus.

    Raises:
        ValueError: If an argument is not among the values above.
        CorpusError: If `folder` does not exist or no movie in it can be used,
            or, for `on_problem="raise"`, on any problem; the error lists all
            of them.

    Example:
        ```python
        corpus = load_corpus("COGNIMUSE", annotation="experienced")
        corpus.labels[:, corpus.column("V3")]
        ```
    """
    _check_choice("annotation", annotation, ANNOTATIONS)
    _check_choice("dimension", dimension, DIMENSIONS)
    _check_choice("on_problem", on_problem, _ON_PROBLEM)
    if isinstance(movies, str) or (movies is not None and not movies):
        raise ValueError(
            "`movies` must be a sequence of movie names or None. "
            f"Received: {movies!r}"
        )
    root = Path(folder)
    if not root.is_dir():
        received = "a file" if root.exists() else "nothing there"
        raise CorpusError(
            f"{root}: expected an existing folder. Received: {received}"
        )
    manifest, on = is_manifest(root), Scale(*scale)
    if manifest:
        reading = read_manifest(
            root,
            movies,
            allow_outside=allow_outside,
            scale=on,
            encoding=encoding,
        )
    else:
        how = (annotation, dimension, movies, on, encoding)
        reading = read_cognimuse(root, *how)
    problems = list(reading.problems)
    if not reading.movies and not problems:
        problems = [_nothing(root), *reading.notes]
    messages = Messages()
    folds = ()
    if (root / FOLDS_FILE).is_file() and reading.movies:
        read = [movie.source.movie for movie in reading.movies]
        whole = movies is None and not problems
        folds = read_folds(root / FOLDS_FILE, read, messages, whole, encoding)
        problems += messages.reading((), ()).problems
    if problems and (on_problem == "raise" or not reading.movies):
        raise CorpusError(problems)
    simulation = _read_simulation(root)
    if manifest and (others := find_files(root).traces):
        messages.notes.append(
            f"{root}: {len(others)} traces are not read, for example "
            f"{others[0].path}; {SEGMENTS_FILE} says what the corpus is"
        )
    return build_corpus(
        dataclasses.replace(reading, notes=(*reading.notes, *messages.notes)),
        average=manifest or annotation == "experienced",
        name=printable(root.resolve().name),
        annotation=annotation,
        dimension=dimension,
        simulated=simulation is not None,
        problems=tuple(map(printable, problems)),
        ceiling=(
            _ceiling(root, simulation, dimension)
            if simulation is not None and annotation == "experienced"
            else None
        ),
        own_folds=folds,
    )


def _nothing(root: Path) -> str:
    """Says that there is no corpus, and where there may be one."""
    expected = (
        f"{root}: expected COGNIMUSE's traces and subtitles, or segments.csv "
        "and annotations.csv. Received no movie"
    )
    deeper = sorted(str(path.parent) for path in root.rglob(SEGMENTS_FILE))
    if not deeper:
        return expected
    return f"{expected}; one corpus each is in {', '.join(deeper[:9])}"


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {tuple(choices)}. Received: {value!r}"
        )


def _read_simulation(root: Path) -> Mapping[str, Any] | None:
    path = root / SIMULATION_FILE
    if not path.is_file():
        return None
    text = read_text(path).text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:  # syntax, numbers, nesting
        raise CorpusError(
            f"{path}: expected JSON. Received: {error}"
        ) from error
    if not isinstance(content, dict):
        raise CorpusError(
            f"{path}: expected a JSON object. "
            f"Received: {type(content).__name__}"
        )
    return content


def _ceiling(
    root: Path, simulation: Mapping[str, Any], dimension: str
) -> dict[str, dict[str, float]] | None:
    """Returns movie -> viewer -> accuracy in [0, 1], or None if not given."""
    try:
        by_movie = simulation["ceiling"][dimension]
        return {
            movie: {v: _accuracy(a) for v, a in by_viewer.items()}
            for movie, by_viewer in by_movie.items()
        }
    except KeyError:
        return None
    except (AttributeError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{root / SIMULATION_FILE}: expected "
            '{"ceiling": {dimension: {movie: {viewer: accuracy in [0, 1]}}}}. '
            f"Received: {error}"
        ) from error


def _accuracy(value: Any) -> float:
    if not (isinstance(value, int | float) and 0 <= value <= 1):
        raise ValueError(repr(value))
    return float(value)
