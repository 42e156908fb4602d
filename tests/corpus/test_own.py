"""Folds and features of one's own, beside a manifest."""

import re

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import (
    CorpusError,
    folds,
    inspect_corpus,
    load_corpus,
    read_features,
)

MOVIES = ("m1", "m2", "m3", "m4")
FOLDS = """fold,movie,part
first,m1,train
first,m2,train
first,m3,validation
first,m4,test
second,m4,Train
second,m1,test
"""


@pytest.fixture
def corpus_of(manifest):
    """Writes four movies and files beside them, and loads the corpus."""

    def load(folds_text=None, **options):
        segments = [
            f"{m}_0{i},{m},{i},{i + 1},x," for m in MOVIES for i in (1, 2)
        ]
        ratings = [
            f"{row.split(',')[0]},{v},0.5" for row in segments for v in "AB"
        ]
        root = manifest.write(segments, ratings)
        if folds_text is not None:
            (root / "folds.csv").write_text(folds_text)
        return load_corpus(root, **options)

    return load


@pytest.mark.parametrize("separator", [",", ";"])
def test_own_folds_are_read_in_their_order(corpus_of, manifest, separator):
    # Without folds of one's own each movie is tested once.
    corpus = corpus_of()
    assert (corpus.own_folds, corpus.folds) == ((), folds(MOVIES))
    corpus = corpus_of(FOLDS.replace(",", separator))
    first = paper.Split("first", ("m1", "m2"), ("m3",), ("m4",))
    second = paper.Split("second", ("m4",), (), ("m1",))
    assert corpus.folds == (first, second)
    # The order of the movies is that of the corpus, not of the rows.
    lines = FOLDS.splitlines()
    swapped = "\n".join([lines[0], lines[2], lines[1], *lines[3:]])
    assert corpus_of(swapped).folds == corpus.folds
    text = inspect_corpus(manifest.root).render()
    assert "first: train m1, m2; validate m3; test m4" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FOLDS + "second,m9,test\n", r"line 8: expected a movie of the corp"),
        (FOLDS + "second,m1,train\n", r"line 8: expected each movie once in "),
        (FOLDS + "second,m2,dev\n", r"line 8: expected a part among .*'dev'"),
        (FOLDS + "third,m2,test\n", r"a movie to train and one to test on"),
        ("fold,movie,part\n", r"folds\.csv: expected a fold\. Received none"),
        ("fold,movie\na,b\n", r"folds\.csv, line 1: .*; missing: part"),
    ],
)
def test_faulty_folds_are_refused(corpus_of, text, message):
    for on_problem in ("raise", "skip"):
        with pytest.raises(CorpusError, match=message):
            corpus_of(text, on_problem=on_problem)


def test_folds_of_movies_that_are_not_read_shrink_with_a_note(corpus_of):
    corpus = corpus_of(FOLDS, movies=["m1", "m2", "m4"])
    first, second = corpus.folds
    assert first == paper.Split("first", ("m1", "m2"), (), ("m4",))
    assert second.name == "second"
    assert "left out of the folds, not read: m3" in corpus.notes[-1]
    corpus = corpus_of(FOLDS, movies=["m2", "m3", "m4"])
    assert [fold.name for fold in corpus.folds] == ["first"]
    assert "one to test on in fold 'second'" in corpus.notes[-1]


IDS = ["m1_02", "m1_01", "m9_01"]
ROWS = np.array([[1, 2, 3], [4, np.nan, 6], [7, 8, 9]], np.float64)


def _write(root, kind, ids=IDS, rows=ROWS):
    if kind == "npz":
        np.savez(root / "features.npz", segment_id=ids, features=rows)
        return
    cells = [["" if np.isnan(x) else f"{x:g}" for x in row] for row in rows]
    lines = [",".join([i, *row]) for i, row in zip(ids, cells, strict=True)]
    header = "segment_id," + ",".join(f"f{i}" for i in range(rows.shape[1]))
    (root / "features.csv").write_text("\n".join([header, *lines]))


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_own_features_are_placed_by_segment(corpus_of, manifest, kind):
    corpus = corpus_of()
    assert read_features(manifest.root, corpus) is None
    _write(manifest.root, kind)
    features, sentence = read_features(manifest.root, corpus)
    assert features.dtype == np.float32
    assert features.shape == (8, 3)
    np.testing.assert_array_equal(features[1], [1, 2, 3])
    # Half a feature is none, and the others have none at all.
    assert np.isnan(features[[0, 2, 3, 4, 5, 6, 7]]).all()
    assert sentence == (
        f"{manifest.root / f'features.{kind}'}: 3 visual features in place of "
        "the I3D's, of 1 of 8 segments; 1 rows of no segment are not used"
    )


@pytest.mark.parametrize(
    ("ids", "rows", "message"),
    [
        (["m1_01"] * 2, ROWS[:2], "Received 2 rows of 3 numbers, 1 different"),
        (["a", "b"], ROWS[:2], "such as 'm1_01'. Received .* 0 of the corpus"),
        (["m1_01"], ROWS[0], r"Received shapes \(1,\) and \(3,\)"),
        (["m1_01"], ROWS[:2], r"Received shapes \(1,\) and \(2, 3\)"),
        (["m1_01"], np.array([["x"]]), "of numbers. Received"),
        (["m1_01"], np.array([[{}]], object), "allow_pickle"),
        ("npz", b"PK\x03\x04", r"features\.npz: expected the arrays"),
        ("csv", b"segment_id\nm1_01\n", "1 rows of 0 numbers"),
        ("csv", b"segment_id,a\nm1_01,high\n", "a number .*'high'"),
    ],
)
def test_faulty_features_are_refused(corpus_of, manifest, ids, rows, message):
    """`ids` may be the end of a name, and `rows` what the file holds."""
    corpus = corpus_of()
    end = ids if isinstance(ids, str) else "npz"
    if isinstance(rows, bytes):
        (manifest.root / f"features.{end}").write_bytes(rows)
    else:
        _write(manifest.root, end, ids, rows)
    with pytest.raises(CorpusError, match=message) as caught:
        read_features(manifest.root, corpus)
    assert str(caught.value).startswith(f"{manifest.root}/features.{end}")


def test_an_archive_with_a_password_is_refused(corpus_of, manifest):
    corpus = corpus_of()
    _write(manifest.root, "npz")
    path = manifest.root / "features.npz"
    data = bytearray(path.read_bytes())
    # The flag in the head of each file, and in the list at the end.
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for place in [m.start() for m in re.finditer(mark, data)]:
            data[place + flag] |= 1
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=r"expected the arrays .*encrypted"):
        read_features(manifest.root, corpus)


def test_numbers_too_large_for_a_feature_are_missing(corpus_of, manifest):
    corpus = corpus_of()
    _write(manifest.root, "csv", IDS[:2], np.array([[1e300, 0], [1, 2]]))
    features, sentence = read_features(manifest.root, corpus)
    assert np.isnan(features[1]).all()
    assert "of 1 of 8 segments" in sentence
