"""The figures of a shot and how they move."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from emotion_mt.corpus.simulation.pictures import actors, shapes
from emotion_mt.corpus.simulation.pictures.style import Design, Look, Palette

_MOST = 11
# Steepest way up or down, radians: through the air and over the ground.
_SLOPE_AIR = 0.9
_SLOPE_GROUND = 0.25
# Where figures start, as shares of width and height.
_PLACES_AIR = ((0.1, 0.2), (0.9, 0.8))
_PLACES_GROUND = ((0.1, 0.58), (0.9, 0.82))


@dataclasses.dataclass(frozen=True, eq=False)
class Figure:
    """One figure of a shot.

    Attributes:
        paint: Draws it.
        start: float64 [2], place at the start of the shot, in pixels.
        velocity: float64 [2], pixels per second.
        size_px: Height.
        phase: Of the limbs at the start, radians.
        cadence: Of the limbs, radians per second.
        swing: Of the limbs, radians.
        hop: Height of its hops, in its height.
        wobble: Of its body, radians.
        tilt: Of its body, radians.
        stripes: Number of marks on its body.
        colours: See `actors.Pose`.
    """

    paint: Callable[[actors.Pose], None]
    start: np.ndarray
    velocity: np.ndarray
    size_px: float
    phase: float
    cadence: float
    swing: float
    hop: float
    wobble: float
    tilt: float
    stripes: int
    colours: tuple[shapes.Colour, shapes.Colour, shapes.Colour]

    def place(self, time_s: float, size: np.ndarray) -> np.ndarray:
        """Returns float64 [2], its place; who leaves comes back in."""
        margin = 0.5 * self.size_px
        path = self.start + self.velocity * time_s + margin
        place = np.mod(path, size + 2 * margin) - margin
        hop = abs(np.sin(self.phase + self.cadence * time_s))
        return place - np.array([0.0, self.hop * hop * self.size_px])


class Crowd:
    """All figures of a shot.

    Args:
        design: The film's; kinds of figures and outlines.
        look: The shot's.
        palette: Colours of the film in the light of the shot.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rng: Random numbers of the shot.
    """

    def __init__(
        self,
        design: Design,
        look: Look,
        palette: Palette,
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> None:
        self._size = np.array([width_px, height_px], np.float64)
        self._body = shapes.blob(look.roundness)
        self._outline = palette.colour(1, 0.12) if design.outlined else None
        count = 1 + round((_MOST - 1) * look.crowd**1.4)
        figures = [
            _figure(design, look, palette, self._size, rng)
            for _ in range(count)
        ]
        # Who stands lower is nearer.
        self.figures = sorted(figures, key=lambda figure: figure.start[1])

    def draw(
        self, picture: np.ndarray, time_s: float, shake: np.ndarray
    ) -> None:
        """Draws the figures on a uint8 picture.

        Args:
            picture: uint8 [H, W, 3], drawn on in place.
            time_s: Seconds since the start of the shot.
            shake: float64 [2], pixels that the camera is off its place.
        """
        for figure in self.figures:
            phase = figure.phase + figure.cadence * time_s
            figure.paint(
                actors.Pose(
                    picture=picture,
                    centre=figure.place(time_s, self._size) + shake,
                    size_px=figure.size_px,
                    facing=1 if figure.velocity[0] >= 0 else -1,
                    tilt=figure.tilt + figure.wobble * np.sin(1.7 * phase),
                    phase=phase,
                    swing=figure.swing,
                    body=self._body,
                    colours=figure.colours,
                    outline=self._outline,
                    stripes=figure.stripes,
                )
            )


def _figure(
    design: Design,
    look: Look,
    palette: Palette,
    size: np.ndarray,
    rng: np.random.Generator,
) -> Figure:
    """Draws the properties of one figure."""
    kind = design.actors[rng.integers(len(design.actors))]
    near = rng.uniform(0.8, 1.2)
    height = size[1] * (0.14 + 0.76 * look.closeness) * near
    flies = kind in actors.FLYING
    steepest = _SLOPE_AIR if flies else _SLOPE_GROUND
    slope = steepest * (1 - 2 * look.rise)
    speed = size[0] * (0.01 + 0.42 * look.pace**1.6) * rng.uniform(0.7, 1.3)
    side = rng.choice([-1.0, 1.0])
    direction = np.array([side * np.cos(slope), np.sin(slope)])
    hue = float(rng.uniform(-0.06, 0.06))
    value = float(rng.uniform(0.65, 1.0))
    colours = (
        palette.colour(2, value, 0.85, hue),
        palette.colour(2, 0.7 * value, 0.6, hue + 0.08),
        palette.colour(0, 1.0, 0.35, hue),
    )
    return Figure(
        paint=actors.KINDS[kind],
        start=size * rng.uniform(*(_PLACES_AIR if flies else _PLACES_GROUND)),
        velocity=speed * direction,
        size_px=height,
        phase=float(rng.uniform(0, 2 * np.pi)),
        cadence=float(1.5 + 16 * look.pace**1.3) * rng.uniform(0.85, 1.15),
        swing=0.25 + 0.55 * look.pace,
        hop=0.22 * look.rise**2 * (0.3 + look.pace),
        wobble=0.3 * look.unrest**2,
        tilt=0.35 * (1 - 2 * look.rise) * (0.4 + 0.6 * look.pace),
        stripes=round(4 * look.detail),
        colours=colours,
    )
