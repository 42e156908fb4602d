"""What a shot looks like, and its colours."""

from __future__ import annotations

import colorsys
import dataclasses
from collections.abc import Callable

import numpy as np

from emotion_mt.simulation import streams
from emotion_mt.simulation.hidden import VISUAL_CUES, Look, shared_weights

#: Blue, green, red in [0, 255].
Colour = tuple[int, int, int]

#: Draws on a uint8 picture [H, W, 3], given the seconds since the start of
#: the shot and the pixels that the camera is off its place, float64 [2].
Layer = Callable[[np.ndarray, float, np.ndarray], None]

# A shot gets, in addition to its own content, this much of what can be seen
# of its shared valence in all cues at once, as by their weights in it.
_STAGING = 1.5
# How much films differ in what the same content looks like; with 1, offsets
# between films would be as large as differences within one.
_STYLE = 0.15
# Spread of the logarithm of a film's gains if that were 1.
_GAIN_SPREAD = 0.35
# Steepness of the curve from content (standard deviations) to a look.
_STEEPNESS = 1.8


def make_looks(
    movie: str, content: np.ndarray, seed: int, informativeness: float
) -> list[Look]:
    """Turns the content of the shots of a film into looks, one per shot.

    `content` is as of `hidden.make_content`; `informativeness` is the
    correlation of a look with it, in [0, 1].
    """
    # What only words can tell must not be seen, or they would add nothing.
    visible = content[:, : len(VISUAL_CUES)]
    weights = shared_weights("valence")[: len(VISUAL_CUES)]
    weights = weights / np.linalg.norm(weights)
    visible = visible + _STAGING * np.outer(visible @ weights, weights)
    rng = streams.stream(seed, "looks", movie)
    accident = rng.standard_normal(visible.shape)
    shown = informativeness * visible
    shown += np.sqrt(1 - informativeness**2) * accident
    rng = streams.stream(seed, "style", movie)
    offset = _STYLE * rng.standard_normal(len(VISUAL_CUES))
    gain = np.exp(_STYLE * _GAIN_SPREAD * rng.standard_normal(len(VISUAL_CUES)))
    squashed = 1 / (1 + np.exp(-_STEEPNESS * (gain * shown + offset)))
    return [Look(*row) for row in squashed.tolist()]


@dataclasses.dataclass(frozen=True, eq=False)
class Shot:
    """What all parts of a shot are drawn after.

    Attributes:
        look: Its look.
        hues: The film's hues of background, set and figures, in [0, 1).
        size: float64 [2], width and height of a frame in pixels.
        rng: Random numbers of the shot.
    """

    look: Look
    hues: tuple[float, float, float]
    size: np.ndarray
    rng: np.random.Generator

    def colour(
        self,
        role: int,
        value: float,
        saturation: float = 0.7,
        hue_shift: float = 0.0,
    ) -> Colour:
        """Returns a colour of the film in the light of the shot.

        Args:
            role: 0 background, 1 set, 2 figures.
            value: Lightness before the light of the shot, in [0, 1].
            saturation: Before the colourfulness of the shot, in [0, 1].
            hue_shift: Added to the hue; 1 is once around.
        """
        red, green, blue = colorsys.hsv_to_rgb(
            (self.hues[role] + hue_shift) % 1.0,
            min(1.0, saturation * (0.1 + 0.9 * self.look.colour)),
            min(1.0, max(0.0, value)),
        )
        warmth = 2 * self.look.warmth - 1
        tint = np.array([1 - 0.5 * warmth, 1.0, 1 + 0.5 * warmth])
        exposure = 0.26 + 0.9 * self.look.light
        lit = np.array([blue, green, red]) * tint * exposure
        # A soft shoulder instead of clipping.
        lit = np.where(lit > 0.8, 0.8 + 0.2 * np.tanh((lit - 0.8) / 0.2), lit)
        blue, green, red = np.round(255 * np.clip(lit, 0, 1)).astype(int)
        return int(blue), int(green), int(red)
