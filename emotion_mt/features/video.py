"""Decodes films: frames with timestamps, at a constant rate, resized."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType

import cv2
import numpy as np
from absl import logging

from emotion_mt.features import files

#: Some containers round timestamps to whole milliseconds. A frame that is at
#: most this much after an instant counts as on the screen at that instant. (Not
#: a multiple of 1/24000 s or 1/30000 s, in which the usual rates would tie.)
TIMESTAMP_TOLERANCE_S = 0.65e-3

#: Short side before the centre of 224 is cut out, as I3D was trained.
_CROP_SHORT_SIDE = 256 / 224


class VideoError(ValueError):
    """Films that do not give the frames that were asked for.

    Attributes:
        problems: One message per film; each names the file, what was
            expected and what was received.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        """Joins the messages, one a line."""
        if isinstance(problems, str):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Video:
    """A film that is decoded once, from its first frame on.

    Args:
        path: The file; any container and codec that OpenCV's build reads.

    Attributes:
        path: The file.
        fps: Frames per second that the file states.
        stated_frames: Number of frames that the file states; some containers
            only estimate it. 0 where the file states none.
        frames: Number of frames decoded so far.
        end_s: Time in seconds at which the last decoded frame ends.

    Raises:
        VideoError: If there is no such file or it does not open as a video.

    Example:
        ```python
        with Video("BMI.avi") as video:
            for time_s, frame in video:
                ...
        ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        _require_file(self.path)
        self._capture = cv2.VideoCapture(self.path)
        if not self._capture.isOpened():
            self._capture.release()
            raise VideoError(
                f"{self.path}: expected a video that OpenCV {cv2.__version__} "
                f"can open. Received a file of {os.path.getsize(self.path)} "
                "bytes that it cannot"
            )
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        if not (np.isfinite(self.fps) and self.fps > 0):
            self._capture.release()
            raise VideoError(
                f"{self.path}: expected a video that states its frame rate. "
                f"Received: {self.fps}"
            )
        stated = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.stated_frames = max(0, int(stated)) if np.isfinite(stated) else 0
        self.frames = 0
        self.end_s = 0.0

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    @property
    def stated_end_s(self) -> float:
        """Length in seconds that the file states."""
        return self.stated_frames / self.fps

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yields (time in seconds, uint8 [H, W, 3] in BGR) per frame.

        Times count from the first frame and increase. A frame whose
        timestamp is missing or does not increase gets that of its
        predecessor plus 1/fps; a warning says for how many frames.

        Raises:
            VideoError: If not one frame can be decoded.
        """
        previous_s = -1.0 / self.fps
        first_s = None
        repaired = 0
        while True:
            decoded, frame = self._capture.read()
            if not decoded:
                break
            stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            if first_s is None:
                first_s = stamp_s if np.isfinite(stamp_s) else 0.0
            time_s = stamp_s - first_s
            if not time_s > previous_s:
                repaired += 1
                time_s = previous_s + 1.0 / self.fps
            previous_s = time_s
            self.frames += 1
            self.end_s = time_s + 1.0 / self.fps
            yield time_s, frame
        if not self.frames:
            raise VideoError(
                f"{self.path}: expected a video with frames "
                f"({self.stated_frames} stated). Received not one that OpenCV "
                f"{cv2.__version__} can decode"
            )
        if repaired:
            logging.warning(
                "%s: %d of %d frames have no timestamp or one that does not "
                "increase; they follow their predecessor by 1/%.3f s",
                self.path,
                repaired,
                self.frames,
                self.fps,
            )


def frames_on_screen(
    video: Video, fps: float | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Samples a film at a constant rate, by timestamp.

    Tick k is the instant k/fps; its frame is the last one whose timestamp is
    not later (by more than `TIMESTAMP_TOLERANCE_S`). The film ends one
    frame's length, at the rate that the file states, after its last timestamp.

    Args:
        video: The film; is decoded to its end.
        fps: Ticks per second, or None for one tick per frame of the film.

    Yields:
        (k, uint8 [H, W, 3] in BGR) for k = 0, 1, 2, …, without a gap. The
        same array again where a frame is on the screen at several ticks.
    """
    if fps is None:
        for tick, (_, frame) in enumerate(video):
            yield tick, frame
        return
    tick = 0
    shown = None
    for time_s, frame in video:
        # The frame before this one was on the screen until now.
        while shown is not None and tick_s(tick, fps) < time_s:
            yield tick, shown
            tick += 1
        shown = frame
    while shown is not None and tick_s(tick, fps) < video.end_s:
        yield tick, shown
        tick += 1


def tick_s(tick: int, fps: float) -> float:
    """Latest time in seconds that still belongs to a tick."""
    return tick / fps + TIMESTAMP_TOLERANCE_S


def resize_frame(frame: np.ndarray, size_px: int, mode: str) -> np.ndarray:
    """Brings a frame to the network's size.

    Args:
        frame: uint8 [H, W, 3] in BGR, as OpenCV decodes.
        size_px: Height and width of the result.
        mode: "stretch" or "crop", see `FeatureConfig.resize`.

    Returns:
        uint8 [size_px, size_px, 3] in RGB; bilinear interpolation.
    """
    if mode == "crop":
        height, width = frame.shape[:2]
        scale = round(size_px * _CROP_SHORT_SIDE) / min(height, width)
        resized = cv2.resize(
            frame,
            (round(width * scale), round(height * scale)),
            interpolation=cv2.INTER_LINEAR,
        )
        top = (resized.shape[0] - size_px) // 2
        left = (resized.shape[1] - size_px) // 2
        square = resized[top : top + size_px, left : left + size_px]
    else:
        square = cv2.resize(
            frame, (size_px, size_px), interpolation=cv2.INTER_LINEAR
        )
    return cv2.cvtColor(square, cv2.COLOR_BGR2RGB)


def fingerprint(path: str | os.PathLike[str]) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a video file.

    The whole file is read, at the speed of the disk: no cheaper digest is
    sure to tell two films, or two cuts of one, apart.

    Raises:
        VideoError: If there is no such file.
    """
    _require_file(path)
    return os.path.getsize(path), files.file_sha256(path)


def _require_file(path: str | os.PathLike[str]) -> None:
    if not os.path.isfile(path):
        raise VideoError(
            f"{os.fspath(path)}: expected a video file. Received: no such file"
        )
