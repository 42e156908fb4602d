"""Backgrounds: one large picture per shot, which the camera moves over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np

from emotion_mt.simulation.pictures import shapes
from emotion_mt.simulation.pictures.looks import Colour, Shot

#: Size of a background relative to a frame, in both directions.
MARGIN = 1.5

# Height of the ground, as a share of the picture.
_HORIZON = 0.66


@dataclasses.dataclass(frozen=True, eq=False)
class Easel(Shot):
    """What a set is painted with, and after.

    Attributes:
        picture: uint8 [H, W, 3], painted in place.
        lightness: Value of the set's colours, in [0, 1].
    """

    picture: np.ndarray
    lightness: float

    def shade(self, factor: float, saturation: float = 0.7) -> Colour:
        """Returns the set's colour, `factor` times as light."""
        return self.colour(1, self.lightness * factor, saturation)

    def box(
        self, x: float, y: float, width: float, height: float, shade: float
    ) -> None:
        """Fills a rectangle in the set's colour; unrounded looks lean."""
        lean = 0.15 * (0.5 - self.look.roundness) * height
        corners = [
            (x + lean, y),
            (x + width + lean, y),
            (x + width, y + height),
            (x, y + height),
        ]
        shapes.fill(self.picture, corners, self.shade(shade))


def paint_background(
    shot: Shot, paint_set: Callable[[Easel], None], contrast: float
) -> np.ndarray:
    """Paints what stands still in a shot.

    Args:
        shot: What it is painted after.
        paint_set: One of the functions below.
        contrast: Lightness of the set against the background, in [-1, 1].

    Returns:
        uint8 [H, W, 3], `MARGIN` times as large as a frame.
    """
    width, height = (round(side) for side in shot.size * MARGIN)
    top = np.array(shot.colour(0, 0.95, 0.45), np.float32)
    bottom = np.array(shot.colour(0, 0.55, 0.75), np.float32)
    mix = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.broadcast_to(top + (bottom - top) * mix, (height, width, 3))
    picture = np.ascontiguousarray(np.round(sky)).astype(np.uint8)
    lightness = 0.55 + 0.3 * contrast
    paint_set(Easel(**vars(shot), picture=picture, lightness=lightness))
    detail = shot.look.detail
    grain = shapes.texture(height, width, 30 - 18 * detail, shot.rng)
    strength = 0.02 + 0.09 * detail
    textured = picture * (1 + strength * np.clip(grain, -2.5, 2.5))[..., None]
    return np.clip(np.round(textured), 0, 255).astype(np.uint8)


def arches(easel: Easel) -> None:
    """Paints a colonnade."""
    height, width = easel.picture.shape[:2]
    ground = height * _HORIZON
    easel.box(0, height * 0.12, width, ground - height * 0.12, 1.0)
    easel.box(0, ground, width, height - ground, 0.6)
    step = width / easel.rng.integers(4, 8)
    arch = shapes.blob(0.4 + 0.6 * easel.look.roundness)
    for x in np.arange(step * easel.rng.uniform(0.1, 0.6), width, step):
        spring = np.array([x, height * 0.36])
        inner = shapes.place(arch, spring, (step * 0.3, step * 0.3))
        shapes.fill(easel.picture, inner, easel.shade(0.45))
        easel.box(
            x - step * 0.3, spring[1], step * 0.6, ground - spring[1], 0.45
        )
        easel.box(x + step * 0.42, spring[1], step * 0.16, ground, 1.3)


def stage(easel: Easel) -> None:
    """Paints a curtain in folds, boards and spotlights."""
    height, width = easel.picture.shape[:2]
    ground = height * _HORIZON
    folds = int(easel.rng.integers(10, 18))
    for i in range(folds):
        x = width * i / folds
        easel.box(x, 0, width / folds, ground, 0.75 + 0.5 * (i % 2))
    easel.box(0, ground, width, height - ground, 0.5)
    for i in range(8):
        y = ground + (height - ground) * (i / 8) ** 1.5
        shapes.line(easel.picture, (0, y), (width, y), 1, easel.shade(0.3))
    beams = easel.picture.copy()
    for _ in range(2 + round(2 * easel.look.light)):
        x, foot = easel.rng.uniform(0, width, size=2)
        cone = [(x, 0), (foot + width * 0.12, height), (foot, height)]
        shapes.fill(beams, cone, easel.colour(2, 1.0, 0.3))
    cv2.addWeighted(beams, 0.3, easel.picture, 0.7, 0, dst=easel.picture)


def skyline(easel: Easel) -> None:
    """Paints houses with windows behind a street."""
    height, width = easel.picture.shape[:2]
    ground = height * 0.72
    x = 0.0
    while x < width:
        house = easel.rng.uniform(0.06, 0.14) * width
        top = easel.rng.uniform(0.12, 0.45) * height
        easel.box(x, top, house, ground - top, easel.rng.uniform(0.7, 1.4))
        for row in np.arange(top + 5, ground - 8, 9):
            for column in np.arange(x + 4, x + house - 5, 8):
                if easel.rng.random() < 0.2 + 0.5 * easel.look.detail:
                    lit = easel.colour(2, 0.95, 0.5)
                    corner = (round(column), round(row))
                    opposite = (corner[0] + 3, corner[1] + 4)
                    cv2.rectangle(easel.picture, corner, opposite, lit, -1)
        x += house * easel.rng.uniform(0.95, 1.2)
    easel.box(0, ground, width, height - ground, 0.55)
    for x in np.arange(0, width, width / 9):
        easel.box(x, height * 0.86, width / 20, 3, 2.0)


def wharf(easel: Easel) -> None:
    """Paints a brick wall, crates and water."""
    height, width = easel.picture.shape[:2]
    ground = height * _HORIZON
    easel.box(0, height * 0.08, width, ground, 1.0)
    for row, y in enumerate(np.arange(height * 0.08, ground, 9.0)):
        for x in np.arange(-20.0 + 10 * (row % 2), width, 20.0):
            easel.box(x, y, 18, 7, easel.rng.uniform(0.85, 1.25))
    easel.box(0, ground, width, height - ground, 0.5)
    for _ in range(5):
        side = easel.rng.uniform(0.1, 0.22) * height
        left = easel.rng.uniform(0, width)
        easel.box(left, ground - side, side, side, easel.rng.uniform(0.5, 1.6))
    ripple = np.arange(0, width + 8, 8)
    for y in np.linspace(ground + 6, height - 4, 6):
        waves = np.stack([ripple, y + 2 * np.sin(ripple / 9 + y)], axis=1)
        corners = [np.round(waves).astype(np.int32)]
        cv2.polylines(
            easel.picture, corners, False, easel.shade(1.1), 1, cv2.LINE_AA
        )


def reef(easel: Easel) -> None:
    """Paints sand, coral branches and rays of light."""
    height, width = easel.picture.shape[:2]
    rays = easel.picture.copy()
    for _ in range(5):
        top = easel.rng.uniform(-0.1, 1.0) * width
        low = top + easel.rng.uniform(-0.2, 0.2) * width
        ray = [(top, 0), (top + 14, 0), (low + 50, height), (low, height)]
        shapes.fill(rays, ray, easel.colour(0, 1.0, 0.1))
    cv2.addWeighted(rays, 0.25, easel.picture, 0.75, 0, dst=easel.picture)
    x = np.linspace(0, width, 40)
    dunes = height * (0.8 + 0.05 * np.sin(x / width * 9))
    sand = [*zip(x, dunes, strict=True), (width, height), (0, height)]
    shapes.fill(easel.picture, sand, easel.shade(1.5, 0.4))
    for _ in range(7):
        foot = np.array([easel.rng.uniform(0, width), height * 0.85])
        role = int(easel.rng.integers(1, 3))
        colour = easel.colour(role, easel.rng.uniform(0.4, 0.9))
        _branch(easel, foot, -np.pi / 2, height * 0.14, 4, colour)


def _branch(
    easel: Easel,
    foot: np.ndarray,
    angle: float,
    length: float,
    generations: int,
    colour: Colour,
) -> None:
    tip = foot + length * np.array([np.cos(angle), np.sin(angle)])
    shapes.line(easel.picture, foot, tip, 1.5 * generations, colour)
    if generations > 1:
        spread = 0.3 + 0.5 * (1 - easel.look.roundness)
        for turn in (-spread, spread):
            turned = angle + turn * easel.rng.uniform(0.6, 1.4)
            _branch(easel, tip, turned, length * 0.7, generations - 1, colour)


def arena(easel: Easel) -> None:
    """Paints tiers with spectators around sand."""
    height, width = easel.picture.shape[:2]
    ground = height * _HORIZON
    tiers = 7
    for i in range(tiers):
        y = ground * (0.15 + 0.85 * i / tiers)
        easel.box(0, y, width, ground / tiers + 2, 0.8 + 0.08 * i)
        count = int(width / 20 * (0.15 + 0.85 * easel.look.detail))
        for x in easel.rng.uniform(0, width, size=count):
            value = easel.rng.uniform(0.2, 0.6)
            colour = easel.colour(2, value)
            shapes.disc(easel.picture, (x, y + 9), 3.0, colour)
        easel.box(0, y + ground / tiers - 4, width, 3, 0.45)
    easel.box(0, ground, width, height - ground, 1.3)
    easel.box(0, ground, width, 5, 0.5)


def mountains(easel: Easel) -> None:
    """Paints three ranges, each before and below the last."""
    height, width = easel.picture.shape[:2]
    x = np.linspace(0, width, 60)
    for i in range(3):
        rough = shapes.texture(1, 60, 14 - 3 * i, easel.rng)[0]
        sharp = np.abs(rough) * 1.3
        mix = easel.look.roundness
        ridge = height * (0.3 + 0.2 * i) - 16 * (
            mix * rough + (1 - mix) * sharp
        )
        slope = [*zip(x, ridge, strict=True), (width, height), (0, height)]
        shapes.fill(easel.picture, slope, easel.shade(1.5 - 0.4 * i))
    for _ in range(14):
        foot = easel.rng.uniform((0, 0.72 * height), (width, height))
        tree = np.array([(-0.5, 0), (0.5, 0), (0, -1.6)])
        side = 10 + 12 * easel.rng.random()
        tree = shapes.place(tree, foot, (side, side))
        shapes.fill(easel.picture, tree, easel.shade(0.4))
