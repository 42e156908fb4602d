"""The hidden state: what a film shows and says, and what viewers feel.

Every shot has a value for each of the content cues `CUES`: ten that can be
seen and one, the tone of what is said, that can only be read. The shared
valence and arousal are fixed weighted sums of the cues; a viewer's own
response is another weighted sum of the same cues.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from emotion_mt.corpus.traces import DIMENSIONS
from emotion_mt.simulation import streams
from emotion_mt.simulation.config import FilmProfile, SimulationConfig
from emotion_mt.simulation.timeline import STEP_MS, Timeline


@dataclasses.dataclass(frozen=True)
class Look:
    """What one shot looks like: one value per cue that can be seen.

    All are in (0, 1), 0.5 is the middle.

    Attributes:
        light: Dark to bright.
        warmth: Cold to warm colours.
        colour: Grey to colourful.
        pace: Still to fast movements.
        unrest: Calm to shaking and flickering.
        crowd: One figure to many.
        closeness: Small figures to large ones.
        roundness: Spiky shapes to round ones.
        rise: Downwards to upwards movements.
        detail: Plain to busy surfaces.
    """

    light: float
    warmth: float
    colour: float
    pace: float
    unrest: float
    crowd: float
    closeness: float
    roundness: float
    rise: float
    detail: float


#: The content cues that shape the picture.
VISUAL_CUES = tuple(field.name for field in dataclasses.fields(Look))

#: All content cues. The last one cannot be seen.
CUES = (*VISUAL_CUES, "tone")

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
# Standard deviation of a film's mean content in the directions that leave
# shared valence and arousal as they are, in the unit of a film's valence.
_FILM_TASTE = 0.2
# A feeling follows what is seen with this lag.
_RESPONSE_LAG_S = 1.0
# Smoothness of noise: about as slow as the feelings.
_NOISE_WIDTH_S = 2.5

_STEPS_PER_S = 1000 / STEP_MS


def shared_weights(dimension: str) -> np.ndarray:
    """Returns float64 [K] of unit length, the weights of the cues."""
    weights = np.array([SHARED_WEIGHTS[dimension].get(cue, 0) for cue in CUES])
    return weights / np.linalg.norm(weights)


def make_content(
    film: FilmProfile, timeline: Timeline, seed: int
) -> np.ndarray:
    """Draws the content of each shot of a film.

    Over the time of the film the cues are nearly uncorrelated with nearly
    unit variance, and the mean shared valence and arousal are the film's.
    So the statistics of a film are those of its profile, not the luck of
    the few scenes it has room for.

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
    frames = timeline.shot_frames
    return _standardized(within, frames / frames.sum()) + _film_mean(film, seed)


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


def _film_mean(film: FilmProfile, seed: int) -> np.ndarray:
    """Returns float64 [K] with the film's mean valence and arousal."""
    shared = np.stack([shared_weights(dimension) for dimension in DIMENSIONS])
    targets = np.array([film.valence, film.arousal])
    rng = streams.stream(seed, "film", film.movie)
    taste = _FILM_TASTE * rng.standard_normal(len(CUES))
    inverse = np.linalg.pinv(shared)
    return inverse @ targets + taste - inverse @ (shared @ taste)


@dataclasses.dataclass(frozen=True, eq=False)
class Feelings:
    """What is felt during one film, in standard deviations.

    The last axis is `DIMENSIONS` of `emotion_mt.corpus` everywhere.

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


def make_feelings(
    film: FilmProfile,
    timeline: Timeline,
    content: np.ndarray,
    seed: int,
    config: SimulationConfig,
) -> Feelings:
    """Lets all viewers watch a film; returns what they feel at each sample.

    `content` is as of `make_content`.
    """
    shots = timeline.shot_of_frame[: timeline.trace_samples]
    present = _lagging(content[shots], _RESPONSE_LAG_S)
    # The lag takes some variance away; noise has to shrink with it.
    spread = float(np.sqrt(present.var(axis=0).mean()))
    sharing = np.array([viewer.sharing for viewer in config.viewers])
    alone = np.sqrt([config.own_share(viewer) for viewer in config.viewers])
    shared, response = [], []
    for dimension in DIMENSIONS:
        common = present @ shared_weights(dimension)
        own = present @ _tastes(dimension, seed, config).T
        shared.append(common)
        response.append(common[:, None] * sharing + own * alone)
    responses = np.stack(response, axis=-1)
    passes = [viewer.passes for viewer in config.viewers]
    viewer_of_pass = np.repeat(np.arange(len(passes)), passes)
    noise = _noise(film.movie, timeline.trace_samples, seed, config)
    return Feelings(
        shared=np.stack(shared, axis=-1),
        response=responses,
        felt=responses[:, viewer_of_pass] + spread * noise,
        viewer_of_pass=viewer_of_pass,
    )


def _tastes(dimension: str, seed: int, config: SimulationConfig) -> np.ndarray:
    """Draws what the viewers respond to each on their own.

    Returns:
        float64 [V, K]: a row of unit length per viewer, orthogonal to the
        shared weights and to the other viewers' rows. So viewers have in
        common what `ViewerProfile.sharing` says, and nothing by chance.
    """
    taken = [shared_weights(dimension)]
    for viewer in config.viewers:
        rng = streams.stream(seed, "taste", dimension, viewer.name)
        weights = rng.standard_normal(len(CUES))
        for other in taken:
            weights -= (weights @ other) * other
        taken.append(weights / np.linalg.norm(weights))
    return np.stack(taken[1:])


def _noise(
    movie: str, samples: int, seed: int, config: SimulationConfig
) -> np.ndarray:
    """Returns float64 [T, P, 2]; part of it is the same in both passes."""
    repeat = max(0.0, 1.0 - config.repeat_correlation)
    private = max(0.0, config.marker_noise - repeat)
    passes = []
    for viewer in config.viewers:
        names = (seed, "noise", movie, viewer.name)
        constant = smooth_noise(samples, streams.stream(*names, "private"))
        for number in range(1, viewer.passes + 1):
            drawn = smooth_noise(samples, streams.stream(*names, number))
            passes.append(np.sqrt(private) * constant + np.sqrt(repeat) * drawn)
    return np.stack(passes, axis=1)


def smooth_noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Draws slowly changing noise of unit variance: float64 [samples, 2]."""
    width = _NOISE_WIDTH_S * _STEPS_PER_S
    reach = int(np.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= np.sqrt(np.sum(kernel**2))
    columns = []
    for _ in DIMENSIONS:
        white = rng.standard_normal(samples + 2 * reach)
        # By FFT: films of half an hour have 45,000 samples.
        size = len(white) + len(kernel) - 1
        product = np.fft.rfft(white, size) * np.fft.rfft(kernel, size)
        smooth = np.fft.irfft(product, size)
        columns.append(smooth[2 * reach : 2 * reach + samples])
    return np.stack(columns, axis=-1)


def _lagging(signal: np.ndarray, time_constant_s: float) -> np.ndarray:
    """Lets a signal [T, K] follow its input slowly (a first-order lag)."""
    keep = np.exp(-1.0 / (time_constant_s * _STEPS_PER_S))
    slow = np.empty_like(signal)
    state = signal[0]
    for i, value in enumerate(signal):
        state = keep * state + (1.0 - keep) * value
        slow[i] = state
    return slow
