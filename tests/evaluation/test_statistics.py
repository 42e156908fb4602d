import itertools

import numpy as np
import pytest

from emotion_mt.evaluation.statistics import film_interval, holm, sign_flip_p


def test_sign_flip_equals_enumeration():
    rng = np.random.default_rng(0)
    for size in (1, 3, 7):
        values = rng.normal(0.4, 1, size)
        reached = [
            abs(np.dot(signs, values)) >= abs(values.sum()) - 1e-9
            for signs in itertools.product((1, -1), repeat=size)
        ]
        assert sign_flip_p(values) == pytest.approx(np.mean(reached))


def test_sign_flip_known_answers():
    assert sign_flip_p([1.0] * 7) == pytest.approx(2 / 128)
    assert sign_flip_p([0.0] * 7) == 1.0
    assert np.isnan(sign_flip_p([]))
    with pytest.raises(ValueError, match="at most 20 values"):
        sign_flip_p(np.ones(21))


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


def test_interval_of_too_few_or_equal_films():
    assert np.isnan(film_interval([0.5])).all()
    assert np.isnan(film_interval([])).all()
    assert film_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
