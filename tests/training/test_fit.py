import dataclasses
import math
import pickle

import keras
import numpy as np
import pytest

from emotion_mt import models, paper, training
from emotion_mt.training import batches, reuse

NAN = np.nan
VIEWERS = ("V1", "V2", "Vavg")


@pytest.fixture
def fit(small_corpus, features, split, tiny_config):
    """Calls `fit_split` on the small corpus; keywords replace arguments."""

    def call(viewers, *, config=None, **changes):
        arguments = {
            "corpus": small_corpus,
            "features": features,
            "split": split,
            "config": dataclasses.replace(tiny_config, **(config or {})),
            **changes,
        }
        return training.fit_split(viewers=viewers, **arguments)

    return call


class TestResult:
    def test_single_task(self, fit, small_corpus, split, tiny_config):
        result = fit(("V2",), seed=3)
        assert result.viewers == ("V2",)
        assert result.split == split
        assert result.config == tiny_config
        assert result.seed == 3
        # Nobody rated film D as V2; it is predicted all the same.
        np.testing.assert_array_equal(result.test_rows, np.arange(30, 40))
        assert result.probabilities.shape == (10, 1)
        assert result.probabilities.dtype == "float32"
        assert np.all((result.probabilities > 0) & (result.probabilities < 1))
        rows = small_corpus.rows(("A", "B"))
        labels = small_corpus.labels[rows][:, [1]]
        missing = int(np.isnan(labels).sum())
        assert missing > 0
        assert result.left_out["train"]["no label"] == missing
        assert result.left_out["test"] == {"no visual feature": 0}
        np.testing.assert_array_equal(
            result.class_weights, training.class_weights(labels)
        )
        assert result.model.viewers == ("V2",)
        assert [t.l1 for t in result.trials] == list(tiny_config.l1)
        assert set(result.seconds) == {
            "prepare",
            "build",
            "fit",
            "predict",
            "total",
        }
        assert result.notes == ()

    def test_multi_task(self, fit):
        result = fit(VIEWERS)
        assert result.probabilities.shape == (10, 3)
        assert result.class_weights.shape == (3, 2)
        assert result.model.viewers == VIEWERS
        names = {f"{viewer}_accuracy" for viewer in VIEWERS}
        names |= {"loss", "bce", "mean_accuracy"}
        names |= {f"val_{name}" for name in names}
        assert set(result.history) == names

    def test_the_model_gives_the_predictions(
        self, fit, small_corpus, features, tmp_path
    ):
        result = fit(VIEWERS)
        inputs = {
            "tokens": models.tokenize(
                result.tokenizer, small_corpus.segments["text"][30:]
            ),
            "visual": features[30:],
        }
        np.testing.assert_allclose(
            result.model.predict(inputs, verbose=0),
            result.probabilities,
            atol=1e-6,
        )
        result.model.save(tmp_path / "model.keras")
        revived = keras.saving.load_model(tmp_path / "model.keras")
        assert revived.l1 == result.l1
        np.testing.assert_array_equal(
            revived.predict(inputs, verbose=0),
            result.model.predict(inputs, verbose=0),
        )

    def test_can_be_pickled(self, fit, same_bits):
        result = fit(("V1",))
        revived = pickle.loads(pickle.dumps(result))  # noqa: S301
        same_bits(revived, result)
        assert revived.model.viewers == ("V1",)

    def test_text_alone_needs_no_features(self, fit):
        result = fit(("V1",), features=None, config={"modalities": ("text",)})
        assert result.tokenizer.vocabulary_size() == 2 + len(result.vocabulary)
        assert result.left_out["test"] == {}

    def test_visual_alone_has_no_vocabulary(self, fit):
        result = fit(("V1",), config={"modalities": ("visual",)})
        assert result.vocabulary == ()
        assert result.tokenizer is None


class TestChoices:
    """Early stopping and the L1 strength look at the validation film."""

    def test_best_epoch_and_strength(self, fit, tiny_config):
        result = fit(("V1",))
        for trial in result.trials:
            values = trial.history["val_bce"]
            assert trial.best_epoch == 1 + int(np.argmin(values))
            assert trial.val_bce == min(values)
            stop = trial.best_epoch + tiny_config.patience
            assert len(values) == min(stop, tiny_config.max_epochs)
        best = min(result.trials, key=lambda trial: trial.val_bce)
        assert (result.l1, result.best_epoch) == (best.l1, best.best_epoch)
        assert result.history is best.history

    def test_best_weights_are_kept(self, fit, small_corpus, features):
        result = fit(("V1",))
        dataset = training.make_dataset(
            small_corpus,
            features,
            ("C",),
            tokenizer=result.tokenizer,
            viewers=("V1",),
        )
        model = result.model
        model.compile_for_training(result.class_weights, jit_compile=False)
        scores = model.evaluate(dataset, verbose=0, return_dict=True)
        best = result.best_epoch - 1
        assert scores["bce"] == pytest.approx(
            result.history["val_bce"][best], rel=1e-5
        )
        assert scores["V1_accuracy"] == result.history["val_V1_accuracy"][best]

    def test_the_penalty_is_in_the_loss_and_not_in_bce(self, fit):
        weak, strong = fit(("V1",)).trials
        gap = [
            trial.history["loss"][0] - trial.history["bce"][0]
            for trial in (weak, strong)
        ]
        # The first epochs are alike; the penalty is 100 times as strong.
        assert gap[1] > 20 * gap[0] > 0

    def test_one_strength_is_one_trial(self, fit):
        assert len(fit(("V1",), config={"l1": (1e-4, 1e-4)}).trials) == 1


class TestNothingOfTheTestFilm:
    @pytest.mark.parametrize("viewers", [("V1",), VIEWERS], ids=["ST", "MT"])
    def test_reaches_the_model(
        self, fit, small_corpus, features, relabel, retext, viewers
    ):
        plain = fit(viewers)
        corpus = retext(small_corpus, "D", "never heard of this word before")
        for viewer in VIEWERS:
            corpus = relabel(corpus, "D", viewer, 0.9)
        other = features.copy()
        other[30:] = 17.0
        changed = fit(viewers, corpus=corpus, features=other)
        assert changed.vocabulary == plain.vocabulary
        np.testing.assert_array_equal(
            changed.class_weights, plain.class_weights
        )
        assert changed.trials == plain.trials
        for a, b in zip(changed.weights, plain.weights, strict=True):
            np.testing.assert_array_equal(a, b)
        assert np.any(changed.probabilities != plain.probabilities)

    def test_the_training_film_does(self, fit, small_corpus, relabel, retext):
        """The check above could not fail otherwise."""
        plain = fit(("V1",))
        corpus = retext(small_corpus, "A", "new words")
        assert fit(("V1",), corpus=corpus).vocabulary != plain.vocabulary
        corpus = relabel(small_corpus, "A", "V1", 0.9)
        changed = fit(("V1",), corpus=corpus)
        assert np.any(changed.class_weights != plain.class_weights)

    def test_validation_film_only_stops(
        self, fit, small_corpus, features, relabel, retext
    ):
        plain = fit(("V1",))
        corpus = retext(small_corpus, "C", "new words")
        corpus = relabel(corpus, "C", "V1", 0.9)
        changed = fit(("V1",), corpus=corpus)
        assert changed.vocabulary == plain.vocabulary
        np.testing.assert_array_equal(
            changed.class_weights, plain.class_weights
        )
        for a, b in zip(changed.trials, plain.trials, strict=True):
            shorter = min(len(a.history["bce"]), len(b.history["bce"]))
            for name in ("loss", "bce", "V1_accuracy"):
                assert a.history[name][:shorter] == b.history[name][:shorter]

    def test_feature_statistics_are_those_of_the_training_films(
        self, fit, features
    ):
        features[3] = NAN
        layer = fit(("V1",), features=features).model.get_layer(
            "visual_standardization"
        )
        mean, variance = training.feature_statistics(features[:20])
        np.testing.assert_array_equal(layer.mean, mean)
        np.testing.assert_array_equal(layer.variance, variance)
        plain = fit(("V1",), config={"standardize_visual": False})
        layer = plain.model.get_layer("visual_standardization")
        np.testing.assert_array_equal(layer.mean, np.zeros(8))


class TestRepeatability:
    def test_whatever_ran_before(self, fit, same_bits):
        first = fit(("V1",), seed=1)
        fit(("V2",), seed=1)
        fit(VIEWERS, seed=1)
        keras.utils.set_random_seed(77)
        same_bits(fit(("V1",), seed=1), first)
        reuse.forget()
        same_bits(fit(("V1",), seed=1), first)

    def test_multi_task(self, fit, same_bits):
        same_bits(fit(VIEWERS), fit(VIEWERS))

    def test_after_a_fit_that_was_interrupted(self, fit, same_bits):
        first = fit(("V1",))

        def interrupt(progress):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(("V1",), on_epoch=interrupt)
        same_bits(fit(("V1",)), first)

    def test_seeds_differ(self, fit):
        one, other = fit(("V1",), seed=1), fit(("V1",), seed=2)
        assert np.any(one.probabilities != other.probabilities)

    def test_global_policy_does_not_matter(self, fit, same_bits):
        first = fit(("V1",))
        keras.config.set_dtype_policy("mixed_float16")
        try:
            same_bits(fit(("V1",)), first)
        finally:
            keras.config.set_dtype_policy("float32")


def test_viewers_share_one_compiled_model(fit, monkeypatch):
    fit(("V1",))
    step = models.EvokedEmotionModel.train_step
    traces = []

    def train_step(self, data):
        traces.append(self)
        return step(self, data)

    monkeypatch.setattr(models.EvokedEmotionModel, "train_step", train_step)
    result = fit(("V2",), seed=9, config={"l1": (1e-3,), "learning_rate": 0.1})
    assert not traces
    assert "val_V2_accuracy" in result.history


def test_equals_a_plain_training_loop(fit, small_corpus, features):
    """The same steps with Keras's own means, without filled-up batches."""
    viewers = ("V1", "V2", "Vavg")
    config = {"l1": (1e-3,), "patience": 3, "max_epochs": 3}
    result = fit(viewers, config=config, seed=4)
    segments = training.select_segments(
        small_corpus,
        features,
        ("A", "B"),
        tokenizer=result.tokenizer,
        viewers=viewers,
    )
    model = models.EvokedEmotionModel(**result.model_config)
    model.set_feature_statistics(*training.feature_statistics(features[:20]))
    model.compile_for_training(
        result.class_weights, learning_rate=0.01, run_eagerly=True
    )
    numbered = dataclasses.replace(
        segments, inputs={"row": np.arange(1, len(segments) + 1)}
    )
    losses = []
    for inputs, _ in batches.training_stream(numbered, 12, 3, seed=4):
        rows = inputs["row"].numpy()
        rows = rows[rows > 0] - 1
        x = {name: value[rows] for name, value in segments.inputs.items()}
        model.reset_metrics()
        logs = model.train_on_batch(x, segments.labels[rows], return_dict=True)
        losses.append((logs["bce"], np.sum(~np.isnan(segments.labels[rows]))))
    for epoch in range(3):
        values, counts = np.array(losses[2 * epoch : 2 * epoch + 2]).T
        assert result.history["bce"][epoch] == pytest.approx(
            np.sum(values * counts) / np.sum(counts), rel=1e-4
        )


def test_it_can_overfit_eight_segments(fit, small_corpus, features, split):
    corpus = small_corpus
    keep = [*range(8), *range(20, 40)]
    corpus = corpus.replace(
        segments=corpus.segments.iloc[keep].reset_index(drop=True),
        values=corpus.values[keep],
    )
    result = fit(
        VIEWERS,
        corpus=corpus,
        features=features[keep],
        split=paper.Split("eight", ("A",), ("C",), ("D",)),
        config={"l1": (0.0,), "max_epochs": 150, "patience": 150},
    )
    assert result.history["mean_accuracy"][-1] == 1.0
    for viewer in VIEWERS:
        assert result.history[f"{viewer}_accuracy"][-1] == 1.0


class TestProgress:
    def test_is_told_after_each_epoch(self, fit):
        seen = []
        result = fit(("V1",), on_epoch=seen.append)
        for trial in result.trials:
            own = [p for p in seen if p.l1 == trial.l1]
            epochs = len(trial.history["loss"])
            assert [p.epoch for p in own] == list(range(1, epochs + 1))
            for p in own:
                assert p.logs == {
                    name: values[p.epoch - 1]
                    for name, values in trial.history.items()
                }


class TestFallbacks:
    def test_validation_film_without_labels(
        self, fit, small_corpus, relabel, tiny_config
    ):
        corpus = relabel(small_corpus, "C", "V1", NAN)
        result = fit(("V1",), corpus=corpus, config={"l1": (1e-2, 1e-4, 1e-3)})
        (trial,) = result.trials
        assert result.l1 == 1e-3
        assert math.isnan(trial.val_bce)
        assert trial.best_epoch == tiny_config.epochs_without_validation
        assert len(trial.history["loss"]) == trial.best_epoch
        assert "No label in the validation films (C)" in result.notes[0]

    def test_no_validation_film(self, fit):
        split = paper.Split("none", ("A", "B"), (), ("D",))
        result = fit(("V1",), split=split)
        assert "validation films (none named)" in result.notes[0]

    def test_validation_film_with_one_class(self, fit, small_corpus, relabel):
        result = fit(("V1",), corpus=relabel(small_corpus, "C", "V1", 0.5))
        assert np.isfinite(result.trials[0].val_bce)
        assert result.notes == ()

    def test_training_films_with_one_class(self, fit, small_corpus, relabel):
        corpus = relabel(small_corpus, "A", "V1", -0.5)
        result = fit(("V1",), corpus=relabel(corpus, "B", "V1", -0.5))
        np.testing.assert_array_equal(result.class_weights, [[1.0, 1.0]])
        assert result.notes == (
            "All training labels of V1 are negative: class weights 1.",
        )
        assert np.all(np.isfinite(result.probabilities))

    def test_a_viewer_without_training_labels(self, fit, small_corpus, relabel):
        corpus = relabel(small_corpus, "A", "V2", NAN)
        corpus = relabel(corpus, "B", "V2", NAN)
        result = fit(VIEWERS, corpus=corpus)
        assert result.untrained_viewers == ("V2",)
        assert np.all(np.isnan(result.probabilities[:, 1]))
        assert np.all(np.isfinite(result.probabilities[:, [0, 2]]))
        assert "No label of V2 in the training films" in result.notes[0]
        untouched = models.EvokedEmotionModel(**result.model_config)
        for a, b in zip(
            result.model.head_weights("V2"),
            untouched.head_weights("V2"),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(ValueError, match=r"a label of V2.*'no label': 20"):
            fit(("V2",), corpus=corpus)

    def test_test_film_without_videos(self, fit, features):
        features[30:] = NAN
        result = fit(("V1",), features=features)
        assert result.probabilities.shape == (0, 1)
        assert len(result.test_rows) == 0
        assert result.left_out["test"]["no visual feature"] == 10

    def test_training_films_without_videos(self, fit, features):
        features[:20] = NAN
        with pytest.raises(ValueError, match="'no visual feature': 20"):
            fit(("V1",), features=features)

    def test_divergence_is_told(self, fit):
        result = fit(("V1",), config={"learning_rate": 1e30, "l1": (0.0,)})
        assert "diverged" in result.notes[0]

    def test_without_class_weighting(self, fit):
        result = fit(("V1",), config={"class_weighting": False})
        np.testing.assert_array_equal(result.class_weights, [[1.0, 1.0]])
