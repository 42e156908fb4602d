"""Traces as the viewers leave them, calibrated to the published shares."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emotion_mt.corpus.corpus import labels_from_values, mean_of_rated
from emotion_mt.corpus.simulation import hand, signals, streams
from emotion_mt.corpus.simulation.config import SimulationConfig, ViewerProfile
from emotion_mt.corpus.simulation.timeline import Timeline
from emotion_mt.corpus.simulation.viewers import Feelings
from emotion_mt.corpus.traces import DIMENSIONS, Trace

#: Decimals of a value in a `.dat` file.
DECIMALS = 3

VALENCE, AROUSAL = range(len(DIMENSIONS))

#: Where the marker lies when a film begins, in units of the traces.
REST = ((-0.005, 0.03), (-0.97, -0.92))
#: Mean of arousal in standard deviations; the real traces have -0.1/0.35.
AROUSAL_OFFSET = -0.3

_REACTION_S = (0.3, 0.6)
_WIDEST_OFFSET = 5.0
_WIDEST_EXPONENT = 3.0
_BISECTIONS = 14


@dataclasses.dataclass(frozen=True, eq=False)
class Scales:
    """How a feeling becomes a position of the marker.

    The marker goes to `range * (feeling + offset)`. The last axis is
    `traces.DIMENSIONS`.

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

    Args:
        timelines: One per film of `config`.
        feelings: One per film of `config`.
        seed: Seed of the corpus.
        config: Target shares and ranges.

    Returns:
        Per film float64 [T, P, 2], what stands in the `.dat` files: in
        [-1, 1] with `DECIMALS` decimals; and the scales found.
    """
    hands = _Hands(timelines, feelings, seed, config)
    targets = np.array([viewer.positive_share for viewer in config.viewers])
    valence_offset = _bisect(
        lambda offset: hands.shares(hands.means(offset, VALENCE)) - targets,
        np.full(len(targets), _WIDEST_OFFSET),
    )
    offset = np.stack(
        [valence_offset, np.full(len(targets), AROUSAL_OFFSET)], axis=-1
    )
    ranges = np.array([viewer.range for viewer in config.viewers])
    stretch = np.ones(len(targets))
    if config.average_share is not None:
        stretch = _stretch(
            hands, valence_offset, config.viewers, config.average_share
        )
    scales = Scales(offset, np.stack([ranges * stretch, ranges], axis=-1))
    return hands.traces(scales), scales


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


def as_written(marks: np.ndarray) -> np.ndarray:
    """Returns positions of the marker as they stand in a `.dat` file."""
    # Adding zero turns -0.0, which prints as "-0.000", into 0.0.
    return np.round(np.clip(marks, -1, 1), DECIMALS) + 0.0


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
        self.films = len(feelings)
        names = [viewer.name for viewer in config.viewers]
        ranges = np.array([viewer.range for viewer in config.viewers])
        reactions = [
            streams.stream(seed, "reaction", name).uniform(*_REACTION_S)
            for name in names
        ]
        longest = max(timeline.trace_samples for timeline in timelines)
        felt, rest = [], []
        for film, feeling in zip(config.films, feelings, strict=True):
            late = [
                signals.delayed(feeling.felt[:, column], reactions[viewer])
                for column, viewer in enumerate(self.viewer_of_pass)
            ]
            padded = np.stack(late, axis=1)
            missing = longest - len(padded)
            felt.append(np.pad(padded, ((0, missing), (0, 0), (0, 0)), "edge"))
            rng = streams.stream(seed, "rest", film.movie)
            low, high = np.transpose(REST)
            places = rng.uniform(low, high, (len(self.viewer_of_pass), 2))
            rest.append(places / ranges[self.viewer_of_pass, None])
        self.felt = np.concatenate(felt, axis=1)
        self.rest = np.concatenate(rest)

    def positions(self, offset: np.ndarray, dimension: int) -> list[np.ndarray]:
        """Returns float64 [T, P] per film, in standard deviations."""
        shift = np.tile(offset[self.viewer_of_pass], self.films)
        path = hand.move_marker(
            self.felt[:, :, dimension] + shift, self.rest[:, dimension]
        )
        return [
            part[: timeline.trace_samples]
            for part, timeline in zip(
                np.split(path, self.films, axis=1), self.timelines, strict=True
            )
        ]

    def means(self, offset: np.ndarray, dimension: int) -> list[np.ndarray]:
        """Returns float64 [V, n] per film, in standard deviations."""
        return [
            rated_means(position, timeline, self.viewer_of_pass)
            for position, timeline in zip(
                self.positions(offset, dimension), self.timelines, strict=True
            )
        ]

    @staticmethod
    def shares(means: Sequence[np.ndarray]) -> np.ndarray:
        """Returns float64 [V], positive shares as the mean over films."""
        return np.mean([labels_from_values(m).mean(-1) for m in means], axis=0)

    def traces(self, scales: Scales) -> list[np.ndarray]:
        """Returns float64 [T, P, 2] per film, as in the `.dat` files."""
        columns = []
        for dimension in (VALENCE, AROUSAL):
            ranges = scales.range[self.viewer_of_pass, dimension]
            found = self.positions(scales.offset[:, dimension], dimension)
            columns.append([position * ranges for position in found])
        return [
            as_written(np.stack(both, axis=-1))
            for both in zip(*columns, strict=True)
        ]


def _stretch(
    hands: _Hands,
    offset: np.ndarray,
    viewers: Sequence[ViewerProfile],
    share: float,
) -> np.ndarray:
    """Returns factors [V] on the ranges that give Vavg its share.

    Positive viewers pull the average up; the less of the range they use,
    the less they do.
    """
    means = hands.means(offset, VALENCE)
    ranges = np.array([viewer.range for viewer in viewers])
    normal = statistics.NormalDist()
    # The targets, as a share that was reached can be 0 in a small corpus.
    positive = np.array([normal.inv_cdf(v.positive_share) for v in viewers])

    def factors(exponent: np.ndarray) -> np.ndarray:
        return np.exp(exponent * positive)

    def excess(exponent: np.ndarray) -> np.ndarray:
        wide = ranges * factors(exponent)
        shown = [np.clip(wide[:, None] * m, -1, 1) for m in means]
        average = [mean_of_rated(values)[None] for values in shown]
        return hands.shares(average) - share

    return factors(_bisect(excess, np.array([_WIDEST_EXPONENT])))


def _bisect(
    excess: Callable[[np.ndarray], np.ndarray], widest: np.ndarray
) -> np.ndarray:
    """Finds where a function that grows with each argument crosses zero.

    Args:
        excess: float64 [n] to float64 [n]; each value depends on the
            argument of the same place only and does not decrease.
        widest: float64 [n], the search runs in [-widest, widest].

    Returns:
        float64 [n]; an end of the interval where there is no crossing.
    """
    low, high = -widest, widest
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = excess(middle) > 0.0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2
