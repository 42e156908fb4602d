"""Figures made of blobs and limbs that walk, dance, swim, drive and fly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from emotion_mt.corpus.simulation.pictures import shapes


@dataclasses.dataclass(frozen=True, eq=False)
class Pose:
    """One figure at one moment.

    Attributes:
        picture: uint8 [H, W, 3], drawn on in place.
        centre: float64 [2], x and y in pixels.
        size_px: Height of the figure.
        facing: 1 to the right, -1 to the left.
        tilt: Angle of the body in radians, clockwise.
        phase: Of the limbs, in radians.
        swing: Of the limbs, in radians.
        body: float64 [P, 2], outline of radius 1, see `shapes.blob`.
        colours: Of body, limbs and marks.
        outline: Colour of the outline or None.
        stripes: Number of stripes or spots on the body.
    """

    picture: np.ndarray
    centre: np.ndarray
    size_px: float
    facing: int
    tilt: float
    phase: float
    swing: float
    body: np.ndarray
    colours: tuple[shapes.Colour, shapes.Colour, shapes.Colour]
    outline: shapes.Colour | None
    stripes: int

    def at(self, x: float, y: float) -> np.ndarray:
        """Returns the pixel of a place in the figure.

        x runs to where the figure faces, y downwards, both in heights.
        """
        x *= self.facing
        angle = self.tilt * self.facing
        cosine, sine = np.cos(angle), np.sin(angle)
        turned = np.array([cosine * x - sine * y, sine * x + cosine * y])
        return self.centre + self.size_px * turned

    def blob(
        self, x: float, y: float, wide: float, high: float, colour: int
    ) -> None:
        """Draws a blob around a place; `wide` and `high` are radii."""
        size = (self.size_px * wide * self.facing, self.size_px * high)
        points = shapes.place(
            self.body, self.at(x, y), size, self.tilt * self.facing
        )
        shapes.fill(self.picture, points, self.colours[colour], self.outline)

    def polygon(self, points: list[tuple[float, float]], colour: int) -> None:
        """Draws a polygon between places."""
        corners = np.stack([self.at(x, y) for x, y in points])
        shapes.fill(self.picture, corners, self.colours[colour], self.outline)

    def limb(
        self, x: float, y: float, angle: float, length: float, width: float
    ) -> None:
        """Draws a straight limb; angle 0 hangs down, positive is forward."""
        end = self.at(x + length * np.sin(angle), y + length * np.cos(angle))
        shapes.line(
            self.picture,
            self.at(x, y),
            end,
            width * self.size_px,
            self.colours[1],
        )

    def spots(self, wide: float, y: float) -> None:
        """Draws the stripes of the body as a row of marks."""
        for i in range(self.stripes):
            x = wide * ((i + 0.5) / self.stripes - 0.5)
            radius = self.size_px * wide / (3.2 * self.stripes)
            where = self.at(x, y)
            shapes.disc(self.picture, where, radius, self.colours[2])


def _walker(pose: Pose) -> None:
    swing = pose.swing * np.sin(pose.phase)
    pose.limb(0, 0.12, swing, 0.38, 0.09)
    pose.limb(0, 0.12, -swing, 0.38, 0.09)
    pose.limb(0, -0.16, -swing * 1.2, 0.3, 0.06)
    pose.blob(0, -0.04, 0.15, 0.24, 0)
    pose.spots(0.22, -0.04)
    pose.limb(0, -0.16, swing * 1.2, 0.3, 0.06)
    pose.blob(0.02, -0.37, 0.12, 0.13, 1)
    shapes.disc(
        pose.picture, pose.at(0.07, -0.38), 0.02 * pose.size_px, pose.colours[2]
    )


def _dancer(pose: Pose) -> None:
    swing = pose.swing * np.sin(pose.phase)
    kick = pose.swing * np.sin(2 * pose.phase)
    pose.limb(0, 0.1, 0.8 * kick, 0.4, 0.07)
    pose.limb(0, 0.1, -0.4 * swing, 0.4, 0.07)
    skirt = 0.2 + 0.06 * np.sin(pose.phase)
    pose.polygon([(0, -0.2), (skirt, 0.18), (-skirt, 0.18)], 0)
    pose.spots(0.3, 0.12)
    pose.blob(0, -0.14, 0.1, 0.16, 0)
    for side in (-1, 1):
        pose.limb(0, -0.22, side * (2.0 + 0.9 * swing * side), 0.3, 0.05)
    pose.blob(0, -0.38, 0.1, 0.11, 1)


def _fish(pose: Pose) -> None:
    wag = 0.25 * pose.swing * np.sin(pose.phase)
    pose.polygon([(-0.3, 0), (-0.62, -0.22 + wag), (-0.62, 0.22 + wag)], 1)
    pose.polygon([(0.1, -0.2), (-0.2, -0.42 - wag), (-0.2, -0.15)], 1)
    pose.blob(0, 0, 0.42, 0.26, 0)
    pose.spots(0.5, 0.02)
    shapes.disc(
        pose.picture, pose.at(0.25, -0.07), 0.06 * pose.size_px, (235,) * 3
    )
    shapes.disc(
        pose.picture, pose.at(0.26, -0.07), 0.03 * pose.size_px, (20,) * 3
    )


def _car(pose: Pose) -> None:
    pose.blob(-0.05, -0.16, 0.36, 0.22, 1)
    pose.polygon([(-0.6, -0.12), (0.6, -0.12), (0.66, 0.2), (-0.62, 0.2)], 0)
    pose.spots(0.9, 0.03)
    for x in (-0.36, 0.36):
        hub = pose.at(x, 0.22)
        radius = 0.15 * pose.size_px
        shapes.disc(pose.picture, hub, radius, (25, 25, 25))
        rim = radius * np.array([np.cos(pose.phase), np.sin(pose.phase)])
        shapes.line(pose.picture, hub - rim, hub + rim, 1, pose.colours[2])
    lamp = pose.at(0.64, 0.0)
    shapes.disc(pose.picture, lamp, 0.06 * pose.size_px, pose.colours[2])


def _beast(pose: Pose) -> None:
    swing = pose.swing * np.sin(pose.phase)
    for x, side in ((-0.28, 1), (-0.2, -1), (0.22, -1), (0.3, 1)):
        pose.limb(x, 0.12, side * swing, 0.36, 0.07)
    pose.limb(-0.4, -0.02, -0.7 + 0.5 * swing, 0.25, 0.05)
    pose.blob(0, 0, 0.42, 0.2, 0)
    pose.spots(0.6, 0.02)
    pose.polygon([(0.25, -0.08), (0.42, -0.4), (0.52, -0.3), (0.4, 0.0)], 0)
    pose.blob(0.52, -0.34, 0.13, 0.09, 1)


def _bird(pose: Pose) -> None:
    flap = pose.swing * np.sin(pose.phase)
    pose.polygon([(-0.25, 0), (-0.5, -0.1), (-0.5, 0.12)], 1)
    pose.blob(0, 0, 0.3, 0.15, 0)
    pose.spots(0.35, 0.0)
    for reach in (-0.5, 0.5):
        tip = (reach * 0.5 - 0.1, -0.55 * flap)
        pose.polygon([(0.14, -0.02), tip, (-0.14, -0.02)], 1)
    pose.blob(0.3, -0.09, 0.11, 0.1, 0)
    pose.polygon([(0.38, -0.12), (0.52, -0.07), (0.38, -0.03)], 2)


#: Name of a kind of figure to the function that draws it.
KINDS: Mapping[str, Callable[[Pose], None]] = {
    "walker": _walker,
    "dancer": _dancer,
    "fish": _fish,
    "car": _car,
    "beast": _beast,
    "bird": _bird,
}

#: The kinds that do not stand on the ground.
FLYING = frozenset({"fish", "bird"})
