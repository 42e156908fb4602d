"""The hand that moves the marker after a feeling."""

from __future__ import annotations

import numpy as np

from emotion_mt.corpus.simulation.timeline import STEP_MS

_STEP_S = STEP_MS / 1000

# All in standard deviations of a feeling within a film, and seconds. The
# real traces lie still for 90 % of the time and move for a second or two.
_NOTICED = 0.25
_GOOD_ENOUGH = 0.06
_RATE_PER_S = 3.0
_EASE_PER_S = 8.0


def move_marker(felt: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Follows feelings with a marker.

    The marker lies still until the feeling is `_NOTICED` away from it, then
    moves there with a smooth start and a smooth stop.

    Args:
        felt: float64 [T, N], one column per pass, in standard deviations,
            already delayed by the reaction time.
        start: float64 [N], where the marker is at first.

    Returns:
        float64 [T, N], the position of the marker.
    """
    position = np.array(start, dtype=np.float64)
    speed = np.zeros_like(position)
    moving = np.zeros(len(position), dtype=bool)
    path = np.empty_like(felt)
    for i, target in enumerate(felt):
        path[i] = position
        distance = target - position
        away = np.abs(distance)
        moving = np.where(moving, away > _GOOD_ENOUGH, away > _NOTICED)
        wanted = np.where(moving, _RATE_PER_S * distance, 0.0)
        speed += (wanted - speed) * (_EASE_PER_S * _STEP_S)
        position = position + speed * _STEP_S
    return path
