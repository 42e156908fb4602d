import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from emotion_mt import models
from emotion_mt.models import fuzzy


def reference(layer, inputs):
    """A fuzzy convolution as loops in float64."""
    parts = (layer.kernel, layer.bias, layer.centres, layer.widths)
    kernel, bias, centres, widths = (np.asarray(x, "float64") for x in parts)
    height, _, count = kernel.shape
    inputs = np.asarray(inputs, "float64")
    if layer.pool:
        before = (height - 1) // 2
        inputs = np.pad(inputs, [(0, 0), (before, height - 1 - before), (0, 0)])
    length = inputs.shape[1] - height + 1
    strengths = np.zeros((len(inputs), length, 2, count))
    for t in range(length):
        for m in range(2):
            for n in range(count):
                squared = (centres[m, n] - kernel[:, :, n]) ** 2
                degree = np.exp(-squared / widths[m, n] ** 2)
                window = inputs[:, t : t + height]
                total = np.sum(window * degree, axis=(1, 2)) + bias[m, n]
                strengths[:, t, m, n] = np.maximum(total, 0.0)
    pool = layer.pool or length
    pooled = [
        strengths[:, t : t + pool].max(axis=1) for t in range(0, length, pool)
    ]
    pooled = np.stack(pooled, axis=1) + fuzzy.EPSILON
    mean = np.sum(pooled * centres, axis=2) / np.sum(pooled, axis=2)
    return mean[:, 0] if layer.pool is None else mean


@pytest.mark.parametrize(
    ("pool", "length"), [(None, 7), (1, 7), (2, 7), (3, 6)]
)
def test_convolution_equals_loops(pool, length):
    layer = models.FuzzyConvolution(4, 3, pool=pool, dtype="float64")
    shape = (5, length, 2)
    layer.build(shape)
    random = np.random.default_rng(0)
    for variable in layer.weights:
        variable.assign_add(random.normal(0, 0.3, variable.shape))
    inputs = np.random.default_rng(1).normal(size=shape)
    received = ops.convert_to_numpy(layer(inputs))
    assert received.shape == layer.compute_output_shape(shape)
    np.testing.assert_allclose(received, reference(layer, inputs), rtol=1e-9)
    # Where nothing fires, it is the mean of the centres.
    layer.bias.assign(np.full(layer.bias.shape, -1e3))
    quiet = ops.convert_to_numpy(layer(inputs)).reshape(-1, 4)
    expected = np.asarray(layer.centres).mean(axis=0)
    np.testing.assert_allclose(quiet - expected, 0.0, atol=1e-6)


def test_a_width_of_zero_is_no_division_by_zero():
    layer = models.FuzzyConvolution(1, 2)
    layer.build((None, 5, 1))
    layer.widths.assign([[0.0], [0.0]])
    layer.kernel.assign([[[-1.0]], [[0.3]]])
    degrees = ops.convert_to_numpy(layer.fuzzified())
    np.testing.assert_array_equal(degrees[:, 0, 0, 0], [1.0, 0.0])


def test_everything_is_trained():
    layer = models.FuzzyConvolution(3, 2, pool=2)
    inputs = np.random.default_rng(2).normal(size=(4, 6, 5))
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(layer(inputs.astype("float32"))))
    names = [v.path.rsplit("/", 1)[-1] for v in layer.trainable_variables]
    assert set(names) == {"kernel", "bias", "centres", "widths"}
    variables = [v.value for v in layer.trainable_variables]
    for gradient in tape.gradient(loss, variables):
        assert np.all(np.isfinite(gradient))
        assert np.any(gradient != 0)


@pytest.mark.parametrize("name", ["kernels", "height", "pool"])
def test_impossible_arguments(name):
    message = f"`{name}` must be at least 1. Received: 0"
    with pytest.raises(ValueError, match=message):
        models.FuzzyConvolution(**{"kernels": 2, "height": 3, name: 0})
