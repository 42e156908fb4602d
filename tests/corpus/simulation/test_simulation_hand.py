"""The hand on the marker."""

import numpy as np
import pytest

from emotion_mt.corpus.simulation.hand import move_marker


def column(values):
    return np.asarray(values, dtype=float)[:, None]


def test_small_changes_are_not_noticed():
    felt = column(0.2 * np.sin(np.arange(500) / 30))
    path = move_marker(felt, np.zeros(1))
    np.testing.assert_array_equal(path, np.zeros_like(path))


def test_a_step_is_followed_smoothly_and_not_overshot_by_much():
    felt = column([0.0] * 25 + [1.0] * 225)
    path = move_marker(felt, np.zeros(1))[:, 0]
    assert (path[:26] == 0).all()
    assert path[-1] == pytest.approx(1.0, abs=0.1)
    assert path.max() < 1.1
    moves = np.diff(path)
    # It starts and stops gently, and rests in the end.
    assert moves.max() < 0.1
    assert moves[25] < moves.max() / 2
    assert np.abs(moves[-25:]).max() < 1e-3


def test_columns_do_not_know_of_each_other():
    rng = np.random.default_rng(1)
    felt = np.cumsum(rng.normal(0, 0.1, (300, 3)), axis=0)
    start = np.array([0.0, 0.5, -0.5])
    together = move_marker(felt, start)
    for i in range(3):
        alone = move_marker(felt[:, i : i + 1], start[i : i + 1])
        np.testing.assert_array_equal(together[:, i : i + 1], alone)
    np.testing.assert_array_equal(together[0], start)
