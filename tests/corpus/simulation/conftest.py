"""Simulated corpora of several sizes, made once."""

import dataclasses

import pytest

from emotion_mt.corpus.simulation import (
    SimulationConfig,
    simulate_corpus,
    simulate_state,
)

TINY = SimulationConfig(width_px=112, height_px=64)


def small_config(movies=("BMI", "DEP"), **changes):
    """Few films of few pixels."""
    config = SimulationConfig(width_px=64, height_px=32, **changes)
    films = tuple(film for film in config.films if film.movie in movies)
    return dataclasses.replace(config, films=films)


@pytest.fixture(scope="session")
def state():
    """The default corpus, without its pictures."""
    return simulate_state(0, 60, SimulationConfig())


@pytest.fixture(scope="session")
def tiny_state():
    """Seven films of four segments on average."""
    return simulate_state(3, 4, TINY)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """The files of `tiny_state`."""
    folder = tmp_path_factory.mktemp("simulation") / "tiny"
    return simulate_corpus(folder, 3, 4, TINY, progress=False)


@pytest.fixture
def small():
    """Makes configurations of few films of few pixels."""
    return small_config
