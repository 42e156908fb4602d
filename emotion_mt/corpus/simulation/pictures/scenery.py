"""Backgrounds: one large picture per shot, which the camera moves over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from emotion_mt.corpus.simulation.pictures import shapes
from emotion_mt.corpus.simulation.pictures.style import Design, Look, Palette

#: Size of a background relative to a frame, in both directions.
MARGIN = 1.5

# Height of the ground, as a share of the picture.
_HORIZON = 0.66


@dataclasses.dataclass(frozen=True, eq=False)
class Easel:
    """What a set is painted with.

    Attributes:
        picture: uint8 [H, W, 3], painted in place.
        palette: Colours.
        look: The look of the shot.
        lightness: Value of the set's colours, in [0, 1].
        rng: Random numbers of the shot.
    """

    picture: np.ndarray
    palette: Palette
    look: Look
    lightness: float
    rng: np.random.Generator

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.shape[1], self.picture.shape[0]

    def shade(self, factor: float, saturation: float = 0.7) -> shapes.Colour:
        """Returns the set's colour, `factor` times as light."""
        return self.palette.colour(1, self.lightness * factor, saturation)

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
        shapes.fill(self.picture, np.array(corners), self.shade(shade))


def paint_background(
    design: Design,
    look: Look,
    palette: Palette,
    width_px: int,
    height_px: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Paints what stands still in a shot.

    Args:
        design: The film's.
        look: The shot's.
        palette: Colours of the film in the light of the shot.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rng: Random numbers of the shot.

    Returns:
        uint8 [H, W, 3], `MARGIN` times as large as a frame.
    """
    width, height = round(width_px * MARGIN), round(height_px * MARGIN)
    top = np.array(palette.colour(0, 0.95, 0.45), np.float32)
    bottom = np.array(palette.colour(0, 0.55, 0.75), np.float32)
    mix = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.broadcast_to(top + (bottom - top) * mix, (height, width, 3))
    picture = np.ascontiguousarray(np.round(sky)).astype(np.uint8)
    lightness = 0.55 + 0.3 * design.contrast
    SETS[design.set_name](Easel(picture, palette, look, lightness, rng))
    grain = shapes.texture(height, width, 30 - 18 * look.detail, rng)
    strength = 0.02 + 0.09 * look.detail
    textured = picture * (1 + strength * np.clip(grain, -2.5, 2.5))[..., None]
    return np.clip(np.round(textured), 0, 255).astype(np.uint8)


def _arches(easel: Easel) -> None:
    """A colonnade."""
    width, height = easel.size
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


def _stage(easel: Easel) -> None:
    """A curtain in folds, boards and spotlights."""
    width, height = easel.size
    ground = height * _HORIZON
    folds = int(easel.rng.integers(10, 18))
    for i in range(folds):
        x = width * i / folds
        easel.box(x, 0, width / folds, ground, 0.75 + 0.5 * (i % 2))
    easel.box(0, ground, width, height - ground, 0.5)
    for i in range(8):
        y = ground + (height - ground) * (i / 8) ** 1.5
        ends = np.array([[0, y], [width, y]])
        shapes.line(easel.picture, ends[0], ends[1], 1, easel.shade(0.3))
    beams = easel.picture.copy()
    for _ in range(2 + round(2 * easel.look.light)):
        x, foot = easel.rng.uniform(0, width, size=2)
        cone = [(x, 0), (foot + width * 0.12, height), (foot, height)]
        light = easel.palette.colour(2, 1.0, 0.3)
        shapes.fill(beams, np.array(cone), light)
    cv2.addWeighted(beams, 0.3, easel.picture, 0.7, 0, dst=easel.picture)


def _skyline(easel: Easel) -> None:
    """Houses with windows behind a street."""
    width, height = easel.size
    ground = height * 0.72
    x = 0.0
    while x < width:
        house = easel.rng.uniform(0.06, 0.14) * width
        top = easel.rng.uniform(0.12, 0.45) * height
        easel.box(x, top, house, ground - top, easel.rng.uniform(0.7, 1.4))
        for row in np.arange(top + 5, ground - 8, 9):
            for column in np.arange(x + 4, x + house - 5, 8):
                if easel.rng.random() < 0.2 + 0.5 * easel.look.detail:
                    lit = easel.palette.colour(2, 0.95, 0.5)
                    corner = (round(column), round(row))
                    opposite = (corner[0] + 3, corner[1] + 4)
                    cv2.rectangle(easel.picture, corner, opposite, lit, -1)
        x += house * easel.rng.uniform(0.95, 1.2)
    easel.box(0, ground, width, height - ground, 0.55)
    for x in np.arange(0, width, width / 9):
        easel.box(x, height * 0.86, width / 20, 3, 2.0)


def _wharf(easel: Easel) -> None:
    """A brick wall, crates and water."""
    width, height = easel.size
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


def _reef(easel: Easel) -> None:
    """Sand, coral branches and rays of light."""
    width, height = easel.size
    rays = easel.picture.copy()
    for _ in range(5):
        top = easel.rng.uniform(-0.1, 1.0) * width
        low = top + easel.rng.uniform(-0.2, 0.2) * width
        ray = [(top, 0), (top + 14, 0), (low + 50, height), (low, height)]
        shapes.fill(rays, np.array(ray), easel.palette.colour(0, 1.0, 0.1))
    cv2.addWeighted(rays, 0.25, easel.picture, 0.75, 0, dst=easel.picture)
    x = np.linspace(0, width, 40)
    dunes = height * (0.8 + 0.05 * np.sin(x / width * 9))
    sand = [*zip(x, dunes, strict=True), (width, height), (0, height)]
    shapes.fill(easel.picture, np.array(sand), easel.shade(1.5, 0.4))
    for _ in range(7):
        foot = np.array([easel.rng.uniform(0, width), height * 0.85])
        role = int(easel.rng.integers(1, 3))
        colour = easel.palette.colour(role, easel.rng.uniform(0.4, 0.9))
        _branch(easel, foot, -np.pi / 2, height * 0.14, 4, colour)


def _branch(
    easel: Easel,
    foot: np.ndarray,
    angle: float,
    length: float,
    generations: int,
    colour: shapes.Colour,
) -> None:
    tip = foot + length * np.array([np.cos(angle), np.sin(angle)])
    shapes.line(easel.picture, foot, tip, 1.5 * generations, colour)
    if generations > 1:
        spread = 0.3 + 0.5 * (1 - easel.look.roundness)
        for turn in (-spread, spread):
            turned = angle + turn * easel.rng.uniform(0.6, 1.4)
            _branch(easel, tip, turned, length * 0.7, generations - 1, colour)


def _arena(easel: Easel) -> None:
    """Tiers with spectators around sand."""
    width, height = easel.size
    ground = height * _HORIZON
    tiers = 7
    for i in range(tiers):
        y = ground * (0.15 + 0.85 * i / tiers)
        easel.box(0, y, width, ground / tiers + 2, 0.8 + 0.08 * i)
        count = int(width / 20 * (0.15 + 0.85 * easel.look.detail))
        for x in easel.rng.uniform(0, width, size=count):
            value = easel.rng.uniform(0.2, 0.6)
            colour = easel.palette.colour(2, value)
            shapes.disc(easel.picture, (x, y + 9), 3.0, colour)
        easel.box(0, y + ground / tiers - 4, width, 3, 0.45)
    easel.box(0, ground, width, height - ground, 1.3)
    easel.box(0, ground, width, 5, 0.5)


def _mountains(easel: Easel) -> None:
    """Three ranges, each before and below the last."""
    width, height = easel.size
    x = np.linspace(0, width, 60)
    for i in range(3):
        rough = shapes.texture(1, 60, 14 - 3 * i, easel.rng)[0]
        sharp = np.abs(rough) * 1.3
        mix = easel.look.roundness
        ridge = height * (0.3 + 0.2 * i) - 16 * (
            mix * rough + (1 - mix) * sharp
        )
        slope = [*zip(x, ridge, strict=True), (width, height), (0, height)]
        shapes.fill(easel.picture, np.array(slope), easel.shade(1.5 - 0.4 * i))
    for _ in range(14):
        foot = easel.rng.uniform((0, 0.72 * height), (width, height))
        tree = np.array([(-0.5, 0), (0.5, 0), (0, -1.6)])
        side = 10 + 12 * easel.rng.random()
        tree = shapes.place(tree, foot, (side, side))
        shapes.fill(easel.picture, tree, easel.shade(0.4))


#: Name of a set to the function that paints it.
SETS: Mapping[str, Callable[[Easel], None]] = {
    "arches": _arches,
    "stage": _stage,
    "skyline": _skyline,
    "wharf": _wharf,
    "reef": _reef,
    "arena": _arena,
    "mountains": _mountains,
}
