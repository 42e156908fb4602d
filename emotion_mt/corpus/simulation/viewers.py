"""What the viewers feel: shared response, own response, noise."""

from __future__ import annotations

import dataclasses

import numpy as np

from emotion_mt.corpus.simulation import (
    content as content_lib,
    signals,
    streams,
)
from emotion_mt.corpus.simulation.config import (
    FilmProfile,
    SimulationConfig,
    ViewerProfile,
)
from emotion_mt.corpus.simulation.timeline import Timeline
from emotion_mt.corpus.traces import DIMENSIONS

#: Smoothness of noise: about as slow as the feelings.
NOISE_WIDTH_S = 2.5

# A feeling follows what is seen with this lag.
_RESPONSE_LAG_S = 1.0


@dataclasses.dataclass(frozen=True, eq=False)
class Feelings:
    """What is felt during one film, in standard deviations.

    The last axis is `traces.DIMENSIONS` everywhere.

    Attributes:
        shared: float64 [T, 2], the shared response.
        response: float64 [T, V, 2], what each viewer would feel without
            noise: shared and own response. The ceiling knows this.
        felt: float64 [T, P, 2], what is felt in each pass; passes of a
            viewer are consecutive.
        viewer_of_pass: int64 [P], row of the viewer of each pass.
    """

    shared: np.ndarray
    response: np.ndarray
    felt: np.ndarray
    viewer_of_pass: np.ndarray


def tastes(dimension: str, seed: int, config: SimulationConfig) -> np.ndarray:
    """Draws what the viewers respond to each on their own.

    Args:
        dimension: One of `traces.DIMENSIONS`.
        seed: Seed of the corpus.
        config: The viewers.

    Returns:
        float64 [V, K]: a row of unit length per viewer, orthogonal to the
        shared weights and to the other viewers' rows. So viewers have in
        common what `ViewerProfile.sharing` says, and nothing by chance.
    """
    taken = [content_lib.shared_weights(dimension)]
    for viewer in config.viewers:
        rng = streams.stream(seed, "taste", dimension, viewer.name)
        weights = rng.standard_normal(len(content_lib.CUES))
        for other in taken:
            weights -= (weights @ other) * other
        taken.append(weights / np.linalg.norm(weights))
    return np.stack(taken[1:])


def make_feelings(
    film: FilmProfile,
    timeline: Timeline,
    content: np.ndarray,
    seed: int,
    config: SimulationConfig,
) -> Feelings:
    """Lets all viewers watch a film.

    Args:
        film: The film.
        timeline: Its shots and the number of trace samples.
        content: float64 [S, K], see `content.make_content`.
        seed: Seed of the corpus.
        config: Viewers and shares.

    Returns:
        The feelings at each trace sample.
    """
    shots = timeline.shot_of_frame[: timeline.trace_samples]
    present = signals.lagging(content[shots], _RESPONSE_LAG_S)
    # The lag takes some variance away; noise has to shrink with it.
    spread = float(np.sqrt(present.var(axis=0).mean()))
    shared, response = [], []
    for dimension in DIMENSIONS:
        common = present @ content_lib.shared_weights(dimension)
        own = present @ tastes(dimension, seed, config).T
        sharing = np.array([viewer.sharing for viewer in config.viewers])
        alone = np.sqrt([config.own_share(v) for v in config.viewers])
        shared.append(common)
        response.append(common[:, None] * sharing + own * alone)
    responses = np.stack(response, axis=-1)
    viewer_of_pass = np.repeat(
        np.arange(len(config.viewers)),
        [viewer.passes for viewer in config.viewers],
    )
    noise = np.stack(
        [
            part
            for viewer in config.viewers
            for part in _noise(viewer, film, timeline, seed, config)
        ],
        axis=1,
    )
    return Feelings(
        shared=np.stack(shared, axis=-1),
        response=responses,
        felt=responses[:, viewer_of_pass] + spread * noise,
        viewer_of_pass=viewer_of_pass,
    )


def _noise(
    viewer: ViewerProfile,
    film: FilmProfile,
    timeline: Timeline,
    seed: int,
    config: SimulationConfig,
) -> list[np.ndarray]:
    """Returns float64 [T, 2] for each pass of a viewer."""

    def draw(share: float, name: str | int) -> np.ndarray:
        rng = streams.stream(seed, "noise", film.movie, viewer.name, name)
        columns = [
            signals.smooth_noise(timeline.trace_samples, NOISE_WIDTH_S, rng)
            for _ in DIMENSIONS
        ]
        return np.sqrt(share) * np.stack(columns, axis=-1)

    private = draw(config.private_noise, "private")
    return [
        private + draw(config.repeat_noise, number)
        for number in range(1, viewer.passes + 1)
    ]
