"""What drifts through the air of a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from emotion_mt.corpus.simulation.pictures import shapes
from emotion_mt.corpus.simulation.pictures.style import Look, Palette

_FEWEST, _MOST = 4, 26


class Particles:
    """The particles of a shot: few or many, falling or rising.

    Args:
        kind: A key of `KINDS`.
        look: The shot's.
        palette: Colours of the film in the light of the shot.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rng: Random numbers of the shot.
    """

    def __init__(
        self,
        kind: str,
        look: Look,
        palette: Palette,
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> None:
        self._paint = KINDS[kind]
        self._size = np.array([width_px, height_px], np.float64)
        count = round(_FEWEST + (_MOST - _FEWEST) * look.detail)
        self._start = rng.uniform(0, 1, size=(count, 2)) * self._size
        drift = (1 - 2 * look.rise) * (0.35 + 0.6 * look.pace)
        speed = rng.uniform(0.6, 1.4, size=count)
        self._velocity = height_px * np.stack(
            [0.08 * (speed - 1), drift * speed], axis=1
        )
        self._phase = rng.uniform(0, 2 * np.pi, size=count)
        self._colours = [
            palette.colour(int(role), 1.0, 0.5)
            for role in rng.integers(0, 3, size=count)
        ]

    def draw(
        self, picture: np.ndarray, time_s: float, shake: np.ndarray
    ) -> None:
        """Draws the particles on a uint8 picture, see `Crowd.draw`."""
        sway = 3 * np.sin(2 * time_s + self._phase)
        places = self._start + self._velocity * time_s
        places[:, 0] += sway
        places = np.mod(places, self._size) + shake
        for place, velocity, phase, colour in zip(
            places, self._velocity, self._phase, self._colours, strict=True
        ):
            self._paint(picture, place, velocity, phase + 3 * time_s, colour)


_Painter = Callable[
    [np.ndarray, np.ndarray, np.ndarray, float, shapes.Colour], None
]


def _disc(radius_px: float, filled: bool = True) -> _Painter:
    def paint(
        picture: np.ndarray,
        place: np.ndarray,
        velocity: np.ndarray,
        turn: float,
        colour: shapes.Colour,
    ) -> None:
        shapes.disc(picture, place, radius_px, colour, filled)

    return paint


def _flake(length_px: float) -> _Painter:
    def paint(
        picture: np.ndarray,
        place: np.ndarray,
        velocity: np.ndarray,
        turn: float,
        colour: shapes.Colour,
    ) -> None:
        half = length_px / 2 * np.array([np.cos(turn), np.sin(turn)])
        shapes.line(picture, place - half, place + half, 2, colour)

    return paint


def _streak(
    picture: np.ndarray,
    place: np.ndarray,
    velocity: np.ndarray,
    turn: float,
    colour: shapes.Colour,
) -> None:
    shapes.line(picture, place, place + 0.1 * velocity + 1, 1, colour)


#: Name of a kind of particle to the function that draws one.
KINDS: Mapping[str, _Painter] = {
    "leaf": _flake(6),
    "confetti": _flake(4),
    "rain": _streak,
    "spark": _disc(1.2),
    "bubble": _disc(4.0, filled=False),
    "dust": _disc(0.8),
    "snow": _disc(1.8),
}
