"""Simulated corpora of several sizes, made once."""

import dataclasses

import pytest

from emotion_mt.simulation import (
    SimulationConfig,
    simulate_corpus,
    simulate_state,
)

TINY = SimulationConfig(width_px=112, height_px=64)


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

    def make(*movies):
        films = [f for f in SimulationConfig().films if f.movie in movies]
        return dataclasses.replace(
            TINY, films=tuple(films), width_px=64, height_px=32
        )

    return make
