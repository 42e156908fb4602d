"""`load_corpus`: a folder on disk to a `Corpus`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emotion_mt.corpus.assemble import Messages, build_corpus
from emotion_mt.corpus.cognimuse import read_cognimuse
from emotion_mt.corpus.corpus import (
    Corpus,
    CorpusError,
    check_choice,
    printable,
)
from emotion_mt.corpus.finder import ANNOTATIONS, find_files
from emotion_mt.corpus.manifest import (
    ANNOTATIONS_FILE,
    SEGMENTS_FILE,
    read_manifest,
)
from emotion_mt.corpus.own import read_folds
from emotion_mt.corpus.raters import PREFIX, load_raters
from emotion_mt.corpus.tables import Scale
from emotion_mt.corpus.textfiles import read_text
from emotion_mt.corpus.traces import DIMENSIONS

#: File at the root of a folder that `simulate_corpus` wrote.
SIMULATION_FILE = "simulation.json"


def load_corpus(
    folder: str | os.PathLike[str],
    annotation: str = "experienced",
    dimension: str = "valence",
    on_problem: str = "raise",
    movies: Sequence[str] | None = None,
    allow_outside: bool = False,
    scale: tuple[float, float] = (-1.0, 1.0),
    encoding: str | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Reads a corpus of movies, segments and ratings.

    The folder holds either COGNIMUSE's files in any of its layouts
    (`cognimuse.read_cognimuse`), or a manifest: `segments.csv` and
    `annotations.csv` (`manifest.read_manifest`). A `folds.csv` beside them
    says what trains, validates and tests (`own.read_folds`). "raters:NAME" in
    the folder's place is a public corpus, see `load_raters`.

    Args:
        folder: The folder, or "raters:" and a name of `RATERS`.
        annotation: "experienced", what viewers felt ("V1" … and their mean
            "Vavg"), or "intended", what an expert says the film aims at
            ("Expert", no average). For a manifest, which holds one kind of
            rating, it only says which; public corpora say it themselves.
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
        cache: As of `load_raters`.

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
    check_choice("annotation", annotation, ANNOTATIONS)
    check_choice("dimension", dimension, DIMENSIONS)
    check_choice("on_problem", on_problem, ("raise", "skip"))
    if isinstance(movies, str) or (movies is not None and not movies):
        raise ValueError(
            "`movies` must be a sequence of movie names or None. "
            f"Received: {movies!r}"
        )
    if (name := os.fspath(folder)).startswith(PREFIX):
        if annotation == "intended":
            raise ValueError(
                "`annotation` chooses among ratings of COGNIMUSE; public "
                f"corpora have one kind. Received: {annotation!r} for {name}"
            )
        name = name.removeprefix(PREFIX)
        return load_raters(name, cache, dimension=dimension, movies=movies)
    root, on, messages = Path(folder), Scale(*scale), Messages()
    if not root.is_dir():
        received = "a file" if root.exists() else "nothing there"
        raise CorpusError(
            f"{root}: expected an existing folder. Received: {received}"
        )
    how = (root, messages, movies, on, encoding)
    halves = (SEGMENTS_FILE, ANNOTATIONS_FILE)
    manifest = any((root / name).is_file() for name in halves)
    if manifest:
        found = read_manifest(*how, allow_outside)
    else:
        found = read_cognimuse(*how, annotation, dimension)
    problems, notes = messages.problems(movies), messages.notes
    if not found and not problems:
        expected = (
            f"{root}: expected COGNIMUSE's traces and subtitles, or "
            f"{SEGMENTS_FILE} and {ANNOTATIONS_FILE}. Received no movie"
        )
        if deeper := sorted(str(p.parent) for p in root.rglob(SEGMENTS_FILE)):
            expected += f"; one corpus each is in {', '.join(deeper[:9])}"
        problems = [expected, *notes]
    if problems and (on_problem == "raise" or not found):
        raise CorpusError(problems)
    names = [movie.movie for movie in found]
    whole = movies is None and not problems
    own_folds = read_folds(root, names, notes, whole, encoding)
    if manifest:
        files = find_files(root, Messages())
        if traces := [f.path for f in files if f.kind in ANNOTATIONS]:
            notes.append(
                f"{root}: {len(traces)} traces are not read, for example "
                f"{traces[0]}; {SEGMENTS_FILE} says what the corpus is"
            )
    experienced = annotation == "experienced"
    simulated, ceiling = _simulation(root, dimension)
    return build_corpus(
        found,
        average=manifest or experienced,
        name=printable(root.resolve().name),
        annotation=annotation,
        dimension=dimension,
        simulated=simulated,
        problems=tuple(map(printable, problems)),
        notes=notes,
        ceiling=ceiling if experienced else None,
        own_folds=own_folds,
    )


def _simulation(
    root: Path, dimension: str
) -> tuple[bool, dict[str, dict[str, float]] | None]:
    """Whether it is one, and movie -> viewer -> accuracy in [0, 1] if given."""
    path = root / SIMULATION_FILE
    if not path.is_file():
        return False, None
    text = read_text(path).text
    try:
        by_movie = json.loads(text)["ceiling"][dimension]
        return True, {
            movie: {viewer: _accuracy(a) for viewer, a in by_viewer.items()}
            for movie, by_viewer in by_movie.items()
        }
    except KeyError:
        return True, None
    # Syntax, numbers, nesting, or something else in the place of an object.
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise CorpusError(
            f"{path}: expected JSON, "
            '{"ceiling": {dimension: {movie: {viewer: accuracy in [0, 1]}}}}. '
            f"Received: {error}"
        ) from error


def _accuracy(value: Any) -> float:
    if not (isinstance(value, int | float) and 0 <= value <= 1):
        raise ValueError(repr(value))
    return float(value)
