"""Histograms of orientations and colours, the input of Baseline-Visual [20].

Sect. II-A: "the orientation features, which were calculated based on 0°, 45°,
90°, 135°; and the color features, which were obtained by converting RGB to HSI
color space. The final features are constructed by computing a 32-bin histogram
of each 7 channels." How the orientations are measured, the size of the frames
and their number are not stated; `channel_values` and `HistogramConfig` say
what is done here.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import math
import os
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from absl import logging

from emotion_mt import paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features.frames import Frame
from emotion_mt.features.store import Films
from emotion_mt.features.video import Hole, Video, on_screen
from emotion_mt.features.windows import Times, check_times, segment_ticks
from emotion_mt.storage.cache import cache_folder

#: Folder of the histograms in the cache folder.
STORE_NAME = "histograms"

#: Directions of lines in degrees, counter-clockwise; 0 is horizontal.
ORIENTATIONS_DEG = (0, 45, 90, 135)

#: The channels, in the order of the histograms.
CHANNELS = (
    *(f"orientation_{angle}" for angle in ORIENTATIONS_DEG),
    "hue",
    "saturation",
    "intensity",
)

#: Bins per histogram (Sect. II-A).
BINS = 32

#: Raised when the computation changes, so that older files are not used.
_VERSION = 2

#: Answer of `cv2.Scharr` to a step from 0 to 1.
_SCHARR_STEP = 16.0


@dataclasses.dataclass(frozen=True)
class HistogramConfig:
    """How films become histograms; part of the store's key.

    Attributes:
        frames: Frames per segment, evenly spaced over it; at least 8. They
            are chosen among those on the screen 25 times a second.
        short_side_px: Larger frames are made smaller, so that their shorter
            side has this many pixels; their aspect is kept, and with it the
            orientations. At least 16.

    Raises:
        ValueError: If an attribute is out of its range.
    """

    frames: int = 16
    short_side_px: int = 112

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name, least in (("frames", 8), ("short_side_px", 16)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"`{name}` must be at least {least}. "
                    f"Received: {getattr(self, name)}"
                )


_DEFAULT_CONFIG = HistogramConfig()


def extract_histograms(
    corpus: Corpus,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: bool = True,
    *,
    config: HistogramConfig = _DEFAULT_CONFIG,
) -> np.ndarray:
    """Computes the histograms of every segment, or takes them from disk.

    Each film is decoded once; finished films are kept in the store, and
    several runs share the work, as in `extract_features`.

    Args:
        corpus: Segments and the films they are in.
        cache_dir: Folder of the store. Default: "histograms" in
            `$EMOTION_MT_CACHE`, else in `~/.cache/emotion_mt`.
        progress: Whether to show, on stderr, segments per second and the
            time left.
        config: See `HistogramConfig`.

    Returns:
        float32 [N, frames, 7, 32], one row per segment, channels in the order
        of `CHANNELS`; each histogram sums to 1. NaN where the segment has no
        video, or the video no frames at its time.

    Raises:
        VideoError: If nothing of a film can be used. Everything else is
            computed and stored first; the message lists all such films.
        OSError: If the store cannot be written to.

    Example:
        ```python
        histograms = emt.features.extract_histograms(corpus)
        ```
    """
    shape = (config.frames, len(CHANNELS), BINS)
    key = {
        "weights_sha256": "",
        "compute": f"histograms {_VERSION}",
        "channels": math.prod(shape),
        "image_size_px": config.short_side_px,
        "config": dataclasses.asdict(config),
    }
    films = Films(corpus, key, cache_dir or cache_folder(None) / STORE_NAME)
    compute = functools.partial(film_histograms, config=config)
    films.complete(compute, "Histograms", " segments", len, progress)
    logging.info("Histograms of %d segments computed", films.computed)
    return films.by_row().reshape(len(corpus), *shape)


def film_histograms(
    video: Video,
    segments: Sequence[Times],
    on_segments: Callable[[int], object],
    config: HistogramConfig,
) -> np.ndarray:
    """Computes the histograms of a film's segments, decoding it once.

    A segment's ticks (`segment_ticks`, at least `config.frames`) are divided
    into equal parts, and the tick in the middle of each is taken. Where it is
    past the film, or in a hole, the last frame before it stands for it (the
    next one, if the segment begins in the hole).

    Returns:
        float32 [N, frames · 7 · 32], NaN for segments that are not on the
        screen.
    """
    check_times(video.path, segments)
    fps, count = paper.FPS, config.frames
    wanted = []
    for index, segment in enumerate(segments):
        first, stop = segment_ticks(segment, fps, count)
        for part in range(count):
            tick = first + (2 * part + 1) * (stop - first) // (2 * count)
            wanted.append((tick, index, part))
    places = collections.deque(sorted(wanted))
    results = np.full((len(segments), count, len(CHANNELS), BINS), np.nan, "f4")
    left = np.full(len(segments), count)
    shown: Frame | None = None

    @functools.lru_cache(1)
    def measure(frame: Frame) -> np.ndarray:
        return frame_histograms(frame.bgr(), config.short_side_px)

    def fill(frame: Frame, index: int, part: int) -> None:
        results[index, part] = measure(frame)
        left[index] -= 1
        on_segments(int(left[index] == 0))

    def end(hole: Hole) -> None:
        """The frame before a hole stands for those of segments before it."""
        later = []
        while places and places[0][0] < hole.end_s * fps:
            tick, index, part = places.popleft()
            start_s, end_s = segments[index]
            if shown is not None and start_s < hole.start_s:
                fill(shown, index, part)
            elif end_s > hole.end_s:
                later.append((tick, index, part))
        places.extendleft(reversed(later))

    for item in on_screen(video, fps):
        if isinstance(item, Hole):
            end(item)
            continue
        now, _, shown = item
        while places and places[0][0] <= now:
            fill(shown, *places.popleft()[1:])
        if not places:
            video.check()
            break
    results[left > 0] = np.nan
    return results.reshape(len(segments), -1)


def frame_histograms(
    frame: np.ndarray, short_side_px: int | None = None
) -> np.ndarray:
    """float32 [7, 32] histograms of `channel_values`; each row sums to 1.

    The bins are of equal width, the last one with its upper end.
    """
    if short_side_px is not None and min(frame.shape[:2]) > short_side_px:
        scale = short_side_px / min(frame.shape[:2])
        height, width = (round(side * scale) for side in frame.shape[:2])
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    values = channel_values(frame).reshape(len(CHANNELS), -1)
    bins = np.minimum(values * BINS, BINS - 1).astype(np.uint8)
    counts = [
        cv2.calcHist([channel], [0], None, [BINS], [0, BINS]).ravel()
        for channel in bins
    ]
    return np.stack(counts).astype(np.float32) / values.shape[1]


def channel_values(frame: np.ndarray) -> np.ndarray:
    """float32 [7, H, W] in [0, 1], the `CHANNELS` of a frame.

    Orientations: the square root of the absolute derivative of the intensity
    across lines of each direction, steered from Scharr's two derivatives; 1
    for a step from black to white. (Most of a picture is nearly flat; without
    the root, small steps would all fall into the first bin.)

    Colours: I = (R+G+B)/3, S = 1 - min(R, G, B)/I, hue as the angle about the
    grey axis from red, as a part of a full turn. Grey pixels have hue 0, black
    ones saturation 0.
    """
    blue, green, red = (
        np.multiply(plane, 1 / 255, dtype=np.float32)
        for plane in cv2.split(frame)
    )
    values = np.empty((len(CHANNELS), *blue.shape), np.float32)
    intensity = (red + green + blue) / 3
    across_x = cv2.Scharr(intensity, cv2.CV_32F, 1, 0, scale=1 / _SCHARR_STEP)
    across_y = cv2.Scharr(intensity, cv2.CV_32F, 0, 1, scale=1 / _SCHARR_STEP)
    for channel, angle in zip(values, ORIENTATIONS_DEG, strict=False):
        # Rows count downwards: a line at `angle` has the direction
        # (cos, -sin), and (sin, cos) is across it.
        sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        steered = np.float32(sine) * across_x + np.float32(cosine) * across_y
        np.sqrt(np.minimum(np.abs(steered), 1), out=channel)
    least = np.minimum(np.minimum(red, green), blue)
    turn = cv2.phase(
        2 * red - green - blue, np.sqrt(3, dtype=np.float32) * (green - blue)
    )
    values[-3] = np.clip(turn / (2 * np.pi), 0, 1)
    values[-2] = 1 - least / np.maximum(intensity, 1e-6)
    values[-2][intensity == 0] = 0
    values[-1] = intensity
    return np.clip(values, 0, 1, out=values)
