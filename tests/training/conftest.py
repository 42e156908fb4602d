"""Fixtures for training: a split and networks that are fitted in a moment."""

import dataclasses

import numpy as np
import pytest

from emotion_mt import models, paper, training

#: Two movies to train on, so that there are two batches, one of them partial.
SPLIT = paper.Split("small", ("A", "B"), ("C",), ("D",))

#: Small, and different from the defaults. Most tests share its `batch_size`,
#: `l1` and widths, and with them the compiled models, which take longest.
TINY = training.TrainingConfig(
    batch_size=12,
    max_epochs=4,
    patience=2,
    monitor="val_bce",
    epochs_without_validation=3,
    learning_rate=0.01,
    l1=(1e-4,),
    embedding_dim=4,
    text_filters=3,
    text_widths=(2,),
    single_task_trunk_units=(6,),
    multi_task_trunk_units=(6,),
    multi_task_head_units=(4,),
)


@pytest.fixture(autouse=True)
def _quickly(each_kind_is_compiled_once):
    """Most tests share their models."""


@pytest.fixture
def features(small_features):
    """float32 [40, 8] with signal for nobody."""
    return small_features[:, :8] * 4.0 - 1.0


@pytest.fixture
def histograms(small_corpus):
    """float32 [40, 8, 2, 3]; segment 3 has no video."""
    random = np.random.default_rng(2)
    made = random.dirichlet([1.0] * 3, (len(small_corpus), 8, 2))
    made[3] = np.nan
    return made.astype("float32")


@pytest.fixture
def fit(small_corpus, features):
    """Calls `fit_split` on the small corpus; keywords replace arguments."""

    def call(viewers=("V1",), *, base=TINY, config=None, **changes):
        arguments = {
            "corpus": small_corpus,
            "features": features,
            "split": SPLIT,
            "config": dataclasses.replace(base, **(config or {})),
            **changes,
        }
        return training.fit_split(viewers=viewers, **arguments)

    return call


@pytest.fixture
def fit_baseline(fit, histograms):
    """Fits the Baseline; keywords as of `fit`."""

    def call(modality, viewers=("V1",), **changes):
        base = training.BaselineConfig.like(TINY, (modality,))
        features = histograms if modality == "visual" else None
        small = {"embedding_dim": 4, "kernels": 3, "heights": (2, 3)}
        small |= {"visual_kernels": (3, 4), "visual_height": 2}
        base = dataclasses.replace(base, **small)
        return fit(viewers, **{"base": base, "features": features, **changes})

    return call


@pytest.fixture
def corpus_of(small_corpus):
    """Replaces values, and maybe texts, of movies (letters of a string)."""

    def change(movies, value, text=None, viewers=("V1", "V2")):
        rows = small_corpus.rows([*movies])
        values = small_corpus.values.copy()
        for viewer in viewers:
            values[rows, small_corpus.column(viewer)] = value
        segments = small_corpus.segments.copy()
        if text is not None:
            segments.loc[rows, "text"] = text
        return small_corpus.replace(segments=segments, values=values)

    return change


@pytest.fixture
def same_bits():
    """Asserts that two fits learned, and maybe predicted, the same bits."""

    def check(one, other, predictions=True):
        assert one.trials == other.trials
        assert one.vocabulary == other.vocabulary
        names = ["class_weights", "weights"]
        names += ["test_rows", "probabilities"] if predictions else []
        for name in names:
            np.testing.assert_equal(getattr(one, name), getattr(other, name))

    return check


@pytest.fixture
def predict_again(small_corpus, features):
    """Predicts with the result's model; rows default to `test_rows`."""

    def predict(result, rows=None, features=features, model=None):
        rows = result.test_rows if rows is None else rows
        inputs = {}
        if "text" in result.config.modalities:
            texts = small_corpus.segments["text"].iloc[rows]
            inputs["tokens"] = models.tokenize(result.tokenizer, texts)
        if "visual" in result.config.modalities:
            inputs["visual"] = features[rows]
        return (model or result.model).predict(inputs, verbose=0)

    return predict


@pytest.fixture
def check_scores(small_corpus, features):
    """Asserts that the history holds what the result's model reaches.

    Its metrics are compared with scikit-learn's in tests/models.
    """

    def check(logs, result, movies, prefix=""):
        model = result.model
        model.compile(class_weights=result.class_weights, run_eagerly=True)
        data = training.make_dataset(
            small_corpus,
            features,
            movies,
            tokenizer=result.tokenizer,
            viewers=result.viewers,
        )
        reached = model.evaluate(data, verbose=0, return_dict=True)
        for name in ("bce", "mean_accuracy", "balanced_accuracy", "auc"):
            assert logs[prefix + name] == pytest.approx(reached[name], abs=1e-5)

    return check
