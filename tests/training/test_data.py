import logging

import numpy as np
import pytest

from emotion_mt import models, training
from emotion_mt.training import data

NAN = np.nan


@pytest.fixture
def tokenizer(small_corpus):
    return models.fit_tokenizer(small_corpus.segments["text"], 100)


@pytest.fixture
def make(small_corpus, features, tokenizer):
    """Calls `make_dataset` on the small corpus; keywords replace arguments."""

    def call(movies=("A",), **options):
        options = {"features": features, "tokenizer": tokenizer, **options}
        return training.make_dataset(small_corpus, movies=movies, **options)

    return call


def collect(dataset):
    """All batches as (inputs, labels) in one, and the sizes of batches."""
    batches = list(dataset.as_numpy_iterator())
    inputs = {
        name: np.concatenate([x[name] for x, _ in batches])
        for name in batches[0][0]
    }
    labels = np.concatenate([y for _, y in batches])
    return inputs, labels, [len(y) for _, y in batches]


class TestMakeDataset:
    def test_holds_what_the_corpus_holds(
        self, make, small_corpus, features, tokenizer
    ):
        inputs, labels, sizes = collect(
            make(("C", "A"), viewers=("Vavg", "V1"), batch_size=8)
        )
        rows = [*range(0, 10), *range(20, 30)]
        assert sizes == [8, 8, 4]
        texts = small_corpus.segments["text"][rows]
        np.testing.assert_array_equal(inputs["visual"], features[rows])
        np.testing.assert_array_equal(
            inputs["tokens"], models.tokenize(tokenizer, texts)
        )
        np.testing.assert_array_equal(
            labels, small_corpus.labels[rows][:, [2, 0]]
        )
        assert inputs["tokens"].dtype == "int32"
        assert inputs["visual"].dtype == labels.dtype == "float32"

    def test_segments_that_nobody_rated_are_left_out_and_logged(
        self, make, small_corpus, features, caplog
    ):
        rated = ~np.isnan(small_corpus.labels[:10, 1])
        assert 0 < rated.sum() < 10
        with caplog.at_level(logging.WARNING):
            dataset = make(("A", "D"), viewers=("V2",))
        inputs, _, _ = collect(dataset)
        np.testing.assert_array_equal(inputs["visual"], features[:10][rated])
        count = 20 - rated.sum()
        assert f"{count} segments of A, D left out: no label" in caplog.text
        dataset = make(("A", "D"), viewers=("V2",), labelled_only=False)
        assert len(collect(dataset)[1]) == 20

    def test_segments_without_video_are_left_out_and_logged(
        self, make, small_corpus, features, tokenizer, caplog
    ):
        features[[2, 5]] = NAN
        features[7, 3] = NAN
        segments = data.select_segments(
            small_corpus, features, ("A",), tokenizer=tokenizer
        )
        assert segments.rows.tolist() == [0, 1, 3, 4, 6, 8, 9]
        assert segments.left_out == {"no visual feature": 3, "no label": 0}
        with caplog.at_level(logging.WARNING):
            make()
        assert "3 segments of A left out: no visual feature" in caplog.text

    def test_one_modality_needs_nothing_of_the_other(self, make):
        inputs, labels, _ = collect(make(features=None, modalities=("text",)))
        assert (set(inputs), len(labels)) == ({"tokens"}, 10)
        inputs, _, _ = collect(make(tokenizer=None, modalities=("visual",)))
        assert set(inputs) == {"visual"}

    def test_shuffled_anew_each_epoch_and_the_same_each_time(
        self, make, features
    ):
        def epochs(seed):
            dataset = make(("A", "B"), shuffle=True, seed=seed)
            return [collect(dataset)[0]["visual"][:, 0] for _ in range(2)]

        first, second = epochs(seed=1)
        plain = features[:20, 0]
        for order in (first, second):
            np.testing.assert_array_equal(np.sort(order), np.sort(plain))
            assert not np.array_equal(order, plain)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(epochs(seed=1), [first, second])
        assert not np.array_equal(epochs(seed=2)[0], first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"movies": ("A", "X")}, r"`movies` must.*\['X'\]"),
        ({"viewers": ("V9",)}, r"`viewer` must be.*'V9'"),
        ({"features": None}, "`features` must be given"),
        ({"features": np.zeros((39, 8))}, r"\[40, F\].*\[39, 8\]"),
        ({"features": np.zeros(40)}, r"Received shape: \[40\]"),
        ({"tokenizer": None}, "`tokenizer` must be given"),
        (
            {"features": np.full((40, 8), NAN)},
            r"\('A',\), left out: {'no visual feature': 10",
        ),
    ],
)
def test_bad_arguments(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


class TestClassWeights:
    def test_classes_weigh_the_same_and_one_in_the_mean(self):
        labels = np.array([[1, 0], [1, NAN], [0, 1], [1, 0], [NAN, 1]])
        expected = [[4 / 2, 4 / 6], [4 / 4, 4 / 4]]
        np.testing.assert_allclose(
            training.class_weights(labels), expected, rtol=1e-6
        )

    def test_one_class_or_none(self):
        labels = np.array([[1, 0, NAN, 1], [1, 0, NAN, 0]], "float32")
        for some in (labels, labels[:0]):
            weights = training.class_weights(some)
            np.testing.assert_array_equal(weights, np.ones((4, 2)))
            assert weights.dtype == "float32"
