"""The expert's traces of what a film intends to evoke."""

from __future__ import annotations

import numpy as np

from emotion_mt.corpus.simulation import hand, signals, streams
from emotion_mt.corpus.simulation.config import FilmProfile
from emotion_mt.corpus.simulation.traces import (
    AROUSAL_OFFSET,
    REST,
    as_written,
)
from emotion_mt.corpus.simulation.viewers import NOISE_WIDTH_S, Feelings

#: How often the expert rated each film.
PASSES = 3

# The expert sees what the film shows everyone, nearly without noise, and
# uses more of the range than the viewers (0.35 in the real traces).
_NOISE_SHARE = 0.1
_RANGE = 0.35
_REACTION_S = 0.4
# The real expert's traces are positive in 49 % of the segments.
_OFFSET = np.array([0.0, AROUSAL_OFFSET])


def make_intended(
    film: FilmProfile, feelings: Feelings, seed: int
) -> np.ndarray:
    """Lets the expert rate a film.

    Args:
        film: The film.
        feelings: What is felt; the expert follows the shared response.
        seed: Seed of the corpus.

    Returns:
        float64 [T, PASSES, 2], what stands in the `.dat` files.
    """
    samples = len(feelings.shared)
    passes = []
    for number in range(1, PASSES + 1):
        rng = streams.stream(seed, "intended", film.movie, number)
        noise = np.stack(
            [
                signals.smooth_noise(samples, NOISE_WIDTH_S, rng)
                for _ in range(feelings.shared.shape[1])
            ],
            axis=-1,
        )
        felt = np.sqrt(1 - _NOISE_SHARE) * feelings.shared + _OFFSET
        felt += np.sqrt(_NOISE_SHARE) * noise
        low, high = np.transpose(REST)
        rest = rng.uniform(low, high) / _RANGE
        passes.append(
            hand.move_marker(signals.delayed(felt, _REACTION_S), rest)
        )
    return as_written(_RANGE * np.stack(passes, axis=1))
