"""Decoded frames: as arrays, resized, and whether they differ."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

#: Short side before the centre of 224 is cut out, as I3D was trained.
_CROP_SHORT_SIDE = 256 / 224

_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


class Frame:
    """A decoded frame, turned into an array where that is asked for."""

    def __init__(self, decoded: av.VideoFrame, to: VideoReformatter) -> None:
        self._decoded = decoded
        self._reformatter = to

    def bgr(self) -> np.ndarray:
        """uint8 [H, W, 3] in BGR, as OpenCV has it, upright."""
        array = self._reformatter.reformat(
            self._decoded,
            format="bgr24",
            src_color_range=self._decoded.color_range,
            dst_color_range=ColorRange.JPEG,
            interpolation="BICUBIC",
            threads=1,
        ).to_ndarray()
        turn = _TURNS.get(self._decoded.rotation % 360)
        return array if turn is None else cv2.rotate(array, turn)


def resize_frame(frame: Frame, size_px: int, mode: str) -> np.ndarray:
    """uint8 [size_px, size_px, 3] in RGB; bilinear interpolation."""
    whole = frame.bgr()
    size = (size_px, size_px)
    if mode == "crop":
        height, width = whole.shape[:2]
        scale = round(size_px * _CROP_SHORT_SIDE) / min(height, width)
        size = (round(width * scale), round(height * scale))
    resized = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)
    top, left = ((side - size_px) // 2 for side in resized.shape[:2])
    square = resized[top : top + size_px, left : left + size_px]
    return cv2.cvtColor(square, cv2.COLOR_BGR2RGB)


class Stillness:
    """Whether all frames are alike although the file holds different ones."""

    def __init__(self, lossy: bool) -> None:
        self.packets = 0
        self._alike = True
        self._lossy = lossy
        self._frames = 0
        self._sample: np.ndarray | None = None
        self._known: list[np.ndarray] = []
        self._new = 0

    @property
    def believable(self) -> bool:
        """Whether a film of one picture is what the file holds."""
        # Without loss, each packet may hold the whole picture anew.
        moves = self._frames < 10 or not (self._alike and self._lossy)
        return moves or self._new <= self.packets / 2

    def feed(self, packet: av.Packet) -> None:
        """Counts a packet, and whether it brings anything new."""
        if not packet.size or packet.is_discard:
            return
        self.packets += 1
        if not self._alike:
            return
        content = np.frombuffer(memoryview(packet), np.uint8)
        if packet.is_keyframe:
            # Two, since headers may take turns.
            if len(self._known) < 2:
                self._known.append(content.copy())
            self._new += all(_differ(content, known) for known in self._known)
        elif self._known:
            # A picture that stays takes next to nothing.
            self._new += content.size > max(self._known[0].size / 4, 64)

    def see(self, decoded: av.VideoFrame) -> None:
        """Compares a frame with the first one."""
        self._frames += 1
        if not self._alike:
            return
        plane = decoded.planes[0]
        size = plane.line_size * plane.height
        rows = np.frombuffer(memoryview(plane), np.uint8, size)
        rows = rows.reshape(plane.height, plane.line_size)
        sample = rows[:, : plane.width].copy()
        if self._sample is None:
            self._sample = sample
        self._alike = np.array_equal(self._sample, sample)


def _differ(content: np.ndarray, known: np.ndarray) -> bool:
    if abs(content.size / known.size - 1) > 0.02:
        return True
    size = min(content.size, known.size)
    return bool(np.mean(content[:size] != known[:size]) > 0.5)
