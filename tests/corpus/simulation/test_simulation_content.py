"""Content cues of shots."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus.simulation import SimulationConfig
from emotion_mt.corpus.simulation.config import FILMS
from emotion_mt.corpus.simulation.content import (
    CUES,
    SHARED_WEIGHTS,
    VISUAL_CUES,
    make_content,
    shared_weights,
)
from emotion_mt.corpus.simulation.timeline import make_timeline

CONFIG = SimulationConfig()


def film(index=0, cues=60, seed=0, config=CONFIG):
    profile = FILMS[index]
    line = make_timeline(profile, cues, seed, config)
    return profile, line, make_content(profile, line, seed, config)


def over_time(line, content):
    frames = line.shot_end - line.shot_start
    return frames / frames.sum(), content


@pytest.mark.parametrize("dimension", ["valence", "arousal"])
def test_shared_weights_have_unit_length_and_the_documented_order(dimension):
    weights = shared_weights(dimension)
    given = SHARED_WEIGHTS[dimension]
    assert set(given) <= set(CUES)
    expected = np.array([given.get(cue, 0.0) for cue in CUES])
    np.testing.assert_allclose(weights, expected / np.sqrt((expected**2).sum()))


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("cues", [3, 60])
def test_a_films_mean_is_in_its_profile(index, cues):
    profile, line, content = film(index, cues)
    share, content = over_time(line, content)
    mean = share @ content
    assert mean @ shared_weights("valence") == pytest.approx(profile.valence)
    assert mean @ shared_weights("arousal") == pytest.approx(profile.arousal)


def test_cues_are_nearly_uncorrelated_within_a_film():
    _, line, content = film(cues=120)
    share, content = over_time(line, content)
    centred = content - share @ content
    covariance = centred.T @ (centred * share[:, None])
    np.testing.assert_allclose(covariance, np.eye(len(CUES)), atol=0.25)


def test_very_short_films_have_finite_content():
    _, line, content = film(cues=1)
    assert content.shape == (len(line.shot_start), len(CUES))
    assert np.isfinite(content).all()


def test_shots_of_a_scene_are_alike():
    _, line, content = film(cues=200)
    neighbours = np.flatnonzero(np.diff(line.shot_scene) == 0)
    within = np.corrcoef(
        content[neighbours].ravel(), content[neighbours + 1].ravel()
    )[0, 1]
    changes = np.flatnonzero(np.diff(line.shot_scene) == 1)
    across = np.corrcoef(
        content[changes].ravel(), content[changes + 1].ravel()
    )[0, 1]
    assert within > 0.6
    assert across < 0.4


def test_film_taste_leaves_valence_and_arousal_alone():
    calm = dataclasses.replace(CONFIG, film_taste=0.0)
    wild = dataclasses.replace(CONFIG, film_taste=2.0)
    _, _, a = film(config=calm)
    _, _, b = film(config=wild)
    difference = b - a
    np.testing.assert_allclose(difference - difference[0], 0, atol=1e-9)
    assert np.linalg.norm(difference[0]) > 1
    for dimension in SHARED_WEIGHTS:
        assert difference[0] @ shared_weights(dimension) == pytest.approx(0)


def test_only_the_tone_cannot_be_seen():
    assert (*VISUAL_CUES, "tone") == CUES
