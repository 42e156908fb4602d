"""Loss and metrics of labels with gaps, against their definitions."""

import doctest
import itertools
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


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
def test_missing_labels_are_filled_and_masked(how):
    labels = np.array([[1.0, NAN, 0.0], [NAN, NAN, 1.0]], "float32")
    given = labels.copy()

    def split(labels):
        return models.split_missing(labels, 3, "float32")

    if how != "eager":
        split = tf.function(split, jit_compile=how == "xla")
    filled, observed = split(given)
    np.testing.assert_array_equal(filled, np.nan_to_num(labels))
    np.testing.assert_array_equal(observed, ~np.isnan(labels))
    np.testing.assert_array_equal(given, labels)


def test_labels_of_other_forms():
    filled, observed = models.split_missing([1, 0, NAN], 1, "float32")
    np.testing.assert_array_equal(filled, [[1.0], [0.0], [0.0]])
    np.testing.assert_array_equal(observed, [[1.0], [1.0], [0.0]])
    _, observed = models.split_missing([[-1.0, 0.5, 1.0]], 3, "float32")
    np.testing.assert_array_equal(observed, [[NAN, NAN, 1.0]])
    for shape in ((4,), (4, 2), (4, 3, 1)):
        message = r"one column per viewer, \[B, 3\].*Received shape: \[4"
        with pytest.raises(ValueError, match=message):
            models.split_missing(np.zeros(shape), 3, "float32")


def expected(labels, probabilities, weights=None, sample_weight=None):
    """The definition of the loss, label by label."""
    total, count = 0.0, 0
    for i, viewer in np.ndindex(np.shape(labels)):
        label, p = labels[i][viewer], probabilities[i][viewer]
        if math.isnan(label):
            continue
        p = min(max(p, 1e-7), 1 - 1e-7)
        value = -math.log(p if label == 1.0 else 1.0 - p)
        value *= 1.0 if weights is None else weights[viewer][int(label)]
        total += value * (1.0 if sample_weight is None else sample_weight[i])
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


@pytest.mark.parametrize("labels", CASES.values(), ids=CASES)
def test_equals_the_definition(labels):
    """Sample weights multiply rows, and not the divisor."""
    for weights, rows in itertools.product(
        (None, WEIGHTS), (None, [2.0, 1.0, 0.5])
    ):
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
    for place in np.ndindex(PROBABILITIES.shape):
        more, less = PROBABILITIES.copy(), PROBABILITIES.copy()
        more[place] += step
        less[place] -= step
        difference = expected(CASES["gaps"], more, WEIGHTS) - expected(
            CASES["gaps"], less, WEIGHTS
        )
        np.testing.assert_allclose(
            slope[place], difference / (2 * step), rtol=1e-3, atol=1e-6
        )
    assert np.all(slope[np.isnan(CASES["gaps"])] == 0.0)
    # Nor does a batch without labels have one.
    value, slope = gradient(CASES["none"], PROBABILITIES)
    assert value == 0.0
    assert np.all(slope == 0.0)
    # What is certain and wrong stays finite.
    wrong = np.array([[0.0, 1.0]], "float32")
    value, slope = gradient([[1.0, 0.0]], wrong)
    np.testing.assert_allclose(
        value, expected([[1.0, 0.0]], wrong, WEIGHTS), rtol=0.02
    )
    assert np.all(np.isfinite(slope))


def revive(part):
    config = keras.saving.serialize_keras_object(part)
    assert config["registered_name"] == f"emotion_mt>{type(part).__name__}"
    revived = keras.saving.deserialize_keras_object(config)
    assert revived.name == part.name == "other"
    assert revived.get_config() == part.get_config()
    return revived


def test_config_of_the_loss():
    loss = models.MaskedBinaryCrossentropy(WEIGHTS, name="other")
    revived = revive(loss)
    assert revived.get_config()["class_weights"] == WEIGHTS
    labels = np.array(CASES["gaps"])
    assert revived(labels, PROBABILITIES) == loss(labels, PROBABILITIES)
    plain = models.MaskedBinaryCrossentropy()
    assert plain.get_config()["class_weights"] is None


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


def test_ties_and_viewers_of_one_class():
    metric, area = models.MeanAccuracy(("V1",)), models.ViewerAUC(("V1",))
    for either in (metric, area):
        either.update_state([[0.0], [0.0], [1.0]], [[0.5], [0.5], [0.5]])
    # A probability of one half is not positive; ties count half.
    assert float(metric.result()) == pytest.approx(2 / 3)
    assert area.result() == 0.5
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
    for rows in (None, np.linspace(0.0, 2.0, len(labels)).astype("float32")):
        arrays = (labels, probabilities, *([] if rows is None else [rows]))
        np.testing.assert_allclose(
            stream(metric, *arrays),
            expected(labels, probabilities, METRIC_WEIGHTS, rows),
            rtol=1e-5,
        )


def flat(result):
    return [float(value) for value in tf.nest.flatten(result)]


@pytest.mark.parametrize(
    "metric",
    [
        models.ViewerAccuracy(VIEWERS, name="other"),
        *(kind(VIEWERS, name="other") for kind in MEANS),
        models.ObservedCrossentropy(METRIC_WEIGHTS, name="other"),
    ],
    ids=lambda metric: type(metric).__name__,
)
def test_each_metric(metric):
    """Answers that are no numbers never look good; nor does no label."""
    labels, probabilities = made_up()
    gaps = np.full_like(labels, NAN)
    for arrays in ((gaps, probabilities), (labels, gaps)):
        assert np.isnan(flat(stream(metric, *arrays))).all()
    revived = revive(metric)
    assert flat(stream(revived, *made_up())) == pytest.approx(
        flat(stream(metric, *made_up())), nan_ok=True
    )


def test_the_examples_of_the_docstrings():
    for module in (evoked, losses, metrics):
        results = doctest.testmod(module, extraglobs={"np": np})
        assert results.attempted > 0
        assert results.failed == 0
