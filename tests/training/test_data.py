import logging

import numpy as np
import pytest

from emotion_mt import models, training

NAN = np.nan


@pytest.fixture
def tokenizer(small_corpus):
    return training.fit_tokenizer(small_corpus.segments["text"], 100)


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
        self, small_corpus, features, tokenizer
    ):
        dataset = training.make_dataset(
            small_corpus,
            features,
            ("C", "A"),
            tokenizer=tokenizer,
            batch_size=8,
        )
        inputs, labels, sizes = collect(dataset)
        rows = [*range(0, 10), *range(20, 30)]
        assert sizes == [8, 8, 4]
        np.testing.assert_array_equal(inputs["visual"], features[rows])
        np.testing.assert_array_equal(
            inputs["tokens"],
            models.tokenize(tokenizer, small_corpus.segments["text"][rows]),
        )
        np.testing.assert_array_equal(labels, small_corpus.labels[rows])
        assert inputs["tokens"].dtype == "int32"
        assert inputs["visual"].dtype == labels.dtype == "float32"

    @pytest.mark.parametrize("shuffle", [False, True])
    def test_the_last_batch_can_be_filled_up(
        self, small_corpus, features, tokenizer, shuffle
    ):
        options = {"tokenizer": tokenizer, "batch_size": 8, "shuffle": shuffle}
        dataset = training.make_dataset(
            small_corpus, features, ("A",), fill_last_batch=True, **options
        )
        inputs, labels, sizes = collect(dataset)
        assert sizes == [8, 8]
        assert np.all(np.isnan(labels[10:]))
        assert not np.any(np.isnan(labels[:10]).all(axis=1))
        for name, x in inputs.items():
            assert np.all(x[10:] == 0), name
        np.testing.assert_array_equal(
            np.sort(inputs["visual"][:10, 0]), np.sort(features[:10, 0])
        )
        whole = training.make_dataset(
            small_corpus,
            features,
            ("A",),
            batch_size=5,
            tokenizer=tokenizer,
            fill_last_batch=True,
        )
        assert collect(whole)[2] == [5, 5]

    def test_fits_a_model(self, small_corpus, features, tokenizer):
        dataset = training.make_dataset(
            small_corpus, features, ("A",), tokenizer=tokenizer
        )
        model = models.EvokedEmotionModel(
            small_corpus.viewers,
            (4,),
            vocabulary_size=tokenizer.vocabulary_size(),
            visual_features=8,
        )
        inputs, _ = next(iter(dataset))
        assert model(inputs).shape == (10, 3)

    def test_viewers_are_columns_in_the_order_asked_for(
        self, small_corpus, features, tokenizer
    ):
        dataset = training.make_dataset(
            small_corpus,
            features,
            ("D",),
            tokenizer=tokenizer,
            viewers=("Vavg", "V1"),
        )
        _, labels, _ = collect(dataset)
        rows = small_corpus.rows(("D",))
        np.testing.assert_array_equal(
            labels, small_corpus.labels[rows][:, [2, 0]]
        )

    def test_segments_that_nobody_rated_are_left_out_and_logged(
        self, small_corpus, features, tokenizer, caplog
    ):
        options = {"tokenizer": tokenizer, "viewers": ("V2",)}
        arguments = (small_corpus, features, ("A", "D"))
        rated = ~np.isnan(small_corpus.labels[:10, 1])
        assert 0 < rated.sum() < 10
        with caplog.at_level(logging.WARNING):
            dataset = training.make_dataset(*arguments, **options)
        inputs, _, _ = collect(dataset)
        np.testing.assert_array_equal(inputs["visual"], features[:10][rated])
        count = 20 - rated.sum()
        assert f"{count} segments of A, D left out: no label" in caplog.text
        dataset = training.make_dataset(
            *arguments, **options, labelled_only=False
        )
        assert len(collect(dataset)[1]) == 20

    def test_segments_without_video_are_left_out_and_counted(
        self, small_corpus, features, tokenizer, caplog
    ):
        features[[2, 5]] = NAN
        features[7, 3] = NAN
        segments = training.select_segments(
            small_corpus, features, ("A",), tokenizer=tokenizer
        )
        assert segments.rows.tolist() == [0, 1, 3, 4, 6, 8, 9]
        assert segments.left_out == {"no visual feature": 3, "no label": 0}
        with caplog.at_level(logging.WARNING):
            training.make_dataset(
                small_corpus, features, ("A",), tokenizer=tokenizer
            )
        assert "3 segments of A left out: no visual feature" in caplog.text
        text = training.select_segments(
            small_corpus,
            features,
            ("A",),
            tokenizer=tokenizer,
            modalities=("text",),
        )
        assert len(text) == 10
        assert text.left_out == {"no label": 0}

    def test_one_modality_needs_nothing_of_the_other(
        self, small_corpus, features, tokenizer
    ):
        dataset = training.make_dataset(
            small_corpus,
            None,
            ("A",),
            tokenizer=tokenizer,
            modalities=("text",),
        )
        assert set(collect(dataset)[0]) == {"tokens"}
        dataset = training.make_dataset(
            small_corpus,
            features,
            ("A",),
            tokenizer=None,
            modalities=("visual",),
        )
        assert set(collect(dataset)[0]) == {"visual"}

    def test_shuffled_anew_each_epoch_and_the_same_each_time(
        self, small_corpus, features
    ):
        def epochs(seed):
            dataset = training.make_dataset(
                small_corpus,
                features,
                ("A", "B"),
                tokenizer=None,
                modalities=("visual",),
                shuffle=True,
                seed=seed,
            )
            return [collect(dataset)[0]["visual"] for _ in range(2)]

        first, second = epochs(seed=1)
        plain = features[:20]
        for order in (first, second):
            np.testing.assert_array_equal(
                np.sort(order[:, 0]), np.sort(plain[:, 0])
            )
            assert not np.array_equal(order, plain)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(epochs(seed=1), [first, second])
        assert not np.array_equal(epochs(seed=2)[0], first)


class TestErrors:
    def select(self, corpus, features, movies=("A",), **options):
        options = {"tokenizer": None, "modalities": ("visual",), **options}
        return training.select_segments(corpus, features, movies, **options)

    def test_film(self, small_corpus, features):
        with pytest.raises(ValueError, match=r"`movies` must.*\['X'\]"):
            self.select(small_corpus, features, ("A", "X"))

    def test_viewer(self, small_corpus, features):
        with pytest.raises(ValueError, match=r"`viewer` must be.*'V9'"):
            self.select(small_corpus, features, viewers=("V9",))

    def test_features(self, small_corpus, features):
        with pytest.raises(ValueError, match="`features` must be given"):
            self.select(small_corpus, None)
        with pytest.raises(ValueError, match=r"\[40, F\].*\[39, 8\]"):
            self.select(small_corpus, features[:39])
        with pytest.raises(ValueError, match=r"Received shape: \[40\]"):
            self.select(small_corpus, features[:, 0])

    def test_tokenizer(self, small_corpus):
        with pytest.raises(ValueError, match="`tokenizer` must be given"):
            self.select(small_corpus, None, modalities=("text",))

    def test_nothing_remains(self, small_corpus, features):
        features[:] = NAN
        message = r"\('A',\), left out: {'no visual feature': 10"
        with pytest.raises(ValueError, match=message):
            training.make_dataset(
                small_corpus,
                features,
                ("A",),
                tokenizer=None,
                modalities=("visual",),
            )
