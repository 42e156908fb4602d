"""`fit_split` with a `BaselineConfig`."""

import dataclasses
import pickle

import numpy as np
import pytest

from emotion_mt import models, training

#: As small as the other tests' networks, and different from the defaults.
SMALL = {
    "embedding_dim": 4,
    "kernels": 3,
    "heights": (2, 3),
    "visual_kernels": (3, 4),
    "visual_height": 2,
}

BOTH = pytest.mark.parametrize("modality", ["text", "visual"])


@pytest.fixture
def histograms(small_corpus):
    """float32 [40, 8, 2, 3]; segment 3 has no video."""
    random = np.random.default_rng(2)
    made = random.dirichlet([1.0] * 3, (len(small_corpus), 8, 2))
    made[3] = np.nan
    return made.astype("float32")


@pytest.fixture
def fit_baseline(fit, histograms, tiny_config):
    """Fits the Baseline; keywords as of `fit`."""

    def call(modality, viewers=("V1",), **changes):
        like = training.BaselineConfig.like(tiny_config, (modality,))
        base = dataclasses.replace(like, **SMALL)
        features = histograms if modality == "visual" else None
        return fit(viewers, **{"base": base, "features": features, **changes})

    return call


@BOTH
def test_result(fit_baseline, histograms, predict_again, modality):
    result = fit_baseline(modality, ("V2",), seed=3)
    kinds = {
        "text": models.BaselineTextModel,
        "visual": models.BaselineVisualModel,
    }
    assert type(result.model) is kinds[modality]
    assert result.model.viewers == ("V2",)
    np.testing.assert_array_equal(result.test_rows, np.arange(30, 40))
    # One strength of the penalty: none.
    assert [trial.l1 for trial in result.trials] == [0.0]
    assert result.model.l1 == 0.0
    expected = {"text": 3, "visual": (3, 4)}
    assert result.model.kernels == expected[modality]
    assert result.best_epoch == 1 + np.argmin(result.history["val_bce"])
    revived = pickle.loads(pickle.dumps(result))  # noqa: S301
    for same in (result, revived):
        np.testing.assert_allclose(
            predict_again(same, features=histograms),
            result.probabilities,
            atol=1e-5,
        )


@BOTH
def test_repeatable_and_nothing_of_the_test_movie_reaches_the_model(
    fit_baseline,
    small_corpus,
    histograms,
    relabel,
    retext,
    same_model,
    same_bits,
    modality,
):
    plain = fit_baseline(modality)
    corpus = retext(small_corpus, "D", "never heard of this word before")
    corpus = relabel(corpus, ["D"], "V1", 0.9)
    changes = {"corpus": corpus}
    if modality == "visual":
        changes["features"] = histograms.copy()
        changes["features"][30:] = 0.5
    changed = fit_baseline(modality, **changes)
    same_model(changed, plain)
    assert np.any(changed.probabilities != plain.probabilities)
    trained = fit_baseline(modality, corpus=relabel(corpus, ["A"], "V1", 0.9))
    assert np.any(trained.weights[-1] != plain.weights[-1])
    same_bits(fit_baseline(modality), plain)


def test_statistics_are_those_of_the_training_frames(fit_baseline, histograms):
    result = fit_baseline("visual")
    assert result.left_out["train"]["no visual feature"] == 1
    layer = result.model.get_layer("visual_normalization")
    mean, variance = layer.get_weights()[:2]
    frames = np.delete(histograms[:20], 3, axis=0).reshape(-1, 6)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, frames.var(axis=0), rtol=1e-4)


@BOTH
def test_one_viewer_at_a_time(fit_baseline, modality):
    message = r"at most 1. Received: .'V1', 'V2'"
    with pytest.raises(ValueError, match=message):
        fit_baseline(modality, ("V1", "V2"))


def test_features_of_the_other_network(fit_baseline, features):
    message = r"must be \[N, frames, channels, bins\].*shape: \[N, 8\]"
    with pytest.raises(ValueError, match=message):
        fit_baseline("visual", features=features)
