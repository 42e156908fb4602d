"""Folds and features of one's own, in files beside the corpus."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus.assemble import Messages
from emotion_mt.corpus.corpus import Corpus, CorpusError
from emotion_mt.corpus.tables import read_table

#: What trains, validates and tests: fold, movie, part.
FOLDS_FILE = "folds.csv"
PARTS = ("train", "validation", "test")

#: Visual features to use in place of the I3D's; the first that is there.
FEATURE_FILES = ("features.npz", "features.csv")


def read_folds(
    path: Path,
    movies: Sequence[str],
    messages: Messages,
    whole: bool = True,
    encoding: str | None = None,
) -> tuple[paper.Split, ...]:
    """Reads folds from the columns fold, movie and part.

    A movie that a fold does not name takes no part in it.

    Args:
        path: The file.
        movies: The movies of the corpus, in its order.
        messages: Receives problems with rows and folds.
        whole: Whether `movies` are all there are. If not, other movies are
            left out of the folds, and folds that are left without a movie to
            train or test on are no more; both are noted.
        encoding: See `textfiles.read_text`.

    Returns:
        The folds, in the order of the file; one at least, or a problem.

    Raises:
        CorpusError: If the file is no table with these columns.
    """
    rows = read_table(
        path, ("fold", "movie", "part"), messages, encoding=encoding
    )
    parts: dict[str, dict[str, str]] = {}
    absent = set()
    for row in rows:
        fold, movie = (row.name(c, messages) for c in ("fold", "movie"))
        of_fold = parts.setdefault(fold, {})
        part = row.cells["part"].casefold()
        if part not in PARTS:
            fault = f"expected a part among {PARTS}. Received: {part!r}"
        elif movie in of_fold:
            fault = f"expected each movie once in a fold. Received: {movie!r}"
        elif movie not in movies and whole:
            fault = (
                f"expected a movie of the corpus, {', '.join(movies)[:200]}. "
                f"Received: {movie!r}"
            )
        else:
            of_fold[movie] = part
            absent |= {movie} - set(movies)
            continue
        messages.problem(f"{row.where}: {fault}")
    if absent:
        messages.notes.append(
            f"{path}: left out of the folds, since they are not read: "
            f"{', '.join(sorted(absent))}"
        )
    folds = []
    for fold, of_fold in parts.items():
        lists = [
            tuple(m for m in movies if of_fold.get(m) == part) for part in PARTS
        ]
        if lists[0] and lists[2]:
            folds.append(paper.Split(fold, *lists))
            continue
        fault = (
            f"{path}: expected a movie to train and one to test on in fold "
            f"{fold!r}. Received: train={lists[0]}, test={lists[2]}"
        )
        messages.problem(fault) if whole else messages.notes.append(fault)
    if not folds:
        messages.problem(f"{path}: expected a fold. Received none")
    return tuple(folds)


def read_features(
    folder: Path, corpus: Corpus, encoding: str | None = None
) -> tuple[np.ndarray, str] | None:
    """Reads visual features of one's own, if there are any.

    `features.npz` holds the arrays segment_id [M] and features [M, C];
    `features.csv` the column segment_id and C columns of numbers. Segments
    may be missing, and rows or cells may be empty (NaN).

    Args:
        folder: Where the file lies.
        corpus: Segments that the features are of.
        encoding: See `textfiles.read_text`.

    Returns:
        float32 [N, C], NaN rows for segments without features, and a sentence
        on what was read; None if there is no such file.

    Raises:
        CorpusError: If a file holds something else, or no row of the corpus.
    """
    paths = [
        folder / name for name in FEATURE_FILES if (folder / name).exists()
    ]
    if not paths:
        return None
    path = paths[0]
    messages = Messages()
    if path.suffix == ".npz":
        ids, rows = _from_npz(path)
    else:
        ids, rows = _from_csv(path, messages, encoding)
    if problems := messages.reading((), ()).problems:
        raise CorpusError(problems[:20])
    place = {id_: i for i, id_ in enumerate(corpus.segments["segment_id"])}
    known = np.array([id_ in place for id_ in ids], bool)
    if len(set(ids)) < len(ids) or not known.any() or not rows.shape[1]:
        raise CorpusError(
            f"{path}: expected one row of numbers for each segment_id, of the "
            f"corpus such as {next(iter(place), '')!r}. Received "
            f"{len(ids)} rows of {rows.shape[1]} numbers, {len(set(ids))} "
            f"different, {known.sum()} of the corpus"
        )
    features = np.full((len(corpus), rows.shape[1]), np.nan, np.float32)
    features[[place[i] for i in ids if i in place]] = rows[known]
    # Half a feature is none.
    features[~np.isfinite(features).all(axis=1)] = np.nan
    missing = int(np.isnan(features).all(axis=1).sum())
    sentence = (
        f"{path}: {rows.shape[1]} visual features in place of the I3D's, of "
        f"{len(corpus) - missing} of {len(corpus)} segments"
    )
    if not known.all():
        sentence += f"; {(~known).sum()} rows of no segment are not used"
    return features, "; ".join([sentence, *messages.notes])


def _from_npz(path: Path) -> tuple[list[str], np.ndarray]:
    expected = f"{path}: expected the arrays segment_id [M] and features [M, C]"
    try:
        with np.load(path, allow_pickle=False) as content:
            ids, rows = content["segment_id"], content["features"]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise CorpusError(f"{expected}. Received: {error}") from error
    numeric = rows.dtype.kind in "fiu"
    if ids.ndim != 1 or rows.ndim != 2 or len(ids) != len(rows) or not numeric:
        raise CorpusError(
            f"{expected} of numbers. Received shapes {ids.shape} and "
            f"{rows.shape}, {rows.dtype}"
        )
    return [str(id_) for id_ in ids.tolist()], rows.astype(np.float32)


def _from_csv(
    path: Path, messages: Messages, encoding: str | None
) -> tuple[list[str], np.ndarray]:
    table = read_table(
        path, ("segment_id",), messages, encoding=encoding, more=True
    )
    columns = [
        c for c in (table[0].cells if table else ()) if c != "segment_id"
    ]
    rows = np.full((len(table), len(columns)), np.nan, np.float32)
    for row, into in zip(table, rows, strict=True):
        for number, column in enumerate(columns):
            value = row.number(column)
            if value is not None:
                into[number] = value
            elif row.cells[column]:
                messages.problem(
                    f"{row.where}: expected a number or an empty field for "
                    f"{column}. Received: {row.cells[column]!r}"
                )
    return [row.name("segment_id", messages) for row in table], rows
