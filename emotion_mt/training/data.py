"""Corpus and features to batches (Sect. IV-A)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import models
from emotion_mt.corpus.corpus import Corpus

logger = logging.getLogger(__name__)

#: Why a segment is left out; keys of `Segments.left_out`.
NO_FEATURE = "no visual feature"
NO_LABEL = "no label"


@dataclasses.dataclass(frozen=True, eq=False)
class Segments:
    """Segments as a model sees them.

    Attributes:
        rows: int64 [n], their rows in the corpus, increasing.
        inputs: By modality "tokens" int32 [n, 18] and "visual" float32
            [n, F], or [n, frames, channels, bins] for the Baseline.
        labels: float32 [n, V]; 1.0 positive, 0.0 negative, NaN missing.
        left_out: Reason to number of segments, for each possible reason.
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.rows)


def select_segments(
    corpus: Corpus,
    features: np.ndarray | None,
    movies: Sequence[str],
    *,
    tokenizer: keras.layers.TextVectorization | None,
    viewers: Sequence[str] | None = None,
    modalities: Sequence[str] = models.MODALITIES,
    labelled_only: bool = True,
) -> Segments:
    """Picks the segments that `make_dataset` makes batches of; see there.

    There may be none. `Segments.left_out` counts the others by reason.
    """
    viewers = corpus.viewers if viewers is None else tuple(viewers)
    rows = corpus.rows(movies)
    left_out = {}
    visual = np.zeros((len(corpus), 0))
    if "visual" in modalities:
        visual = check_features(corpus, features)
        axes = tuple(range(1, visual.ndim))
        seen = ~np.isnan(visual[rows]).any(axis=axes)
        left_out[NO_FEATURE] = int(np.sum(~seen))
        rows = rows[seen]
    columns = [corpus.column(viewer) for viewer in viewers]
    labels = corpus.labels[:, columns]
    if labelled_only:
        rated = ~np.isnan(labels[rows]).all(axis=1)
        left_out[NO_LABEL] = int(np.sum(~rated))
        rows = rows[rated]

    inputs = {}
    if "text" in modalities:
        if tokenizer is None:
            raise ValueError(
                "`tokenizer` must be given with the modality 'text'. "
                "Received: None"
            )
        texts = corpus.segments["text"].iloc[rows]
        inputs["tokens"] = models.tokenize(tokenizer, texts)
    if "visual" in modalities:
        inputs["visual"] = visual[rows].astype("float32")
    return Segments(rows, inputs, labels[rows], left_out)


def check_features(corpus: Corpus, features: np.ndarray | None) -> np.ndarray:
    """Returns features as an array, or says why they do not fit a corpus."""
    if features is None:
        raise ValueError(
            "`features` must be given with the modality 'visual'. "
            "Received: None"
        )
    if np.ndim(features) not in (2, 4) or len(features) != len(corpus):
        raise ValueError(
            "`features` needs one row per segment of the corpus, "
            f"[{len(corpus)}, F], or [{len(corpus)}, frames, channels, bins] "
            f"for the Baseline. Received shape: {list(np.shape(features))}"
        )
    return np.asarray(features)


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Returns the weights that let both classes count the same (Sect. III-A).

    With N labels of a viewer, of which N- are negative and N+ positive, a
    negative weighs N / (2·N-) and a positive N / (2·N+); the mean weight over
    these labels is 1. A viewer with one class only, or without any label, has
    nothing to balance: both weights are 1.

    Args:
        labels: float [N, V], observed training labels: 1.0 positive, 0.0
            negative, NaN missing.

    Returns:
        float32 [V, 2], finite: weight of a negative, weight of a positive.
    """
    labels = np.asarray(labels)
    negative = np.sum(labels == 0.0, axis=0)
    positive = np.sum(labels == 1.0, axis=0)
    counts = np.stack([negative, positive], axis=1)  # [V, 2]
    balanced = counts.sum(axis=1, keepdims=True) / (2 * np.maximum(counts, 1))
    both = np.all(counts > 0, axis=1, keepdims=True)
    return np.where(both, balanced, 1.0).astype("float32")


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
) -> tf.data.Dataset:
    """Builds a dataset for `adapt`, `fit`, `evaluate` and `predict`.

    Segments that cannot be used are left out and logged.

    Args:
        corpus: The corpus, N segments.
        features: float [N, F], or [N, frames, channels, bins] for the
            Baseline; a row of NaN where there is no video. May be None
            without the modality "visual".
        movies: Movie codes.
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

    Returns:
        Dataset of (inputs, labels): inputs a dict with "tokens", int32
        [B, 18], and "visual", float32 [B, F] or [B, frames, channels, bins],
        by modality; labels float32 [B, V], NaN where the viewer did not rate.
        Give `fit` shuffle=False with it, or Keras warns that it does not
        shuffle datasets.

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
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def fixed_batches(
    segments: Segments,
    class_weights: np.ndarray,
    batch_size: int,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Returns batches of one size, whose orders depend on `seed` alone.

    A training step is traced for each size of batch, so the last batch is
    filled up with segments without a label, which neither the loss nor a
    metric counts. (`Dataset.shuffle` depends on the process's global seed
    too.)

    Args:
        segments: n segments, at least one.
        class_weights: float32 [V, 2], see `class_weights`.
        batch_size: Segments per batch.
        seed: Decides the order of each pass; None for that of the corpus.

    Returns:
        Dataset of (inputs, labels, class weights of the labels).
    """
    count = len(segments)
    steps = -(-count // batch_size)
    random = np.random.default_rng(seed)

    def passes() -> Iterator[np.ndarray]:
        order = np.full(steps * batch_size, count, "int32")
        order[:count] = (
            np.arange(count) if seed is None else random.permutation(count)
        )
        yield order.reshape(steps, batch_size)

    labels = _one_more(segments.labels, np.nan)
    negative, positive = class_weights.T
    weights = np.where(labels == 1.0, positive, negative)
    arrays = {name: _one_more(x, 0) for name, x in segments.inputs.items()}
    tensors = tf.nest.map_structure(
        tf.constant, (arrays, labels, weights.astype("float32"))
    )
    orders = tf.data.Dataset.from_generator(
        passes,
        output_signature=tf.TensorSpec((steps, batch_size), tf.int32),
    )
    dataset = orders.unbatch().map(
        lambda rows: tf.nest.map_structure(
            lambda x: tf.gather(x, rows), tensors
        )
    )
    # There is nothing to tune, and when an iterator is deleted, as after each
    # epoch, TensorFlow waits for the tuning thread: up to a second.
    options = tf.data.Options()
    options.autotune.enabled = False
    counted = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return counted.with_options(options)


def _one_more(array: np.ndarray, value: float) -> np.ndarray:
    """Returns an array with a row of one value at its end."""
    row = np.full((1, *array.shape[1:]), value, array.dtype)
    return np.concatenate([array, row])
