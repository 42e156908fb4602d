"""Fuzzy convolutions, as far as they are known of the Baseline [20].

Stated: two Gaussian membership functions, "low" and "high", with trainable
centres; fuzzified kernels exp(-(c - k)² / σ²); defuzzification by a weighted
mean. Inferred, since no public source says more: every kernel has centres
and widths of its own; the input is convolved with both fuzzified kernels;
what comes out, after ReLU and max-pooling, says how strongly "low" and
"high" fire, and the weighted mean is that of the centres.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from emotion_mt.models import distinct

#: Names of the membership functions.
FUNCTIONS = ("low", "high")

#: Where the centres of the two functions start; kernels start between them.
INITIAL_CENTRES = (-1.0, 1.0)

#: Added to both firing strengths. Where nothing fires, the mean is then the
#: middle of the two centres, and its gradient stays finite.
EPSILON = 1e-3

#: Least square of a width.
_LEAST_WIDTH_SQUARED = 1e-4


@keras.saving.register_keras_serializable("emotion_mt")
class GaussianMembership(keras.layers.Layer):
    """Degrees in [0, 1] to which numbers are low and high.

    The last axis of the input has one entry per kernel; each kernel has two
    centres and two widths of its own.

    Args:
        trainable_width: Whether the widths are trained, which start at 1.
            Defaults to True.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float [..., n], for n kernels.

    Returns:
        float [..., 2, n] in [0, 1]: exp(-(c - x)² / σ²) for "low", "high".
    """

    def __init__(self, trainable_width: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trainable_width = trainable_width

    def build(self, input_shape: Any) -> None:
        """Makes centres and widths, [2, n] each."""
        shape = (len(FUNCTIONS), input_shape[-1])
        self.centres = self.add_weight(
            shape=shape, initializer=_initial_centres, name="centres"
        )
        self.widths = self.add_weight(
            shape=shape,
            initializer="ones",
            trainable=self.trainable_width,
            name="widths",
        )

    def call(self, inputs: Any) -> Any:
        """Returns the degrees of membership."""
        inputs = ops.cast(inputs, self.compute_dtype)
        centres = ops.cast(self.centres, self.compute_dtype)
        squared = ops.square(ops.cast(self.widths, self.compute_dtype))
        squared = ops.maximum(squared, _LEAST_WIDTH_SQUARED)
        distance = centres - ops.expand_dims(inputs, -2)
        return ops.exp(-ops.square(distance) / squared)

    def defuzzify(self, strengths: Any) -> Any:
        """Returns the mean of the centres, weighted by firing strengths.

        Args:
            strengths: float [..., 2, n], not negative.

        Returns:
            float [..., n] between the two centres; their middle where
            neither function fires.
        """
        centres = ops.cast(self.centres, self.compute_dtype)
        strengths = ops.cast(strengths, self.compute_dtype) + EPSILON
        total = ops.sum(strengths, axis=-2)
        return ops.sum(centres * strengths, axis=-2) / total

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns [..., 2, n]."""
        return (*input_shape[:-1], len(FUNCTIONS), input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "trainable_width": self.trainable_width}


@keras.saving.register_keras_serializable("emotion_mt")
class FuzzyConvolution(keras.layers.Layer):
    """Convolution, ReLU, max-pooling and defuzzification along one axis.

    The kernels k are fuzzified; the input is convolved with the kernels
    "low" and "high"; the results pass ReLU and max-pooling and are the firing
    strengths of the weighted mean (see `GaussianMembership`).

    Args:
        kernels: Number of kernels.
        height: Their length along the axis.
        pool: Steps that are pooled together, or None for all of them.
        padding: "valid", or "same" for an output as long as the input. The
            pooling keeps a remainder with "same" and drops it with "valid".
            Defaults to "valid".
        trainable_width: See `GaussianMembership`. Defaults to True.
        kernel_initializer: Of the kernels before they are fuzzified.
            Defaults to uniform in [-1, 1], from one centre to the other.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float [B, L, C].

    Returns:
        float [B, L', kernels], L' = L / pool, or [B, kernels] without `pool`.
        Each entry lies between the two centres of its kernel.

    Raises:
        ValueError: If an argument makes no sense.
    """

    def __init__(
        self,
        kernels: int,
        height: int,
        pool: int | None = None,
        padding: str = "valid",
        trainable_width: bool = True,
        kernel_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("kernels", kernels), ("height", height)):
            if value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {value}"
                )
        if pool is not None and pool < 1:
            raise ValueError(
                f"`pool` must be at least 1, or None. Received: {pool}"
            )
        if padding not in ("valid", "same"):
            raise ValueError(
                f"`padding` must be 'valid' or 'same'. Received: {padding!r}"
            )
        self.kernels = kernels
        self.height = height
        self.pool = pool
        self.padding = padding
        self.trainable_width = trainable_width
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomUniform(
                *INITIAL_CENTRES
            )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.membership = GaussianMembership(
            trainable_width, dtype=self.dtype_policy, name="membership"
        )

    def build(self, input_shape: Any) -> None:
        """Makes kernels [height, C, n] and biases [2, n]."""
        shape = (self.height, input_shape[-1], self.kernels)
        self.kernel = self.add_weight(
            shape=shape, initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(len(FUNCTIONS), self.kernels),
            initializer="zeros",
            name="bias",
        )
        self.membership.build(shape)

    def fuzzified(self) -> Any:
        """Returns the fuzzified kernels, float [height, C, 2, n] in [0, 1]."""
        return self.membership(self.kernel)

    def call(self, inputs: Any) -> Any:
        """Returns the defuzzified output."""
        strengths = self._firing_strengths(inputs)  # [B, L, 2·n]
        if self.pool is None:
            strengths = ops.max(strengths, axis=1)
        else:
            strengths = ops.max_pool(strengths, self.pool, padding=self.padding)
        shape = (*ops.shape(strengths)[:-1], len(FUNCTIONS), self.kernels)
        return self.membership.defuzzify(ops.reshape(strengths, shape))

    def _firing_strengths(self, inputs: Any) -> Any:
        channels = self.kernel.shape[1]
        flat = (self.height, channels, len(FUNCTIONS) * self.kernels)
        convolved = self._convolve(inputs, ops.reshape(self.fuzzified(), flat))
        bias = ops.cast(ops.reshape(self.bias, (-1,)), self.compute_dtype)
        return ops.relu(convolved + bias)

    def _convolve(self, inputs: Any, kernel: Any) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)
        return ops.conv(inputs, kernel, padding=self.padding)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns [B, L', n] or [B, n]."""
        batch, length, _ = input_shape
        if self.pool is None:
            return (batch, self.kernels)
        if self.padding == "same":
            return (batch, -(-length // self.pool), self.kernels)
        return (batch, (length - self.height + 1) // self.pool, self.kernels)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "kernels": self.kernels,
            "height": self.height,
            "pool": self.pool,
            "padding": self.padding,
            "trainable_width": self.trainable_width,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }


@keras.saving.register_keras_serializable("emotion_mt")
class FuzzyWordConvolution(FuzzyConvolution):
    """Fuzzy convolution over words, pooled over all of them.

    What `FuzzyConvolution` gives for the same vectors, computed once for each
    distinct word of the batch (see `distinct`).

    Args:
        kernels: Number of kernels.
        height: Their length, in words.
        **kwargs: Further arguments of `FuzzyConvolution`.

    Call arguments:
        inputs: Vectors of the distinct words, float [U, C], and the places of
            the words, int32 [B, L].

    Returns:
        float [B, kernels].

    Raises:
        ValueError: If `pool` or `padding` are not the defaults.
    """

    def __init__(self, kernels: int, height: int, **kwargs: Any) -> None:
        super().__init__(kernels, height, **kwargs)
        self.supports_jit = False
        if self.pool is not None or self.padding != "valid":
            raise ValueError(
                "`pool` and `padding` must be None and 'valid' for words. "
                f"Received: {self.pool}, {self.padding!r}"
            )

    def build(self, input_shape: Any) -> None:
        """Makes the weights of the class above."""
        vectors, _ = input_shape
        super().build((None, *vectors))

    def _convolve(self, inputs: Any, kernel: Any) -> Any:
        vectors, places = inputs
        vectors = ops.cast(vectors, self.compute_dtype)
        return distinct.convolve(vectors, places, kernel)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns [B, n]."""
        _, places = input_shape
        return (places[0], self.kernels)


def _initial_centres(shape: Any, dtype: Any = None) -> Any:
    """Returns centres [2, n], the same for all kernels."""
    centres = ops.convert_to_tensor(INITIAL_CENTRES, dtype=dtype)
    return ops.broadcast_to(ops.expand_dims(centres, -1), shape)
