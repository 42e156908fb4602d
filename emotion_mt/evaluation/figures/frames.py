"""Single frames of a film, for pictures of segments."""

from __future__ import annotations

import os
from collections.abc import Iterable

import cv2
import numpy as np
from absl import logging

#: Seeking may land after the wanted instant (at the next key frame). Then it
#: is tried from this much earlier.
_STEPS_BACK_S = (0.0, 2.0, 15.0)

#: Frames read on from where seeking landed, before giving up.
_MAX_FRAMES_ON = 1500


def _stamp_s(capture: cv2.VideoCapture) -> float:
    return float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0


def _frame_at(
    capture: cv2.VideoCapture, time_s: float, half_s: float
) -> np.ndarray | None:
    """The first frame that is not earlier than an instant, by timestamp."""
    for back_s in _STEPS_BACK_S:
        start_s = max(0.0, time_s - back_s)
        capture.set(cv2.CAP_PROP_POS_MSEC, 1000.0 * start_s)
        if not capture.grab():
            continue
        if _stamp_s(capture) > time_s + 2 * half_s and start_s > 0:
            continue
        for _ in range(_MAX_FRAMES_ON):
            if _stamp_s(capture) >= time_s - half_s:
                decoded, frame = capture.retrieve()
                return frame[..., ::-1].copy() if decoded else None
            if not capture.grab():
                break
    return None


def read_frames(
    path: str | os.PathLike[str], times_s: Iterable[float]
) -> list[np.ndarray | None]:
    """Reads frames of a film at some instants.

    Args:
        path: The film.
        times_s: Seconds from the film's first frame.

    Returns:
        Per instant uint8 [H, W, 3] in RGB; None where the film cannot be
        opened or has no frame there, with a warning. Pictures are worth
        having without it.
    """
    path, times_s = os.fspath(path), list(times_s)
    capture = cv2.VideoCapture(path) if os.path.isfile(path) else None
    if capture is None or not capture.isOpened():
        logging.warning("%s: no frames for pictures: not a video here", path)
        return [None] * len(times_s)
    try:
        fps = capture.get(cv2.CAP_PROP_FPS)
        half_s = 0.5 / fps if fps > 0 else 0.02
        frames = [_frame_at(capture, time_s, half_s) for time_s in times_s]
    finally:
        capture.release()
    for time_s, frame in zip(times_s, frames, strict=True):
        if frame is None:
            logging.warning("%s: no frame at %.2f s", path, time_s)
    return frames
