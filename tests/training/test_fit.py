"""What `fit_split` returns, and what it does where something is missing."""

import pickle

import keras
import numpy as np
import pytest

from emotion_mt import models, paper, training

NAN = np.nan
VIEWERS = ("V1", "V2")


class TestResult:
    def test_single_task(self, fit, small_corpus):
        result = fit(("V2",), seed=3)
        assert result.viewers == result.model.viewers == ("V2",)
        assert result.split.test == ("D",)
        assert result.config.monitor == "val_bce"
        assert (result.seed, result.l1, result.monitor) == (3, 1e-4, "val_bce")
        # Nobody rated movie D as V2; it is predicted all the same.
        np.testing.assert_array_equal(result.test_rows, np.arange(30, 40))
        assert result.probabilities.shape == (10, 1)
        assert result.probabilities.dtype == "float32"
        assert np.all((result.probabilities > 0) & (result.probabilities < 1))
        labels = small_corpus.labels[:20, [1]]
        missing = int(np.isnan(labels).sum())
        assert missing > 0
        assert result.left_out["train"]["no label"] == missing
        assert result.left_out["test"] == {"no visual feature": 0}
        np.testing.assert_array_equal(
            result.class_weights, training.class_weights(labels)
        )
        assert result.untrained_viewers == result.notes == ()
        parts = {"prepare", "build", "fit", "predict"}
        assert set(result.seconds) == {*parts, "total"}

    def test_multi_task(self, fit, predict_again, same_bits, tmp_path):
        result = fit(VIEWERS)
        assert result.class_weights.shape == (2, 2)
        assert result.model.viewers == VIEWERS
        names = {"loss", "bce", "mean_accuracy", "balanced_accuracy", "auc"}
        assert set(result.history) == names | {f"val_{x}" for x in names}
        # What is saved, or sent elsewhere, is the model that predicted.
        result.model.save(tmp_path / "model.keras")
        saved = keras.saving.load_model(tmp_path / "model.keras")
        sent = pickle.loads(pickle.dumps(result))  # noqa: S301
        same_bits(sent, result)
        for model in (result.model, saved, sent.model):
            np.testing.assert_allclose(
                predict_again(result, model=model),
                result.probabilities,
                atol=1e-5,
            )

    @pytest.mark.parametrize("standardize", [True, False])
    def test_features_are_standardized_or_not(
        self, fit, features, predict_again, standardize
    ):
        features[3] = NAN
        result = fit(config={"standardize_visual": standardize})
        known = np.delete(features[:20], 3, axis=0)
        expected = (np.zeros(8), np.ones(8))
        if standardize:
            expected = (known.mean(axis=0), known.var(axis=0))
        layer = result.model.get_layer("visual_normalization")
        mean, variance = layer.get_weights()[:2]
        np.testing.assert_allclose(mean, expected[0], rtol=1e-5)
        np.testing.assert_allclose(variance, expected[1], rtol=1e-4)
        np.testing.assert_allclose(
            predict_again(result), result.probabilities, atol=1e-5
        )

    def test_other_settings(self, fit):
        result = fit(config={"max_vocabulary": 4, "class_weighting": False})
        assert len(result.vocabulary) == 2
        assert result.tokenizer.vocabulary_size() == 4
        np.testing.assert_array_equal(result.class_weights, [[1.0, 1.0]])


class TestWhatIsMissing:
    def test_a_class_in_the_training_movies(self, fit, corpus_of):
        result = fit(corpus=corpus_of("AB", -0.5))
        np.testing.assert_array_equal(result.class_weights, [[1.0, 1.0]])
        assert result.notes == (
            "All training labels of V1 are negative: class weights 1.",
        )
        assert np.all(np.isfinite(result.probabilities))

    def test_a_viewers_training_labels(self, fit, corpus_of):
        corpus = corpus_of("AB", NAN, viewers=["V2"])
        result = fit(VIEWERS, corpus=corpus)
        assert result.untrained_viewers == ("V2",)
        assert np.all(np.isnan(result.probabilities[:, 1]))
        assert np.all(np.isfinite(result.probabilities[:, 0]))
        assert "No label of V2 in the training movies" in result.notes[0]
        new = models.EvokedEmotionModel(**result.model_config)
        for viewer in VIEWERS:
            same = [
                np.array_equal(trained, initial)
                for trained, initial in zip(
                    result.model.head_weights(viewer),
                    new.head_weights(viewer),
                    strict=True,
                )
            ]
            assert all(same) if viewer == "V2" else not any(same)
        with pytest.raises(ValueError, match=r"a label of V2.*'no label': 20"):
            fit(("V2",), corpus=corpus)

    def test_videos(self, fit, features):
        features[[0, 25]] = NAN
        features[33:, 0] = NAN
        result = fit(("V1",))
        np.testing.assert_array_equal(result.test_rows, [30, 31, 32])
        assert result.probabilities.shape == (3, 1)
        assert np.all(np.isfinite(result.probabilities))
        left_out = [
            part["no visual feature"] for part in result.left_out.values()
        ]
        assert left_out == [1, 1, 7]
        # Where the validation movie has none, nothing can decide.
        features[20:] = NAN
        result = fit(("V1",))
        assert result.monitor is None
        assert result.probabilities.shape == (0, 1)
        features[:] = NAN
        with pytest.raises(ValueError, match="'no visual feature': 20"):
            fit(("V1",))


HUGE = {"learning_rate": 1e30}


class TestDivergence:
    @pytest.mark.filterwarnings("ignore:The loss or the validation loss")
    def test_before_min_epochs(self, fit):
        """Then nothing was kept, and another L1 strength would be better."""
        result = fit(config={**HUGE, "min_epochs": 4})
        assert result.best_epoch >= 4 or np.isnan(result.trials[0].score)

    def test_is_told_whenever_fit_stops_for_it(self, fit):
        for seed in range(3):
            with pytest.warns(UserWarning, match="is not a number"):
                result = fit(config=HUGE, seed=seed)
            assert result.notes == (
                "Training with L1 strength 0.0001 diverged: its loss is not a "
                "number.",
            )


class TestTraining:
    def test_each_segment_counts_once_an_epoch(self, fit, check_scores):
        """Seen where the weights as good as stand still."""
        still = {"learning_rate": 1e-12, "max_epochs": 2}
        result, other = (fit(VIEWERS, config=still, seed=x) for x in (0, 1))
        for epoch in range(2):
            logs = {name: x[epoch] for name, x in result.history.items()}
            check_scores(logs, result, result.split.train)
        # The seed decides the initial weights.
        assert np.any(result.weights[0] != other.weights[0])
        assert result.model_config["seed"] != other.model_config["seed"]

    def test_it_can_overfit_eight_segments(self, fit, small_corpus, features):
        keep = [*range(8), *range(30, 40)]
        corpus = small_corpus.replace(
            segments=small_corpus.segments.iloc[keep].reset_index(drop=True),
            values=small_corpus.values[keep],
        )
        result = fit(
            VIEWERS,
            corpus=corpus,
            features=features[keep],
            split=paper.Split("eight", ("A",), (), ("D",)),
            config={"epochs_without_validation": 40, "learning_rate": 0.03},
        )
        for name in ("mean_accuracy", "balanced_accuracy", "auc"):
            assert result.history[name][-1] == 1.0

    def test_equals_steps_by_hand(self, fit, small_corpus, features):
        """With one batch an epoch, which `fit_split` fills up."""
        split = paper.Split("one", ("A",), (), ("D",))
        result = fit(VIEWERS, split=split)
        (batch,) = training.make_dataset(
            small_corpus,
            features,
            ("A",),
            tokenizer=result.tokenizer,
            viewers=VIEWERS,
        )
        model = models.EvokedEmotionModel(**result.model_config)
        model.adapt(batch[0])
        model.compile(
            models.LazyAdam(0.01),
            class_weights=result.class_weights,
            run_eagerly=True,
        )
        history = []
        for _ in range(3):
            model.reset_metrics()
            history.append(model.train_on_batch(*batch, return_dict=True))
        for name, values in result.history.items():
            by_hand = [float(logs[name]) for logs in history]
            assert values == pytest.approx(by_hand, rel=1e-3)
        for ours, other in zip(
            result.weights, model.get_weights(), strict=True
        ):
            np.testing.assert_allclose(ours, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"viewers": ("V1", "V1")}, "`viewers` must be distinct names"),
        ({"viewers": ()}, "`viewers` must be distinct names"),
        (
            {"features": np.zeros((40, 2, 2, 2))},
            r"must be \[N, visual_features\].*shape: \[N, 2, 2, 2\]",
        ),
        (
            {"split": paper.Split("wrong", ("A", "X"), (), ("D",))},
            r"`movies` must be among .*\['X'\]",
        ),
    ],
)
def test_bad_arguments(fit, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(**arguments)
