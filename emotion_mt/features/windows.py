"""Segments to windows of frames, while the film goes by once (Sect. III-D)."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging

from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.video import (
    Video,
    VideoError,
    frames_on_screen,
    resize_frame,
)

#: (start_s, end_s) of a segment.
Times = tuple[float, float]

#: A last segment may end this much after the film, as subtitles do; its
#: windows then end with the film.
OVERRUN_TOLERANCE_S = 1.0

#: A film that lacks more than this of the length that its file states has
#: ended early. (Some files state the length of their sound.)
SHORTFALL_TOLERANCE_S = 0.2

# Keeps an instant such as 3.84 s · 25/s = 96.00000000000001 on its tick.
_EPSILON = 1e-6


@dataclasses.dataclass(frozen=True)
class SegmentPlan:
    """The windows of one segment, in ticks of the sampling rate.

    Attributes:
        start_s: Start of the segment in seconds.
        end_s: End of the segment in seconds.
        first: First tick of the first window.
        stop: Tick after the last one that windows may use; at least
            `first + size`.
        size: Ticks per window.
        stride: Ticks from one window to the next.
    """

    start_s: float
    end_s: float
    first: int
    stop: int
    size: int
    stride: int

    @property
    def windows(self) -> int:
        """Number of windows; at least 1."""
        return (self.stop - self.first - self.size) // self.stride + 1

    def completes_window(self, tick: int) -> bool:
        """Whether a window of the segment ends with a tick."""
        start = tick - self.size + 1
        fits = self.first <= start and tick < self.stop
        return fits and (start - self.first) % self.stride == 0


def plan_segment(
    start_s: float, end_s: float, fps: float, config: FeatureConfig
) -> SegmentPlan:
    """Chooses the windows of a segment.

    The ticks k with start_s <= k/fps < end_s are the segment's. Windows start
    at its first tick and every `stride_frames` after it, as long as they fit;
    a tail that does not fill a window is dropped, as in the paper ("a batch
    of 16 consecutive frames with a stride of 8"). A segment shorter than a
    window gets one window about its middle, moved to the film's start if it
    would begin before it. (Where the film ends is not known here; see
    `film_windows`.)

    Args:
        start_s: Start in seconds.
        end_s: End in seconds.
        fps: Ticks per second.
        config: Window and stride.

    Raises:
        ValueError: Unless 0 <= start_s < end_s, both finite.
    """
    if not (0 <= start_s < end_s < math.inf):
        raise ValueError(
            "a segment must have 0 <= start_s < end_s, in seconds. "
            f"Received: start_s={start_s}, end_s={end_s}"
        )
    first = math.ceil(start_s * fps - _EPSILON)
    stop = math.ceil(end_s * fps - _EPSILON)
    size = config.window_frames
    if stop - first < size:
        first = max(0, (first + stop - size) // 2)
        stop = first + size
    stride = config.stride_frames
    return SegmentPlan(start_s, end_s, first, stop, size, stride)


def film_windows(
    video: Video,
    segments: Sequence[Times],
    size_px: int,
    config: FeatureConfig,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the windows of a film's segments, decoding every frame once.

    Segments may overlap, touch and lie in any order. Decoding stops when the
    last one has gone by. At the end of the film,

    - a segment that runs past it by no more than `OVERRUN_TOLERANCE_S` keeps
      the windows that fit;
    - if none fits, it gets the film's last `window_frames` ticks;
    - a film with fewer ticks than that repeats its last frame.

    Args:
        video: The film, from its first frame on.
        segments: (start_s, end_s) in seconds; at least one.
        size_px: Height and width of the frames.
        config: See `FeatureConfig`.

    Yields:
        (index of the segment, uint8 [window_frames, size_px, size_px, 3] in
        RGB); at least one window for every segment, in order of time.

    Raises:
        VideoError: If the film does not decode, or ends before a segment
            does. Windows may have been yielded before.
        ValueError: If a segment's times make no sense.
    """
    fps = config.fps or video.fps
    plans = [plan_segment(*segment, fps, config) for segment in segments]
    waiting = collections.deque(
        sorted(range(len(plans)), key=lambda i: plans[i].first)
    )
    end_s = max(plan.end_s for plan in plans)
    size = config.window_frames
    recent: collections.deque[np.ndarray] = collections.deque(maxlen=size)
    active: list[int] = []
    windowless = set(waiting)
    ticks = 0
    shrunk_from = None
    for tick, frame in frames_on_screen(video, config.fps):
        ticks = tick + 1
        # A window's length ahead, so that `recent` is full if the film ends.
        while waiting and plans[waiting[0]].first <= tick + size:
            active.append(waiting.popleft())
        if active:
            if frame is not shrunk_from:
                small = resize_frame(frame, size_px, config.resize)
                shrunk_from = frame
            recent.append(small)
            complete = [i for i in active if plans[i].completes_window(tick)]
            if complete:
                windowless.difference_update(complete)
                window = np.stack(recent)
                yield from ((index, window) for index in complete)
            active = [i for i in active if plans[i].stop > ticks]
        if ticks / fps >= end_s and not active and not waiting:
            return
    refuse_early_end(video, plans, ticks / fps, fps)
    if windowless:
        window = _last_window(video, recent, size)
        for index in sorted(windowless):
            yield index, window


def refuse_early_end(
    video: Video, plans: Sequence[SegmentPlan], received_s: float, fps: float
) -> None:
    """Raises if segments reach past the film's last frame."""
    lacking_s = (video.stated_frames - video.frames) / video.fps
    complete = lacking_s <= SHORTFALL_TOLERANCE_S
    tolerance_s = OVERRUN_TOLERANCE_S if complete else 1.0 / fps
    late = [
        plan
        for plan in plans
        if plan.start_s >= received_s or plan.end_s > received_s + tolerance_s
    ]
    if late:
        last_s = max(plan.end_s for plan in late)
        raise VideoError(
            f"{video.path}: expected frames up to {last_s:.2f} s, where the "
            f"last of {len(plans)} segments ends (the file states "
            f"{video.stated_frames} frames at {video.fps:.3f} fps). Received "
            f"{video.frames} frames, up to {received_s:.2f} s; {len(late)} "
            "segments reach past that"
        )


def _last_window(
    video: Video, recent: Sequence[np.ndarray], size: int
) -> np.ndarray:
    """The last `size` ticks of the film, for segments that have no window."""
    frames = list(recent)
    if len(frames) < size:
        logging.warning(
            "%s: a film of %d frames is shorter than a window of %d; its last "
            "frame is repeated",
            video.path,
            len(frames),
            size,
        )
        frames += [frames[-1]] * (size - len(frames))
    return np.stack(frames)
