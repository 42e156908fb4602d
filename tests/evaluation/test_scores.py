"""Scores and statistics, against other libraries and known answers."""

import itertools

import numpy as np
import pytest
from sklearn import metrics

from emotion_mt.evaluation.comparison import film_interval, holm, sign_flip_p
from emotion_mt.evaluation.scores import Score, score


@pytest.mark.parametrize("seed", range(20))
def test_score_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    size = rng.integers(2, 40)
    labels = rng.choice([0.0, 1.0, np.nan], size)
    labels[:2] = [0, 1]
    # Now and then all answers are of one class.
    probabilities = rng.random(size) * rng.choice([0.4, 1.0])
    rated = ~np.isnan(labels)
    truth, answer = labels[rated] == 1, probabilities[rated] > 0.5
    probabilities[~rated] = np.nan  # It matters only where rated.
    assert score(labels, probabilities) == Score(
        rated.sum(),
        truth.sum(),
        pytest.approx(metrics.accuracy_score(truth, answer)),
        pytest.approx(metrics.balanced_accuracy_score(truth, answer)),
        pytest.approx(metrics.f1_score(truth, answer, average="macro")),
        pytest.approx(metrics.matthews_corrcoef(truth, answer)),
    )


def test_one_class_has_no_balanced_accuracy_and_none_no_score():
    for label in (0.0, 1.0):
        result = score(np.full(4, label), np.full(4, 0.9))
        assert result == Score(4, int(4 * label), label, None, None, None)
    assert score([np.nan] * 3, np.zeros(3)) == score([], []) == Score(0, 0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="Received 1 values that are not"):
        score(np.array([0.0, 1]), np.array([np.nan, 1]))
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        score(np.zeros(2), np.zeros(3))


def test_sign_flip_equals_enumeration():
    rng = np.random.default_rng(0)
    for size in (1, 3, 7):
        values = rng.normal(0.4, 1, size)
        reached = [
            abs(np.dot(signs, values)) >= abs(values.sum()) - 1e-9
            for signs in itertools.product((1, -1), repeat=size)
        ]
        assert sign_flip_p(values) == pytest.approx(np.mean(reached))
    assert sign_flip_p([1.0] * 7) == pytest.approx(2 / 128)
    assert sign_flip_p([0.0] * 7) == 1.0
    assert np.isnan(sign_flip_p([]))


def test_holm_worked_example():
    # 0.01*4, max(., 0.02*3), max(., 0.03*2), max(., 0.04*1).
    np.testing.assert_allclose(
        holm([0.04, 0.01, np.nan, 0.03, 0.02]), [0.06, 0.04, np.nan, 0.06, 0.06]
    )
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    assert holm([]).size == 0


def test_interval_agrees_with_exact_resampling():
    # All 4^4 ways to draw four films with replacement.
    values = np.array([0.4, 0.5, 0.7, 0.9])
    means = [np.mean(d) for d in itertools.product(values, repeat=4)]
    exact = np.percentile(means, [2.5, 97.5])
    np.testing.assert_allclose(film_interval(values), exact, atol=0.03)
    assert np.isnan([*film_interval([0.5]), *film_interval([])]).all()
    assert film_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
