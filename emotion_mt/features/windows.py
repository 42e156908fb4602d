"""Segments to windows of frames, while the film goes by once (Sect. III-D)."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging

from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.container import VideoError
from emotion_mt.features.frames import Frame, resize_frame
from emotion_mt.features.video import (
    OVERRUN_TOLERANCE_S,
    TIMESTAMP_TOLERANCE_S,
    Hole,
    Seen,
    Video,
    on_screen,
)

#: (start_s, end_s) of a segment.
Times = tuple[float, float]

#: Index of a segment, and the frames of a window of it.
_Frames = tuple[int, Sequence[Frame]]

# Keeps an instant such as 3.84 s · 25/s = 96.00000000000001 on its tick.
_EPSILON_S = 1e-7


def check_times(path: str, segments: Sequence[Times]) -> None:
    """Raises VideoError unless 0 <= start_s < end_s, both finite."""
    for start_s, end_s in segments:
        if not (0 <= start_s < end_s < math.inf):
            raise VideoError(
                f"{path}: a segment must have 0 <= start_s < end_s, in "
                f"seconds. Received: start_s={start_s}, end_s={end_s}"
            )


def segment_ticks(segment: Times, fps: float, size: int) -> tuple[int, int]:
    """First tick of a segment that is wholly on the screen, and that after it.

    They are at least `size`: a shorter segment is widened about its middle,
    but not to before tick 0.
    """
    first, stop = (math.ceil((s - _EPSILON_S) * fps) for s in segment)
    if stop - first < size:
        first = max(0, (first + stop - size) // 2)
        stop = first + size
    return first, stop


def count_windows(segment: Times, fps: float, config: FeatureConfig) -> int:
    """Number of windows of a segment that is wholly on the screen."""
    first, stop = segment_ticks(segment, fps, config.window_frames)
    return (stop - first - config.window_frames) // config.stride_frames + 1


def film_windows(
    video: Video,
    segments: Sequence[Times],
    size_px: int,
    config: FeatureConfig,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the windows of a film's segments, decoding every frame once.

    The ticks t of `on_screen` with start_s <= t < end_s are the segment's. Its
    windows start at its first tick and every `stride_frames` after it, as
    long as they fit ("a batch of 16 consecutive frames with a stride of 8").
    A segment shorter than a window gets one about its middle.

    No window reaches over an end of the film or a `Hole`. A segment keeps the
    windows that fit before and after; if none fits, it gets the last (or the
    first) `window_frames` ticks that are on the screen, fewer than that
    followed by the last one again; if none is on the screen, no window.

    Segments may overlap and lie in any order. Decoding stops when the last one
    has gone by.

    Yields:
        (index of the segment, uint8 [window_frames, size_px, size_px, 3] in
        RGB), in order of time.
    """
    check_times(video.path, segments)

    # Windows overlap, and a frame may stay for several ticks.
    @functools.lru_cache(config.window_frames)
    def small(frame: Frame) -> np.ndarray:
        return resize_frame(frame, size_px, config.resize)

    for index, frames in _frames_of_windows(video, segments, config):
        yield index, np.stack([small(frame) for frame in frames])


def _frames_of_windows(
    video: Video, segments: Sequence[Times], config: FeatureConfig
) -> Iterator[_Frames]:
    run = _Run(video.path, segments, config)
    for item in on_screen(video, config.fps):
        if isinstance(item, Hole):
            yield from run.end(item)
            continue
        tick, time_s, frame = item
        yield from run.begin_tick(tick, time_s)
        if run.finished:
            video.check()
            return
        yield from run.end_tick(tick, frame)


class _Run:
    """Ticks without a hole between them, and the segments about them."""

    def __init__(
        self, path: str, segments: Sequence[Times], config: FeatureConfig
    ) -> None:
        self._path, self._segments = path, segments
        self._size, self._stride = config.window_frames, config.stride_frames
        order = sorted(range(len(segments)), key=lambda i: segments[i])
        self._waiting = collections.deque(order)
        # First tick of segments that have begun; and of those without a
        # window that are over, tick after the window that they will get.
        self._begun: dict[int, int] = {}
        self._short: dict[int, int] = {}
        self._with_window: set[int] = set()
        self._recent = collections.deque[Frame](maxlen=self._size)
        self._first: int | None = None
        native = config.fps is None
        self._slack_s = TIMESTAMP_TOLERANCE_S if native else _EPSILON_S

    @property
    def finished(self) -> bool:
        """Whether all segments have gone by."""
        return not (self._waiting or self._begun or self._short)

    def begin_tick(self, tick: int, time_s: float) -> Iterator[_Frames]:
        """Begins and ends segments; yields windows that were complete."""
        if self._first is None:
            self._first = tick
        now_s, waiting = time_s + self._slack_s, self._waiting
        while waiting and self._segments[waiting[0]][0] <= now_s:
            self._begun[waiting.popleft()] = tick
        over = [i for i in self._begun if self._segments[i][1] <= now_s]
        for index in over:
            middle = (self._begun.pop(index) + tick - self._size) // 2
            if index not in self._with_window:
                self._short[index] = max(self._first, middle) + self._size
        yield from self._short_windows(tick)

    def end_tick(self, tick: int, frame: Frame) -> Iterator[_Frames]:
        """Takes the tick's frame; yields windows that end with it."""
        self._recent.append(frame)
        start = tick - self._size + 1
        complete = [
            index
            for index, first in self._begun.items()
            if start >= first and (start - first) % self._stride == 0
        ]
        self._with_window.update(complete)
        yield from self._last_window(complete)
        yield from self._short_windows(tick + 1)

    def end(self, hole: Hole) -> Iterator[_Frames]:
        """Ends the run; yields windows of segments that have no other."""
        for index in list(self._waiting):
            start_s, end_s = self._segments[index]
            if start_s < hole.start_s and self._recent:
                self._begun[index] = 0
            elif end_s > hole.end_s:
                continue
            self._waiting.remove(index)
        lacking = sorted(self._begun.keys() - self._with_window)
        if self._recent:
            last = [*self._short, *lacking]
            if len(self._recent) < self._size and last:
                logging.warning(
                    "%s: %d frames before %.2f s are fewer than a window of "
                    "%d; the last one is repeated, for %d segments",
                    self._path,
                    len(self._recent),
                    hole.start_s,
                    self._size,
                    len(last),
                )
            yield from self._last_window(last)
        # What goes on after the hole begins anew there.
        later = [i for i in self._begun if self._segments[i][1] > hole.end_s]
        self._with_window.update(self._begun)
        self._waiting.extendleft(later)
        self._begun.clear()
        self._short.clear()
        self._recent.clear()
        self._first = None

    def _short_windows(self, stop: int) -> Iterator[_Frames]:
        """Windows of short segments that end before a tick."""
        over = [i for i, wanted in self._short.items() if wanted == stop]
        for index in over:
            del self._short[index]
        yield from self._last_window(over)

    def _last_window(self, of: Sequence[int]) -> Iterator[_Frames]:
        """The last ticks; if they are too few, the last one again."""
        if of:
            frames = list(self._recent)
            frames += [frames[-1]] * (self._size - len(frames))
            yield from ((index, frames) for index in of)


def problems(path: str, seen: Seen, segments: Sequence[Times]) -> list[str]:
    """What is wrong with a film, for some segments; a sentence each."""
    found = list(seen.problems)
    for hole_start_s, hole_end_s in seen.holes:
        inside = [
            start_s
            for start_s, end_s in segments
            if min(end_s, hole_end_s) - max(start_s, hole_start_s)
            > min(OVERRUN_TOLERANCE_S, 0.99 * (end_s - start_s))
        ]
        if inside:
            found.append(
                f"{len(inside)} segments lie in the time without frames from "
                f"{hole_start_s:.2f} to {hole_end_s:.2f} s, the first at "
                f"{min(inside):.2f} s"
            )
    late = [
        end_s
        for start_s, end_s in segments
        if start_s >= seen.end_s or end_s > seen.end_s + seen.tolerance_s
    ]
    if late:
        found.append(
            f"expected frames up to {max(late):.2f} s, where the last of "
            f"{len(segments)} segments ends. Received {seen.frames} frames, "
            f"up to {seen.end_s:.2f} s; {len(late)} segments reach past that"
        )
    return [f"{path}: {problem}" for problem in found]


def film_problems(path: str, segments: Sequence[Times]) -> list[str]:
    """What is wrong with a film, found without decoding all of it."""
    try:
        with Video(path) as video:
            video.scan()
            return problems(path, video.seen, segments)
    except VideoError as error:
        return list(error.problems)
