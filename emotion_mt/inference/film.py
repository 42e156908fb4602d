"""Features of one film's segments, for a prediction."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2
import keras
import numpy as np
import tensorflow as tf
from absl import logging

from emotion_mt import _progress
from emotion_mt.features import FeatureConfig, VideoError, pipeline
from emotion_mt.features.extraction import (
    CPU_BATCH_WINDOWS,
    GPU_BATCH_WINDOWS,
)
from emotion_mt.features.video import Video, frames_on_screen
from emotion_mt.features.windows import Times

#: Longest film that is cut, in seconds; a longer one states another unit.
LONGEST_FILM_S = 1e6


def cut_film(
    path: str | os.PathLike[str], segment_s: float, config: FeatureConfig
) -> list[Times]:
    """Cuts a film into segments of `segment_s` seconds, at least one.

    A rest that is shorter than one window is added to the segment before it.
    They end where the film does: a length that its header states is believed
    only if the last frames are there, else the film is decoded to find out.

    Raises:
        VideoError: If the video does not open or does not decode, or is
            longer than `LONGEST_FILM_S`.
    """
    with Video(path) as video:
        end_s, stated = video.stated_end_s, video.stated_frames
        window_s = config.window_frames / (config.fps or video.fps)
    if not end_s or not _ends_after(path, stated):
        end_s = _measure_end_s(path, config)
        logging.warning(
            "%s: expected the %d frames that it states. Received another "
            "number; it was decoded once more to find its end, %.2f s",
            os.fspath(path),
            stated,
            end_s,
        )
    _refuse_endless(path, end_s)
    pieces = max(1, int((end_s - window_s) // segment_s) + 1)
    starts = [i * segment_s for i in range(pieces)]
    return list(zip(starts, [*starts[1:], end_s], strict=True))


def film_features(
    path: str | os.PathLike[str],
    times: Sequence[Times],
    i3d: keras.Model,
    config: FeatureConfig,
    progress: bool,
) -> tuple[np.ndarray, str]:
    """Computes the features of a film's segments, as far as the film goes.

    The film is decoded as it goes by; only a few windows are in memory. If
    it ends before a segment does, the segments that lie within it are
    computed all the same, and one that begins within it ends with it.

    Returns:
        float32 [N, C], NaN rows for segments that the film does not hold; and
        what is wrong with the film, or "".

    Raises:
        VideoError: If nothing of the film can be used.
    """
    found, problem = _run(path, times, i3d, config, progress)
    if problem:
        end_s = _measure_end_s(path, config)
        shortened = {
            (start, end): (start, min(end, end_s))
            for start, end in times
            if (start, end) not in found and start < end_s
        }
        if shortened:
            rest, _ = _run(path, [*shortened.values()], i3d, config, progress)
            found |= {
                whole: rest[short]
                for whole, short in shortened.items()
                if short in rest
            }
    if not found:
        raise VideoError(problem)
    missing = np.full_like(next(iter(found.values())), np.nan)
    return np.stack([found.get(t, missing) for t in times]), problem


def _ends_after(path: str | os.PathLike[str], frames: int) -> bool:
    """Whether a film has just as many frames, without decoding all.

    False also where that cannot be found out.
    """
    capture = cv2.VideoCapture(os.fspath(path))
    try:
        # Where there are fewer, OpenCV stops at the last.
        found = capture.set(cv2.CAP_PROP_POS_FRAMES, frames)
        reached = capture.get(cv2.CAP_PROP_POS_FRAMES)
        return bool(found and reached == frames and not capture.grab())
    finally:
        capture.release()


def _refuse_endless(path: str | os.PathLike[str], end_s: float) -> None:
    if end_s > LONGEST_FILM_S:
        raise VideoError(
            f"{os.fspath(path)}: expected a film of at most "
            f"{LONGEST_FILM_S:g} s. Received {end_s:g} s or more, by its "
            "frames and the frame rate that it states"
        )


def _measure_end_s(
    path: str | os.PathLike[str], config: FeatureConfig
) -> float:
    """Decodes a film to find its end, a whole number of ticks, in seconds."""
    ticks = 0
    with Video(path) as video:
        fps = config.fps or video.fps
        for _ in frames_on_screen(video, config.fps):
            ticks += 1
            _refuse_endless(path, ticks / fps)
        return ticks / fps


def _run(
    path: str | os.PathLike[str],
    times: Sequence[Times],
    i3d: keras.Model,
    config: FeatureConfig,
    progress: bool,
) -> tuple[dict[Times, np.ndarray], str]:
    """Segments to features, those that are finished; and what went wrong."""
    distinct = list(dict.fromkeys(times))
    job = pipeline.FilmJob(os.fspath(path), distinct, config)
    gpu = tf.config.list_physical_devices("GPU")
    batch_windows = GPU_BATCH_WINDOWS if gpu else CPU_BATCH_WINDOWS
    total = int(job.planned.sum())
    with _progress.progress("I3D", total, " windows", shown=progress) as bar:
        timing = pipeline.Timing()
        for _ in pipeline.run(
            [job], i3d, config, batch_windows, bar.update, timing
        ):
            pass
    return job.finished(), job.error or ""
