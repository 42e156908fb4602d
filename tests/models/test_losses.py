import doctest
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models
from emotion_mt.models import losses

NAN = np.nan
WEIGHTS = [[1.0, 1.0], [0.5, 3.0]]


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


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("labels", CASES.values(), ids=CASES)
def test_equals_the_definition(labels, weights):
    loss = models.MaskedBinaryCrossentropy(weights)
    value = loss(np.array(labels, "float32"), PROBABILITIES)
    np.testing.assert_allclose(
        value, expected(labels, PROBABILITIES, weights), rtol=1e-5
    )


def test_sample_weights_multiply_rows_and_not_the_divisor():
    labels, rows = CASES["gaps"], [2.0, 1.0, 0.5]
    loss = models.MaskedBinaryCrossentropy(WEIGHTS)
    value = loss(np.array(labels), PROBABILITIES, np.array(rows))
    np.testing.assert_allclose(
        value, expected(labels, PROBABILITIES, WEIGHTS, rows), rtol=1e-5
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


def test_answers_about_missing_labels_do_not_matter():
    labels = [[1.0, NAN], [NAN, NAN]]
    value, _ = gradient(labels, np.array([[0.9, 0.0], [1.0, 0.0]], "float32"))
    np.testing.assert_allclose(value, -math.log(0.9), rtol=1e-5)


def test_half_precision_probabilities():
    loss = models.MaskedBinaryCrossentropy(WEIGHTS)
    value = loss(np.array(CASES["gaps"]), tf.cast(PROBABILITIES, "float16"))
    assert value.dtype == "float32"
    np.testing.assert_allclose(
        value, expected(CASES["gaps"], PROBABILITIES, WEIGHTS), rtol=2e-3
    )


def test_config_keeps_every_argument():
    loss = models.MaskedBinaryCrossentropy(WEIGHTS, name="other")
    config = keras.saving.serialize_keras_object(loss)
    assert config["registered_name"] == "emotion_mt>MaskedBinaryCrossentropy"
    revived = keras.saving.deserialize_keras_object(config)
    assert revived.name == "other"
    assert revived.get_config() == {"name": "other", "class_weights": WEIGHTS}
    labels = np.array(CASES["gaps"])
    assert revived(labels, PROBABILITIES) == loss(labels, PROBABILITIES)
    assert models.MaskedBinaryCrossentropy().get_config()["class_weights"] is (
        None
    )


def test_class_weights_are_read_at_each_call():
    loss = models.MaskedBinaryCrossentropy([[1.0, 1.0], [1.0, 1.0]])
    traces = []

    @tf.function
    def compute(labels):
        traces.append(1)
        return loss(labels, PROBABILITIES)

    labels = tf.constant(CASES["gaps"], tf.float32)
    compute(labels)
    loss.class_weights.assign(WEIGHTS)
    np.testing.assert_allclose(
        compute(labels),
        expected(CASES["gaps"], PROBABILITIES, WEIGHTS),
        rtol=1e-5,
    )
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"shape \[V, 2\]. Received shape: \[2\]"),
        ([[1.0, 2.0, 3.0]], r"Received shape: \[1, 3\]"),
        ([[1.0, NAN]], "must be finite and not negative. Received"),
        ([[1.0, -1.0]], "must be finite and not negative. Received"),
    ],
)
def test_impossible_class_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        models.MaskedBinaryCrossentropy(weights)


def test_class_weights_of_another_shape_are_refused():
    loss = models.MaskedBinaryCrossentropy(WEIGHTS)
    with pytest.raises(ValueError, match=r"Received shape: \(1, 2\)"):
        loss.class_weights.assign([[1.0, 1.0]])
    with pytest.raises(ValueError, match=r"None\. Received shape"):
        models.MaskedBinaryCrossentropy().class_weights.assign(WEIGHTS)


def test_the_example_of_the_docstring():
    results = doctest.testmod(losses, extraglobs={"np": np})
    assert results.attempted > 0
    assert results.failed == 0
