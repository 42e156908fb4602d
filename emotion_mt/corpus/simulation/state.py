"""All of a simulated corpus except its pictures, in memory."""

from __future__ import annotations

import dataclasses

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus.corpus import mean_of_rated
from emotion_mt.corpus.simulation import (
    content as content_lib,
    intended as intended_lib,
    language,
    timeline as timeline_lib,
    traces,
    viewers as viewers_lib,
)
from emotion_mt.corpus.simulation.config import (
    FilmProfile,
    SimulationConfig,
    cue_counts,
)
from emotion_mt.corpus.traces import DIMENSIONS


@dataclasses.dataclass(frozen=True, eq=False)
class SimulatedFilm:
    """One film, its hidden state and what is written of it.

    The last axis of traces and feelings is `traces.DIMENSIONS`.

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
    feelings: viewers_lib.Feelings
    traces: np.ndarray
    intended: np.ndarray

    def means(self, dimension: str) -> np.ndarray:
        """Averages the written traces over cues, passes and viewers.

        Args:
            dimension: One of `traces.DIMENSIONS`.

        Returns:
            float64 [V + 1, n] in [-1, 1], one column per rated cue; the
            last row is the average viewer.
        """
        trace = self.traces[:, :, DIMENSIONS.index(dimension)]
        by_viewer = traces.rated_means(
            trace, self.timeline, self.feelings.viewer_of_pass
        )
        return np.vstack([by_viewer, mean_of_rated(by_viewer)])


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
    timelines, contents, feelings = [], [], []
    for film, cues in zip(config.films, counts, strict=True):
        timeline = timeline_lib.make_timeline(film, cues, seed, config)
        content = content_lib.make_content(film, timeline, seed, config)
        timelines.append(timeline)
        contents.append(content)
        feelings.append(
            viewers_lib.make_feelings(film, timeline, content, seed, config)
        )
    written, scales = traces.make_traces(timelines, feelings, seed, config)
    films = []
    for i, film in enumerate(config.films):
        texts = language.make_subtitles(
            film, timelines[i], contents[i], seed, config
        )
        films.append(
            SimulatedFilm(
                profile=film,
                timeline=timelines[i],
                content=contents[i],
                texts=tuple(texts),
                feelings=feelings[i],
                traces=written[i],
                intended=intended_lib.make_intended(film, feelings[i], seed),
            )
        )
    return SimulatedState(
        seed, segments_per_movie, config, tuple(films), scales
    )
