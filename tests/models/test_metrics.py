import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models
from emotion_mt.models import metrics

NAN = np.nan
VIEWERS = ("V1", "V2", "V3")
WEIGHTS = [[1.0, 2.0], [0.5, 3.0], [1.0, 1.0]]


def labels_and_probabilities(rows=11):
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, (rows, 3)).astype("float32")
    labels[random.random(labels.shape) < 0.4] = NAN
    labels[:, 2] = NAN  # Nobody ever rated for V3.
    return labels, random.random((rows, 3)).astype("float32")


def accuracy(labels, probabilities, sample_weight=None):
    """Per viewer, over everything at once."""
    weight = np.ones(len(labels)) if sample_weight is None else sample_weight
    results = {}
    for i, viewer in enumerate(VIEWERS):
        there = ~np.isnan(labels[:, i])
        right = (probabilities[there, i] > 0.5) == (labels[there, i] == 1.0)
        w = weight[there]
        results[f"{viewer}_accuracy"] = (
            np.sum(w * right) / np.sum(w) if np.sum(w) else NAN
        )
    results["mean_accuracy"] = np.nanmean(list(results.values()))
    return results


def crossentropy(labels, probabilities):
    there = ~np.isnan(labels)
    weights = np.where(labels == 1.0, *np.array(WEIGHTS).T[::-1, None, :])
    likelihood = np.where(labels == 1.0, probabilities, 1.0 - probabilities)
    return np.sum((-weights * np.log(likelihood))[there]) / np.sum(there)


def stream(metric, *arrays, sizes=(4, 1, 6)):
    start = 0
    for size in sizes:
        metric.update_state(*(a[start : start + size] for a in arrays))
        start += size
    return metric.result()


def numbers(metric):
    return [float(value) for value in tf.nest.flatten(metric.result())]


def as_floats(results):
    return {name: float(value) for name, value in results.items()}


def test_accuracy_over_unequal_batches():
    labels, probabilities = labels_and_probabilities()
    result = stream(models.ViewerAccuracy(VIEWERS), labels, probabilities)
    assert as_floats(result) == pytest.approx(
        accuracy(labels, probabilities), nan_ok=True
    )
    assert np.isnan(result["V3_accuracy"])


def test_accuracy_with_sample_weights():
    labels, probabilities = labels_and_probabilities()
    weight = np.linspace(0.0, 2.0, len(labels)).astype("float32")
    result = stream(
        models.ViewerAccuracy(VIEWERS), labels, probabilities, weight
    )
    assert as_floats(result) == pytest.approx(
        accuracy(labels, probabilities, weight), nan_ok=True
    )


def test_a_probability_of_one_half_is_not_positive():
    metric = models.ViewerAccuracy(("V1",))
    metric.update_state([[0.0], [1.0]], [[0.5], [0.5]])
    assert as_floats(metric.result())["V1_accuracy"] == 0.5


def test_crossentropy_over_unequal_batches_is_no_mean_of_means():
    labels, probabilities = labels_and_probabilities()
    result = stream(models.ObservedCrossentropy(WEIGHTS), labels, probabilities)
    np.testing.assert_allclose(
        result, crossentropy(labels, probabilities), rtol=1e-5
    )


def test_crossentropy_of_one_batch_is_the_loss():
    labels, probabilities = labels_and_probabilities()
    metric = models.ObservedCrossentropy(WEIGHTS)
    metric.update_state(labels, probabilities)
    loss = models.MaskedBinaryCrossentropy(WEIGHTS)
    np.testing.assert_allclose(
        metric.result(), loss(labels, probabilities), rtol=1e-6
    )
    weight = np.linspace(0.0, 2.0, len(labels)).astype("float32")
    metric.reset_state()
    metric.update_state(labels, probabilities, weight)
    np.testing.assert_allclose(
        metric.result(), loss(labels, probabilities, weight), rtol=1e-6
    )


@pytest.mark.parametrize(
    "metric",
    [models.ViewerAccuracy(VIEWERS), models.ObservedCrossentropy(WEIGHTS)],
    ids=lambda m: m.name,
)
class TestBoth:
    def test_nothing_observed_is_not_a_number(self, metric):
        metric.reset_state()
        labels, probabilities = labels_and_probabilities()
        metric.update_state(np.full_like(labels, NAN), probabilities)
        assert np.all(np.isnan(numbers(metric)))

    def test_an_empty_batch_changes_nothing(self, metric):
        metric.reset_state()
        labels, probabilities = labels_and_probabilities()
        metric.update_state(labels, probabilities)
        before = numbers(metric)
        metric.update_state(np.full_like(labels, NAN), probabilities)
        assert numbers(metric) == pytest.approx(before, nan_ok=True)

    def test_reset_forgets_everything_but_the_class_weights(self, metric):
        metric.reset_state()
        labels, probabilities = labels_and_probabilities()
        metric.update_state(labels, 1.0 - probabilities)
        metric.reset_state()
        metric.update_state(labels, probabilities)
        fresh = type(metric).from_config(metric.get_config())
        fresh.update_state(labels, probabilities)
        assert numbers(metric) == pytest.approx(numbers(fresh), nan_ok=True)

    def test_config_survives(self, metric):
        config = keras.saving.serialize_keras_object(metric)
        assert config["registered_name"].startswith("emotion_mt>")
        revived = keras.saving.deserialize_keras_object(config)
        assert revived.get_config() == metric.get_config()

    def test_compiled(self, metric):
        metric.reset_state()
        labels, probabilities = labels_and_probabilities()
        update = tf.function(metric.update_state, jit_compile=True)
        update(labels, probabilities)
        compiled = numbers(metric)
        metric.reset_state()
        metric.update_state(labels, probabilities)
        assert compiled == pytest.approx(numbers(metric), nan_ok=True)


def test_configs_hold_the_arguments():
    metric = models.ViewerAccuracy(VIEWERS, name="other")
    assert metric.get_config() == {
        "name": "other",
        "dtype": "float32",
        "viewers": list(VIEWERS),
    }
    metric = models.ObservedCrossentropy(WEIGHTS, name="other")
    assert metric.get_config()["name"] == "other"
    assert metric.get_config()["class_weights"] == WEIGHTS


def test_the_example_of_the_docstring():
    results = doctest.testmod(metrics, extraglobs={"np": np})
    assert results.attempted > 0
    assert results.failed == 0
