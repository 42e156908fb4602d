"""Convolutions over words that compute what repeats in a batch only once.

Subtitles have some five words and are padded to 18, and words recur, so most
windows of a batch are the same as another one. Here a batch of sequences is
therefore a pair: `rows`, [U, C], one for each distinct item, and `places`,
int32 [B, L], the row that stands at each place. What is computed is the usual
convolution. The gradient of a word vector is summed over all places of the
word, so an optimizer gets each word of a batch once.

U differs from batch to batch. XLA would compute for as many rows as there are
places, so nothing would be gained: the layers say that they do not support it.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

#: Steps that are pooled together after a text convolution.
POOL = 2


def convolve(rows: Any, places: Any, kernel: Any) -> Any:
    """Convolves along the last axis of `places`, without padding.

    Args:
        rows: float [U, C].
        places: int [..., L], numbers of rows.
        kernel: float [width, C, n].

    Returns:
        float [..., L - width + 1, n], what `keras.ops.conv` gives for
        `rows[places]`.
    """
    # One product per distinct row and offset; the rest is adding up.
    parts = [ops.matmul(rows, part) for part in ops.unstack(kernel)]
    length = places.shape[-1] - len(parts) + 1
    return tf.add_n(
        [
            tf.gather(part, places[..., offset : offset + length])
            for offset, part in enumerate(parts)
        ]
    )


def number_windows(windows: Any, items: Any) -> tuple[Any, Any]:
    """Numbers windows so that equal ones have the same number.

    Args:
        windows: int32 [N, s], s at least 2, each entry below `items`.
        items: Number of distinct entries.

    Returns:
        The place of the first window of each number, int32 [U], and the
        number of each window, int32 [N].
    """
    first, *others = tf.unstack(tf.cast(windows, tf.int64), axis=1)
    numbers, items = first, tf.cast(items, tf.int64)
    for column in others:  # In pairs: all at once would overflow.
        pairs, numbers = tf.unique(numbers * items + column, tf.int64)
    numbers = tf.cast(numbers, tf.int32)
    order = tf.range(tf.size(numbers))
    return (
        tf.math.unsorted_segment_min(order, numbers, tf.size(pairs)),
        numbers,
    )


@keras.saving.register_keras_serializable("emotion_mt")
class DistinctWords(keras.layers.Layer):
    """The words of a batch, each of them once, and where they stand.

    Call arguments:
        inputs: int [B, L], tokens.

    Returns:
        The distinct tokens, int32 [U], and their places, int32 [B, L].
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_jit = False

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Returns words and places."""
        tokens = tf.cast(inputs, tf.int32)
        words, places = tf.unique(tf.reshape(tokens, (-1,)))
        return words, tf.reshape(places, (-1, inputs.shape[1]))


@keras.saving.register_keras_serializable("emotion_mt")
class PlacedRows(keras.layers.Layer):
    """The sequences that rows and places stand for.

    Call arguments:
        inputs: rows, float [U, C], and places, int32 [B, L].

    Returns:
        float [B, L, C].
    """

    def call(self, inputs: Any) -> Any:
        """Returns the sequences."""
        rows, places = inputs
        return tf.gather(rows, places)


@keras.saving.register_keras_serializable("emotion_mt")
class TextConvolution(keras.layers.Layer):
    """Convolution without padding, ReLU and max-pooling of 2.

    Computed once for each distinct window of the batch that a pooled step
    sees, width + 1 items.

    Args:
        filters: Number of filters.
        width: Their width.
        kernel_initializer: Of the kernel. Defaults to "glorot_uniform".
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: rows, float [U, C], and places, int32 [B, L].

    Returns:
        Rows, float [U', filters], and places, int32 [B, L'], with
        L' = (L - width + 1) // 2.
    """

    def __init__(
        self,
        filters: int,
        width: int,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.width = width
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_jit = False

    def build(self, input_shape: Any) -> None:
        """Makes kernel, [width, C, filters], and bias, [filters]."""
        rows, _ = input_shape
        self.kernel = self.add_weight(
            shape=(self.width, rows[-1], self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,), initializer="zeros", name="bias"
        )

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Returns rows and places after the pooling."""
        rows, places = inputs
        windows, steps = self._windows(places)
        first, numbers = number_windows(windows, tf.shape(rows)[0])
        distinct = tf.gather(windows, first)  # [U', width + 1]
        x = convolve(rows, distinct, self.kernel)  # [U', 2, filters]
        # The bias and ReLU do not change which of two steps is larger.
        x = ops.relu(tf.reduce_max(x, axis=1) + self.bias)
        return x, tf.reshape(numbers, (-1, steps))

    def _windows(self, places: Any) -> tuple[Any, int]:
        """Returns what each pooled step sees, and the steps per sequence."""
        steps = (places.shape[1] - self.width + 1) // POOL
        span = self.width + POOL - 1
        windows = tf.stack(
            [
                places[:, offset : offset + POOL * steps : POOL]
                for offset in range(span)
            ],
            axis=-1,
        )
        return tf.reshape(windows, (-1, span)), steps

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "width": self.width,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }
