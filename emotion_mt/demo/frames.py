"""Pictures of a film, for the frame under the cursor."""

from __future__ import annotations

import dataclasses
import os

import cv2
import numpy as np

from emotion_mt import _progress
from emotion_mt.demo.messages import DemoError
from emotion_mt.features.video import Video, frames_on_screen

#: Two pictures a second, fewer for films of more than ten minutes.
MAX_FPS = 2.0
MAX_FRAMES = 1200

#: Largest picture in pixels, width and height; larger ones are shrunk.
MAX_WIDTH_PX = 480
MAX_HEIGHT_PX = 360

_JPEG_QUALITY = 80


@dataclasses.dataclass(frozen=True, eq=False)
class FrameStrip:
    """Pictures of a film at a constant rate.

    Attributes:
        jpegs: JPEG files; number k is on the screen at k / fps seconds.
        fps: Pictures per second.
        end_s: Where the film ends, in seconds.
    """

    jpegs: tuple[bytes, ...]
    fps: float
    end_s: float

    def at(self, time_s: float) -> bytes | None:
        """The picture on the screen at a time, None outside of the film."""
        if not 0 <= time_s <= self.end_s:
            return None
        return self.jpegs[min(int(time_s * self.fps), len(self.jpegs) - 1)]


def read_frames(path: str | os.PathLike[str], max_minutes: float) -> FrameStrip:
    """Decodes a film once and keeps small pictures of it.

    Args:
        path: The film.
        max_minutes: Longest film in minutes; what the file states is
            checked first, and what is decoded too.

    Returns:
        The pictures, some 15 kB each.

    Raises:
        DemoError: If the film is longer.
        VideoError: If it does not open or decode.
    """
    name = os.path.basename(path)
    with Video(path) as video:
        stated_s = video.stated_end_s
        _check_length(name, stated_s, max_minutes)
        length_s = stated_s or max_minutes * 60
        fps = min(MAX_FPS, MAX_FRAMES / length_s)
        jpegs = []
        # Not shown on stderr; the page follows it all the same.
        with _progress.progress(
            "Reading the film",
            total=round(length_s * fps),
            unit=" frames",
            shown=False,
        ) as bar:
            for tick, frame in frames_on_screen(video, fps):
                _check_length(name, tick / fps, max_minutes)
                jpegs.append(_jpeg(frame))
                bar.update(1)
        return FrameStrip(tuple(jpegs), fps, video.end_s)


def _check_length(name: str, length_s: float, max_minutes: float) -> None:
    if length_s > max_minutes * 60:
        raise DemoError(
            f"{name}: expected a film of at most {max_minutes:g} minutes. "
            f"Received at least {length_s / 60:.3g} minutes"
        )


def _jpeg(frame: np.ndarray) -> bytes:
    """uint8 [H, W, 3] in BGR to a small JPEG file."""
    height, width = frame.shape[:2]
    scale = min(1.0, MAX_WIDTH_PX / width, MAX_HEIGHT_PX / height)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(
        ".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    assert done, "OpenCV always has JPEG"
    return encoded.tobytes()
