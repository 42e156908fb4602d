"""Traces: a hand moves a marker, calibrated to the published shares."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emotion_mt.corpus.corpus import labels_from_values, mean_of_rated
from emotion_mt.corpus.traces import DIMENSIONS, Trace
from emotion_mt.simulation import streams
from emotion_mt.simulation.config import FilmProfile, SimulationConfig
from emotion_mt.simulation.hidden import Feelings, smooth_noise
from emotion_mt.simulation.timeline import STEP_MS, Timeline

#: Decimals of a value in a `.dat` file.
DECIMALS = 3

VALENCE, AROUSAL = range(len(DIMENSIONS))

# Where the marker lies when a film begins: least and most valence and
# arousal, in units of the traces.
_REST = ((-0.005, -0.97), (0.03, -0.92))
# Mean of arousal in standard deviations; the real traces have -0.1/0.35.
_AROUSAL_OFFSET = -0.3
_REACTION_S = (0.3, 0.6)

# How the hand moves; in standard deviations of a feeling within a film, and
# seconds. The real traces lie still for 90 % of the time and move for a
# second or two.
_NOTICED = 0.25
_GOOD_ENOUGH = 0.06
_RATE_PER_S = 3.0
_EASE_PER_S = 8.0

# Where offsets of viewers and exponents of their ranges are looked for.
_WIDEST_OFFSET = 5.0
_WIDEST_EXPONENT = 3.0
_BISECTIONS = 14

# The expert rates each film three times, sees what the film shows everyone,
# nearly without noise, and uses more of the range than the viewers. The real
# expert's traces have a range of 0.35 and are positive in 49 % of the segments.
_EXPERT_PASSES = 3
_EXPERT_NOISE = 0.1
_EXPERT_RANGE = 0.35
_EXPERT_REACTION_S = 0.4
_EXPERT_OFFSET = np.array([0.0, _AROUSAL_OFFSET])


@dataclasses.dataclass(frozen=True, eq=False)
class Scales:
    """How a feeling becomes a position of the marker.

    The marker goes to `range * (feeling + offset)`. The last axis is
    `DIMENSIONS` of `emotion_mt.corpus`.

    Attributes:
        offset: float64 [V, 2], in standard deviations.
        range: float64 [V, 2], in units of the traces.
    """

    offset: np.ndarray
    range: np.ndarray


def make_traces(
    timelines: Sequence[Timeline],
    feelings: Sequence[Feelings],
    seed: int,
    config: SimulationConfig,
) -> tuple[list[np.ndarray], Scales]:
    """Lets the viewers move the marker, calibrated to the target shares.

    The offset of each viewer is found such that the viewer's share of
    positive segments is the one of the profile; then the ranges are
    stretched such that the average viewer's is (viewers who are mostly
    positive use less of the range). Both depend on the drawn feelings and
    are found by bisection, without further random choices.

    Returns:
        Per film float64 [T, P, 2], what stands in the `.dat` files: in
        [-1, 1] with `DECIMALS` decimals; and the scales found.
    """
    hands = _Hands(timelines, feelings, seed, config)
    targets = np.array([viewer.positive_share for viewer in config.viewers])
    valence_offset = _bisect(
        lambda offset: _shares(hands.means(offset)) - targets,
        np.full(len(targets), _WIDEST_OFFSET),
    )
    offset = np.stack(
        [valence_offset, np.full(len(targets), _AROUSAL_OFFSET)], axis=-1
    )
    ranges = np.array([viewer.range for viewer in config.viewers])
    means = hands.means(valence_offset)
    wide = ranges * _stretch(means, ranges, targets, config.average_share)
    scales = Scales(offset, np.stack([wide, ranges], axis=-1))
    return hands.traces(scales), scales


def make_intended(
    film: FilmProfile, feelings: Feelings, seed: int
) -> np.ndarray:
    """Lets the expert rate what a film intends to evoke: what all share.

    Returns:
        float64 [T, 3, 2], what stands in the `.dat` files.
    """
    passes = []
    for number in range(1, _EXPERT_PASSES + 1):
        rng = streams.stream(seed, "intended", film.movie, number)
        noise = smooth_noise(len(feelings.shared), rng)
        felt = np.sqrt(1 - _EXPERT_NOISE) * feelings.shared + _EXPERT_OFFSET
        felt += np.sqrt(_EXPERT_NOISE) * noise
        rest = rng.uniform(*_REST) / _EXPERT_RANGE
        passes.append(_move_marker(_delayed(felt, _EXPERT_REACTION_S), rest))
    return _as_written(_EXPERT_RANGE * np.stack(passes, axis=1))


def rated_means(
    trace: np.ndarray, timeline: Timeline, viewer_of_pass: np.ndarray
) -> np.ndarray:
    """Averages traces over the cues and over the passes of each viewer.

    Args:
        trace: float64 [T, P], positions of the marker in one dimension.
        timeline: Cues of the film.
        viewer_of_pass: int64 [P], row of the viewer of each pass.

    Returns:
        float64 [V, n], one column per rated cue, by the rules of loading:
        samples with start <= t <= end, then the mean over the passes.
    """
    time_s = timeline.trace_time_s
    start_s = timeline.cue_start_ms[: timeline.rated] / 1000
    end_s = timeline.cue_end_ms[: timeline.rated] / 1000
    passes = []
    for column in trace.T:
        # `Trace` holds both dimensions; here the second is never asked for.
        both = np.stack([column, np.zeros_like(column)], axis=-1)
        one = Trace(Path(), time_s, both)
        passes.append(one.segment_means(DIMENSIONS[0], start_s, end_s))
    means = np.stack(passes)
    return np.stack(
        [
            mean_of_rated(means[viewer_of_pass == viewer])
            for viewer in range(viewer_of_pass.max() + 1)
        ]
    )


class _Hands:
    """All passes of all films side by side, so that one loop moves them."""

    def __init__(
        self,
        timelines: Sequence[Timeline],
        feelings: Sequence[Feelings],
        seed: int,
        config: SimulationConfig,
    ) -> None:
        self.timelines = timelines
        self.viewer_of_pass = feelings[0].viewer_of_pass
        ranges = np.array([viewer.range for viewer in config.viewers])
        reactions = [
            streams.stream(seed, "reaction", viewer.name).uniform(*_REACTION_S)
            for viewer in config.viewers
        ]
        longest = max(timeline.trace_samples for timeline in timelines)
        felt, rest = [], []
        for film, feeling in zip(config.films, feelings, strict=True):
            late = [
                _delayed(feeling.felt[:, column], reactions[viewer])
                for column, viewer in enumerate(self.viewer_of_pass)
            ]
            padded = np.stack(late, axis=1)
            missing = longest - len(padded)
            felt.append(np.pad(padded, ((0, missing), (0, 0), (0, 0)), "edge"))
            rng = streams.stream(seed, "rest", film.movie)
            places = rng.uniform(*_REST, (len(self.viewer_of_pass), 2))
            rest.append(places / ranges[self.viewer_of_pass, None])
        self.felt = np.concatenate(felt, axis=1)
        self.rest = np.concatenate(rest)

    def positions(self, offset: np.ndarray, dimension: int) -> list[np.ndarray]:
        """Returns float64 [T, P] per film, in standard deviations."""
        films = len(self.timelines)
        shift = np.tile(offset[self.viewer_of_pass], films)
        path = _move_marker(
            self.felt[:, :, dimension] + shift, self.rest[:, dimension]
        )
        return [
            part[: timeline.trace_samples]
            for part, timeline in zip(
                np.split(path, films, axis=1), self.timelines, strict=True
            )
        ]

    def means(self, offset: np.ndarray) -> list[np.ndarray]:
        """Returns float64 [V, n] per film, valence in standard deviations."""
        return [
            rated_means(position, timeline, self.viewer_of_pass)
            for position, timeline in zip(
                self.positions(offset, VALENCE), self.timelines, strict=True
            )
        ]

    def traces(self, scales: Scales) -> list[np.ndarray]:
        """Returns float64 [T, P, 2] per film, as in the `.dat` files."""
        columns = []
        for dimension in (VALENCE, AROUSAL):
            ranges = scales.range[self.viewer_of_pass, dimension]
            found = self.positions(scales.offset[:, dimension], dimension)
            columns.append([position * ranges for position in found])
        return [
            _as_written(np.stack(both, axis=-1))
            for both in zip(*columns, strict=True)
        ]


def _move_marker(felt: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Follows feelings [T, N] with markers that are at `start` [N] at first.

    A marker lies still until the feeling is `_NOTICED` away from it, then
    moves there with a smooth start and a smooth stop.
    """
    step_s = STEP_MS / 1000
    position = np.array(start, dtype=np.float64)
    speed = np.zeros_like(position)
    moving = np.zeros(len(position), dtype=bool)
    path = np.empty_like(felt)
    for i, target in enumerate(felt):
        path[i] = position
        distance = target - position
        away = np.abs(distance)
        moving = np.where(moving, away > _GOOD_ENOUGH, away > _NOTICED)
        wanted = np.where(moving, _RATE_PER_S * distance, 0.0)
        speed += (wanted - speed) * (_EASE_PER_S * step_s)
        position = position + speed * step_s
    return path


def _delayed(signal: np.ndarray, delay_s: float) -> np.ndarray:
    """Returns the signal later, with its first value repeated in front."""
    steps = min(round(delay_s * 1000 / STEP_MS), len(signal))
    index = np.maximum(np.arange(len(signal)) - steps, 0)
    return signal[index]


def _as_written(marks: np.ndarray) -> np.ndarray:
    """Returns positions of the marker as they stand in a `.dat` file."""
    # Adding zero turns -0.0, which prints as "-0.000", into 0.0.
    return np.round(np.clip(marks, -1, 1), DECIMALS) + 0.0


def _shares(means: Sequence[np.ndarray]) -> np.ndarray:
    """Returns float64 [V], positive shares as the mean over films."""
    return np.mean([labels_from_values(m).mean(-1) for m in means], axis=0)


def _stretch(
    means: Sequence[np.ndarray],
    ranges: np.ndarray,
    shares: np.ndarray,
    average_share: float,
) -> np.ndarray:
    """Returns factors [V] on the ranges that give Vavg its share.

    Positive viewers pull the average up; the less of the range they use,
    the less they do.
    """
    # The targets, as a share that was reached can be 0 in a small corpus.
    positive = np.array([statistics.NormalDist().inv_cdf(s) for s in shares])

    def excess(exponent: np.ndarray) -> np.ndarray:
        wide = ranges * np.exp(exponent * positive)
        shown = [np.clip(wide[:, None] * m, -1, 1) for m in means]
        average = [mean_of_rated(values)[None] for values in shown]
        return _shares(average) - average_share

    return np.exp(_bisect(excess, np.array([_WIDEST_EXPONENT])) * positive)


def _bisect(
    excess: Callable[[np.ndarray], np.ndarray], widest: np.ndarray
) -> np.ndarray:
    """Finds where a function [n] -> [n] crosses zero in [-widest, widest].

    Each value depends on the argument of the same place only, and grows with
    it. Where there is no crossing, an end of the interval is returned.
    """
    low, high = -widest, widest
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = excess(middle) > 0.0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2
