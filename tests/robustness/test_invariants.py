"""Properties of labels, windows and splits, for any input."""

import dataclasses
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt import paper
from emotion_mt.corpus import labels_from_values, splits as splits_lib
from emotion_mt.corpus.corpus import MEAN_DECIMALS
from emotion_mt.corpus.traces import Trace
from emotion_mt.features import FeatureConfig
from emotion_mt.features.windows import count_windows, segment_ticks

many = settings(settings.get_profile("robustness"))


@many
@given(st.lists(st.just(math.nan) | st.floats(-1, 1), max_size=20))
def test_labels_follow_the_sign(values):
    labels = labels_from_values(np.array(values, np.float32))
    for value, label in zip(np.array(values, np.float32), labels, strict=True):
        assert math.isnan(label) if math.isnan(value) else label == (value > 0)


@many
@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(-1000, 1000)),
        min_size=1,
        unique_by=lambda row: row[0],
        max_size=20,
    ),
    st.integers(-10, 1010),
    st.integers(0, 300),
)
def test_segment_means_are_exact(rows, start, length):
    rows = sorted(rows)
    trace = Trace(
        Path("x"),
        np.array([t for t, _ in rows], float),
        np.array([[v / 1000, 0] for _, v in rows]),
    )
    (mean,) = trace.segment_means("valence", [start], [start + length])
    inside = [
        Fraction(v, 1000) for t, v in rows if start <= t <= start + length
    ]
    if not inside:
        assert math.isnan(mean)
    else:
        exact = sum(inside) / len(inside)
        assert abs(mean - exact) <= Fraction(1, 10**MEAN_DECIMALS)
        assert (mean > 0) == (exact > 0)


@many
@given(
    st.floats(0, 1e6, exclude_max=True),
    st.floats(1e-6, 1e4),
    st.sampled_from([24000 / 1001, 25.0, 29.97, 50.0, 1.0, 120.0]),
    st.integers(8, 32),
    st.integers(1, 16),
)
def test_windows_lie_in_their_segment(start_s, length_s, fps, size, stride):
    config = FeatureConfig(window_frames=size, stride_frames=stride)
    end_s = start_s + length_s
    if not start_s < end_s:
        return
    first, stop = segment_ticks((start_s, end_s), fps, size)
    assert first >= 0
    assert stop - first >= size
    windows = count_windows((start_s, end_s), fps, config)
    last = first + (windows - 1) * stride + size
    assert last <= stop < last + stride
    # Not widened: all ticks are on the screen during the segment.
    if stop - first > size:
        assert first / fps >= start_s - 1e-3
        assert (stop - 1) / fps < end_s + 1e-3


@many
@given(
    st.lists(
        st.text(min_size=1, max_size=4) | st.sampled_from(paper.MOVIES),
        unique=True,
        max_size=12,
    )
)
def test_splits_share_no_film(movies):
    if len(movies) < 3:
        with pytest.raises(ValueError, match="at least three films"):
            splits_lib.folds(movies)
        return
    folds = splits_lib.folds(movies)
    assert sorted(m for fold in folds for m in fold.test) == sorted(movies)
    for split in (*folds, splits_lib.fixed_split(movies)):
        parts = [*split.train, *split.validation, *split.test]
        assert len(set(parts)) == len(parts)
        assert set(parts) <= set(movies)
        assert all(dataclasses.astuple(split)[1:])
