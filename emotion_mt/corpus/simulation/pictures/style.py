"""What a film looks like: fixed picks per film, offsets drawn by the seed."""

from __future__ import annotations

import colorsys
import dataclasses
from collections.abc import Mapping

import numpy as np

from emotion_mt.corpus.simulation import streams
from emotion_mt.corpus.simulation.config import SimulationConfig
from emotion_mt.corpus.simulation.content import (
    VISUAL_CUES,
    shared_weights,
)

# Spread of the logarithm of a film's gains at `style_strength` 1.
_GAIN_SPREAD = 0.35
# Steepness of the curve from content (standard deviations) to a look.
_STEEPNESS = 1.8


@dataclasses.dataclass(frozen=True)
class Design:
    """The picks that make a film recognisable.

    Attributes:
        set_name: What stands in the background, see `scenery.SETS`.
        actors: Who moves in the foreground, see `actors.KINDS`.
        particles: What drifts through the air, see `particles.KINDS`.
        camera: "still", "pan", "push", "float" or "orbit".
        hues: Hues in [0, 1) of background, set and actors.
        outlined: Whether shapes have a dark outline.
        contrast: Lightness of the set against the background, in [-1, 1].
    """

    set_name: str
    actors: tuple[str, ...]
    particles: str
    camera: str
    hues: tuple[float, float, float]
    outlined: bool
    contrast: float


#: Film code to design.
DESIGNS: Mapping[str, Design] = {
    "BMI": Design(
        "arches", ("walker",), "leaf", "push", (0.14, 0.10, 0.36), True, 0.3
    ),
    "CHI": Design(
        "stage", ("dancer",), "confetti", "pan", (0.96, 0.99, 0.12), False, 0.2
    ),
    "CRA": Design(
        "skyline",
        ("car", "walker"),
        "rain",
        "float",
        (0.62, 0.66, 0.05),
        False,
        -0.5,
    ),
    "DEP": Design(
        "wharf", ("walker",), "spark", "still", (0.45, 0.52, 0.58), True, -0.2
    ),
    "FNE": Design(
        "reef", ("fish",), "bubble", "float", (0.53, 0.46, 0.07), False, 0.1
    ),
    "GLA": Design(
        "arena",
        ("beast", "walker"),
        "dust",
        "orbit",
        (0.10, 0.08, 0.01),
        True,
        0.4,
    ),
    "LOR": Design(
        "mountains",
        ("bird", "beast"),
        "snow",
        "pan",
        (0.58, 0.33, 0.75),
        False,
        -0.3,
    ),
}


@dataclasses.dataclass(frozen=True)
class Look:
    """What one shot looks like; all in (0, 1), 0.5 is the middle.

    Attributes:
        light: Dark to bright.
        warmth: Cold to warm colours.
        colour: Grey to colourful.
        pace: Still to fast movements.
        unrest: Calm to shaking and flickering.
        crowd: One actor to many.
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


def make_looks(
    movie: str, content: np.ndarray, seed: int, config: SimulationConfig
) -> list[Look]:
    """Turns the content of the shots of a film into looks.

    Args:
        movie: Film code.
        content: float64 [S, K], see `content.make_content`.
        seed: Seed of the corpus.
        config: `staging`, `style_strength` and `visual_informativeness`.

    Returns:
        One look per shot.
    """
    # What only words can tell must not be seen, or they would add nothing.
    visible = content[:, : len(VISUAL_CUES)]
    weights = shared_weights("valence")[: len(VISUAL_CUES)]
    weights = weights / np.linalg.norm(weights)
    visible = visible + config.staging * np.outer(visible @ weights, weights)
    rng = streams.stream(seed, "looks", movie)
    accident = rng.standard_normal(visible.shape)
    known = config.visual_informativeness
    shown = known * visible + np.sqrt(1 - known**2) * accident
    rng = streams.stream(seed, "style", movie)
    strength = config.style_strength
    offset = strength * rng.standard_normal(len(VISUAL_CUES))
    gain = np.exp(
        strength * _GAIN_SPREAD * rng.standard_normal(len(VISUAL_CUES))
    )
    squashed = 1 / (1 + np.exp(-_STEEPNESS * (gain * shown + offset)))
    return [Look(*row) for row in squashed.tolist()]


class Palette:
    """Colours of a film in the light of a shot."""

    def __init__(self, design: Design, look: Look) -> None:
        self._hues = design.hues
        self._saturation = 0.1 + 0.9 * look.colour
        self._exposure = 0.26 + 0.9 * look.light
        warmth = 2 * look.warmth - 1
        # Blue, green, red.
        self._tint = np.array([1 - 0.5 * warmth, 1.0, 1 + 0.5 * warmth])

    def colour(
        self,
        role: int,
        value: float,
        saturation: float = 0.7,
        hue_shift: float = 0.0,
    ) -> tuple[int, int, int]:
        """Returns a colour as blue, green, red in [0, 255].

        Args:
            role: 0 background, 1 set, 2 actors.
            value: Lightness before the light of the shot, in [0, 1].
            saturation: Before the colourfulness of the shot, in [0, 1].
            hue_shift: Added to the hue; 1 is once around.
        """
        red, green, blue = colorsys.hsv_to_rgb(
            (self._hues[role] + hue_shift) % 1.0,
            min(1.0, saturation * self._saturation),
            min(1.0, max(0.0, value)),
        )
        lit = np.array([blue, green, red]) * self._tint * self._exposure
        # A soft shoulder instead of clipping.
        lit = np.where(lit > 0.8, 0.8 + 0.2 * np.tanh((lit - 0.8) / 0.2), lit)
        blue, green, red = np.round(255 * np.clip(lit, 0, 1)).astype(int)
        return int(blue), int(green), int(red)
