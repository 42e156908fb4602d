import numpy as np
import pytest
from sklearn import metrics

from emotion_mt.evaluation.scores import Score, score


def test_score_equals_counting_by_hand():
    labels = np.array([1, 1, 1, 0, 0, np.nan])
    probabilities = np.array([0.9, 0.6, 0.2, 0.4, 0.8, 0.7])
    # Right: 2 of 3 positive, 1 of 2 negative; the last was not rated.
    result = score(labels, probabilities)
    assert (result.observed, result.positive) == (5, 3)
    assert result.accuracy == pytest.approx(3 / 5)
    assert result.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Positive: precision 2/3, recall 2/3; negative: 1/2 and 1/2.
    assert result.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    tp, fp, fn, tn = 2, 1, 1, 1
    assert result.matthews == pytest.approx(
        (tp * tn - fp * fn)
        / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    )


@pytest.mark.parametrize("seed", range(20))
def test_score_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    size = rng.integers(2, 40)
    labels = rng.choice([0.0, 1.0, np.nan], size)
    labels[:2] = [0, 1]
    # Now and then all answers are of one class.
    probabilities = rng.random(size) * rng.choice([0.4, 1.0])
    rated = ~np.isnan(labels)
    truth, answer = labels[rated] == 1, probabilities[rated] > 0.5
    result = score(labels, probabilities)
    assert result.accuracy == pytest.approx(
        metrics.accuracy_score(truth, answer)
    )
    assert result.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(truth, answer)
    )
    assert result.macro_f1 == pytest.approx(
        metrics.f1_score(truth, answer, average="macro")
    )
    assert result.matthews == pytest.approx(
        metrics.matthews_corrcoef(truth, answer)
    )


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_no_balanced_accuracy(label):
    result = score(np.full(4, label), np.full(4, 0.9))
    assert result == Score(4, int(4 * label), label, None, None, None)


def test_nothing_rated_has_no_score():
    nothing = Score(0, 0, None, None, None, None)
    assert score(np.full(3, np.nan), np.zeros(3)) == nothing
    assert score(np.zeros(0), np.zeros(0)) == nothing


def test_nan_probability_matters_only_where_rated():
    assert score(np.array([np.nan, 1]), np.array([np.nan, 1])).accuracy == 1
    with pytest.raises(ValueError, match="Received 1 values that are not"):
        score(np.array([0.0, 1]), np.array([np.nan, 1]))


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        score(np.zeros(2), np.zeros(3))
