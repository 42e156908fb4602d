import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt.corpus import is_rated, labels_from_values, mean_of_rated

RATING = st.one_of(
    st.just(float("nan")),
    st.just(0.0),
    st.just(-0.0),
    st.floats(-1, 1, width=32),
)
REPEATABLE = settings(max_examples=50, derandomize=True, deadline=None)


@REPEATABLE
@given(
    st.integers(1, 4).flatmap(
        lambda raters: st.lists(
            st.lists(RATING, min_size=raters, max_size=raters),
            min_size=1,
            max_size=6,
        )
    )
)
def test_mean_of_rated_is_the_mean_over_those_who_rated(columns):
    values = np.array(columns, dtype=np.float64).T
    means = mean_of_rated(values)
    for column, mean in zip(columns, means, strict=True):
        rated = [value for value in column if value == value]
        if rated:
            assert mean == pytest.approx(sum(rated) / len(rated), abs=1e-9)
        else:
            assert np.isnan(mean)


def test_means_that_cancel_are_zero_and_thus_negative():
    assert is_rated(np.array([0.0, np.nan, -1.0])).tolist() == [1, 0, 1]
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in floating point.
    means = mean_of_rated(np.array([[0.1], [0.2], [-0.3]]))
    assert means.tolist() == [0.0]
    assert labels_from_values(means).tolist() == [0.0]


def test_digest_ignores_the_place_of_the_videos_but_not_the_values(
    small_corpus,
):
    moved = small_corpus.replace(
        segments=small_corpus.segments.assign(video="elsewhere.avi")
    )
    values = small_corpus.values.copy()
    values[0, 0] += 0.5
    assert moved.digest() == small_corpus.digest()
    assert small_corpus.replace(values=values).digest() != moved.digest()


def test_rows_and_columns_of_unknown_names_are_refused(small_corpus):
    assert small_corpus.rows(["C", "A"]).tolist() == [
        *range(10),
        *range(20, 30),
    ]
    assert small_corpus.column("V2") == 1
    with pytest.raises(ValueError, match=r"`movies` must be .*'Z'"):
        small_corpus.rows(["A", "Z"])
    with pytest.raises(ValueError, match=r"`viewer` must be .*'V9'"):
        small_corpus.column("V9")


def _with(array, value):
    changed = array.copy()
    changed[3, 1] = value
    return changed


@pytest.mark.parametrize(
    ("part", "make", "message"),
    [
        ("values", lambda c: c.values[:5], r"`values` needs .*\(40, 3\)"),
        ("values", lambda c: _with(c.values, 1.5), r"must be in \[-1, 1\]"),
        ("values", lambda c: _with(c.values, -np.inf), r"be in \[-1, 1\]"),
        ("segments", lambda c: c.segments[["movie"]], "needs the columns"),
        ("segments", lambda c: c.segments[::-1], r"the index 0 … 39 \(reset"),
        ("viewers", lambda _: ("V1", "MEAN", "x"), "must not contain 'MEAN'"),
        ("viewers", lambda _: ("V1", "V1", "x"), "must be different str"),
        ("viewers", lambda _: ("V1", 2, "x"), "must be different str"),
        ("viewers", lambda _: ("\u00eb", "e\u0308", "x"), "different str"),
    ],
)
def test_parts_made_by_hand_are_checked(small_corpus, part, make, message):
    with pytest.raises(ValueError, match=message):
        small_corpus.replace(**{part: make(small_corpus)})


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("segment_id", "A-1", "`segment_id` must be unique. Received twice:"),
        ("segment_id", 7, "`segment_id` must hold str. Received: 7"),
        ("movie", np.nan, "`movie` must hold str. Received: nan"),
        ("text", 1.5, "`text` must hold str. Received: 1.5"),
        ("start_s", np.nan, "`start_s` and `end_s` must be seconds"),
        ("end_s", np.inf, r"be seconds\. Received: \[0.0, inf\] for 'A-0'"),
    ],
)
def test_segments_made_by_hand_are_checked(small_corpus, column, cell, message):
    segments = small_corpus.segments.astype({column: object})
    segments.loc[0, column] = cell
    with pytest.raises(ValueError, match=message):
        small_corpus.replace(segments=segments)


def test_names_and_texts_made_by_hand_are_composed(small_corpus):
    segments = small_corpus.segments.assign(text="cafe\u0301")
    corpus = small_corpus.replace(
        segments=segments, viewers=("Zoe\u0308", "V2", "Vavg")
    )
    assert corpus.viewers[0] == "Zo\u00eb"
    assert set(corpus.segments["text"]) == {"caf\u00e9"}
    assert set(segments["text"]) == {"cafe\u0301"}


PROGRAM = """
import os, sys
from emotion_mt.corpus import load_corpus
class Reversed:
    def __init__(self, path, scan=os.scandir):
        self.entries = reversed([*scan(path)])
    __enter__ = lambda self: self
    __exit__ = lambda *_: None
    __iter__ = lambda self: self.entries
    __next__ = lambda self: next(self.entries)
if sys.argv[1] == "reversed":
    os.scandir = Reversed
corpora = [load_corpus(folder) for folder in sys.argv[2:]]
print(ascii([(c.viewers, c.notes, c.digest(), list(c.sources.video))
             for c in corpora]))
"""


def test_order_and_digest_do_not_depend_on_the_process(manifest, writer):
    names = ["V2", "V02", "V10", "Žofie", "v2", "2", "02", "Ａ", "A"]
    manifest.write(["s,M,0,1,Où,"], [f"s,{name},0.5" for name in names])
    for subject in (1, 2, 10):
        writer.trace("BMI", 0.5, subject=subject)
        writer.trace("CHI", 0.5, subject=subject + 1)
    for movie in ("BMI", "CHI"):
        writer.subtitles(movie)
        writer.video(movie)
        for name in ("a.mp4", "b.mp4", "c.mp4"):
            (writer.root / movie / name).write_bytes(b"x")
    folders = [manifest.root, writer.root]
    first, second = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM, order, *folders],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, locale, order in (
            ("0", "C", "as it is"),
            ("1", "tr_TR.UTF-8", "reversed"),
        )
    )
    assert first == second
