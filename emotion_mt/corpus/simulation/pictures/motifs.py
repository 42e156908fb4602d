"""Large soft shapes behind the figures: clouds, balloons, shards."""

from __future__ import annotations

import cv2
import numpy as np

from emotion_mt.corpus.simulation.pictures import shapes
from emotion_mt.corpus.simulation.pictures.style import Look, Palette

_FEWEST, _MOST = 5, 12
_OPACITY = 0.45


class Motifs:
    """The motifs of a shot: all spiky or all round, rising or falling.

    Args:
        look: The shot's.
        palette: Colours of the film in the light of the shot.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rng: Random numbers of the shot.
    """

    def __init__(
        self,
        look: Look,
        palette: Palette,
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> None:
        self._size = np.array([width_px, height_px], np.float64)
        count = round(_FEWEST + (_MOST - _FEWEST) * look.detail)
        self._start = rng.uniform(0, 1, size=(count, 2)) * self._size
        self._radii = height_px * rng.uniform(0.06, 0.16, size=count)
        speed = rng.uniform(0.7, 1.3, size=count)
        drift = 0.35 * (1 - 2 * look.rise) * (0.4 + look.pace)
        self._velocity = height_px * np.stack(
            [0.03 * (speed - 1), drift * speed], axis=1
        )
        self._turn = 1.5 * look.unrest**2 * (speed - 1)
        self._body = shapes.blob(look.roundness)
        self._colours = [
            palette.colour(int(role), float(value), 0.6)
            for role, value in zip(
                rng.integers(0, 3, size=count),
                rng.uniform(0.6, 1.0, size=count),
                strict=True,
            )
        ]

    def draw(
        self, picture: np.ndarray, time_s: float, shake: np.ndarray
    ) -> None:
        """Draws the motifs on a uint8 picture, see `Crowd.draw`."""
        solid = picture.copy()
        room = self._size + 2 * self._radii[:, None]
        places = self._start + self._velocity * time_s
        places = np.mod(places, room) - self._radii[:, None] + shake
        for place, radius, turn, colour in zip(
            places, self._radii, self._turn, self._colours, strict=True
        ):
            points = shapes.place(
                self._body, place, (radius, radius), turn * time_s
            )
            shapes.fill(solid, points, colour)
        cv2.addWeighted(solid, _OPACITY, picture, 1 - _OPACITY, 0, dst=picture)
