"""All of a simulated corpus except its pictures, in memory."""

from __future__ import annotations

import dataclasses

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus.corpus import labels_from_values, mean_of_rated
from emotion_mt.corpus.traces import DIMENSIONS
from emotion_mt.simulation import hidden, timeline as timeline_lib, traces
from emotion_mt.simulation.config import (
    FilmProfile,
    SimulationConfig,
    cue_counts,
)
from emotion_mt.simulation.words import make_subtitles


@dataclasses.dataclass(frozen=True, eq=False)
class SimulatedFilm:
    """One film, its hidden state and what is written of it.

    The last axis of traces and feelings is `DIMENSIONS`.

    Attributes:
        profile: The film.
        timeline: Cues, scenes and shots.
        content: float64 [S, K], hidden: the content of each shot.
        texts: One text per cue.
        feelings: Hidden: what is felt.
        traces: float64 [T, P, 2], the viewers' traces as written, in
            [-1, 1]; passes of a viewer are consecutive.
        intended: float64 [T, 3, 2], the expert's traces as written.
    """

    profile: FilmProfile
    timeline: timeline_lib.Timeline
    content: np.ndarray
    texts: tuple[str, ...]
    feelings: hidden.Feelings
    traces: np.ndarray
    intended: np.ndarray

    def means(self, dimension: str) -> np.ndarray:
        """Averages the written traces over cues, passes and viewers.

        Args:
            dimension: "valence" or "arousal".

        Returns:
            float64 [V + 1, n] in [-1, 1], one column per rated cue; the
            last row is the average viewer.
        """
        trace = self.traces[:, :, DIMENSIONS.index(dimension)]
        owner = self.feelings.viewer_of_pass
        means = traces.rated_means(trace, self.timeline, owner)
        return np.vstack([means, mean_of_rated(means)])


@dataclasses.dataclass(frozen=True, eq=False)
class SimulatedState:
    """A simulated corpus without its pictures.

    Attributes:
        seed: Its seed.
        segments_per_movie: Mean number of rated cues per film.
        config: Its configuration.
        films: Its films.
        scales: How feelings became positions of the marker.
    """

    seed: int
    segments_per_movie: int
    config: SimulationConfig
    films: tuple[SimulatedFilm, ...]
    scales: traces.Scales

    @property
    def viewers(self) -> tuple[str, ...]:
        """Names of the viewers, and of the average one."""
        names = (viewer.name for viewer in self.config.viewers)
        return (*names, paper.AVERAGE)


def simulate_state(
    seed: int, segments_per_movie: int, config: SimulationConfig
) -> SimulatedState:
    """Simulates everything except the pictures.

    Args:
        seed: Seed, at least 0.
        segments_per_movie: Mean number of rated cues per film, at least 2.
        config: Films, viewers and knobs.

    Returns:
        The films with their hidden state, traces and texts; the same for the
        same arguments.

    Raises:
        ValueError: If an argument is out of range.
    """
    counts = cue_counts(config, segments_per_movie)
    timelines = [
        timeline_lib.make_timeline(film, cues, config.cue_median_s, seed)
        for film, cues in zip(config.films, counts, strict=True)
    ]
    contents = [
        hidden.make_content(film, timeline, seed)
        for film, timeline in zip(config.films, timelines, strict=True)
    ]
    feelings = [
        hidden.make_feelings(*known, seed, config)
        for known in zip(config.films, timelines, contents, strict=True)
    ]
    written, scales = traces.make_traces(timelines, feelings, seed, config)
    films = tuple(
        SimulatedFilm(
            profile=film,
            timeline=timelines[i],
            content=contents[i],
            texts=make_subtitles(film, timelines[i], contents[i], seed, config),
            feelings=feelings[i],
            traces=written[i],
            intended=traces.make_intended(film, feelings[i], seed),
        )
        for i, film in enumerate(config.films)
    )
    return SimulatedState(seed, segments_per_movie, config, films, scales)


def ceiling_accuracies(
    state: SimulatedState, dimension: str
) -> dict[str, dict[str, float]]:
    """Scores a predictor that knows all responses, but no noise and no hand.

    The predictor knows for each viewer the shared and the own response at
    each moment and the viewer's offset. Against it are the labels that come
    out of the written traces by the rules of loading. What it misses is
    noise, the lag of the hand and its coarseness.

    Args:
        state: The corpus.
        dimension: "valence" or "arousal".

    Returns:
        Film code -> viewer (and the average one) -> accuracy in [0, 1].
    """
    column = DIMENSIONS.index(dimension)
    scales = state.scales
    found = {}
    for film in state.films:
        felt = film.feelings.response[:, :, column] + scales.offset[:, column]
        marks = np.clip(scales.range[:, column] * felt, -1, 1)
        viewers = np.arange(marks.shape[1])
        means = traces.rated_means(marks, film.timeline, viewers)
        known = labels_from_values(np.vstack([means, mean_of_rated(means)]))
        right = known == labels_from_values(film.means(dimension))
        accuracies = right.mean(axis=1).tolist()
        found[film.profile.movie] = dict(
            zip(state.viewers, accuracies, strict=True)
        )
    return found
