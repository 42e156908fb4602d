"""Corpus and features to batches (Sect. IV-A)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence

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
        left_out: Possible reasons to numbers of segments.
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
    viewers = corpus.viewers if viewers is None else viewers
    for name, modality, value in (
        ("tokenizer", "text", tokenizer),
        ("features", "visual", features),
    ):
        if modality in modalities and value is None:
            raise ValueError(
                f"`{name}` must be given with the modality {modality!r}. "
                "Received: None"
            )
    rows = corpus.rows(movies)
    left_out = {}
    visual = np.asarray(features)
    if "visual" in modalities:
        count = len(corpus)
        if visual.ndim not in (2, 4) or len(visual) != count:
            raise ValueError(
                "`features` needs one row per segment of the corpus, "
                f"[{count}, F], or [{count}, frames, channels, bins] for the "
                f"Baseline. Received shape: {list(visual.shape)}"
            )
        axes = tuple(range(1, visual.ndim))
        gaps = np.isnan(visual[rows]).any(axis=axes)
        left_out[NO_FEATURE] = int(gaps.sum())
        rows = rows[~gaps]
    labels = corpus.labels[:, [corpus.column(viewer) for viewer in viewers]]
    if labelled_only:
        gaps = np.isnan(labels[rows]).all(axis=1)
        left_out[NO_LABEL] = int(gaps.sum())
        rows = rows[~gaps]
    inputs = {}
    if tokenizer is not None and "text" in modalities:
        texts = corpus.segments["text"].iloc[rows]
        inputs["tokens"] = models.tokenize(tokenizer, texts)
    if "visual" in modalities:
        inputs["visual"] = visual[rows].astype("float32")
    return Segments(rows, inputs, labels[rows], left_out)


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Returns the weights that let both classes count the same (Sect. III-A).

    With N labels of a viewer, of which N- are negative and N+ positive, a
    negative weighs N / (2·N-) and a positive N / (2·N+), 1 in the mean. A
    viewer without both classes has nothing to balance: both weights are 1.

    Args:
        labels: float [N, V], observed training labels: 1.0 positive, 0.0
            negative, NaN missing.

    Returns:
        float32 [V, 2], finite: weight of a negative, weight of a positive.
    """
    labels = np.asarray(labels)
    counts = np.stack([np.sum(labels == x, axis=0) for x in (0, 1)], axis=1)
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
        tokenizer: Of `fit_tokenizer`; may be None without "text".
        viewers: Columns of the labels. Defaults to all of the corpus.
        modalities: "text", "visual" or both, the default.
        batch_size: Segments per batch, at most. Defaults to 32.
        shuffle: Whether each epoch has an order of its own, instead of that
            of the corpus. Defaults to False.
        seed: Decides the orders. Defaults to 0.
        labelled_only: Whether segments that none of the viewers has rated
            are left out. Defaults to True.

    Returns:
        Dataset of (inputs, labels) as in `Segments`. Give `fit` shuffle=False
        with it, or Keras warns that it does not shuffle datasets.

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
            names = ", ".join(movies)
            logger.warning(f"{count} segments of {names} left out: {reason}")
    if not len(segments):
        raise ValueError(
            f"`movies` must have a segment that can be used. Received: "
            f"{tuple(movies)}, left out: {dict(segments.left_out)}"
        )
    dataset = tf.data.Dataset.from_tensor_slices(
        (dict(segments.inputs), segments.labels)
    )
    if shuffle:
        dataset = dataset.shuffle(len(segments), seed=seed)
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def fixed_batches(
    segments: Segments,
    class_weights: np.ndarray,
    batch_size: int,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Returns batches of (inputs, labels, class weights of the labels).

    All are of one size, for which a step is traced: the last is filled up with
    segments without a label, which nothing counts. The order of each pass
    depends on `seed` alone (that of `Dataset.shuffle` on the process's global
    seed too); None is the order of the corpus.
    """
    count = len(segments)
    steps = -(-count // batch_size)
    random = np.random.default_rng(seed)

    def order() -> np.ndarray:
        filled = np.full(steps * batch_size, count, "int32")
        filled[:count] = (
            np.arange(count) if seed is None else random.permutation(count)
        )
        return filled.reshape(steps, batch_size)

    labels = _one_more(segments.labels, np.nan)
    negative, positive = class_weights.T
    weights = np.where(labels == 1.0, positive, negative)
    arrays = {name: _one_more(x, 0) for name, x in segments.inputs.items()}
    tensors = tf.nest.map_structure(
        tf.constant, (arrays, labels, weights.astype("float32"))
    )
    # Once per pass.
    orders = tf.data.Dataset.range(1).map(
        lambda _: tf.ensure_shape(
            tf.numpy_function(order, [], tf.int32), (steps, batch_size)
        )
    )
    dataset = orders.unbatch().map(
        lambda rows: tf.nest.map_structure(
            lambda x: tf.gather(x, rows), tensors
        )
    )
    # When an iterator is deleted, as after each epoch, TensorFlow waits for
    # the tuning thread: up to a second.
    options = tf.data.Options()
    options.autotune.enabled = False
    counted = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return counted.with_options(options)


def _one_more(array: np.ndarray, value: float) -> np.ndarray:
    """Returns an array with a row of one value at its end."""
    row = np.full((1, *array.shape[1:]), value, array.dtype)
    return np.concatenate([array, row])
