"""Segments to batches, as `tf.data`.

A training step is traced for each shape of batch. So that all
batches have one shape, the last one can be filled up with empty segments:
padding words, a zero feature and no label of any viewer. The loss divides by
the number of labels and the metrics count labels, so an empty segment changes
neither.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import models
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.training.data import Segments, select_segments

logger = logging.getLogger(__name__)


def make_dataset(
    corpus: Corpus,
    features: np.ndarray | None,
    movies: Sequence[str],
    *,
    tokenizer: keras.layers.TextVectorization | None,
    viewers: Sequence[str] | None = None,
    modalities: Sequence[str] = models.MODALITIES,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
    labelled_only: bool = True,
    fill_last_batch: bool = False,
) -> tf.data.Dataset:
    """Builds a dataset for `fit`, `evaluate` and `predict`.

    Segments that cannot be used are left out and logged;
    `select_segments(…).left_out` counts them.

    Args:
        corpus: The corpus, N segments.
        features: float [N, F], or [N, frames, channels, bins] for the
            Baseline; a row of NaN where there is no video. May be None
            without the modality "visual".
        movies: Film codes.
        tokenizer: Of `fit_tokenizer`; may be None without the modality
            "text".
        viewers: Columns of the labels. Defaults to None, all viewers of the
            corpus.
        modalities: "text", "visual" or both. Defaults to both.
        batch_size: Segments per batch; the last batch may be smaller.
            Defaults to 32.
        shuffle: Whether each epoch has an order of its own. Defaults to
            False, the order of the corpus.
        seed: Decides the orders. Defaults to 0.
        labelled_only: Whether segments that none of the viewers has rated
            are left out. Defaults to True.
        fill_last_batch: Whether the last batch is filled up with empty
            segments, which no loss and no metric counts: a step is traced
            for each size of batch. Defaults to False.

    Returns:
        Dataset of (inputs, labels): inputs a dict with "tokens", int32
        [B, 18], and "visual", float32 [B, F] or [B, frames, channels, bins],
        by modality; labels float32 [B, V], NaN where the viewer did not rate.

    Raises:
        ValueError: If an argument does not fit the corpus, or no segment
            remains.
    """
    segments = select_segments(
        corpus,
        features,
        movies,
        tokenizer=tokenizer,
        viewers=viewers,
        modalities=modalities,
        labelled_only=labelled_only,
    )
    for reason, count in segments.left_out.items():
        if count:
            logger.warning(
                "%d segments of %s left out: %s",
                count,
                ", ".join(movies),
                reason,
            )
    if not len(segments):
        raise ValueError(
            f"`movies` must have a segment that can be used. Received: "
            f"{tuple(movies)}, left out: {dict(segments.left_out)}"
        )
    dataset = tf.data.Dataset.from_tensor_slices(
        (dict(segments.inputs), segments.labels)
    )
    if shuffle:
        dataset = dataset.shuffle(
            len(segments), seed=seed, reshuffle_each_iteration=True
        )
    missing = steps(segments, batch_size) * batch_size - len(segments)
    if fill_last_batch and missing:
        empty = tf.data.Dataset.from_tensor_slices(_empty(segments, missing))
        dataset = dataset.concatenate(empty)
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def steps(segments: Segments, batch_size: int) -> int:
    """Returns the number of batches, the filled-up one included."""
    return -(-len(segments) // batch_size)


def training_stream(
    segments: Segments,
    batch_size: int,
    epochs: int,
    seed: int,
    first_epoch: int = 0,
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
        first_epoch: Epochs that are left out at the beginning. Defaults to 0.

    Returns:
        Dataset of (`epochs` - `first_epoch`) × `steps` batches ({…}, labels),
        all of the same shape.
    """
    empty = len(segments)  # Row number of the empty segment.
    count = steps(segments, batch_size)
    orders = np.full((epochs, count * batch_size), empty, "int32")
    random = np.random.default_rng(models.stream_seed(seed, "order"))
    for order in orders:
        order[:empty] = random.permutation(empty)
    arrays = _with_empty(segments, 1)
    tensors = tf.nest.map_structure(tf.constant, arrays)

    def gather(rows: Any) -> Any:
        return tf.nest.map_structure(lambda x: tf.gather(x, rows), tensors)

    batches = orders[first_epoch:].reshape(-1, batch_size)
    dataset = tf.data.Dataset.from_tensor_slices(batches).map(gather)
    return _without_tuning(dataset.prefetch(2))


def fixed_batches(segments: Segments, batch_size: int) -> tf.data.Dataset:
    """Returns the batches of one pass in the order of the corpus.

    Args:
        segments: At least one.
        batch_size: Segments per batch.

    Returns:
        Dataset of `steps` batches ({…}, labels), all of the same shape.
    """
    count = steps(segments, batch_size)
    arrays = _with_empty(segments, count * batch_size - len(segments))
    batches = tf.nest.map_structure(
        lambda x: x.reshape(count, batch_size, *x.shape[1:]), arrays
    )
    return _without_tuning(tf.data.Dataset.from_tensor_slices(batches))


def _without_tuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Switches tf.data's tuning thread off.

    There is nothing to tune, and when an iterator is deleted, TensorFlow
    waits for that thread to wake up: up to a second at the end of each fit.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _empty(segments: Segments, copies: int) -> Any:
    """Returns (inputs, labels) of empty segments."""

    def fill(array: np.ndarray, value: float) -> np.ndarray:
        return np.full((copies, *array.shape[1:]), value, array.dtype)

    inputs = {name: fill(x, 0) for name, x in segments.inputs.items()}
    return inputs, fill(segments.labels, np.nan)


def _with_empty(segments: Segments, copies: int) -> Any:
    """Returns (inputs, labels) with empty segments at the end."""
    inputs, labels = _empty(segments, copies)
    inputs = {
        name: np.concatenate([x, inputs[name]])
        for name, x in segments.inputs.items()
    }
    return inputs, np.concatenate([segments.labels, labels])
