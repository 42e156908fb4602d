"""Camera movements over a background."""

from __future__ import annotations

import cv2
import numpy as np

from emotion_mt.corpus.simulation.pictures import scenery
from emotion_mt.corpus.simulation.pictures.style import Look

#: Names of the camera styles of `style.Design`.
CAMERAS = ("still", "pan", "push", "float", "orbit")

# Frequencies of the shaking, Hz.
_SHAKES_HZ = np.array([1.9, 3.1, 5.3])
# The light changes in steps, as a light that changes in each frame makes
# large files.
_FLICKER_STEP_S = 0.24
# Heights per second that the picture rises or falls.
_CRANE = 0.06
_FLICKER = 0.2


class Camera:
    """Where the camera looks, as a function of the time in the shot.

    Args:
        style: One of `CAMERAS`.
        look: The shot's; unrest shakes, pace hurries, closeness zooms.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rng: Random numbers of the shot.
    """

    def __init__(
        self,
        style: str,
        look: Look,
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> None:
        self._style = style
        self._look = look
        self._size = np.array([width_px, height_px], np.float64)
        self._side = rng.choice([-1.0, 1.0])
        self._phases = rng.uniform(0, 2 * np.pi, size=(2, len(_SHAKES_HZ)))
        self._start = rng.uniform(-0.05, 0.05, size=2)
        self._zoom = 1.0 + 0.35 * look.closeness

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
        """Cuts a frame out of a background.

        Args:
            background: uint8 [H, W, 3], `scenery.MARGIN` times a frame.
            time_s: Seconds since the start of the shot.

        Returns:
            uint8 [height_px, width_px, 3].
        """
        hurry = 0.25 + self._look.pace
        offset = self._start.copy()
        # With the figures: up the picture when things rise.
        offset[1] += _CRANE * (2 * self._look.rise - 1) * hurry * time_s
        zoom, angle = self._zoom, 0.0
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
        middle = self._size / 2
        limit = (scenery.MARGIN - 1) / 2
        travel = np.clip(offset, -limit, limit) * self._size
        centre = self._size * scenery.MARGIN / 2 + travel
        shift = centre - turn @ (middle + self.shake(time_s))
        return cv2.warpAffine(
            background,
            np.column_stack([turn, shift]),
            (int(self._size[0]), int(self._size[1])),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
