"""The vocabulary of a fit, which the training movies decide."""

import numpy as np
import pytest

from emotion_mt import models

TEXTS = ("The ring, the RING!", "don’t the", "", "a ring")


def words(tokenizer):
    return tokenizer.get_vocabulary(include_special_tokens=False)


def test_frequent_words_first_then_by_name_whatever_the_order_of_texts():
    for texts in (TEXTS, TEXTS[::-1]):
        tokenizer = models.fit_tokenizer(texts, max_tokens=100)
        assert words(tokenizer) == ["ring", "the", "a", "don't"]


def test_size_counts_the_reserved_numbers():
    tokenizer = models.fit_tokenizer(TEXTS, max_tokens=4)
    assert tokenizer.vocabulary_size() == 4
    np.testing.assert_array_equal(
        models.tokenize(tokenizer, ["a ring"])[0, :3], [1, 2, 0]
    )
    with pytest.raises(ValueError, match="`max_tokens` must be more than"):
        models.fit_tokenizer(TEXTS, 2)


def test_words_that_no_model_sees_are_not_counted():
    text = " ".join(f"w{i:02}" for i in range(30))
    assert len(words(models.fit_tokenizer([text], 100))) == 18
    tokenizer = models.fit_tokenizer([text], 100, words=3)
    assert words(tokenizer) == ["w00", "w01", "w02"]
    assert models.tokenize(tokenizer, [text]).shape == (1, 3)


@pytest.mark.parametrize("texts", [(), ("", "..."), ("♪",)])
def test_nothing_to_learn(texts):
    tokenizer = models.fit_tokenizer(texts, 10)
    np.testing.assert_array_equal(
        models.tokenize(tokenizer, ["hello"])[0, :2], [1, 0]
    )
