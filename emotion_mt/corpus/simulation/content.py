"""The hidden state: what a film shows and says, and what that means.

Every shot has a value for each of the content cues `CUES`: ten that can be
seen and one, the tone of what is said, that can only be read. Within a film
each cue has mean and unit variance over time as described in `make_content`.
The shared valence and arousal are fixed weighted sums of the cues; a viewer's
own response (see `viewers`) is another weighted sum of the same cues.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emotion_mt.corpus.simulation import streams
from emotion_mt.corpus.simulation.config import FilmProfile, SimulationConfig
from emotion_mt.corpus.simulation.timeline import Timeline

#: The content cues. The last one cannot be seen.
CUES = (
    "light",
    "warmth",
    "colour",
    "pace",
    "unrest",
    "crowd",
    "closeness",
    "roundness",
    "rise",
    "detail",
    "tone",
)

#: The cues that shape the picture.
VISUAL_CUES = CUES[:-1]

#: What all viewers respond to, before scaling to unit length.
SHARED_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "valence": {
        "light": 0.50,
        "warmth": 0.40,
        "colour": 0.40,
        "unrest": -0.45,
        "crowd": 0.10,
        "roundness": 0.20,
        "rise": 0.25,
        "detail": -0.15,
        "tone": 0.50,
    },
    "arousal": {
        "light": -0.10,
        "pace": 0.65,
        "unrest": 0.45,
        "crowd": 0.30,
        "closeness": 0.35,
        "detail": 0.25,
        "tone": -0.10,
    },
}

# Share of the variance within a film that shots of a scene have in common.
_SCENE_SHARE = 0.8


def shared_weights(dimension: str) -> np.ndarray:
    """Returns float64 [K] of unit length, the weights of the cues."""
    weights = np.array([SHARED_WEIGHTS[dimension].get(cue, 0) for cue in CUES])
    return weights / np.linalg.norm(weights)


def make_content(
    film: FilmProfile, timeline: Timeline, seed: int, config: SimulationConfig
) -> np.ndarray:
    """Draws the content of each shot of a film.

    Over the time of the film the cues are nearly uncorrelated with nearly
    unit variance, and the mean shared valence and arousal are the film's.
    So the statistics of a film are those of its profile, not the luck of
    the few scenes it has room for.

    Args:
        film: The film.
        timeline: Its shots.
        seed: Seed of the corpus.
        config: `film_taste`, the spread of the film's mean in the directions
            that leave shared valence and arousal as they are.

    Returns:
        float64 [S, K], one row per shot, in standard deviations of a cue
        within a film.
    """
    rng = streams.stream(seed, "content", film.movie)
    scenes = rng.standard_normal((timeline.shot_scene[-1] + 1, len(CUES)))
    shots = rng.standard_normal((len(timeline.shot_start), len(CUES)))
    within = (
        np.sqrt(_SCENE_SHARE) * scenes[timeline.shot_scene]
        + np.sqrt(1.0 - _SCENE_SHARE) * shots
    )
    frames = timeline.shot_end - timeline.shot_start
    within = _standardized(within, frames / frames.sum())
    return within + _film_mean(film, seed, config)


def _standardized(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Removes means and correlations of values [S, K], weighted by [S].

    The fewer rows, the more the covariance is drawn towards the identity,
    so that a film with fewer shots than cues works too.
    """
    centred = values - weights @ values
    covariance = (centred * weights[:, None]).T @ centred
    rows, cues = values.shape
    trust = rows / (rows + cues)
    covariance = trust * covariance + (1.0 - trust) * np.eye(cues)
    spread, directions = np.linalg.eigh(covariance)
    return centred @ (directions / np.sqrt(spread)) @ directions.T


def _film_mean(
    film: FilmProfile, seed: int, config: SimulationConfig
) -> np.ndarray:
    """Returns float64 [K] with the film's mean valence and arousal."""
    shared = np.stack([shared_weights("valence"), shared_weights("arousal")])
    targets = np.array([film.valence, film.arousal])
    rng = streams.stream(seed, "film", film.movie)
    taste = config.film_taste * rng.standard_normal(len(CUES))
    inverse = np.linalg.pinv(shared)
    return inverse @ targets + taste - inverse @ (shared @ taste)
