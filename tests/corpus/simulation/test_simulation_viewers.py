"""What the viewers feel."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus.simulation import SimulationConfig
from emotion_mt.corpus.simulation.config import FILMS, VIEWERS
from emotion_mt.corpus.simulation.content import make_content, shared_weights
from emotion_mt.corpus.simulation.timeline import make_timeline
from emotion_mt.corpus.simulation.viewers import make_feelings, tastes

CONFIG = SimulationConfig()


def feelings(config=CONFIG, cues=60, seed=0, film=FILMS[0]):
    line = make_timeline(film, cues, seed, config)
    content = make_content(film, line, seed, config)
    return make_feelings(film, line, content, seed, config)


@pytest.mark.parametrize("dimension", ["valence", "arousal"])
def test_tastes_are_orthonormal_and_differ_from_the_shared_response(dimension):
    weights = tastes(dimension, 4, CONFIG)
    np.testing.assert_allclose(weights @ weights.T, np.eye(7), atol=1e-12)
    np.testing.assert_allclose(
        weights @ shared_weights(dimension), 0, atol=1e-12
    )


def test_another_viewer_changes_nothing_for_the_first():
    few = dataclasses.replace(CONFIG, viewers=VIEWERS[:4])
    np.testing.assert_array_equal(
        tastes("valence", 4, few), tastes("valence", 4, CONFIG)[:4]
    )
    all_felt, few_felt = feelings(CONFIG), feelings(few)
    passes = len(few_felt.viewer_of_pass)
    assert passes == 7
    np.testing.assert_array_equal(few_felt.felt, all_felt.felt[:, :passes])


def test_passes_belong_to_their_viewers():
    found = feelings()
    expected = [0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6]
    np.testing.assert_array_equal(found.viewer_of_pass, expected)
    assert found.felt.shape == (len(found.shared), 12, 2)


def test_shares_are_shares_of_variance():
    found = feelings(cues=400)
    shared = found.shared[:, 0] - found.shared[:, 0].mean()
    for row, viewer in enumerate(VIEWERS):
        response = found.response[:, row, 0]
        response = response - response.mean()
        weight = (response @ shared) / (shared @ shared)
        assert weight == pytest.approx(viewer.sharing, abs=0.12)
        first_pass = np.flatnonzero(found.viewer_of_pass == row)[0]
        felt = found.felt[:, first_pass, 0]
        noise = felt - found.response[:, row, 0]
        share = noise.var() / felt.var()
        assert share == pytest.approx(CONFIG.marker_noise, abs=0.08)


def test_without_noise_both_passes_are_the_response():
    config = dataclasses.replace(
        CONFIG, marker_noise=0.0, repeat_correlation=1.0
    )
    found = feelings(config, cues=8)
    np.testing.assert_array_equal(
        found.felt, found.response[:, found.viewer_of_pass]
    )


def test_private_noise_is_the_same_in_both_passes():
    config = dataclasses.replace(CONFIG, repeat_correlation=1.0)
    found = feelings(config, cues=8)
    np.testing.assert_array_equal(found.felt[:, 0], found.felt[:, 1])
    assert np.abs(found.felt[:, 0] - found.response[:, 0]).max() > 0.1


def test_full_sharing_makes_all_viewers_feel_the_same():
    config = SimulationConfig(
        marker_noise=0.0, repeat_correlation=1.0
    ).with_shared_share(1.0)
    found = feelings(config, cues=8)
    np.testing.assert_allclose(
        found.response, np.repeat(found.shared[:, None], 7, axis=1)
    )
