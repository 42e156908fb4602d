"""Only the best L1 strength goes on, as if nothing had happened."""

import dataclasses

import numpy as np
import pytest

from emotion_mt import training

#: Films of the small corpus; see `SPLIT` of the fixtures.
WEAK, STRONG, FIERCE = 1e-4, 3e-2, 1.0


@pytest.fixture
def fit(small_corpus, features, split, tiny_config):
    """Fits V1 for at most 12 epochs; keywords replace the config's."""

    def call(**config):
        config = {"max_epochs": 12, "patience": 5, **config}
        return training.fit_split(
            small_corpus,
            features,
            split,
            ("V1",),
            dataclasses.replace(tiny_config, **config),
        )

    return call


@pytest.mark.parametrize("learning_rate", [0.01, 0.003])
@pytest.mark.parametrize(
    "strengths", [(WEAK, STRONG, FIERCE), (FIERCE, STRONG, WEAK)]
)
def test_the_best_goes_on_without_a_trace(fit, strengths, learning_rate):
    whole = fit(l1=strengths, l1_epochs=0, learning_rate=learning_rate)
    result = fit(l1=strengths, l1_epochs=3, learning_rate=learning_rate)
    assert [trial.l1 for trial in result.trials] == list(strengths)
    best = min(
        whole.trials, key=lambda trial: min(trial.history["val_bce"][:3])
    )
    assert result.l1 == best.l1
    for short, full in zip(result.trials, whole.trials, strict=True):
        if short.l1 == result.l1:
            assert short == full
            continue
        assert short.best_epoch == 1 + np.argmin(short.history["val_bce"])
        assert set(short.history) == set(full.history)
        for name, values in short.history.items():
            assert values == full.history[name][:3]
    alone = fit(l1=(result.l1,), learning_rate=learning_rate)
    np.testing.assert_array_equal(result.probabilities, alone.probabilities)
    for ours, theirs in zip(result.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_strength_that_ended_early_is_not_taken_up_again(fit):
    short = fit(l1=(WEAK, FIERCE), l1_epochs=8, patience=1, max_epochs=9)
    whole = fit(l1=(WEAK, FIERCE), l1_epochs=0, patience=1, max_epochs=9)
    assert min(len(t.history["bce"]) for t in whole.trials) < 8
    assert short.l1 == whole.l1
    np.testing.assert_array_equal(short.probabilities, whole.probabilities)


def test_without_a_finite_value_the_first_strength_is_kept(fit):
    result = fit(l1=(WEAK, STRONG), learning_rate=1e30, l1_epochs=2)
    assert result.l1 == WEAK
    assert len(result.trials[1].history["bce"]) == 2


def test_more_epochs_than_there_are(fit):
    few = fit(l1=(WEAK, STRONG), l1_epochs=50, max_epochs=4)
    all_of_them = fit(l1=(WEAK, STRONG), l1_epochs=0, max_epochs=4)
    assert few.trials == all_of_them.trials
