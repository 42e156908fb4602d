"""Fixtures for training: a split and networks that are fitted in a moment."""

import numpy as np
import pytest

from emotion_mt import paper, training

#: Two films to train on, so that there are two batches, one of them partial.
SPLIT = paper.Split("small", ("A", "B"), ("C",), ("D",))

#: Small enough to be compiled in a second or two, and different from the
#: defaults. All tests share it, and with it the compiled models.
TINY = training.TrainingConfig(
    batch_size=12,
    max_epochs=6,
    patience=2,
    epochs_without_validation=3,
    learning_rate=0.01,
    l1=(1e-4, 1e-2),
    embedding_dim=4,
    text_filters=3,
    single_task_trunk_units=(6, 4),
    multi_task_trunk_units=(6,),
    multi_task_head_units=(4,),
)


@pytest.fixture
def split():
    return SPLIT


@pytest.fixture
def tiny_config():
    return TINY


@pytest.fixture
def features(small_features):
    """float32 [40, 8] with signal for nobody."""
    return small_features[:, :8] * 4.0 - 1.0


@pytest.fixture
def relabel():
    """Returns a corpus in which values are replaced, by film and viewer."""

    def change(corpus, movie, viewer, value):
        values = corpus.values.copy()
        values[corpus.rows([movie]), corpus.column(viewer)] = value
        return corpus.replace(values=values)

    return change


@pytest.fixture
def retext():
    """Returns a corpus in which a film's texts are replaced."""

    def change(corpus, movie, text):
        segments = corpus.segments.copy()
        segments.loc[corpus.rows([movie]), "text"] = text
        return corpus.replace(segments=segments)

    return change


@pytest.fixture
def same_bits():
    """Asserts that two fits gave the same bits."""

    def check(one, other):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        np.testing.assert_array_equal(one.test_rows, other.test_rows)
        assert one.trials == other.trials
        for a, b in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a, b)

    return check
