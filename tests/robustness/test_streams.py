"""Every random choice has a stream of its own.

What a job computes depends on its own arguments alone: not on how often or
after what it runs, nor on viewers, films or jobs that are none of its own.
(That one or two workers, a death in the middle and a second run on the same
folder lead to the same bits is shown in tests/evaluation/test_runner.py.)
"""

import keras
import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.training import TrainingConfig, fit_split

TINY = TrainingConfig(
    modalities=("text", "visual"),
    max_epochs=2,
    patience=1,
    l1=(1e-5,),
    embedding_dim=4,
    text_filters=4,
    max_vocabulary=32,
    single_task_trunk_units=(8,),
    multi_task_trunk_units=(8,),
    multi_task_head_units=(4,),
)
SPLIT = paper.Split("F1", ("B", "C"), ("D",), ("A",))


def probabilities(corpus, features, viewers, seed=0):
    return fit_split(
        corpus, features, SPLIT, viewers, TINY, seed=seed
    ).probabilities


@pytest.fixture
def rated(small_corpus):
    """Both viewers rated the validation film too."""
    rng = np.random.default_rng(2)
    values = small_corpus.values.copy()
    values[np.isnan(values)] = rng.uniform(-1, 1, np.isnan(values).sum())
    return small_corpus.replace(values=values)


def test_others_change_nothing(rated, small_features):
    viewers = ("V1", "V2", "Vavg")
    first = probabilities(rated, small_features, viewers)
    assert first.shape == (10, len(viewers))
    assert len(np.unique(first)) > 2
    # Another viewer in the corpus, the global seeds elsewhere, and another
    # job in between.
    more = rated.replace(
        viewers=("V0", *rated.viewers),
        values=np.column_stack([-rated.values[:, 0], rated.values]),
    )
    keras.utils.set_random_seed(99)
    other = probabilities(more, small_features, ("V0",), seed=1)
    second = probabilities(more, small_features, viewers)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[:, 0], other[:, 0])
