"""Drawing in fractions of a pixel, so that slow movements are smooth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike

from emotion_mt.simulation.pictures.looks import Colour

# Bits of a coordinate after the point.
_SHIFT = 4
_CORNERS = 30
_SPIKES = 5


def blob(roundness: float) -> np.ndarray:
    """Returns float64 [P, 2], an outline around the origin of radius 1.

    Args:
        roundness: From 0, a star, to 1, a circle.
    """
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    # Squared, so that only clearly angular looks have clear spikes.
    depth = 0.45 * (1 - roundness) ** 1.5
    wave = np.abs(np.angle(np.exp(1j * _SPIKES * angle))) / np.pi
    radius = (1 - depth * wave)[:, None]
    return radius * np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def place(
    points: np.ndarray,
    centre: np.ndarray,
    size: tuple[float, float],
    angle: float = 0.0,
) -> np.ndarray:
    """Scales points [P, 2] by `size`, turns them by `angle`, moves them."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = points[:, 0] * size[0], points[:, 1] * size[1]
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)
    return turned + centre


def fill(
    picture: np.ndarray,
    points: ArrayLike,
    colour: Colour,
    outline: Colour | None = None,
) -> None:
    """Fills a polygon [P, 2] (x, y in pixels) in a uint8 picture."""
    corners = _fixed(points)
    cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA, _SHIFT)
    if outline is not None:
        cv2.polylines(picture, [corners], True, outline, 1, cv2.LINE_AA, _SHIFT)


def line(
    picture: np.ndarray,
    start: ArrayLike,
    end: ArrayLike,
    width_px: float,
    colour: Colour,
) -> None:
    """Draws a line from `start` to `end` (x, y in pixels)."""
    ends = _fixed(start).tolist(), _fixed(end).tolist()
    thickness = max(1, round(width_px))
    cv2.line(picture, *ends, colour, thickness, cv2.LINE_AA, _SHIFT)


def disc(
    picture: np.ndarray,
    centre: ArrayLike,
    radius_px: float,
    colour: Colour,
    filled: bool = True,
) -> None:
    """Draws a circle around `centre` (x, y in pixels)."""
    where = _fixed(centre).tolist()
    radius = max(1, round(radius_px * 2**_SHIFT))
    width = cv2.FILLED if filled else 1
    cv2.circle(picture, where, radius, colour, width, cv2.LINE_AA, _SHIFT)


def texture(
    height_px: int, width_px: int, coarse_px: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns float32 [height, width], smooth noise of three octaves.

    Mean 0, standard deviation near 1.
    """
    total = np.zeros((height_px, width_px), np.float32)
    for octave in range(3):
        cell = max(2.0, coarse_px / 2**octave)
        size = (int(height_px / cell) + 3, int(width_px / cell) + 3)
        grid = rng.standard_normal(size).astype(np.float32)
        total += cv2.resize(
            grid, (width_px, height_px), interpolation=cv2.INTER_CUBIC
        ) * (0.7**octave)
    return total


def _fixed(points: ArrayLike) -> np.ndarray:
    # Far outside the picture OpenCV's fixed-point numbers would overflow.
    limited = np.clip(np.asarray(points, np.float64), -2000, 4000)
    return np.round(limited * 2**_SHIFT).astype(np.int32)
