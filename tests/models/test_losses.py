"""Loss and metrics of labels with gaps, against their definitions."""

import doctest
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as reference

from emotion_mt import models
from emotion_mt.models import evoked, losses, metrics

NAN = np.nan
WEIGHTS = [[1.0, 1.0], [0.5, 3.0]]


class TestSplitMissing:
    LABELS = np.array([[1.0, NAN, 0.0], [NAN, NAN, 1.0]], "float32")
    FILLED = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "float32")
    OBSERVED = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], "float32")

    @pytest.mark.parametrize("how", ["eager", "graph", "xla"])
    def test_fills_and_masks(self, how):
        labels = self.LABELS.copy()

        def split(labels):
            return models.split_missing(labels, 3, "float32")

        if how != "eager":
            split = tf.function(split, jit_compile=how == "xla")
        filled, observed = split(labels)
        np.testing.assert_array_equal(filled, self.FILLED)
        np.testing.assert_array_equal(observed, self.OBSERVED)
        np.testing.assert_array_equal(labels, self.LABELS)

    def test_one_viewer_may_come_flat(self):
        filled, observed = models.split_missing([1, 0, NAN], 1, "float32")
        np.testing.assert_array_equal(filled, [[1.0], [0.0], [0.0]])
        np.testing.assert_array_equal(observed, [[1.0], [1.0], [0.0]])

    def test_what_is_no_label_makes_everything_nan(self):
        _, observed = models.split_missing([[-1.0, 0.5, 1.0]], 3, "float32")
        np.testing.assert_array_equal(observed, [[NAN, NAN, 1.0]])

    @pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 3, 1)])
    def test_columns_must_be_the_viewers(self, shape):
        message = rf"one column per viewer, \[B, 3\].*{shape[0]}"
        with pytest.raises(ValueError, match=message):
            models.split_missing(np.zeros(shape), 3, "float32")


def expected(labels, probabilities, weights=None, sample_weight=None):
    """The definition of the loss, label by label."""
    total, count = 0.0, 0
    for i, row in enumerate(labels):
        for viewer, label in enumerate(row):
            if math.isnan(label):
                continue
            p = min(max(probabilities[i][viewer], 1e-7), 1 - 1e-7)
            value = -math.log(p if label == 1.0 else 1.0 - p)
            if weights is not None:
                value *= weights[viewer][int(label)]
            if sample_weight is not None:
                value *= sample_weight[i]
            total += value
            count += 1
    return total / count if count else 0.0


PROBABILITIES = np.array([[0.9, 0.2], [0.3, 0.6], [0.5, 0.1]], "float32")
CASES = {
    "all there": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    "gaps": [[1.0, NAN], [NAN, NAN], [0.0, 1.0]],
    "one viewer missing": [[1.0, NAN], [0.0, NAN], [1.0, NAN]],
    "one label": [[NAN, NAN], [NAN, 1.0], [NAN, NAN]],
    "none": [[NAN, NAN]] * 3,
}


@pytest.mark.parametrize("rows", [None, [2.0, 1.0, 0.5]])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("labels", CASES.values(), ids=CASES)
def test_equals_the_definition(labels, weights, rows):
    """Sample weights multiply rows, and not the divisor."""
    loss = models.MaskedBinaryCrossentropy(weights)
    value = loss(np.array(labels, "float32"), PROBABILITIES, rows)
    np.testing.assert_allclose(
        value, expected(labels, PROBABILITIES, weights, rows), rtol=1e-5
    )


def gradient(labels, probabilities):
    probabilities = tf.constant(probabilities)
    loss = models.MaskedBinaryCrossentropy(WEIGHTS)
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        value = loss(np.array(labels, "float32"), probabilities)
    return value.numpy(), tape.gradient(value, probabilities).numpy()


def test_gradient_is_that_of_the_labels_that_exist():
    value, slope = gradient(CASES["gaps"], PROBABILITIES)
    assert np.isfinite(value)
    step = 1e-3
    for i, viewer in np.ndindex(PROBABILITIES.shape):
        more, less = PROBABILITIES.copy(), PROBABILITIES.copy()
        more[i, viewer] += step
        less[i, viewer] -= step
        difference = expected(CASES["gaps"], more, WEIGHTS) - expected(
            CASES["gaps"], less, WEIGHTS
        )
        np.testing.assert_allclose(
            slope[i, viewer], difference / (2 * step), rtol=1e-3, atol=1e-6
        )
    missing = np.isnan(CASES["gaps"])
    assert np.all(slope[missing] == 0.0)


def test_batch_without_labels_gives_zero_and_no_gradient():
    value, slope = gradient(CASES["none"], PROBABILITIES)
    assert value == 0.0
    assert np.all(slope == 0.0)


def test_certain_and_wrong_stays_finite():
    value, slope = gradient([[1.0, 0.0]], np.array([[0.0, 1.0]], "float32"))
    np.testing.assert_allclose(
        value, expected([[1.0, 0.0]], [[0.0, 1.0]], WEIGHTS), rtol=0.02
    )
    assert np.all(np.isfinite(slope))


def test_config_keeps_every_argument():
    loss = models.MaskedBinaryCrossentropy(WEIGHTS, name="other")
    config = keras.saving.serialize_keras_object(loss)
    assert config["registered_name"] == "emotion_mt>MaskedBinaryCrossentropy"
    revived = keras.saving.deserialize_keras_object(config)
    assert revived.name == "other"
    assert revived.get_config()["class_weights"] == WEIGHTS
    labels = np.array(CASES["gaps"])
    assert revived(labels, PROBABILITIES) == loss(labels, PROBABILITIES)
    assert models.MaskedBinaryCrossentropy().get_config()["class_weights"] is (
        None
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"must be \[V, 2\].* Received: \[1.0, 2.0\]"),
        ([[1.0, 2.0, 3.0]], r"Received: \[\[1.0, 2.0, 3.0\]\]"),
        ([[1.0, NAN]], r"finite and not negative. Received: \[\[1.0, nan"),
        ([[1.0, -1.0]], r"finite and not negative. Received: \[\[1.0, -1"),
    ],
)
def test_impossible_class_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        models.MaskedBinaryCrossentropy(weights)


VIEWERS = ("V1", "V2", "V3")
METRIC_WEIGHTS = [[1.0, 2.0], [0.5, 3.0], [1.0, 1.0]]


def made_up(rows=11):
    """Labels with gaps and probabilities; nobody ever rated for V3."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, (rows, 3)).astype("float32")
    labels[random.random(labels.shape) < 0.4] = NAN
    labels[:, 2] = NAN
    return labels, random.random((rows, 3)).astype("float32")


def by_viewer(score, labels, probabilities, weight=None):
    """A score of scikit-learn per viewer, over everything at once."""
    found = []
    for y, p in zip(labels.T, probabilities.T, strict=True):
        there = ~np.isnan(y)
        w = None if weight is None else weight[there]
        found.append(
            score(y[there], p[there], sample_weight=w) if there.any() else NAN
        )
    return np.array(found)


def accuracy(y, p, **kwargs):
    return reference.accuracy_score(y, p > 0.5, **kwargs)


def balanced(y, p, **kwargs):
    if len(set(y)) < 2:
        return NAN
    return reference.balanced_accuracy_score(y, p > 0.5, **kwargs)


def auc(y, p, **kwargs):
    return reference.roc_auc_score(y, p, **kwargs) if len(set(y)) > 1 else NAN


def stream(metric, *arrays, sizes=(4, 1, 6)):
    """The result after batches of unequal sizes."""
    metric.reset_state()
    start = 0
    for size in sizes:
        metric.update_state(*(a[start : start + size] for a in arrays))
        start += size
    return metric.result()


MEANS = {
    models.MeanAccuracy: accuracy,
    models.BalancedAccuracy: balanced,
    models.ViewerAUC: auc,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", MEANS, ids=lambda kind: kind.__name__)
def test_means_over_viewers(kind, weighted):
    arrays = made_up()
    if weighted:
        rows = np.linspace(0.1, 2.0, len(arrays[0])).astype("float32")
        arrays = (*arrays, rows)
    result = stream(kind(VIEWERS), *arrays)
    expected = np.nanmean(by_viewer(MEANS[kind], *arrays))
    assert float(result) == pytest.approx(expected, abs=1e-4)


def test_accuracy_of_each_viewer():
    arrays = made_up()
    result = stream(models.ViewerAccuracy(VIEWERS), *arrays)
    assert list(result) == [f"{viewer}_accuracy" for viewer in VIEWERS]
    np.testing.assert_allclose(
        list(result.values()), by_viewer(accuracy, *arrays), rtol=1e-6
    )


def test_a_probability_of_one_half_is_not_positive():
    metric, area = models.MeanAccuracy(("V1",)), models.ViewerAUC(("V1",))
    for either in (metric, area):
        either.update_state([[0.0], [0.0], [1.0]], [[0.5], [0.5], [0.5]])
    assert float(metric.result()) == pytest.approx(2 / 3)
    assert area.result() == 0.5  # Ties count half.


def test_a_viewer_of_one_class_does_not_decide():
    labels = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, NAN]], "float32")
    for answers in (0.0, 1.0):
        probabilities = np.array([[0.9, 0], [0.2, 0], [0.7, 0]], "float32")
        probabilities[:, 1] = answers
        for kind in (models.BalancedAccuracy, models.ViewerAUC):
            assert stream(kind(("a", "b")), labels, probabilities) == 1.0


def test_area_of_close_probabilities():
    """As those of the first epochs, which sit near one half."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (500, 1)).astype("float32")
    probabilities = 0.5 + 0.01 * random.normal(size=(500, 1)) + 0.005 * labels
    result = stream(
        models.ViewerAUC(("V1",)), labels, probabilities, sizes=(128,) * 4
    )
    expected = auc(labels[:, 0], probabilities[:, 0].astype("float32"))
    assert float(result) == pytest.approx(expected, abs=2e-3)


def test_crossentropy_over_unequal_batches_is_no_mean_of_means():
    labels, probabilities = made_up()
    metric = models.ObservedCrossentropy(METRIC_WEIGHTS)
    there = ~np.isnan(labels)
    weights = np.where(
        labels == 1.0, *np.array(METRIC_WEIGHTS).T[::-1, None, :]
    )
    likelihood = np.where(labels == 1.0, probabilities, 1.0 - probabilities)
    expected = np.mean((-weights * np.log(likelihood))[there])
    result = stream(metric, labels, probabilities)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    rows = np.linspace(0.0, 2.0, len(labels)).astype("float32")
    loss = models.MaskedBinaryCrossentropy(METRIC_WEIGHTS)
    np.testing.assert_allclose(
        stream(metric, labels, probabilities, rows, sizes=(11,)),
        loss(labels, probabilities, rows),
        rtol=1e-5,
    )


def flat(result):
    return [float(value) for value in tf.nest.flatten(result)]


@pytest.mark.parametrize(
    "metric",
    [
        models.ViewerAccuracy(VIEWERS, name="other"),
        models.MeanAccuracy(VIEWERS, name="other"),
        models.BalancedAccuracy(VIEWERS, name="other"),
        models.ViewerAUC(VIEWERS, name="other"),
        models.ObservedCrossentropy(METRIC_WEIGHTS, name="other"),
    ],
    ids=lambda metric: type(metric).__name__,
)
class TestEachMetric:
    def test_nothing_observed_is_not_a_number(self, metric):
        labels, probabilities = made_up()
        result = stream(metric, np.full_like(labels, NAN), probabilities)
        assert np.isnan(flat(result)).all()

    def test_answers_that_are_no_numbers_never_look_good(self, metric):
        labels, probabilities = made_up()
        result = stream(metric, labels, np.full_like(probabilities, NAN))
        assert np.isnan(flat(result)).all()

    def test_config_survives(self, metric):
        config = keras.saving.serialize_keras_object(metric)
        assert config["registered_name"].startswith("emotion_mt>")
        revived = keras.saving.deserialize_keras_object(config)
        assert revived.get_config() == metric.get_config()
        assert revived.name == "other"
        arrays = made_up()
        assert flat(stream(revived, *arrays)) == pytest.approx(
            flat(stream(metric, *arrays)), nan_ok=True
        )


def test_the_examples_of_the_docstrings():
    for module in (evoked, losses, metrics):
        results = doctest.testmod(module, extraglobs={"np": np})
        assert results.attempted > 0
        assert results.failed == 0
