"""Figures made of blobs and limbs that walk, dance, swim, drive and fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from emotion_mt.simulation.pictures import shapes
from emotion_mt.simulation.pictures.looks import Colour, Layer, Shot

_MOST = 11
# Steepest way up or down, radians: through the air and over the ground.
_SLOPE_AIR = 0.9
_SLOPE_GROUND = 0.25
# Where figures start, as shares of width and height.
_PLACES_AIR = ((0.1, 0.2), (0.9, 0.8))
_PLACES_GROUND = ((0.1, 0.58), (0.9, 0.82))


class Figure:
    """One figure of a shot.

    Places in it are in its heights from its centre: x to where it faces, y
    downwards.

    Args:
        shot: What it is drawn after, and what its properties are drawn with.
        kinds: The film's figures; it is one of them.
        outlined: Whether it has a dark outline.
    """

    def __init__(
        self, shot: Shot, kinds: Sequence[Painter], outlined: bool
    ) -> None:
        look, rng = shot.look, shot.rng
        self._paint = kinds[int(rng.integers(len(kinds)))]
        near = rng.uniform(0.8, 1.2)
        self.size_px = shot.size[1] * (0.14 + 0.76 * look.closeness) * near
        flies = self._paint in (fish, bird)
        steepest = _SLOPE_AIR if flies else _SLOPE_GROUND
        slope = steepest * (1 - 2 * look.rise)
        speed = shot.size[0] * (0.01 + 0.42 * look.pace**1.6)
        speed *= rng.uniform(0.7, 1.3)
        side = rng.choice([-1.0, 1.0])
        # Pixels per second, and the place at the start of the shot.
        self._velocity = speed * np.array([side * np.cos(slope), np.sin(slope)])
        hue = float(rng.uniform(-0.06, 0.06))
        value = float(rng.uniform(0.65, 1.0))
        places = _PLACES_AIR if flies else _PLACES_GROUND
        self.start = shot.size * rng.uniform(*places)
        # Of the limbs: radians, radians per second, radians.
        self._first_phase = float(rng.uniform(0, 2 * np.pi))
        self._cadence = (1.5 + 16 * look.pace**1.3) * rng.uniform(0.85, 1.15)
        self.swing = 0.25 + 0.55 * look.pace
        # Of the body: heights, radians, radians clockwise.
        self._hop = 0.22 * look.rise**2 * (0.3 + look.pace)
        self._wobble = 0.3 * look.unrest**2
        self._tilt = 0.35 * (1 - 2 * look.rise) * (0.4 + 0.6 * look.pace)
        self._stripes = round(4 * look.detail)
        self._body = shapes.blob(look.roundness)
        self._outline = shot.colour(1, 0.12) if outlined else None
        self.colours = (
            shot.colour(2, value, 0.85, hue),
            shot.colour(2, 0.7 * value, 0.6, hue + 0.08),
            shot.colour(0, 1.0, 0.35, hue),
        )
        self._frame = shot.size

    def draw(
        self, picture: np.ndarray, time_s: float, shake: np.ndarray
    ) -> None:
        """Draws it at a moment; who leaves the frame comes back in."""
        self.picture = picture
        self.phase = self._first_phase + self._cadence * time_s
        margin = 0.5 * self.size_px
        path = self.start + self._velocity * time_s + margin
        place = np.mod(path, self._frame + 2 * margin) - margin
        hop = self._hop * abs(np.sin(self.phase)) * self.size_px
        self._centre = place - np.array([0.0, hop]) + shake
        self._facing = 1 if self._velocity[0] >= 0 else -1
        wobble = self._wobble * np.sin(1.7 * self.phase)
        self._angle = (self._tilt + wobble) * self._facing
        self._paint(self)

    def at(self, x: float, y: float) -> np.ndarray:
        """Returns the pixel of a place in the figure."""
        x *= self._facing
        cosine, sine = np.cos(self._angle), np.sin(self._angle)
        turned = np.array([cosine * x - sine * y, sine * x + cosine * y])
        return self._centre + self.size_px * turned

    def blob(
        self, x: float, y: float, wide: float, high: float, colour: int
    ) -> None:
        """Draws a blob around a place; `wide` and `high` are radii."""
        size = (self.size_px * wide * self._facing, self.size_px * high)
        points = shapes.place(self._body, self.at(x, y), size, self._angle)
        self._fill(points, colour)

    def polygon(self, *points: tuple[float, float], colour: int) -> None:
        """Draws a polygon between places."""
        self._fill(np.stack([self.at(x, y) for x, y in points]), colour)

    def _fill(self, points: np.ndarray, colour: int) -> None:
        shapes.fill(self.picture, points, self.colours[colour], self._outline)

    def limb(
        self, x: float, y: float, angle: float, length: float, width: float
    ) -> None:
        """Draws a straight limb; angle 0 hangs down, positive is forward."""
        end = self.at(x + length * np.sin(angle), y + length * np.cos(angle))
        width_px = width * self.size_px
        shapes.line(self.picture, self.at(x, y), end, width_px, self.colours[1])

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draws a circle around a place."""
        radius_px = radius * self.size_px
        shapes.disc(self.picture, self.at(x, y), radius_px, colour)

    def spots(self, wide: float, y: float) -> None:
        """Draws the stripes of the body as a row of marks."""
        for i in range(self._stripes):
            x = wide * ((i + 0.5) / self._stripes - 0.5)
            radius = wide / (3.2 * self._stripes)
            self.disc(x, y, radius, self.colours[2])


#: Draws a figure in the pose of the moment.
Painter = Callable[[Figure], None]


def walker(figure: Figure) -> None:
    """Draws somebody on two legs."""
    swing = figure.swing * np.sin(figure.phase)
    figure.limb(0, 0.12, swing, 0.38, 0.09)
    figure.limb(0, 0.12, -swing, 0.38, 0.09)
    figure.limb(0, -0.16, -swing * 1.2, 0.3, 0.06)
    figure.blob(0, -0.04, 0.15, 0.24, 0)
    figure.spots(0.22, -0.04)
    figure.limb(0, -0.16, swing * 1.2, 0.3, 0.06)
    figure.blob(0.02, -0.37, 0.12, 0.13, 1)
    figure.disc(0.07, -0.38, 0.02, figure.colours[2])


def dancer(figure: Figure) -> None:
    """Draws somebody in a skirt who kicks and waves."""
    swing = figure.swing * np.sin(figure.phase)
    kick = figure.swing * np.sin(2 * figure.phase)
    figure.limb(0, 0.1, 0.8 * kick, 0.4, 0.07)
    figure.limb(0, 0.1, -0.4 * swing, 0.4, 0.07)
    skirt = 0.2 + 0.06 * np.sin(figure.phase)
    figure.polygon((0, -0.2), (skirt, 0.18), (-skirt, 0.18), colour=0)
    figure.spots(0.3, 0.12)
    figure.blob(0, -0.14, 0.1, 0.16, 0)
    for side in (-1, 1):
        figure.limb(0, -0.22, side * (2.0 + 0.9 * swing * side), 0.3, 0.05)
    figure.blob(0, -0.38, 0.1, 0.11, 1)


def fish(figure: Figure) -> None:
    """Draws a fish."""
    wag = 0.25 * figure.swing * np.sin(figure.phase)
    tail = ((-0.3, 0.0), (-0.62, -0.22 + wag), (-0.62, 0.22 + wag))
    figure.polygon(*tail, colour=1)
    figure.polygon((0.1, -0.2), (-0.2, -0.42 - wag), (-0.2, -0.15), colour=1)
    figure.blob(0, 0, 0.42, 0.26, 0)
    figure.spots(0.5, 0.02)
    figure.disc(0.25, -0.07, 0.06, (235, 235, 235))
    figure.disc(0.26, -0.07, 0.03, (20, 20, 20))


def car(figure: Figure) -> None:
    """Draws a car with a spoke in each wheel."""
    figure.blob(-0.05, -0.16, 0.36, 0.22, 1)
    hull = ((-0.6, -0.12), (0.6, -0.12), (0.66, 0.2), (-0.62, 0.2))
    figure.polygon(*hull, colour=0)
    figure.spots(0.9, 0.03)
    for x in (-0.36, 0.36):
        figure.disc(x, 0.22, 0.15, (25, 25, 25))
        radius = 0.15 * figure.size_px
        rim = radius * np.array([np.cos(figure.phase), np.sin(figure.phase)])
        hub, colour = figure.at(x, 0.22), figure.colours[2]
        shapes.line(figure.picture, hub - rim, hub + rim, 1, colour)
    figure.disc(0.64, 0.0, 0.06, figure.colours[2])


def beast(figure: Figure) -> None:
    """Draws an animal on four legs."""
    swing = figure.swing * np.sin(figure.phase)
    for x, side in ((-0.28, 1), (-0.2, -1), (0.22, -1), (0.3, 1)):
        figure.limb(x, 0.12, side * swing, 0.36, 0.07)
    figure.limb(-0.4, -0.02, -0.7 + 0.5 * swing, 0.25, 0.05)
    figure.blob(0, 0, 0.42, 0.2, 0)
    figure.spots(0.6, 0.02)
    neck = ((0.25, -0.08), (0.42, -0.4), (0.52, -0.3), (0.4, 0.0))
    figure.polygon(*neck, colour=0)
    figure.blob(0.52, -0.34, 0.13, 0.09, 1)


def bird(figure: Figure) -> None:
    """Draws a bird."""
    flap = figure.swing * np.sin(figure.phase)
    figure.polygon((-0.25, 0), (-0.5, -0.1), (-0.5, 0.12), colour=1)
    figure.blob(0, 0, 0.3, 0.15, 0)
    figure.spots(0.35, 0.0)
    for reach in (-0.5, 0.5):
        tip = (reach * 0.5 - 0.1, -0.55 * flap)
        figure.polygon((0.14, -0.02), tip, (-0.14, -0.02), colour=1)
    figure.blob(0.3, -0.09, 0.11, 0.1, 0)
    figure.polygon((0.38, -0.12), (0.52, -0.07), (0.38, -0.03), colour=2)


def make_crowd(shot: Shot, kinds: Sequence[Painter], outlined: bool) -> Layer:
    """Draws the figures of a shot; see `Figure`."""
    count = 1 + round((_MOST - 1) * shot.look.crowd**1.4)
    figures = [Figure(shot, kinds, outlined) for _ in range(count)]
    # Who stands lower is nearer.
    figures.sort(key=lambda figure: figure.start[1])

    def draw(picture: np.ndarray, time_s: float, shake: np.ndarray) -> None:
        for figure in figures:
            figure.draw(picture, time_s, shake)

    return draw
