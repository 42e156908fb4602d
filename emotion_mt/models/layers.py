"""What the models are put together from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

#: Features whose variance is below this count as constant.
MIN_VARIANCE = 1e-7

#: What a `Mixture` takes a probability to be at least, and 1 minus it at
#: most: nothing is surer than one in ten thousand.
LEAST_PROBABILITY = 1e-4


def stream_seed(seed: int, *names: str) -> int:
    """Returns the seed of one named stream of random numbers.

    Another layer, viewer or job does not change those of the others.
    """
    text = repr((int(seed), *map(str, names)))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "little") % 2**31


def head_name(viewer: str) -> str:
    """Returns how names of a viewer's layers begin; odd letters as numbers."""
    return "head_" + re.sub(
        r"[^A-Za-z0-9_-]", lambda match: f".{ord(match.group()):x}.", viewer
    )


def dense(
    name: str, units: int, l1: float, seed: int, **options: Any
) -> keras.layers.Dense:
    """Returns a dense layer whose initial weights depend on seed and name."""
    return keras.layers.Dense(
        units,
        kernel_initializer=glorot(seed, name),
        kernel_regularizer=keras.regularizers.L1(l1),
        name=name,
        **options,
    )


def glorot(seed: int, layer: str) -> keras.initializers.Initializer:
    """Returns the initializer of the kernel of a layer of this name."""
    return keras.initializers.GlorotUniform(stream_seed(seed, layer, "kernel"))


def join(parts: Sequence[Any], name: str, dtype: Any) -> Any:
    """Concatenates what is more than one."""
    if len(parts) == 1:
        return parts[0]
    return keras.layers.Concatenate(dtype=dtype, name=name)(parts)


def hidden(
    x: Any, prefix: str, units: Sequence[int], l1: float, seed: int, dtype: Any
) -> Any:
    """Applies dense layers with ReLU, "<prefix>_dense_0" and so on."""
    for i, width in enumerate(units):
        name = f"{prefix}_dense_{i}"
        x = dense(name, width, l1, seed, activation="relu", dtype=dtype)(x)
    return x


def head(
    x: Any, viewer: str, units: Sequence[int], l1: float, seed: int, dtype: Any
) -> Any:
    """Applies a viewer's own layers, [B, n] → float32 [B, 1] in [0, 1]."""
    prefix = head_name(viewer)
    x = hidden(x, prefix, units, l1, seed, dtype)
    # The sigmoid and the loss need float32 under any policy.
    output = dense(
        f"{prefix}_output", 1, l1, seed, activation="sigmoid", dtype="float32"
    )
    return output(x)


def with_mixtures(known: Any, viewers: Sequence[str]) -> Any:
    """Appends a `Mixture` per added viewer, [B, K] → [B, K + A]."""
    mixed = [
        Mixture(
            1,
            activation="sigmoid",
            kernel_initializer="zeros",
            dtype="float32",
            name=f"{head_name(viewer)}_output",
        )(known)
        for viewer in viewers
    ]
    return join([known, *mixed], "probabilities_of_all", "float32")


@keras.saving.register_keras_serializable("emotion_mt")
class Mixture(keras.layers.Dense):
    """A viewer as a mixture of others: a dense layer on their logits.

    float32 [B, K], their probabilities, → float32 [B, 1] in [0, 1]. Labels of
    this viewer train its own weights; they do not reach the others.
    """

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Returns the probabilities of the new viewer."""
        least = LEAST_PROBABILITY
        known = ops.clip(ops.stop_gradient(inputs), least, 1 - least)
        return super().call(ops.log(known) - ops.log1p(-known), training)


@keras.saving.register_keras_serializable("emotion_mt")
class FeatureNormalization(keras.layers.Normalization):
    """`keras.layers.Normalization` whose statistics are weights in every use.

    Keras's own keeps copies of them that neither a compiled step nor
    `set_weights` reaches: a clone, or weights restored by early stopping,
    would go on with others. A feature that was constant becomes 0; Keras's own
    divides it by 1e-7. Before `adapt` features pass as they are.
    """

    def adapt(self, data: Any) -> None:
        """Sets mean and variance.

        Args:
            data: float [n, …, F], finite, n at least 1.

        Raises:
            ValueError: If a number is not finite, or there is none.
        """
        data = np.asarray(data, "float64")
        if not data.size or not np.isfinite(data).all():
            bad = int(np.sum(~np.isfinite(data)))
            raise ValueError(
                "`data` must be finite numbers, at least one row. Received "
                f"shape {list(data.shape)} with {bad} that are not finite"
            )
        super().adapt(data)

    def call(self, inputs: Any) -> Any:
        """Returns the standardized features."""
        inputs = ops.cast(inputs, self.compute_dtype)
        mean = ops.cast(self.adapt_mean, self.compute_dtype)
        variance = ops.cast(self.adapt_variance, "float32")
        constant = ops.less(variance, MIN_VARIANCE)
        deviation = ops.sqrt(ops.where(constant, 1.0, variance))
        scale = ops.where(constant, 0.0, 1.0 / deviation)
        return (inputs - mean) * ops.cast(scale, self.compute_dtype)
