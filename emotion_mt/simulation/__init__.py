"""Simulated films, viewers and ratings whose truth is known.

docs/simulation.md describes the model. From what is hidden to what is
written: films and viewers (`config`), cues, scenes and shots (`timeline`),
content and feelings (`hidden`), the marker (`traces`), subtitles (`words`,
`lexicon`), all of them together with the best possible scores (`state`),
frames (`pictures`), files (`writer`). Each random choice has its own stream of
numbers (`streams`); only the scales of the marker depend on all films and
viewers at once.
"""

from emotion_mt.simulation.config import (
    SIMULATION_VERSION,
    FilmProfile,
    SimulationConfig,
    ViewerProfile,
)
from emotion_mt.simulation.state import (
    SimulatedFilm,
    SimulatedState,
    ceiling_accuracies,
    simulate_state,
)
from emotion_mt.simulation.writer import simulate_corpus

__all__ = [
    "SIMULATION_VERSION",
    "FilmProfile",
    "SimulatedFilm",
    "SimulatedState",
    "SimulationConfig",
    "ViewerProfile",
    "ceiling_accuracies",
    "simulate_corpus",
    "simulate_state",
]
