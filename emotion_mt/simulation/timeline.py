"""When things happen in a simulated film: cues, scenes and shots."""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np

from emotion_mt.simulation import streams
from emotion_mt.simulation.config import FilmProfile

#: Length of a frame of the film and of a step of the traces.
STEP_MS = 40

# Cue lengths are median * exp(WIDTH z + TAIL max(z, 0)^2) for standard
# normal z. With a median of 2.1 s this gives the real films' quantiles
# (5 %: 1.2-1.6 s, 95 %: 3.4-5.0 s) and a maximum near 6 s.
_WIDTH = 0.30
_TAIL = 0.05
_LONGEST_S = 6.4

# More than half of the real pauses are only as long as a subtitler needs.
_SHORT_PAUSES = 0.55
_SHORT_PAUSE_S = (0.08, 0.25)
_LONG_PAUSE_MEDIAN_S = 1.2
_LONG_PAUSE_WIDTH = 0.8
_LONGEST_PAUSE_S = 8.0
_PAUSE_SCALE = 0.9

_LEAD_IN_S = 3.0
_LEAD_OUT_S = 1.0

# Means of shot and scene lengths, and spreads of their logarithms.
_SHOT_S, _SHOT_WIDTH = 4.0, 0.45
_SCENE_S, _SCENE_WIDTH = 10.0, 0.35
_SHORTEST_SHOT_S = 1.2


@dataclasses.dataclass(frozen=True, eq=False)
class Timeline:
    """What happens when in one film.

    Attributes:
        cue_start_ms: int64 [C], start of each cue, increasing.
        cue_end_ms: int64 [C], end of each cue.
        rated: Number of cues with at least one trace sample; the other
            cues come after them.
        trace_samples: Number of trace samples, `STEP_MS` apart from 0 on.
        frames: Number of frames of the film, `STEP_MS` each.
        shot_start: int64 [S], first frame of each shot; the first is 0.
        shot_scene: int64 [S], number of the scene of each shot.
    """

    cue_start_ms: np.ndarray
    cue_end_ms: np.ndarray
    rated: int
    trace_samples: int
    frames: int
    shot_start: np.ndarray
    shot_scene: np.ndarray

    @property
    def shot_frames(self) -> np.ndarray:
        """int64 [S], number of frames of each shot."""
        return np.diff(np.append(self.shot_start, self.frames))

    @property
    def shot_of_frame(self) -> np.ndarray:
        """int64 [frames], number of the shot of each frame."""
        return np.repeat(np.arange(len(self.shot_start)), self.shot_frames)

    @property
    def trace_time_s(self) -> np.ndarray:
        """float64 [trace_samples], seconds."""
        return np.arange(self.trace_samples) * STEP_MS / 1000


def make_timeline(
    film: FilmProfile, cues: int, cue_median_s: float, seed: int
) -> Timeline:
    """Draws the cues, scenes and shots of a film.

    There are `cues` cues inside the traces and `film.cues_past_end` after.
    """
    everything = cues + film.cues_past_end
    rng = streams.stream(seed, "cues", film.movie)
    lengths_s = _cue_lengths_s(everything, cue_median_s, rng)
    pauses_s = _pauses_s(everything, rng) * _PAUSE_SCALE
    pauses_s[0] += _LEAD_IN_S
    end_ms = np.round(np.cumsum(pauses_s + lengths_s) * 1000).astype(np.int64)
    start_ms = end_ms - np.round(lengths_s * 1000).astype(np.int64)
    frames = int(-(-(end_ms[-1] + round(_LEAD_OUT_S * 1000)) // STEP_MS))
    shot_start, shot_scene = _shots(
        frames, streams.stream(seed, "shots", film.movie)
    )
    last_ms = _last_sample_ms(film, cues, start_ms, end_ms)
    return Timeline(
        cue_start_ms=start_ms,
        cue_end_ms=end_ms,
        rated=cues,
        trace_samples=frames if last_ms is None else last_ms // STEP_MS + 1,
        frames=frames,
        shot_start=shot_start,
        shot_scene=shot_scene,
    )


def _cue_lengths_s(
    number: int, median_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns the quantiles of the distribution in random order.

    Quantiles instead of draws: every film, however short, has the median
    and the spread that it should have.
    """
    normal = statistics.NormalDist()
    z = np.array([normal.inv_cdf((i + 0.5) / number) for i in range(number)])
    lengths = median_s * np.exp(_WIDTH * z + _TAIL * np.maximum(z, 0.0) ** 2)
    return rng.permutation(np.minimum(lengths, _LONGEST_S))


def _pauses_s(number: int, rng: np.random.Generator) -> np.ndarray:
    """Returns float64 [number], the pause before each cue."""
    short = rng.uniform(*_SHORT_PAUSE_S, size=number)
    long = _LONG_PAUSE_MEDIAN_S * np.exp(
        _LONG_PAUSE_WIDTH * rng.standard_normal(number)
    )
    long = np.minimum(long, _LONGEST_PAUSE_S)
    return np.where(rng.random(number) < _SHORT_PAUSES, short, long)


def _last_sample_ms(
    film: FilmProfile, rated: int, start_ms: np.ndarray, end_ms: np.ndarray
) -> int | None:
    """Returns when the traces end; None if that is with the film."""
    if film.cues_past_end:
        # Before the first cue that is left out.
        return int(start_ms[rated] - 1)
    if film.overrun:
        # Under a second, and the cue keeps more than half of its samples.
        length = int(end_ms[-1] - start_ms[-1])
        return int(end_ms[-1]) - min(600, length // 3)
    return None


def _shots(
    frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns first frame and scene of each shot, until the film is full."""

    def draw(mean_s: float, width: float) -> float:
        spread = np.exp(width * rng.standard_normal() - width**2 / 2)
        return float(mean_s * spread)

    starts, scenes = [0], [0]
    scene_start = 0
    scene_s = draw(_SCENE_S, _SCENE_WIDTH)
    while True:
        shot_s = max(draw(_SHOT_S, _SHOT_WIDTH), _SHORTEST_SHOT_S)
        start = starts[-1] + round(shot_s * 1000 / STEP_MS)
        # No shot shorter than the shortest at the end of the film.
        if start + _SHORTEST_SHOT_S * 1000 / STEP_MS > frames:
            return np.array(starts), np.array(scenes)
        scene = scenes[-1]
        if (start - scene_start) * STEP_MS / 1000 >= scene_s:
            scene += 1
            scene_start = start
            scene_s = draw(_SCENE_S, _SCENE_WIDTH)
        starts.append(start)
        scenes.append(scene)
