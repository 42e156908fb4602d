"""The fuzzy convolution of the Baseline [20]."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt.models.layers import stream_seed

#: Where the centres of "low" and "high" start; kernels start between them.
INITIAL_CENTRES = (-1.0, 1.0)

#: Added to both firing strengths, so that the mean exists if nothing fires.
EPSILON = 1e-3

#: Least square of a width.
_LEAST_WIDTH_SQUARED = 1e-4


@keras.saving.register_keras_serializable("emotion_mt")
class FuzzyConvolution(keras.layers.Layer):
    """Convolution, ReLU, max-pooling and defuzzification along one axis.

    Stated: two Gaussian membership functions, "low" and "high", with
    trainable centres; fuzzified kernels exp(-(c - k)² / σ²); defuzzification
    by a weighted mean. Inferred: every kernel has centres and widths of its
    own; the output of both fuzzified kernels, after ReLU and max-pooling, says
    how strongly "low" and "high" fire and weighs the centres.

    Args:
        kernels: Number of kernels, n.
        height: Their length along the axis.
        pool: Steps that are pooled together, of an output padded to the
            length of the input. Defaults to None: all of them, not padded.
        seed: Decides, with the layer's name, the initial kernels, uniform
            between the centres. Defaults to 0.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float [B, L, C].

    Returns:
        float [B, ceil(L / pool), n], or [B, n] without `pool`; between the
        centres of each kernel.

    Raises:
        ValueError: If an argument makes no sense.
    """

    def __init__(
        self,
        kernels: int,
        height: int,
        pool: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sizes = {"kernels": kernels, "height": height, "pool": pool}
        for key, value in sizes.items():
            if value is not None and value < 1:
                raise ValueError(
                    f"`{key}` must be at least 1. Received: {value}"
                )
        self.kernels, self.height, self.pool = kernels, height, pool
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Makes kernels [height, C, n]; biases, centres and widths [2, n]."""
        self.kernel = self.add_weight(
            shape=(self.height, input_shape[-1], self.kernels),
            initializer=keras.initializers.RandomUniform(
                *INITIAL_CENTRES, stream_seed(self.seed, self.name, "kernel")
            ),
            name="kernel",
        )
        pair = (2, self.kernels)
        self.bias = self.add_weight(pair, "zeros", name="bias")
        centres = keras.initializers.Constant(
            np.array(INITIAL_CENTRES)[:, None]
        )
        self.centres = self.add_weight(pair, centres, name="centres")
        self.widths = self.add_weight(pair, "ones", name="widths")

    def fuzzified(self) -> Any:
        """Returns how low and high kernels are, [height, C, 2, n] in [0, 1]."""
        squared = ops.maximum(ops.square(self.widths), _LEAST_WIDTH_SQUARED)
        distance = self.centres - ops.expand_dims(self.kernel, -2)
        return ops.exp(-ops.square(distance) / squared)

    def defuzzify(self, strengths: Any) -> Any:
        """Returns the mean of the centres, weighted; float [..., n].

        Args:
            strengths: How strongly "low" and "high" fire, float [..., 2, n],
                not negative. Where neither does, the mean is their middle.
        """
        strengths = ops.cast(strengths, self.compute_dtype) + EPSILON
        centres = ops.cast(self.centres, self.compute_dtype)
        total = ops.sum(strengths, axis=-2)
        return ops.sum(centres * strengths, axis=-2) / total

    def call(self, inputs: Any) -> Any:
        """Returns the defuzzified output."""
        # Both functions of all kernels are convolved together: [.., 2·n].
        kernel = ops.reshape(
            self.fuzzified(), (*self.kernel.shape[:2], 2 * self.kernels)
        )
        convolved = ops.conv(
            ops.cast(inputs, self.compute_dtype),
            ops.cast(kernel, self.compute_dtype),
            padding="same" if self.pool else "valid",
        )
        bias = ops.cast(ops.reshape(self.bias, (-1,)), self.compute_dtype)
        strengths = ops.relu(convolved + bias)  # [B, L, 2·n]
        if self.pool is None:
            strengths = ops.max(strengths, axis=1)
        else:
            strengths = ops.max_pool(strengths, self.pool, padding="same")
        shape = (*ops.shape(strengths)[:-1], 2, self.kernels)
        return self.defuzzify(ops.reshape(strengths, shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns [B, L', n] or [B, n]."""
        batch, length, _ = input_shape
        steps = () if self.pool is None else (-(-length // self.pool),)
        return (batch, *steps, self.kernels)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        names = ("kernels", "height", "pool", "seed")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own}
