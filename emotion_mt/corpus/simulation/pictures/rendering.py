"""The pictures of a film, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from emotion_mt import paper
from emotion_mt.corpus.simulation import streams
from emotion_mt.corpus.simulation.config import SimulationConfig
from emotion_mt.corpus.simulation.pictures import scenery
from emotion_mt.corpus.simulation.pictures.camera import Camera
from emotion_mt.corpus.simulation.pictures.crowd import Crowd
from emotion_mt.corpus.simulation.pictures.motifs import Motifs
from emotion_mt.corpus.simulation.pictures.particles import Particles
from emotion_mt.corpus.simulation.pictures.style import (
    DESIGNS,
    Design,
    Look,
    Palette,
    make_looks,
)
from emotion_mt.corpus.simulation.timeline import Timeline

# How much light the corners lose.
_VIGNETTE = 0.35
# Softness of the lens, standard deviation in pixels. Hard edges that move
# by fractions of a pixel double the size of the file.
_SOFT_PX = 0.65


def render_frames(
    movie: str,
    timeline: Timeline,
    content: np.ndarray,
    seed: int,
    config: SimulationConfig,
    frames: Iterable[int] | None = None,
) -> Iterator[np.ndarray]:
    """Draws a film; one frame at a time is in memory.

    Args:
        movie: Film code.
        timeline: Its shots.
        content: float64 [S, K], see `content.make_content`.
        seed: Seed of the corpus.
        config: Size, style and visual informativeness.
        frames: Numbers of the frames to draw, in any order; those of a shot
            together are quickest. Default: the whole film.

    Yields:
        uint8 [height_px, width_px, 3] per frame, blue, green, red.
    """
    looks = make_looks(movie, content, seed, config)
    vignette = _vignette(config.width_px, config.height_px)
    shot_of_frame = timeline.shot_of_frame
    present, shot = -1, None
    for frame in range(timeline.frames) if frames is None else frames:
        number = int(shot_of_frame[frame])
        if shot is None or number != present:
            rng = streams.stream(seed, "picture", movie, number)
            shot = _Shot(DESIGNS[movie], looks[number], config, rng)
            present = number
        start = int(timeline.shot_start[number])
        picture, light = shot.draw((frame - start) / paper.FPS)
        picture = cv2.multiply(picture, vignette, scale=light / 255)
        yield cv2.GaussianBlur(picture, (0, 0), _SOFT_PX)


class _Shot:
    """One shot: a background, a camera, motifs, figures, particles."""

    def __init__(
        self,
        design: Design,
        look: Look,
        config: SimulationConfig,
        rng: np.random.Generator,
    ) -> None:
        size = (config.width_px, config.height_px)
        palette = Palette(design, look)
        self._background = scenery.paint_background(
            design, look, palette, *size, rng
        )
        self._camera = Camera(design.camera, look, *size, rng)
        self._motifs = Motifs(look, palette, *size, rng)
        self._crowd = Crowd(design, look, palette, *size, rng)
        self._particles = Particles(design.particles, look, palette, *size, rng)

    def draw(self, time_s: float) -> tuple[np.ndarray, float]:
        """Returns the picture, uint8 [H, W, 3], and the factor on its light."""
        picture = self._camera.view(self._background, time_s)
        shake = self._camera.shake(time_s)
        self._motifs.draw(picture, time_s, shake)
        self._crowd.draw(picture, time_s, shake)
        self._particles.draw(picture, time_s, shake)
        return picture, self._camera.flicker(time_s)


def _vignette(width_px: int, height_px: int) -> np.ndarray:
    """Returns uint8 [H, W, 3], 255 in the middle, darker in the corners."""
    y = np.linspace(-1, 1, height_px)[:, None]
    x = np.linspace(-1, 1, width_px)[None]
    dark = _VIGNETTE * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.5
    grey = np.round(255 * (1 - dark)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
