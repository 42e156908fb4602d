"""Folds and features of one's own, in files beside the corpus."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus.assemble import Messages
from emotion_mt.corpus.corpus import Corpus, CorpusError
from emotion_mt.corpus.tables import Row, read_table
from emotion_mt.corpus.textfiles import plain_line

#: What trains, validates and tests: fold, movie, part.
FOLDS_FILE = "folds.csv"
PARTS = ("train", "validation", "test")

#: Visual features to use in place of the I3D's; the first that is there.
FEATURE_FILES = ("features.npz", "features.csv")


def read_folds(
    folder: Path,
    movies: Sequence[str],
    notes: list[str],
    whole: bool,
    encoding: str | None,
) -> tuple[paper.Split, ...]:
    """Reads folds from the columns fold, movie and part, in their order.

    A movie that a fold does not name takes no part in it. `movies` are those
    of the corpus, in its order; if they are not the `whole`, others are left
    out of the folds, and folds that are left without a movie to train or test
    on are no more, with a note. Other faults are a CorpusError. Without a
    file there are no folds.
    """
    path, messages = folder / FOLDS_FILE, Messages()
    if not path.is_file():
        return ()
    columns = ("fold", "movie", "part")
    parts: dict[str, dict[str, str]] = {}
    for row in read_table(path, columns, messages, encoding):
        fold, movie = (row.name(c, messages) for c in columns[:2])
        part, of_fold = row.cells["part"].casefold(), parts.setdefault(fold, {})
        if part not in PARTS:
            fault = f"a part among {PARTS}. Received: {part!r}"
        elif movie in of_fold:
            fault = f"each movie once in a fold. Received: {movie!r}"
        elif movie not in movies and whole:
            known = ", ".join(movies)[:200]
            fault = f"a movie of the corpus, {known}. Received: {movie!r}"
        else:
            of_fold[movie] = part
            continue
        messages.problem(f"{row.where}: expected {fault}")
    named = {movie for of_fold in parts.values() for movie in of_fold}
    if absent := sorted(named - set(movies)):
        messages.notes.append(
            f"{path}: left out of the folds, not read: {', '.join(absent)}"
        )
    folds = []
    for fold, of_fold in parts.items():
        train, validation, test = (
            tuple(m for m in movies if of_fold.get(m) == part) for part in PARTS
        )
        if train and test:
            folds.append(paper.Split(fold, train, validation, test))
            continue
        (messages.problem if whole else messages.notes.append)(
            f"{path}: expected a movie to train and one to test on in fold "
            f"{fold!r}. Received: train={train}, test={test}"
        )
    if not folds:
        messages.problem(f"{path}: expected a fold. Received none")
    if problems := messages.problems():
        raise CorpusError(problems)
    notes += messages.notes
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
        corpus: The N segments that the features are of.
        encoding: See `load_corpus`.

    Returns:
        float32 [N, C], NaN rows for segments without features, and a sentence
        on what was read; None if there is no such file.

    Raises:
        CorpusError: If a file holds something else, or no row of the corpus.
    """
    paths = (folder / name for name in FEATURE_FILES)
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        return None
    messages = Messages()
    if path.suffix == ".npz":
        ids, rows = _from_npz(path)
    else:
        ids, rows = _from_csv(path, messages, encoding)
    if problems := messages.problems():
        raise CorpusError(problems)
    table, wanted = pd.DataFrame(rows, ids), corpus.segments["segment_id"]
    known = table.index.isin(wanted)
    if not table.index.is_unique or not known.any() or not rows.shape[1]:
        raise CorpusError(
            f"{path}: expected one row of numbers for each segment_id of "
            f"the corpus, such as {next(iter(wanted), '')!r}. Received "
            f"{len(ids)} rows of {rows.shape[1]} numbers, "
            f"{table.index.nunique()} different, {known.sum()} of the corpus"
        )
    with np.errstate(over="ignore"):  # what is too large counts as missing
        features = table.reindex(wanted).to_numpy(np.float32, copy=True)
    # Half a feature is none.
    gaps = ~np.isfinite(features).all(axis=1)
    features[gaps] = np.nan
    said = [
        f"{path}: {rows.shape[1]} visual features in place of the I3D's, of "
        f"{(~gaps).sum()} of {len(corpus)} segments"
    ]
    if not known.all():
        said.append(f"{(~known).sum()} rows of no segment are not used")
    return features, "; ".join([*said, *messages.notes])


def _from_npz(path: Path) -> tuple[list[str], np.ndarray]:
    expected = f"{path}: expected the arrays segment_id [M] and features [M, C]"
    try:
        # NumPy leaves a file open that it does not understand.
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            ids, rows = content["segment_id"], content["features"]
    except _NO_NPZ as error:
        raise CorpusError(f"{expected}. Received: {error}") from error
    numeric = rows.dtype.kind in "fiu"
    if ids.ndim != 1 or rows.ndim != 2 or len(ids) != len(rows) or not numeric:
        raise CorpusError(
            f"{expected} of numbers. Received shapes {ids.shape} and "
            f"{rows.shape}, {rows.dtype}"
        )
    return [plain_line(str(id_)) for id_ in ids.tolist()], rows


# A zip file may also be encrypted or compressed in an unknown way
# (RuntimeError).
_NO_NPZ = (
    *(OSError, ValueError, KeyError, IndexError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


def _from_csv(
    path: Path, messages: Messages, encoding: str | None
) -> tuple[list[str], np.ndarray]:
    table = read_table(path, ["segment_id"], messages, encoding, more=True)
    columns = [c for row in table[:1] for c in row.cells if c != "segment_id"]
    rows = [[_feature(row, c, messages) for c in columns] for row in table]
    ids = [row.name("segment_id", messages) for row in table]
    return ids, np.array(rows, np.float64).reshape(len(ids), len(columns))


def _feature(row: Row, column: str, messages: Messages) -> float:
    value, cell = row.number(column), row.cells[column]
    if value is None and cell.casefold() not in ("", "nan", "na"):
        messages.problem(
            f"{row.where}: expected a number or an empty field for {column}. "
            f"Received: {cell!r}"
        )
    return math.nan if value is None else value
