"""Subtitles to word numbers (Sect. III-C)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt import paper

#: Words 0 and 1: padding, and any word that is not in the vocabulary.
RESERVED_TOKENS = 2


@keras.saving.register_keras_serializable("emotion_mt")
def standardize_text(texts: Any) -> Any:
    """Lower-cases texts and strips punctuation.

    Letters, digits and their accents are kept, and a straight or curly
    apostrophe between them, as a straight one: "don't" is one word, "'tis" is
    "tis". All else becomes a space; words are separated by one.
    """
    # Here, not above: the models themselves run on any backend of Keras.
    import tensorflow as tf

    texts = tf.strings.lower(texts, encoding="utf-8")
    for pattern, replacement in (
        ("[\u2018\u2019\u02bc\uff07]", "'"),
        (r"[^\p{L}\p{M}\p{N}']+", " "),
        ("(^| )'+", " "),
        ("'+( |$)", " "),
        ("''+", " "),
        (" +", " "),
    ):
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.strip(texts)


def make_tokenizer(
    vocabulary: Sequence[str],
    words: int = paper.WORDS_PER_SEGMENT,
    name: str = "tokenizer",
) -> keras.layers.TextVectorization:
    """Builds the layer that turns texts into word numbers.

    Args:
        vocabulary: Words as `standardize_text` writes them, without the
            reserved ones; distinct. Word i gets the number i + 2.
        words: Words kept of a text; shorter ones end in 0, as in the paper.
        name: Name of the layer.

    Returns:
        Layer from string [B] to int64 [B, words].

    Raises:
        ValueError: If a word occurs twice or is empty.
    """
    vocabulary = list(vocabulary)
    twice = [word for word, n in Counter(vocabulary).items() if n > 1]
    if twice or "" in vocabulary:
        raise ValueError(
            "`vocabulary` must hold distinct words, none of them empty. "
            f"Received more than once: {twice[:5]}; empty: "
            f"{vocabulary.count('')}"
        )
    return keras.layers.TextVectorization(
        standardize=standardize_text,
        split="whitespace",
        output_mode="int",
        output_sequence_length=words,
        # Keras refuses an empty vocabulary; no word is a space.
        vocabulary=vocabulary or [" "],
        name=name,
    )


def fit_tokenizer(
    texts: Iterable[str],
    max_tokens: int,
    words: int = paper.WORDS_PER_SEGMENT,
) -> keras.layers.TextVectorization:
    """Builds a tokenizer with the most frequent words of some texts.

    Args:
        texts: Texts of the training movies, and of no other movie.
        max_tokens: Words at most, the two reserved numbers included.
        words: Words kept of a text; only these are counted.

    Returns:
        Layer as of `make_tokenizer`, words by count, then code points.

    Raises:
        ValueError: If there is no room for a word.
    """
    room = max_tokens - RESERVED_TOKENS
    if room < 1:
        raise ValueError(
            f"`max_tokens` must be more than {RESERVED_TOKENS}, the reserved "
            f"numbers. Received: {max_tokens}"
        )
    counts: Counter[str] = Counter()
    for text in np.asarray(standardize_text(_strings(texts))):
        counts.update(text.decode("utf-8").split()[:words])
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return make_tokenizer(ranked[:room], words=words)


def tokenize(
    tokenizer: keras.layers.TextVectorization, texts: Iterable[str]
) -> np.ndarray:
    """Returns the word numbers of N texts, int32 [N, words].

    Args:
        tokenizer: Of `make_tokenizer`.
        texts: The texts.
    """
    strings = _strings(texts)
    if not len(strings):
        words = tokenizer.get_config()["output_sequence_length"]
        return np.zeros((0, words), "int32")
    return np.asarray(tokenizer(strings), dtype="int32")


def _strings(texts: Iterable[str]) -> np.ndarray:
    return np.array([str(text) for text in texts], dtype=object)
