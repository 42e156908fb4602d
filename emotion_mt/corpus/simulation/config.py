"""What a simulated corpus is made from: films, viewers and the knobs."""

from __future__ import annotations

import dataclasses
from typing import Any

from emotion_mt import paper

#: Raised whenever the same seed and configuration give other files.
SIMULATION_VERSION = 3


@dataclasses.dataclass(frozen=True)
class FilmProfile:
    """One film of the simulated corpus.

    Attributes:
        movie: Film code, one of `paper.MOVIES`.
        cues: Number of cues of the real film; simulated films have cues in
            proportion to it.
        valence: Mean of the shared valence over the film, in standard
            deviations of the shared valence within a film.
        arousal: The same for arousal.
        cues_past_end: Cues wholly after the end of the traces, in addition
            to the film's share of the cues.
        overrun: Whether the last cue ends after the traces do.
    """

    movie: str
    cues: int
    valence: float
    arousal: float
    cues_past_end: int = 0
    overrun: bool = False


@dataclasses.dataclass(frozen=True)
class ViewerProfile:
    """One viewer of the simulated corpus.

    Attributes:
        name: Column name, one of `paper.VIEWERS`.
        positive_share: Share of positive segments to reach, in (0, 1), as
            the mean over films (Table II's Positive row).
        sharing: Weight of the shared response in the viewer's feeling, in
            [-1, 1]. Its square is the share of the feeling's variance that
            is shared; a negative weight is a viewer who tends to feel the
            opposite of the others.
        passes: How often the viewer rated each film, 1 or 2.
        range: Standard deviation of the marker, in units of the traces,
            before `SimulationConfig.average_share` adjusts it.
    """

    name: str
    positive_share: float
    sharing: float
    passes: int
    range: float = 0.3


# The valences are set so that the films come in the order of the real
# expert's traces (share of positive segments BMI 0.035, CHI 1, CRA 0,
# DEP 0.606, FNE 0.839, GLA 0.788, LOR 0.183), only less extreme, as Vavg is
# positive in 62 % of the segments and the expert's trace in 49 %, and as a
# film's mean is what cannot be learned from six other films. The arousals
# are the means of the same traces in units of their spread.
FILMS: tuple[FilmProfile, ...] = (
    FilmProfile("BMI", 375, valence=-0.45, arousal=0.0),
    FilmProfile("CHI", 475, valence=0.80, arousal=0.4),
    FilmProfile("CRA", 270, valence=-0.80, arousal=0.4),
    FilmProfile("DEP", 495, valence=0.00, arousal=-0.6, cues_past_end=3),
    FilmProfile("FNE", 492, valence=0.55, arousal=-0.2, overrun=True),
    FilmProfile("GLA", 283, valence=0.25, arousal=0.4, overrun=True),
    FilmProfile("LOR", 306, valence=-0.25, arousal=0.0),
)

# Shares: Table II's Positive row. Passes: the files of COGNIMUSE. Sharing:
# what Fig. 3's text says (V1 nearly nothing, V5 much, V7 little).
VIEWERS: tuple[ViewerProfile, ...] = (
    ViewerProfile("V1", 0.57, sharing=-0.24, passes=2, range=0.26),
    ViewerProfile("V2", 0.58, sharing=0.62, passes=2),
    ViewerProfile("V3", 0.77, sharing=0.62, passes=1),
    ViewerProfile("V4", 0.39, sharing=0.52, passes=2, range=0.22),
    ViewerProfile("V5", 0.56, sharing=0.85, passes=2, range=0.38),
    ViewerProfile("V6", 0.79, sharing=0.62, passes=1),
    ViewerProfile("V7", 0.65, sharing=0.26, passes=2),
)


@dataclasses.dataclass(frozen=True)
class SimulationConfig:
    """The knobs of the simulation; defaults follow the paper (see docs).

    A viewer's feeling has unit variance within a film. `sharing`² of it is
    the shared response, `marker_noise` is noise, and the rest is the
    viewer's own response to the same content.

    Attributes:
        films: The films.
        viewers: The viewers.
        average_share: Share of positive segments of the average viewer to
            reach, in (0, 1); None leaves it as it comes.
        marker_noise: Share of the feeling's variance that follows nothing in
            the film, in [0, 1).
        repeat_correlation: Correlation of two traces of one viewer within a
            film, in [1 - `marker_noise`, 1]. The part of the noise that is
            more than 1 - `repeat_correlation` is the same in both traces.
        film_taste: Standard deviation of a film's mean content in the
            directions that only a single viewer responds to, in the unit of
            `FilmProfile.valence`.
        text_informativeness: Correlation of the sentiment of the words with
            the shared valence, in [0, 1].
        visual_informativeness: Correlation of the look of a shot with its
            content, in [0, 1].
        staging: How much looks are staged in concert: a shot gets, in
            addition to its own content, this much of what can be seen of its
            shared valence in all cues at once, as by their weights in it. 0
            leaves the cues to themselves.
        style_strength: How much films differ in what the same content looks
            like; 0 means that all films share one look, 1 that offsets
            between films are as large as differences within one.
        cue_median_s: Median length of a cue, in seconds.
        pause_scale: Factor on the pauses between cues.
        scene_s: Mean length of a scene, in seconds.
        shot_s: Mean length of a shot, in seconds.
        width_px: Width of the videos, even.
        height_px: Height of the videos, even.
    """

    films: tuple[FilmProfile, ...] = FILMS
    viewers: tuple[ViewerProfile, ...] = VIEWERS
    average_share: float | None = 0.62
    marker_noise: float = 0.2
    repeat_correlation: float = 0.8
    film_taste: float = 0.2
    text_informativeness: float = 0.95
    visual_informativeness: float = 0.95
    staging: float = 1.5
    style_strength: float = 0.15
    cue_median_s: float = 2.1
    pause_scale: float = 0.9
    scene_s: float = 10.0
    shot_s: float = 4.0
    width_px: int = 224
    height_px: int = 128

    def __post_init__(self) -> None:
        """Refuses settings that have no meaning."""
        self._check_films()
        for name in ("text_informativeness", "visual_informativeness"):
            self._check(name, 0.0 <= getattr(self, name) <= 1.0, "in [0, 1]")
        self._check("marker_noise", 0.0 <= self.marker_noise < 1.0, "in [0, 1)")
        # A tolerance, as 1 - 0.2 is not exactly 0.8.
        lowest = 1.0 - self.marker_noise - 1e-9
        self._check(
            "repeat_correlation",
            lowest <= self.repeat_correlation <= 1.0,
            f"in [1 - marker_noise, 1] = [{1 - self.marker_noise:g}, 1]",
        )
        for name in ("film_taste", "staging", "style_strength"):
            self._check(name, getattr(self, name) >= 0.0, "at least 0")
        for name in ("cue_median_s", "pause_scale", "scene_s", "shot_s"):
            self._check(name, getattr(self, name) > 0.0, "greater than 0")
        if self.average_share is not None:
            share = self.average_share
            self._check("average_share", 0.0 < share < 1.0, "in (0, 1)")
        for name in ("width_px", "height_px"):
            size = getattr(self, name)
            self._check(name, size >= 32 and size % 2 == 0, "even, 32 or more")
        self._check_viewers()

    def _check(self, name: str, valid: bool, expected: str) -> None:
        if not valid:
            raise ValueError(
                f"`{name}` must be {expected}. Received: {getattr(self, name)}"
            )

    def _check_films(self) -> None:
        codes = [film.movie for film in self.films]
        valid = codes and len(set(codes)) == len(codes)
        if not valid or not set(codes) <= set(paper.MOVIES):
            raise ValueError(
                f"`films` must be different films among {paper.MOVIES}. "
                f"Received: {codes}"
            )

    def _check_viewers(self) -> None:
        names = [viewer.name for viewer in self.viewers]
        valid = names and len(set(names)) == len(names)
        if not valid or not set(names) <= set(paper.VIEWERS):
            raise ValueError(
                f"`viewers` must be different viewers among {paper.VIEWERS}. "
                f"Received: {names}"
            )
        for viewer in self.viewers:
            if self.own_share(viewer) < 0.0:
                raise ValueError(
                    "`sharing`² + `marker_noise` must be at most 1. Received "
                    f"for {viewer.name}: {viewer.sharing}² + "
                    f"{self.marker_noise}"
                )
            if not 0.0 < viewer.positive_share < 1.0:
                raise ValueError(
                    "`positive_share` must be in (0, 1). Received for "
                    f"{viewer.name}: {viewer.positive_share}"
                )
            if viewer.passes not in (1, 2):
                raise ValueError(
                    "`passes` must be 1 or 2. Received for "
                    f"{viewer.name}: {viewer.passes}"
                )

    def own_share(self, viewer: ViewerProfile) -> float:
        """Returns the share of a feeling that is the viewer's own response.

        Args:
            viewer: The viewer.
        """
        share = 1.0 - viewer.sharing**2 - self.marker_noise
        return 0.0 if abs(share) < 1e-9 else share

    @property
    def repeat_noise(self) -> float:
        """Share of the feeling's variance that differs between passes."""
        return max(0.0, 1.0 - self.repeat_correlation)

    @property
    def private_noise(self) -> float:
        """Share that is noise, but the same in both passes of a viewer."""
        return max(0.0, self.marker_noise - self.repeat_noise)

    def with_shared_share(self, share: float) -> SimulationConfig:
        """Returns a copy in which all viewers share equally much.

        Args:
            share: Share of the feeling's variance that is shared, in
                [0, 1 - `marker_noise`].

        Raises:
            ValueError: If `share` is out of range.
        """
        if not 0.0 <= share <= 1.0 - self.marker_noise + 1e-9:
            raise ValueError(
                "`share` must be in [0, 1 - marker_noise] = "
                f"[0, {1 - self.marker_noise:g}]. Received: {share}"
            )
        viewers = tuple(
            dataclasses.replace(viewer, sharing=share**0.5)
            for viewer in self.viewers
        )
        return dataclasses.replace(self, viewers=viewers)

    def to_dict(self) -> dict[str, Any]:
        """Returns the configuration as JSON types."""
        settings = dataclasses.asdict(self)
        settings["films"] = list(settings["films"])
        settings["viewers"] = list(settings["viewers"])
        return settings


def cue_counts(config: SimulationConfig, segments_per_movie: int) -> list[int]:
    """Shares the segments out over the films as the real cues are.

    Args:
        config: The films.
        segments_per_movie: Mean number of segments per film, at least 1.

    Returns:
        Number of segments per film, each at least 1, with the sum
        `segments_per_movie` times the number of films.

    Raises:
        ValueError: If `segments_per_movie` is smaller than 2.
    """
    if segments_per_movie < 2:
        raise ValueError(
            "`segments_per_movie` must be at least 2. Received: "
            f"{segments_per_movie}"
        )
    total = segments_per_movie * len(config.films)
    real = sum(film.cues for film in config.films)
    exact = [film.cues * total / real for film in config.films]
    counts = [int(number) for number in exact]
    # Largest remainders first; ties in the order of the films.
    order = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts
