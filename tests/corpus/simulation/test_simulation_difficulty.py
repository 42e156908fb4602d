"""Scores of simple models."""

import numpy as np
import pytest

from emotion_mt.corpus.simulation.report import difficulty
from emotion_mt.corpus.simulation.report.difficulty import Samples

MOVIES = np.repeat(["A", "B", "C"], 20)


def samples(features, labels):
    return Samples(
        np.asarray(features, dtype=float), np.asarray(labels, float), MOVIES
    )


def test_what_separates_is_found():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, size=(60, 2))
    features = labels + rng.normal(0, 0.1, size=(60, 2))
    given = samples(features, labels)
    assert difficulty.held_out_films(given).tolist() == [1, 1]
    assert difficulty.known_films(given).tolist() == [1, 1]


def test_what_only_tells_films_apart_helps_in_known_films_only():
    # The film decides the label, and the features say the film.
    labels = (MOVIES == "A").astype(float)[:, None]
    features = np.stack([film == MOVIES for film in "ABC"], axis=1)
    given = samples(features, labels)
    assert difficulty.known_films(given).tolist() == [1]
    # Unseen, A looks like none of the others, which are all negative.
    assert difficulty.held_out_films(given)[0] < 0.9


def test_one_class_in_training_is_answered_always():
    labels = (MOVIES == "A").astype(float)[:, None]
    labels[MOVIES == "A", 0] = np.tile([0.0, 1.0], 10)
    features = np.random.default_rng(0).normal(size=(60, 2))
    # Held-out A: all that is known is 0, which is right half of the time.
    right = difficulty._right(
        samples(features, labels), MOVIES != "A", MOVIES == "A"
    )
    assert right.mean() == pytest.approx(0.5)


def test_scores_are_means_over_films_not_over_segments():
    movies = np.array(["A"] * 30 + ["B"] * 10)
    labels = np.zeros((40, 1))
    right = np.concatenate([np.ones(30), np.zeros(10)])[:, None]
    given = Samples(np.zeros((40, 1)), labels, movies)
    assert difficulty._mean_over_films(given, right).tolist() == [0.5]


def test_samples_of_a_corpus_have_a_row_per_segment(tiny_state):
    for make in (
        difficulty.word_samples,
        difficulty.look_samples,
        difficulty.frame_samples,
    ):
        found = make(tiny_state)
        assert len(found.features) == len(found.movies) == 28
        assert found.labels.shape == (28, 8)
        assert np.isfinite(found.features).all()
        assert found.films == [f.profile.movie for f in tiny_state.films]


def test_frame_statistics_see_the_light(tiny_state):
    brightness = difficulty.frame_samples(tiny_state).features[:, 1]
    light = difficulty.look_samples(tiny_state).features[:, 0]
    assert np.corrcoef(brightness, light)[0, 1] > 0.6
