"""Batches of one shape, so that a step is traced and compiled once.

The last batch of an epoch is filled up with empty segments: padding words, a
zero feature and no label of any viewer. The loss divides by the number of
labels and the metrics count labels, so an empty segment changes neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from emotion_mt import models
from emotion_mt.training.data import Segments


def steps(segments: Segments, batch_size: int) -> int:
    """Returns the number of batches, the filled-up one included."""
    return -(-len(segments) // batch_size)


def training_stream(
    segments: Segments, batch_size: int, epochs: int, seed: int
) -> tf.data.Dataset:
    """Returns the batches of all epochs in a row, each epoch shuffled.

    The orders are drawn with NumPy from `seed` alone. (`Dataset.shuffle`
    also depends on the process's global seed, and on how often it was
    iterated before.)

    Args:
        segments: At least one.
        batch_size: Segments per batch.
        epochs: Number of epochs.
        seed: Decides the orders.

    Returns:
        Dataset of `epochs` × `steps` batches ({…}, labels), all of the same
        shape.
    """
    empty = len(segments)  # Row number of the empty segment.
    count = steps(segments, batch_size)
    orders = np.full((epochs, count * batch_size), empty, "int32")
    random = np.random.default_rng(models.stream_seed(seed, "order"))
    for order in orders:
        order[:empty] = random.permutation(empty)
    arrays = _with_empty_segment(segments, 1)
    tensors = tf.nest.map_structure(tf.constant, arrays)

    def gather(rows: Any) -> Any:
        return tf.nest.map_structure(lambda x: tf.gather(x, rows), tensors)

    batches = orders.reshape(-1, batch_size)
    return tf.data.Dataset.from_tensor_slices(batches).map(gather).prefetch(2)


def fixed_batches(segments: Segments, batch_size: int) -> tf.data.Dataset:
    """Returns the batches of one pass in the order of the corpus.

    Args:
        segments: At least one.
        batch_size: Segments per batch.

    Returns:
        Dataset of `steps` batches ({…}, labels), all of the same shape.
    """
    count = steps(segments, batch_size)
    arrays = _with_empty_segment(segments, count * batch_size - len(segments))
    batches = tf.nest.map_structure(
        lambda x: x.reshape(count, batch_size, *x.shape[1:]), arrays
    )
    return tf.data.Dataset.from_tensor_slices(batches)


def _with_empty_segment(segments: Segments, copies: int) -> Any:
    """Returns (inputs, labels) with empty segments at the end."""

    def extend(array: np.ndarray, value: float) -> np.ndarray:
        width = [(0, copies)] + [(0, 0)] * (array.ndim - 1)
        return np.pad(array, width, constant_values=value)

    inputs = {name: extend(x, 0) for name, x in segments.inputs.items()}
    return inputs, extend(segments.labels, np.nan)
