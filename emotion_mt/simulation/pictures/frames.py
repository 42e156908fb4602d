"""The pictures of a film, frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping

import cv2
import numpy as np

from emotion_mt import paper
from emotion_mt.simulation import streams
from emotion_mt.simulation.config import SimulationConfig
from emotion_mt.simulation.hidden import Look
from emotion_mt.simulation.pictures import figures, scenery, shapes
from emotion_mt.simulation.pictures.looks import Layer, Shot, make_looks
from emotion_mt.simulation.timeline import Timeline

# How much light the corners lose.
_VIGNETTE = 0.35
# Softness of the lens, standard deviation in pixels. Hard edges that move
# by fractions of a pixel double the size of the file.
_SOFT_PX = 0.65

# Frequencies of the camera's shaking, Hz.
_SHAKES_HZ = np.array([1.9, 3.1, 5.3])
# The light changes in steps, as a light that changes in each frame makes
# large files.
_FLICKER_STEP_S = 0.24
_FLICKER = 0.2
# Heights per second that the picture rises or falls.
_CRANE = 0.06

# Fewest and most motifs and particles, and how solid motifs are.
_MOTIFS = (5, 12)
_MOTIF_OPACITY = 0.45
_PARTICLES = (4, 26)


@dataclasses.dataclass(frozen=True)
class Design:
    """The picks that make a film recognisable.

    Attributes:
        paint_set: Paints what stands in the background.
        kinds: Who moves in the foreground.
        particles: What drifts through the air: "flake", "streak", "disc" or
            "ring", and its size in pixels.
        camera: "still", "pan", "push", "float" or "orbit".
        hues: Hues in [0, 1) of background, set and figures.
        outlined: Whether figures have a dark outline.
        contrast: Lightness of the set against the background, in [-1, 1].
    """

    paint_set: Callable[[scenery.Easel], None]
    kinds: tuple[figures.Painter, ...]
    particles: tuple[str, float]
    camera: str
    hues: tuple[float, float, float]
    outlined: bool
    contrast: float


#: Film code to design.
DESIGNS: Mapping[str, Design] = {
    "BMI": Design(
        scenery.arches, (figures.walker,), ("flake", 6), "push",
        hues=(0.14, 0.10, 0.36), outlined=True, contrast=0.3,
    ),
    "CHI": Design(
        scenery.stage, (figures.dancer,), ("flake", 4), "pan",
        hues=(0.96, 0.99, 0.12), outlined=False, contrast=0.2,
    ),
    "CRA": Design(
        scenery.skyline, (figures.car, figures.walker), ("streak", 1), "float",
        hues=(0.62, 0.66, 0.05), outlined=False, contrast=-0.5,
    ),
    "DEP": Design(
        scenery.wharf, (figures.walker,), ("disc", 1.2), "still",
        hues=(0.45, 0.52, 0.58), outlined=True, contrast=-0.2,
    ),
    "FNE": Design(
        scenery.reef, (figures.fish,), ("ring", 4), "float",
        hues=(0.53, 0.46, 0.07), outlined=False, contrast=0.1,
    ),
    "GLA": Design(
        scenery.arena, (figures.beast, figures.walker), ("disc", 0.8), "orbit",
        hues=(0.10, 0.08, 0.01), outlined=True, contrast=0.4,
    ),
    "LOR": Design(
        scenery.mountains, (figures.bird, figures.beast), ("disc", 1.8), "pan",
        hues=(0.58, 0.33, 0.75), outlined=False, contrast=-0.3,
    ),
}  # fmt: skip


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
        content: float64 [S, K], see `hidden.make_content`.
        seed: Seed of the corpus.
        config: Size and visual informativeness.
        frames: Numbers of the frames to draw, in any order; those of a shot
            together are quickest. Default: the whole film.

    Yields:
        uint8 [height_px, width_px, 3] per frame, blue, green, red.
    """
    looks = make_looks(movie, content, seed, config.visual_informativeness)
    size = np.array([config.width_px, config.height_px], np.float64)
    vignette = _vignette(config.width_px, config.height_px)
    shot_of_frame = timeline.shot_of_frame
    present = -1
    for frame in range(timeline.frames) if frames is None else frames:
        number = int(shot_of_frame[frame])
        if number != present:
            design, present = DESIGNS[movie], number
            rng = streams.stream(seed, "picture", movie, number)
            shot = Shot(looks[number], design.hues, size, rng)
            background = scenery.paint_background(
                shot, design.paint_set, design.contrast
            )
            camera = Camera(shot, design.camera)
            layers = (
                _make_motifs(shot),
                figures.make_crowd(shot, design.kinds, design.outlined),
                _make_particles(shot, *design.particles),
            )
        start = int(timeline.shot_start[number])
        time_s = (frame - start) / paper.FPS
        picture = camera.view(background, time_s)
        shake = camera.shake(time_s)
        for draw in layers:
            draw(picture, time_s, shake)
        light = camera.flicker(time_s)
        picture = cv2.multiply(picture, vignette, scale=light / 255)
        yield cv2.GaussianBlur(picture, (0, 0), _SOFT_PX)


def _vignette(width_px: int, height_px: int) -> np.ndarray:
    """Returns uint8 [H, W, 3], 255 in the middle, darker in the corners."""
    y = np.linspace(-1, 1, height_px)[:, None]
    x = np.linspace(-1, 1, width_px)[None]
    dark = _VIGNETTE * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.5
    grey = np.round(255 * (1 - dark)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


class Camera:
    """Where the camera looks, as a function of the time in the shot.

    Args:
        shot: Unrest shakes, pace hurries, closeness zooms.
        style: "still", "pan", "push", "float" or "orbit".
    """

    def __init__(self, shot: Shot, style: str) -> None:
        self._look: Look = shot.look
        self._size = shot.size
        self._style = style
        self._side = shot.rng.choice([-1.0, 1.0])
        self._phases = shot.rng.uniform(0, 2 * np.pi, (2, len(_SHAKES_HZ)))
        self._start = shot.rng.uniform(-0.05, 0.05, size=2)

    def shake(self, time_s: float) -> np.ndarray:
        """Returns float64 [2], pixels that the picture is off its place."""
        waves = np.sin(2 * np.pi * _SHAKES_HZ * time_s + self._phases)
        reach = 0.016 * self._size[0] * self._look.unrest**2
        return reach * waves.mean(axis=1)

    def flicker(self, time_s: float) -> float:
        """Returns the factor on the light."""
        step = int(time_s / _FLICKER_STEP_S)
        # The golden angle: steps that never repeat.
        wave = np.sin(2.4 * step + self._phases[0, 0])
        return float(1 + _FLICKER * self._look.unrest**2 * wave)

    def view(self, background: np.ndarray, time_s: float) -> np.ndarray:
        """Cuts a frame out of a background, `scenery.MARGIN` times as large."""
        hurry = 0.25 + self._look.pace
        offset = self._start.copy()
        # With the figures: up the picture when things rise.
        offset[1] += _CRANE * (2 * self._look.rise - 1) * hurry * time_s
        zoom, angle = 1.0 + 0.35 * self._look.closeness, 0.0
        if self._style == "pan":
            offset[0] += self._side * (0.05 * hurry * time_s - 0.08)
        elif self._style == "push":
            zoom *= 1 + 0.04 * hurry * time_s
        elif self._style == "float":
            offset += 0.03 * np.sin(hurry * time_s + self._phases[:, 0])
        elif self._style == "orbit":
            angle = self._side * 0.03 * np.sin(hurry * time_s)
            offset[0] += self._side * 0.025 * hurry * time_s
        cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
        turn = np.array([[cosine, -sine], [sine, cosine]])
        limit = (scenery.MARGIN - 1) / 2
        travel = np.clip(offset, -limit, limit) * self._size
        centre = self._size * scenery.MARGIN / 2 + travel
        shift = centre - turn @ (self._size / 2 + self.shake(time_s))
        return cv2.warpAffine(
            background,
            np.column_stack([turn, shift]),
            (int(self._size[0]), int(self._size[1])),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )


def _make_motifs(shot: Shot) -> Layer:
    """Large soft shapes, spiky or round, that rise or fall behind figures."""
    look, rng = shot.look, shot.rng
    height = shot.size[1]
    count = round(_MOTIFS[0] + (_MOTIFS[1] - _MOTIFS[0]) * look.detail)
    start = rng.uniform(0, 1, size=(count, 2)) * shot.size
    radii = height * rng.uniform(0.06, 0.16, size=count)
    speed = rng.uniform(0.7, 1.3, size=count)
    drift = 0.35 * (1 - 2 * look.rise) * (0.4 + look.pace)
    velocity = height * np.stack([0.03 * (speed - 1), drift * speed], axis=1)
    turns = 1.5 * look.unrest**2 * (speed - 1)
    body = shapes.blob(look.roundness)
    roles = rng.integers(0, 3, size=count)
    values = rng.uniform(0.6, 1.0, size=count)
    colours = [
        shot.colour(int(roles[i]), float(values[i]), 0.6) for i in range(count)
    ]

    def draw(picture: np.ndarray, time_s: float, shake: np.ndarray) -> None:
        solid = picture.copy()
        room = shot.size + 2 * radii[:, None]
        places = np.mod(start + velocity * time_s, room)
        places = places - radii[:, None] + shake
        for i, colour in enumerate(colours):
            size = (radii[i], radii[i])
            points = shapes.place(body, places[i], size, turns[i] * time_s)
            shapes.fill(solid, points, colour)
        opacity = _MOTIF_OPACITY
        cv2.addWeighted(solid, opacity, picture, 1 - opacity, 0, dst=picture)

    return draw


def _make_particles(shot: Shot, kind: str, size_px: float) -> Layer:
    """What drifts through the air of a film: few or many, up or down."""
    look, rng = shot.look, shot.rng
    count = round(_PARTICLES[0] + (_PARTICLES[1] - _PARTICLES[0]) * look.detail)
    start = rng.uniform(0, 1, size=(count, 2)) * shot.size
    drift = (1 - 2 * look.rise) * (0.35 + 0.6 * look.pace)
    speed = rng.uniform(0.6, 1.4, size=count)
    velocity = np.stack([0.08 * (speed - 1), drift * speed], axis=1)
    velocity = shot.size[1] * velocity
    phases = rng.uniform(0, 2 * np.pi, size=count)
    roles = rng.integers(0, 3, size=count).tolist()
    colours = [shot.colour(role, 1.0, 0.5) for role in roles]

    def draw(picture: np.ndarray, time_s: float, shake: np.ndarray) -> None:
        places = start + velocity * time_s
        places[:, 0] += 3 * np.sin(2 * time_s + phases)
        places = np.mod(places, shot.size) + shake
        for i, colour in enumerate(colours):
            place = places[i]
            if kind == "flake":
                turn = phases[i] + 3 * time_s
                half = size_px / 2 * np.array([np.cos(turn), np.sin(turn)])
                shapes.line(picture, place - half, place + half, 2, colour)
            elif kind == "streak":
                end = place + 0.1 * velocity[i] + 1
                shapes.line(picture, place, end, size_px, colour)
            else:
                shapes.disc(picture, place, size_px, colour, kind == "disc")

    return draw
