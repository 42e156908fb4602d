"""The dense layers of trunk and heads."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@tf.custom_gradient
def product(x: Any, kernel: Any) -> tuple[Any, Any]:
    """Returns x @ kernel, with a gradient that is faster for few rows.

    The gradient with respect to x is upstream @ kernelᵀ. With the 32 rows of a
    batch, a processor takes up to half as long again for that as for its
    transpose, kernel @ upstreamᵀ, where the large factor stays as it lies in
    memory (docs/performance.md, "A training step").

    Args:
        x: float [B, n].
        kernel: float [n, units].

    Returns:
        float [B, units].
    """

    def gradient(upstream: Any) -> tuple[Any, Any]:
        turned = tf.matmul(kernel, upstream, transpose_b=True)  # [n, B]
        return tf.transpose(turned), tf.matmul(x, upstream, transpose_a=True)

    return tf.matmul(x, kernel), gradient


@keras.saving.register_keras_serializable("emotion_mt")
class Dense(keras.layers.Dense):
    """As Keras's, for inputs [B, n], with the gradient of `product`."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Returns float [B, units]."""
        # A tensor: `tf.custom_gradient` has other rules for variables.
        kernel = tf.convert_to_tensor(self.kernel)
        outputs = product(inputs, kernel)
        if self.use_bias:
            outputs += self.bias
        return self.activation(outputs)
