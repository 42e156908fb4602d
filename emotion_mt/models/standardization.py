"""Standardization of features with statistics that come from outside."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

#: Features whose variance is below this count as constant.
MIN_VARIANCE = 1e-7


@keras.saving.register_keras_serializable("emotion_mt")
class Standardization(keras.layers.Layer):
    """(x - mean) / standard deviation, per feature.

    Unlike `keras.layers.Normalization` it keeps both statistics in weights
    that a compiled training step reads, so that they can be changed without
    tracing again. Until `set_statistics` is called it changes nothing.

    Call arguments:
        inputs: float [B, F].

    Returns:
        float [B, F]. A feature without variance becomes 0: it was constant
        in the training films, so nothing was learned about it.
    """

    def build(self, input_shape: Any) -> None:
        """Makes the two statistics, [F] each."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="mean"
        )
        self.variance = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="variance"
        )

    def set_statistics(self, mean: Any, variance: Any) -> None:
        """Sets mean and variance.

        Args:
            mean: float [F], finite.
            variance: float [F], finite and not negative.

        Raises:
            ValueError: If a shape or a value is not as described.
        """
        for name, value in (("mean", mean), ("variance", variance)):
            if np.shape(value) != tuple(self.mean.shape):
                raise ValueError(
                    f"`{name}` must have shape {list(self.mean.shape)}. "
                    f"Received shape: {list(np.shape(value))}"
                )
            if not np.all(np.isfinite(value)):
                raise ValueError(f"`{name}` must be finite. Received: {value}")
        if np.any(np.asarray(variance) < 0):
            raise ValueError(
                f"`variance` must not be negative. Received: {variance}"
            )
        self.mean.assign(mean)
        self.variance.assign(variance)

    def call(self, inputs: Any) -> Any:
        """Returns the standardized features."""
        inputs = ops.cast(inputs, self.compute_dtype)
        mean = ops.cast(self.mean, self.compute_dtype)
        variance = ops.cast(self.variance, self.compute_dtype)
        constant = ops.less(variance, MIN_VARIANCE)
        scale = ops.where(
            constant,
            ops.zeros_like(variance),
            1.0 / ops.sqrt(ops.where(constant, 1.0, variance)),
        )
        return (inputs - mean) * scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the input."""
        return input_shape
