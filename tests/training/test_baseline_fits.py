"""`fit_split` with a `BaselineConfig`."""

import pickle

import numpy as np
import pytest

from emotion_mt import models


@pytest.mark.parametrize(
    ("modality", "kind", "kernels"),
    [
        ("text", models.BaselineTextModel, 3),
        ("visual", models.BaselineVisualModel, (3, 4)),
    ],
)
def test_result(
    fit_baseline,
    small_corpus,
    histograms,
    predict_again,
    modality,
    kind,
    kernels,
):
    result = fit_baseline(modality, ("V2",), seed=3)
    assert type(result.model) is kind
    assert result.model.viewers == ("V2",)
    np.testing.assert_array_equal(result.test_rows, np.arange(30, 40))
    # One strength of the penalty: none.
    assert [trial.l1 for trial in result.trials] == [0.0]
    assert result.model.l1 == 0.0
    assert result.model.kernels == kernels
    assert result.best_epoch == 1 + np.argmin(result.history["val_bce"])
    revived = pickle.loads(pickle.dumps(result))  # noqa: S301
    for same in (result, revived):
        np.testing.assert_allclose(
            predict_again(same, features=histograms),
            result.probabilities,
            atol=1e-5,
        )
    if modality == "visual":
        # Statistics are those of the training frames, of what V2 has rated.
        assert result.left_out["train"]["no visual feature"] == 1
        layer = result.model.get_layer("visual_normalization")
        mean, variance = layer.get_weights()[:2]
        rated = ~np.isnan(small_corpus.labels[:20, 1])
        rated[3] = False
        frames = histograms[:20][rated].reshape(-1, 6)
        np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(variance, frames.var(axis=0), rtol=1e-4)
    message = r"at most 1. Received: .'V1', 'V2'"
    with pytest.raises(ValueError, match=message):
        fit_baseline(modality, ("V1", "V2"))


def test_features_of_the_other_network(fit_baseline, features):
    message = r"must be \[N, frames, channels, bins\].*shape: \[N, 8\]"
    with pytest.raises(ValueError, match=message):
        fit_baseline("visual", features=features)
