"""What a simulated corpus is made from: films, viewers and the knobs."""

from __future__ import annotations

import dataclasses

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
            reach, in (0, 1).
        marker_noise: Share of the feeling's variance that follows nothing in
            the film, in [0, 1).
        repeat_correlation: Correlation of two traces of one viewer within a
            film, in [1 - `marker_noise`, 1]. The part of the noise that is
            more than 1 - `repeat_correlation` is the same in both traces.
        text_informativeness: Correlation of the sentiment of the words with
            the shared valence, in [0, 1].
        visual_informativeness: Correlation of the look of a shot with its
            content, in [0, 1].
        cue_median_s: Median length of a cue, in seconds.
        width_px: Width of the videos, even.
        height_px: Height of the videos, even.

    Raises:
        ValueError: If a setting has no meaning.
    """

    films: tuple[FilmProfile, ...] = FILMS
    viewers: tuple[ViewerProfile, ...] = VIEWERS
    average_share: float = 0.62
    marker_noise: float = 0.2
    repeat_correlation: float = 0.8
    text_informativeness: float = 0.95
    visual_informativeness: float = 0.95
    cue_median_s: float = 2.1
    width_px: int = 224
    height_px: int = 128

    def __post_init__(self) -> None:
        """Refuses settings that have no meaning."""
        for name, found, known in (
            ("films", [film.movie for film in self.films], paper.MOVIES),
            ("viewers", [v.name for v in self.viewers], paper.VIEWERS),
        ):
            different = 0 < len(set(found)) == len(found)
            valid = different and set(found) <= set(known)
            _require(name, valid, f"different {name} among {known}", found)
        for name in ("text_informativeness", "visual_informativeness"):
            value = getattr(self, name)
            _require(name, 0.0 <= value <= 1.0, "in [0, 1]", value)
        noise, repeat = self.marker_noise, self.repeat_correlation
        _require("marker_noise", 0.0 <= noise < 1.0, "in [0, 1)", noise)
        expected = f"in [1 - marker_noise, 1] = [{1 - noise:g}, 1]"
        # A tolerance, as 1 - 0.2 is not exactly 0.8.
        valid = 1.0 - noise - 1e-9 <= repeat <= 1.0
        _require("repeat_correlation", valid, expected, repeat)
        share, median_s = self.average_share, self.cue_median_s
        _require("average_share", 0.0 < share < 1.0, "in (0, 1)", share)
        _require("cue_median_s", median_s > 0.0, "greater than 0", median_s)
        for name in ("width_px", "height_px"):
            size = getattr(self, name)
            valid = size >= 32 and size % 2 == 0
            _require(name, valid, "even, 32 or more", size)
        for viewer in self.viewers:
            whose = f" for {viewer.name}"
            own, share = self.own_share(viewer), viewer.positive_share
            expected = f"such that sharing² + marker_noise ({noise:g}) <= 1"
            _require("sharing", own >= 0.0, expected, viewer.sharing, whose)
            valid = 0.0 < share < 1.0
            _require("positive_share", valid, "in (0, 1)", share, whose)
            valid = viewer.passes in (1, 2)
            _require("passes", valid, "1 or 2", viewer.passes, whose)

    def own_share(self, viewer: ViewerProfile) -> float:
        """Returns the share of a feeling that is the viewer's own response.

        Args:
            viewer: The viewer.
        """
        share = 1.0 - viewer.sharing**2 - self.marker_noise
        return 0.0 if abs(share) < 1e-9 else share


def _require(
    name: str, valid: bool, expected: str, received: object, whose: str = ""
) -> None:
    if not valid:
        raise ValueError(
            f"`{name}` must be {expected}. Received{whose}: {received}"
        )


def cue_counts(config: SimulationConfig, segments_per_movie: int) -> list[int]:
    """Shares the segments out over the films as the real cues are.

    Returns:
        Number of segments per film, each at least 1, with the sum
        `segments_per_movie` times the number of films.

    Raises:
        ValueError: If `segments_per_movie` is smaller than 2.
    """
    enough = segments_per_movie >= 2
    _require("segments_per_movie", enough, "at least 2", segments_per_movie)
    total = segments_per_movie * len(config.films)
    real = sum(film.cues for film in config.films)
    exact = [film.cues * total / real for film in config.films]
    counts = [int(number) for number in exact]
    # Largest remainders first; ties in the order of the films.
    order = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts
