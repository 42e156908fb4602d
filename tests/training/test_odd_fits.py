"""Fits that go wrong, and arguments that make no sense."""

import warnings

import numpy as np
import pytest

from emotion_mt import training

HUGE = {"learning_rate": 1e30}


def quiet(fit, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(**arguments)


def test_divergence_before_min_epochs(fit):
    """Then nothing was kept, and another L1 strength would be better."""
    result = quiet(fit, config={**HUGE, "min_epochs": 4})
    assert result.best_epoch >= 4 or np.isnan(result.trials[0].score)


def test_divergence_is_told_whenever_fit_stops_for_it(fit):
    for seed in range(3):
        with pytest.warns(UserWarning, match="is not a number"):
            result = fit(config=HUGE, seed=seed)
        assert "diverged" in "".join(result.notes), seed


def test_result_is_a_function_of_the_arguments(fit):
    """Not even a name counts the models that the process made."""
    assert fit().model_config == fit().model_config


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": "1e-3"},
        {"l1": ("a",)},
        {"modalities": (["text"],)},
        {"class_weighting": "no"},
        {"standardize_visual": None},
    ],
)
def test_every_field_is_checked(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        training.TrainingConfig(**change)


def test_no_viewers(fit):
    with pytest.raises(ValueError, match="`viewers` must be distinct names"):
        fit(())
