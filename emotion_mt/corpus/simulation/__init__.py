"""Simulated films, viewers and ratings whose truth is known.

The model, from what is hidden to what is written:

1. A film is a sequence of scenes and shots (`timeline`). Each shot has a
   value for each of eleven content cues, such as light, warmth, unrest,
   crowd and rise, and the tone of what is said (`content`). Within a film
   the cues are nearly uncorrelated with unit variance; the film's mean is in
   its profile (`config`).
2. The shared valence and the shared arousal are fixed weighted sums of the
   cues. Each viewer has an own response too: a weighted sum of the same
   cues with weights orthogonal to the shared ones and to those of the other
   viewers (`viewers`).
3. What viewer v feels at a moment, within a film of unit variance, is

       sharing(v) * shared + sqrt(own share) * own(v) + sqrt(noise) * noise

   where sharing(v)^2 + own share + noise = 1. The content acts with a lag of
   a second. Noise is a slow Gaussian process; the part 1 - repeat
   correlation of it is drawn anew for each pass of a viewer.
4. A hand moves a marker after the feeling: late, only when the difference
   is noticed, with smooth starts and stops (`hand`). The marker is at
   range(v) * (feeling + offset(v)). The offsets are found by bisection such
   that each viewer's share of positive segments is Table II's, and then the
   ranges such that the average viewer's is (`traces`).
5. Subtitles are sentences of a small grammar; their sentiment follows the
   shared valence weakly (`language`). Pictures follow the ten visible cues
   through the film's own style (`pictures`).
6. The ceiling is the accuracy of someone who knows response and offset of
   each viewer at each moment, but neither noise nor hand (`ceiling`).

Each random choice has its own stream of numbers (`streams`). Only the
offsets and ranges of step 4 depend on all films and viewers at once.
"""

from emotion_mt.corpus.simulation.ceiling import ceiling_accuracies
from emotion_mt.corpus.simulation.config import (
    SIMULATION_VERSION,
    FilmProfile,
    SimulationConfig,
    ViewerProfile,
)
from emotion_mt.corpus.simulation.simulate import simulate_corpus
from emotion_mt.corpus.simulation.state import (
    SimulatedFilm,
    SimulatedState,
    simulate_state,
)

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
