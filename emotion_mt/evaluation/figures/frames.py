"""Single frames of a film, for pictures of segments."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
from absl import logging

from emotion_mt.features.container import VideoError
from emotion_mt.features.video import Video


def read_frames(
    path: str | os.PathLike[str], times_s: Iterable[float]
) -> list[np.ndarray | None]:
    """Reads frames of a film at some instants.

    Args:
        path: The film.
        times_s: Seconds from the film's start.

    Returns:
        Per instant uint8 [H, W, 3] in RGB; None where the film cannot be
        opened or has no frame there, with a warning. Pictures are worth
        having without it.
    """
    times_s = list(times_s)
    try:
        with Video(path) as video:
            frames = [video.at(time_s) for time_s in times_s]
            arrays = [
                None if frame is None else frame.bgr()[..., ::-1].copy()
                for frame in frames
            ]
    except VideoError as error:
        logging.warning("no frames for pictures: %s", error)
        return [None] * len(times_s)
    for time_s, array in zip(times_s, arrays, strict=True):
        if array is None:
            logging.warning("%s: no frame at %.2f s", os.fspath(path), time_s)
    return arrays
