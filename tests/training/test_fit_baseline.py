"""`fit_split` with network="baseline"."""

import dataclasses
import pickle

import numpy as np
import pytest

from emotion_mt import models, paper, training
from emotion_mt.training import reuse

NAN = np.nan

#: As small as the other tests' networks, and different from the defaults.
SMALL = {
    "network": "baseline",
    "max_epochs": 4,
    "baseline_embedding_dim": 4,
    "baseline_kernels": 3,
    "baseline_heights": (2, 3),
    "baseline_visual_kernels": (3, 4),
    "baseline_visual_height": 2,
}

BOTH = pytest.mark.parametrize("modality", ["text", "visual"])


@pytest.fixture
def histograms(small_corpus):
    """float32 [40, 8, 2, 3]; segment 3 has no video."""
    random = np.random.default_rng(2)
    made = random.dirichlet([1.0] * 3, (len(small_corpus), 8, 2))
    made[3] = NAN
    return made.astype("float32")


@pytest.fixture
def fit(small_corpus, histograms, split, tiny_config):
    """Calls `fit_split` for the Baseline; keywords replace arguments."""

    def call(modality, viewer="V1", *, config=None, **changes):
        changed = {**SMALL, "modalities": (modality,), **(config or {})}
        arguments = {
            "corpus": small_corpus,
            "features": histograms if modality == "visual" else None,
            "split": split,
            "viewers": (viewer,),
            "config": dataclasses.replace(tiny_config, **changed),
            **changes,
        }
        return training.fit_split(**arguments)

    return call


def inputs_of(result, corpus, histograms, rows):
    if result.tokenizer is None:
        return {"visual": histograms[rows]}
    texts = corpus.segments["text"].iloc[rows]
    return {"tokens": models.tokenize(result.tokenizer, texts)}


@BOTH
class TestBoth:
    def test_result(self, fit, small_corpus, histograms, modality):
        result = fit(modality, "V2", seed=3)
        kinds = {
            "text": models.BaselineTextModel,
            "visual": models.BaselineVisualModel,
        }
        assert type(result.model) is kinds[modality]
        assert result.model.viewers == ("V2",)
        assert result.config.modalities == (modality,)
        np.testing.assert_array_equal(result.test_rows, np.arange(30, 40))
        assert result.probabilities.shape == (10, 1)
        # One strength of the penalty: none.
        assert [t.l1 for t in result.trials] == [0.0]
        assert result.model.l1 == 0.0
        best = int(np.argmin(result.history["val_bce"]))
        assert result.best_epoch == 1 + best
        inputs = inputs_of(result, small_corpus, histograms, result.test_rows)
        np.testing.assert_allclose(
            np.asarray(result.model(inputs)), result.probabilities, atol=1e-6
        )
        revived = pickle.loads(pickle.dumps(result))  # noqa: S301
        np.testing.assert_array_equal(
            np.asarray(revived.model(inputs)), np.asarray(result.model(inputs))
        )

    def test_nothing_of_the_test_film_reaches_the_model(
        self, fit, small_corpus, histograms, relabel, retext, modality
    ):
        plain = fit(modality)
        corpus = retext(small_corpus, "D", "never heard of this word before")
        corpus = relabel(corpus, "D", "V1", 0.9)
        changes = {"corpus": corpus}
        if modality == "visual":
            changes["features"] = histograms.copy()
            changes["features"][30:] = 0.5
        changed = fit(modality, **changes)
        assert changed.trials == plain.trials
        assert changed.vocabulary == plain.vocabulary
        for a, b in zip(changed.weights, plain.weights, strict=True):
            np.testing.assert_array_equal(a, b)
        assert np.any(changed.probabilities != plain.probabilities)
        trained = fit(modality, corpus=relabel(corpus, "A", "V1", 0.9))
        assert np.any(trained.weights[-1] != plain.weights[-1])

    def test_repeatable_whatever_ran_before(self, fit, same_bits, modality):
        first = fit(modality, seed=1)
        fit(modality, "Vavg", seed=2)
        same_bits(fit(modality, seed=1), first)
        reuse.forget()
        same_bits(fit(modality, seed=1), first)

    def test_one_viewer_at_a_time(self, fit, modality):
        with pytest.raises(
            ValueError, match=r"'baseline' must be exactly one.*\('V1', 'V2'\)"
        ):
            fit(modality, viewers=("V1", "V2"))


def test_viewers_share_one_compiled_model(fit, monkeypatch):
    fit("text")
    step = models.ViewerModel.train_step
    traces = []

    def train_step(self, data):
        traces.append(self)
        return step(self, data)

    monkeypatch.setattr(models.ViewerModel, "train_step", train_step)
    result = fit("text", "V2", seed=9, config={"learning_rate": 0.1})
    assert not traces
    assert "val_V2_accuracy" in result.history
    # The check above could not fail otherwise.
    fit("text", config={"baseline_kernels": 2})
    assert traces


@BOTH
def test_no_validation_film(fit, modality, tiny_config):
    split = paper.Split("none", ("A", "B"), (), ("D",))
    result = fit(modality, split=split, config={"baseline_l1": (0.0, 0.5)})
    assert result.best_epoch == tiny_config.epochs_without_validation
    assert "validation films (none named)" in result.notes[0]
    # The middle of the Baseline's own strengths.
    assert "L1 strength 0.5" in result.notes[0]


def test_settings_of_the_text_network(fit):
    stacked = {"baseline_arrangement": "stacked", "baseline_l1": (0.1, 0.2)}
    result = fit("text", config=stacked)
    model = result.model
    assert (model.arrangement, model.kernels) == ("stacked", 3)
    assert (model.heights, model.embedding_dim) == ((2, 3), 4)
    assert model.l1 == result.l1
    assert [t.l1 for t in result.trials] == [0.1, 0.2]


def test_statistics_are_those_of_the_training_frames(fit, histograms):
    layer = fit("visual").model.get_layer("visual_standardization")
    frames = np.delete(histograms[:20], 3, axis=0).reshape(-1, 6)
    np.testing.assert_allclose(layer.mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.variance, frames.var(axis=0), rtol=1e-4)


def test_segments_without_video_are_left_out(fit, histograms):
    assert fit("visual").left_out["train"]["no visual feature"] == 1
    histograms[30:35] = NAN
    result = fit("visual", features=histograms)
    np.testing.assert_array_equal(result.test_rows, np.arange(35, 40))


def test_features_of_the_other_network(fit, features, histograms):
    with pytest.raises(
        ValueError,
        match=r"'baseline' must be \[N, frames.*Received shape: \[40, 8\]",
    ):
        fit("visual", features=features)
    with pytest.raises(
        ValueError,
        match=r"'evoked' must be \[N, F\].*Received shape: \[40, 8, 2, 3\]",
    ):
        fit("visual", config={"network": "evoked"})
    with pytest.raises(ValueError, match="`features` must be given"):
        fit("visual", features=None)
