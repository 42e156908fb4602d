import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt.corpus import (
    CorpusError,
    is_rated,
    labels_from_values,
    mean_of_rated,
)

RATING = st.one_of(
    st.just(float("nan")),
    st.just(0.0),
    st.just(-0.0),
    st.floats(-1, 1, width=32),
)
REPEATABLE = settings(max_examples=50, derandomize=True, deadline=None)


@REPEATABLE
@given(st.lists(RATING, max_size=20))
def test_labels_follow_the_threshold(values):
    labels = labels_from_values(np.array(values, dtype=np.float32))
    assert labels.dtype == np.float32
    for value, label in zip(values, labels, strict=True):
        if value != value:
            assert np.isnan(label)
        else:
            assert label == (1.0 if value > 0 else 0.0)


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
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in floating point.
    means = mean_of_rated(np.array([[0.1], [0.2], [-0.3]]))
    assert means.tolist() == [0.0]
    assert labels_from_values(means).tolist() == [0.0]


def test_is_rated_is_false_for_nan_only():
    assert is_rated(np.array([0.0, np.nan, -1.0])).tolist() == [1, 0, 1]


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


def test_parts_that_do_not_fit_are_refused(small_corpus):
    with pytest.raises(ValueError, match=r"`values` needs .*\(40, 3\)"):
        small_corpus.replace(values=small_corpus.values[:5])
    with pytest.raises(ValueError, match="`segments` needs the columns"):
        small_corpus.replace(segments=small_corpus.segments[["movie"]])
    with pytest.raises(ValueError, match="must not contain 'MEAN'"):
        small_corpus.replace(viewers=("V1", "MEAN", "Vavg"))
    twice = small_corpus.segments.assign(segment_id="same")
    with pytest.raises(ValueError, match="`segment_id` must be unique"):
        small_corpus.replace(segments=twice)


def test_error_lists_its_problems():
    error = CorpusError(["a.dat: bad", "b.srt: worse"])
    assert error.problems == ("a.dat: bad", "b.srt: worse")
    assert str(error) == "a.dat: bad\nb.srt: worse"
    assert CorpusError("one").problems == ("one",)
