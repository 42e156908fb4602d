import re

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies

from emotion_mt import models
from emotion_mt.models.tokenizer import standardize_text

VOCABULARY = ("don't", "the", "ring", "ça", "1")
TEXTS = (
    "Don’t touch THE ring!",
    "- The 'ring'... it's Mine--mine",
    "",
    "  \n\t ",
    "'' ’ '",
    "''the''don't'",
    "rock 'n' roll, 'tis o'clock",
    "U.S.A. costs $1,000.50",
    "Ça va? ÉCOUTE ☺ naïve",
    "a_b the-ring",
    "привет, МИР",
    " ".join(f"w{i}" for i in range(30)),
)


def second_standardization(text):
    """The rules, word by word, without regular-expression replacement."""
    text = text.lower()
    for curly in "\u2018\u2019\u02bc\uff07":
        text = text.replace(curly, "'")
    words, word = [], ""
    for i, character in enumerate(text + " "):
        inside = (
            character == "'"
            and 0 < i < len(text) - 1
            and is_letter(text[i - 1])
            and is_letter(text[i + 1])
        )
        if is_letter(character) or inside:
            word += character
        elif word:
            words.append(word)
            word = ""
    return words


def is_letter(character):
    return bool(re.match(r"[^\W_]", character))


def second_tokenizer(text, vocabulary=VOCABULARY, length=18):
    words = second_standardization(text)[:length]
    numbers = [vocabulary.index(w) + 2 if w in vocabulary else 1 for w in words]
    return numbers + [0] * (length - len(numbers))


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(
    strategies.text(alphabet="abÉ1'’‘ -.,!?\n\t\"_<>/é…☺", max_size=40)
)
def test_standardization_of_anything(text):
    result = standardize_text(tf.constant(text)).numpy().decode()
    assert result.split() == second_standardization(text)


def test_tokens():
    tokenizer = models.make_tokenizer(VOCABULARY)
    tokens = models.tokenize(tokenizer, TEXTS)
    assert tokens.dtype == "int32"
    np.testing.assert_array_equal(tokens, [second_tokenizer(t) for t in TEXTS])
    assert tokenizer.vocabulary_size() == len(VOCABULARY) + 2
    # The first words are kept, and short texts padded at the end.
    tokenizer = models.make_tokenizer(("a", "b"), words=3)
    tokens = models.tokenize(tokenizer, ["a b a b", "b", ""])
    np.testing.assert_array_equal(tokens, [[2, 3, 2], [3, 0, 0], [0, 0, 0]])
    assert models.tokenize(tokenizer, []).shape == (0, 3)


def test_saved_and_reloaded(tmp_path):
    tokenizer = models.make_tokenizer(VOCABULARY, words=4, name="words")
    model = keras.Sequential([keras.Input((), dtype="string"), tokenizer])
    model.save(tmp_path / "tokenizer.keras")
    revived = keras.saving.load_model(tmp_path / "tokenizer.keras")
    texts = tf.constant(TEXTS)
    np.testing.assert_array_equal(revived(texts), model(texts))
    layer = revived.get_layer("words")
    assert layer.get_config()["output_sequence_length"] == 4
    assert layer.get_vocabulary()[2:] == list(VOCABULARY)


@pytest.mark.parametrize("vocabulary", [("a", "b", "a"), ("a", "")])
def test_words_must_be_distinct_and_not_empty(vocabulary):
    with pytest.raises(ValueError, match="`vocabulary` must hold distinct"):
        models.make_tokenizer(vocabulary)


def words(tokenizer):
    return tokenizer.get_vocabulary(include_special_tokens=False)


def test_fit_takes_frequent_words_first_then_by_name():
    texts = ("The ring, the RING!", "don’t the", "", "a ring")
    for some in (texts, texts[::-1]):
        tokenizer = models.fit_tokenizer(some, max_tokens=100)
        assert words(tokenizer) == ["ring", "the", "a", "don't"]
    # The size counts the reserved numbers.
    tokenizer = models.fit_tokenizer(texts, max_tokens=4)
    assert tokenizer.vocabulary_size() == 4
    tokens = models.tokenize(tokenizer, ["a ring"])[0, :3]
    np.testing.assert_array_equal(tokens, [1, 2, 0])
    with pytest.raises(ValueError, match="`max_tokens` must be more than"):
        models.fit_tokenizer(texts, 2)


def test_words_that_no_model_sees_are_not_counted():
    text = " ".join(f"w{i:02}" for i in range(30))
    assert len(words(models.fit_tokenizer([text], 100))) == 18
    tokenizer = models.fit_tokenizer([text], 100, words=3)
    assert words(tokenizer) == ["w00", "w01", "w02"]
    assert models.tokenize(tokenizer, [text]).shape == (1, 3)
    for nothing in ((), ("", "..."), ("♪",)):
        tokenizer = models.fit_tokenizer(nothing, 10)
        tokens = models.tokenize(tokenizer, ["hello"])[0, :2]
        np.testing.assert_array_equal(tokens, [1, 0])
