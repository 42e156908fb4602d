"""Filters and noise."""

import numpy as np
import pytest

from emotion_mt.corpus.simulation import signals
from emotion_mt.corpus.simulation.streams import stream


def test_lag_covers_63_percent_of_a_step_in_its_time_constant():
    step = np.concatenate([[0.0], np.ones(200)])
    slow = signals.lagging(step, 2.0)
    assert slow[0] == 0
    assert slow[50] == pytest.approx(1 - np.exp(-1))
    assert slow[200] == pytest.approx(1 - np.exp(-4))


def test_lag_of_columns_is_the_lag_of_each():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((40, 3))
    each = [signals.lagging(column, 0.5) for column in values.T]
    np.testing.assert_allclose(signals.lagging(values, 0.5), np.stack(each, 1))


def test_delay_repeats_the_first_value():
    values = np.arange(6.0)
    np.testing.assert_array_equal(
        signals.delayed(values, 0.08), [0, 0, 0, 1, 2, 3]
    )
    np.testing.assert_array_equal(signals.delayed(values, 0.0), values)
    np.testing.assert_array_equal(signals.delayed(values, 9.0), [0] * 6)


def test_noise_has_unit_variance_and_the_correlation_of_its_kernel():
    noise = signals.smooth_noise(200_000, 1.0, stream(0, "test"))
    assert noise.var() == pytest.approx(1, rel=0.05)
    # White noise through a Gaussian of width w: exp(-lag²/(4 w²)).
    for lag_s in (0.5, 1.0, 2.0):
        lag = round(lag_s * 25)
        found = np.corrcoef(noise[:-lag], noise[lag:])[0, 1]
        assert found == pytest.approx(np.exp(-(lag_s**2) / 4), abs=0.03)


def test_noise_is_stationary_to_its_ends():
    ends = [
        signals.smooth_noise(60, 1.0, stream(seed, "test"))[[0, -1]]
        for seed in range(3000)
    ]
    np.testing.assert_allclose(np.var(ends, axis=0), 1, rtol=0.1)
