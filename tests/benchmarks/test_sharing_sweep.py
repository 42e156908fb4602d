"""What a point of the sweeps is fitted on."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.corpus import Corpus, labels_from_values
from emotion_mt.simulation import SimulationConfig, simulate_state
from emotion_mt.training import TrainingConfig

SEGMENTS = 4


@pytest.fixture(scope="module")
def films():
    return simulate_state(0, SEGMENTS, SimulationConfig())


# The films stay, the viewers change


def test_sharing_changes_traces_as_a_new_corpus_would(sweep, films):
    config = sweep.with_shared_share(SimulationConfig(), 0.5)
    found = sweep.with_viewers(films, 0, config)
    whole = simulate_state(0, SEGMENTS, config)
    for film, expected, default in zip(
        found.films, whole.films, films.films, strict=True
    ):
        np.testing.assert_array_equal(film.traces, expected.traces)
        # What the videos and subtitles are made from does not depend on it.
        np.testing.assert_array_equal(expected.content, default.content)
        assert expected.texts == default.texts
        assert (film.traces != default.traces).any()


def test_another_seed_changes_the_viewers_only(sweep, films):
    config = SimulationConfig()
    found = sweep.with_viewers(films, 1, config)
    for film, default in zip(found.films, films.films, strict=True):
        assert film.content is default.content
        assert (film.traces != default.traces).any()


def test_rated_averages_as_the_state_does(sweep, films):
    values, ceiling = sweep.rated(0, SEGMENTS, None, 0)
    expected = np.concatenate([f.means("valence").T for f in films.films])
    np.testing.assert_array_equal(values, expected)
    assert set(ceiling) == set(paper.MOVIES)


# Missing ratings


def test_missing_ratings_are_missing_and_the_average_is_of_the_rest(sweep):
    values = np.random.default_rng(1).uniform(-1, 1, (2000, 4))
    found = sweep.remove_ratings(values, 0.4, seed=3)
    gone = np.isnan(found[:, :-1])
    assert gone.mean(axis=0) == pytest.approx([0.4] * 3, abs=0.04)
    np.testing.assert_array_equal(found[:, :-1][~gone], values[:, :-1][~gone])
    nobody = gone.all(axis=1)
    assert nobody.any()
    assert np.isnan(found[nobody, -1]).all()
    expected = np.nanmean(found[~nobody, :-1], axis=1)
    np.testing.assert_allclose(found[~nobody, -1], expected, atol=1e-9)


def test_more_missing_ratings_include_the_fewer(sweep):
    values = np.random.default_rng(1).uniform(-1, 1, (200, 4))
    some = np.isnan(sweep.remove_ratings(values, 0.2, seed=0))
    more = np.isnan(sweep.remove_ratings(values, 0.6, seed=0))
    assert (more[:, :-1] >= some[:, :-1]).all()
    other = np.isnan(sweep.remove_ratings(values, 0.2, seed=1))
    assert (other != some).any()


# Fewer segments


@pytest.mark.parametrize(("share", "size"), [(0.01, 1), (0.5, 5), (1.0, 10)])
def test_stretches_of_training_films_only(sweep, small_corpus, share, size):
    split = paper.Split("F", ("A", "C"), ("B",), ("D",))
    rows = sweep.kept_rows(small_corpus, split, share, seed=0)
    assert (np.diff(rows) > 0).all()
    movies = small_corpus.segments["movie"].to_numpy()[rows]
    assert {m: (movies == m).sum() for m in "ABCD"} == {
        "A": size,
        "B": 10,
        "C": size,
        "D": 10,
    }
    for movie in "AC":
        kept = rows[movies == movie]
        np.testing.assert_array_equal(np.diff(kept), np.ones(size - 1))


# Tasks and their keys


@pytest.fixture
def material(sweep, small_corpus):
    config = TrainingConfig(modalities=("visual",), batch_size=4)
    features = np.zeros((40, 1024), np.float32)
    return sweep.Material(small_corpus, features, 0, 10, config)


def test_points_that_are_in_all_sweeps_are_fitted_once(sweep, material):
    settings = [s for points in sweep.SWEEPS.values() for s in points]
    tasks = sweep.list_tasks(material, (0, 1), settings)
    # Four films, hence four folds; the default is in each of three sweeps.
    assert len(tasks) == 2 * 4 * (len(settings) - 2)
    assert [task.seed for task in tasks.values()] == sorted(
        task.seed for task in tasks.values()
    )


def test_keys_depend_on_what_decides_the_results(sweep, material):
    def key(material):
        return set(sweep.list_tasks(material, (0,), [sweep.Setting()]))

    config = dataclasses.replace(material.config, patience=3)
    others = [
        dataclasses.replace(material, config=config),
        dataclasses.replace(material, features=material.features + 1),
        dataclasses.replace(material, film_seed=1),
    ]
    assert key(material) == key(dataclasses.replace(material))
    assert not any(key(material) & key(other) for other in others)


# One task


def test_a_task_hides_ratings_from_the_models_but_not_from_the_score(
    sweep, monkeypatch
):
    values, _ = sweep.rated(0, SEGMENTS, None, 0)
    counts = [f.timeline.rated for f in _films(sweep)]
    movies = np.repeat(paper.MOVIES, counts)
    corpus = Corpus(
        name="simulated",
        segments=pd.DataFrame(
            {
                "segment_id": [str(i) for i in range(len(movies))],
                "movie": movies,
                "start_s": np.arange(len(movies), dtype=float),
                "end_s": np.arange(len(movies)) + 0.5,
                "text": "",
                "video": None,
            }
        ),
        viewers=paper.ALL_VIEWERS,
        values=values.astype(np.float32),
    )
    seen = []

    def fake_fit(corpus, features, truth, split, config, seed):
        seen.append((corpus, features, truth))
        return {}

    monkeypatch.setattr(sweep, "fit_both", fake_fit)
    features = np.arange(len(movies), dtype=np.float32)[:, None]
    material = sweep.Material(corpus, features, 0, SEGMENTS, TrainingConfig())
    setting = sweep.Setting(training=0.5, missing=0.4)
    result = sweep.run_task(material, sweep.Task(setting, 0, 0))
    ((found, given, truth),) = seen
    assert result["film"] == paper.FOLDS[0].test[0]
    assert result["training_segments"] == len(found.rows(paper.FOLDS[0].train))
    assert len(found) < len(corpus)
    assert np.isnan(found.labels).any()
    rows = given[:, 0].astype(int)
    np.testing.assert_array_equal(truth, labels_from_values(values[rows]))
    np.testing.assert_array_equal(found.segments["movie"], movies[rows])


def _films(sweep):
    return sweep._films(0, SEGMENTS).films
