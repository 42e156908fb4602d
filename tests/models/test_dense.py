"""The dense layer is Keras's own, gradient included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt.models.dense import Dense, product


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_product_and_its_gradients(rows):
    random = np.random.default_rng(0)
    x, kernel, upstream = (
        random.normal(size=shape) for shape in ((rows, 4), (4, 3), (rows, 3))
    )
    tensors = tf.constant(x), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = product(*tensors)
    np.testing.assert_allclose(y, x @ kernel, atol=1e-12)
    dx, dkernel = tape.gradient(y, tensors, output_gradients=upstream)
    np.testing.assert_allclose(dx, upstream @ kernel.T, atol=1e-12)
    np.testing.assert_allclose(dkernel, x.T @ upstream, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("activation", "use_bias"),
    [("relu", True), ("sigmoid", True), (None, False)],
)
def test_is_kerass_own(dtype, activation, use_bias):
    random = np.random.default_rng(1)
    x = tf.constant(random.normal(size=(6, 5)).astype("float32"))
    layers = [
        kind(3, activation=activation, use_bias=use_bias, dtype=dtype)
        for kind in (Dense, keras.layers.Dense)
    ]
    found = []
    weights = [random.normal(size=(5, 3)), random.normal(size=3)]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(weights if use_bias else weights[:1])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(tf.cast(y, "float32") ** 2)
        variables = [x, *(w.value for w in layer.trainable_variables)]
        found.append([y, *tape.gradient(loss, variables)])
    rtol = 1e-5 if dtype == "float32" else 2e-2
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(
            tf.cast(ours, "float32"),
            tf.cast(theirs, "float32"),
            rtol=rtol,
            atol=rtol,
        )
