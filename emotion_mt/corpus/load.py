"""`load_corpus`: a folder on disk to a `Corpus`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from emotion_mt.corpus import textfiles
from emotion_mt.corpus.assemble import build_corpus
from emotion_mt.corpus.cognimuse import read_cognimuse
from emotion_mt.corpus.corpus import Corpus, CorpusError, printable
from emotion_mt.corpus.finder import ANNOTATIONS
from emotion_mt.corpus.manifest import is_manifest, read_manifest
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
) -> Corpus:
    """Reads a corpus of films, segments and ratings.

    The folder holds either COGNIMUSE's files in any of its layouts
    (`cognimuse.read_cognimuse`), or a manifest: `segments.csv` and
    `annotations.csv` (`manifest.read_manifest`).

    Args:
        folder: The folder.
        annotation: "experienced", what viewers felt ("V1" … and their mean
            "Vavg"), or "intended", what an expert says the film aims at
            ("Expert", no average). For a manifest, which holds one kind of
            rating, it only says which.
        dimension: "valence" or "arousal"; for a manifest as above.
        on_problem: "raise" stops at input that cannot be used; "skip" leaves
            out the films it concerns and lists the messages in
            `Corpus.problems`.
        movies: Films to read, by code; by default all that are found.
        allow_outside: Whether the videos that a manifest names may lie
            outside of `folder`, by their path or behind a link. Defaults to
            False, so that a manifest from others names no other files.

    Returns:
        The corpus.

    Raises:
        ValueError: If an argument is not among the values above.
        CorpusError: If `folder` does not exist or no film in it can be used,
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
            "`movies` must be a sequence of film names or None. "
            f"Received: {movies!r}"
        )
    root = Path(folder)
    if not root.is_dir():
        received = "a file" if root.exists() else "nothing there"
        raise CorpusError(
            f"{root}: expected an existing folder. Received: {received}"
        )
    manifest = is_manifest(root)
    if manifest:
        reading = read_manifest(root, movies, allow_outside=allow_outside)
    else:
        reading = read_cognimuse(root, annotation, dimension, movies)
    problems = reading.problems
    if not reading.films and not problems:
        problems = (
            f"{root}: expected COGNIMUSE's traces and subtitles, or "
            "segments.csv and annotations.csv. Received no film",
            *reading.notes,
        )
    if problems and (on_problem == "raise" or not reading.films):
        raise CorpusError(problems)
    simulation = _read_simulation(root)
    return build_corpus(
        reading,
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
    )


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {tuple(choices)}. Received: {value!r}"
        )


def _read_simulation(root: Path) -> Mapping[str, object] | None:
    path = root / SIMULATION_FILE
    if not path.is_file():
        return None
    text, _ = textfiles.read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise CorpusError(
            f"{path}, line {error.lineno}: expected JSON. Received: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:  # numbers, nesting
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
    root: Path, simulation: Mapping[str, object], dimension: str
) -> dict[str, dict[str, float]] | None:
    """Returns movie -> viewer -> accuracy in [0, 1], or None if not given."""
    if "ceiling" not in simulation:
        return None
    expected = (
        f"{root / SIMULATION_FILE}: expected "
        '{"ceiling": {dimension: {movie: {viewer: accuracy in [0, 1]}}}}'
    )
    by_dimension = simulation["ceiling"]
    if not isinstance(by_dimension, dict):
        raise CorpusError(f"{expected}. Received: {by_dimension!r}")
    by_movie = by_dimension.get(dimension)
    if by_movie is None:
        return None
    ceiling: dict[str, dict[str, float]] = {}
    for movie, by_viewer in _items(by_movie, expected):
        ceiling[movie] = {}
        for viewer, accuracy in _items(by_viewer, expected):
            if not (isinstance(accuracy, int | float) and 0 <= accuracy <= 1):
                raise CorpusError(
                    f"{expected}. Received {accuracy!r} for {movie}, {viewer}"
                )
            ceiling[movie][viewer] = float(accuracy)
    return ceiling


def _items(value: object, expected: str) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        raise CorpusError(f"{expected}. Received: {value!r}")
    return list(value.items())
