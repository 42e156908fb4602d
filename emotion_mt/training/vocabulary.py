"""What is learned from training labels and texts before the weights are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import models, paper


def fit_tokenizer(
    texts: Iterable[str],
    max_tokens: int,
    words: int = paper.WORDS_PER_SEGMENT,
) -> keras.layers.TextVectorization:
    """Builds a tokenizer with the most frequent words of some texts.

    Only the words that the model would see are counted, the first `words` of
    a text. Words that are equally frequent are taken in the order of their
    code points, so that the vocabulary does not depend on the order of texts.

    Args:
        texts: Texts of the training films, and of no other film.
        max_tokens: Size of the vocabulary at most, the two reserved numbers
            (padding, unknown word) included.
        words: Words kept of a text.

    Returns:
        Layer from string [B] to int64 [B, words].

    Raises:
        ValueError: If there is no room for a word.
    """
    room = max_tokens - models.RESERVED_TOKENS
    if room < 1:
        raise ValueError(
            f"`max_tokens` must be more than {models.RESERVED_TOKENS}, the "
            f"reserved numbers. Received: {max_tokens}"
        )
    texts = [str(text) for text in texts]
    counts: Counter[str] = Counter()
    if texts:
        for text in models.standardize_text(tf.constant(texts)).numpy():
            counts.update(text.decode("utf-8").split()[:words])
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return models.make_tokenizer(ranked[:room], words=words)


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


def feature_statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and variance of each feature.

    Args:
        features: float [N, F] of the training films; rows with NaN do not
            count. Of histograms [N, frames, channels, bins], each frame
            counts as a row and F is channels × bins.

    Returns:
        mean: float32 [F].
        variance: float32 [F]. Without a single row, mean 0 and variance 1.
    """
    if features.ndim == 4:
        features = features.reshape(-1, features.shape[2] * features.shape[3])
    known = features[~np.isnan(features).any(axis=1)].astype("float64")
    if not len(known):
        width = features.shape[1]
        return np.zeros(width, "float32"), np.ones(width, "float32")
    mean, variance = known.mean(axis=0), known.var(axis=0)
    return mean.astype("float32"), variance.astype("float32")
