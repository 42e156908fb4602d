from collections import Counter

import numpy as np
import pytest

from emotion_mt import models, training

NAN = np.nan
TEXTS = ("The ring, the RING!", "don’t the", "", "a ring")


def words(tokenizer):
    return tokenizer.get_vocabulary(include_special_tokens=False)


class TestFitTokenizer:
    def test_frequent_words_first_then_by_name(self):
        tokenizer = training.fit_tokenizer(TEXTS, max_tokens=100)
        counts = Counter("the ring the ring don't the a ring".split())  # noqa: SIM905
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        assert words(tokenizer) == ranked == ["ring", "the", "a", "don't"]

    def test_order_of_texts_does_not_matter(self):
        forward = training.fit_tokenizer(TEXTS, max_tokens=5)
        backward = training.fit_tokenizer(TEXTS[::-1], max_tokens=5)
        assert words(forward) == words(backward) == ["ring", "the", "a"]

    def test_size_counts_the_reserved_numbers(self):
        tokenizer = training.fit_tokenizer(TEXTS, max_tokens=4)
        assert tokenizer.vocabulary_size() == 4
        np.testing.assert_array_equal(
            models.tokenize(tokenizer, ["a ring"])[0, :3], [1, 2, 0]
        )

    def test_words_that_no_model_sees_are_not_counted(self):
        text = " ".join(f"w{i:02}" for i in range(30))
        assert len(words(training.fit_tokenizer([text], 100))) == 18
        tokenizer = training.fit_tokenizer([text], 100, words=3)
        assert words(tokenizer) == ["w00", "w01", "w02"]
        assert models.tokenize(tokenizer, [text]).shape == (1, 3)

    @pytest.mark.parametrize("texts", [(), ("", "..."), ("♪",)])
    def test_nothing_to_learn(self, texts):
        tokenizer = training.fit_tokenizer(texts, 10)
        np.testing.assert_array_equal(
            models.tokenize(tokenizer, ["hello"])[0, :2], [1, 0]
        )

    def test_no_room(self):
        with pytest.raises(ValueError, match="`max_tokens` must be more than"):
            training.fit_tokenizer(TEXTS, 2)


class TestClassWeights:
    def test_formula(self):
        labels = np.array([[1, 0], [1, NAN], [0, 1], [1, 1], [NAN, 1]])
        np.testing.assert_allclose(
            training.class_weights(labels),
            [[4 / 2, 4 / 6], [4 / 2, 4 / 6]],
            rtol=1e-6,
        )

    def test_classes_weigh_the_same_and_one_in_the_mean(self):
        random = np.random.default_rng(0)
        labels = (random.random((200, 3)) < [0.1, 0.5, 0.9]).astype(float)
        labels[random.random(labels.shape) < 0.3] = NAN
        weights = training.class_weights(labels)
        for viewer in range(3):
            negative = np.sum(labels[:, viewer] == 0) * weights[viewer, 0]
            positive = np.sum(labels[:, viewer] == 1) * weights[viewer, 1]
            np.testing.assert_allclose(negative, positive, rtol=1e-5)
            count = np.sum(~np.isnan(labels[:, viewer]))
            np.testing.assert_allclose(negative + positive, count, rtol=1e-5)

    def test_one_class_or_none(self):
        labels = np.array([[1, 0, NAN, 1], [1, 0, NAN, 0]], "float32")
        weights = training.class_weights(labels)
        np.testing.assert_array_equal(weights, np.ones((4, 2)))
        assert weights.dtype == "float32"

    def test_no_segments(self):
        weights = training.class_weights(np.zeros((0, 2)))
        np.testing.assert_array_equal(weights, np.ones((2, 2)))


class TestFeatureStatistics:
    def test_rows_without_video_do_not_count(self):
        features = np.random.default_rng(0).random((9, 4)).astype("float32")
        features[2, 1] = features[5] = NAN
        known = np.delete(features, [2, 5], axis=0)
        mean, variance = training.feature_statistics(features)
        np.testing.assert_allclose(mean, known.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(variance, known.var(axis=0), rtol=1e-5)

    def test_constant_feature_has_no_variance(self):
        mean, variance = training.feature_statistics(
            np.full((1000, 1), 0.1, "float32")
        )
        np.testing.assert_array_equal(mean, np.float32([0.1]))
        assert variance[0] < models.standardization.MIN_VARIANCE

    def test_no_video_at_all(self):
        mean, variance = training.feature_statistics(np.full((3, 2), NAN))
        np.testing.assert_array_equal(mean, [0, 0])
        np.testing.assert_array_equal(variance, [1, 1])
