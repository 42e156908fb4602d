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
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from absl import logging

from emotion_mt import _progress, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features import extraction, files, windows
from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.pipeline import FilmJob
from emotion_mt.features.sharing import Film, FilmQueue
from emotion_mt.features.store import FeatureStore, FilmKey
from emotion_mt.features.video import (
    Video,
    VideoError,
    fingerprint,
    frames_on_screen,
)
from emotion_mt.features.windows import SegmentPlan, Times, plan_segment

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
_VERSION = 1

#: Answer of `cv2.Scharr` to a step from 0 to 1.
_SCHARR_STEP = 16.0


@dataclasses.dataclass(frozen=True)
class HistogramConfig:
    """How films become histograms; part of the store's key.

    Attributes:
        frames: Frames per segment, evenly spaced over it; at least 8.
        fps: Frames per second, by timestamp, among which they are chosen;
            None for every frame of the film as it comes.
        short_side_px: Larger frames are made smaller, so that their shorter
            side has this many pixels; their aspect is kept, and with it the
            orientations. At least 16.

    Raises:
        ValueError: If an attribute is out of its range.
    """

    frames: int = 16
    fps: float | None = paper.FPS
    short_side_px: int = 112

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name, least in (("frames", 8), ("short_side_px", 16)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"`{name}` must be at least {least}. "
                    f"Received: {getattr(self, name)}"
                )
        self.window()

    def window(self) -> FeatureConfig:
        """The same sampling for `plan_segment`, one window per segment."""
        return FeatureConfig(self.fps, self.frames, self.frames)

    def as_dict(self) -> dict[str, Any]:
        """The attributes, as JSON can hold them."""
        return dataclasses.asdict(self)


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
        video.

    Raises:
        VideoError: If films do not decode or end before their segments do.
            Everything else is computed and stored first; the message lists
            all of them.
        OSError: If the store cannot be written to.

    Example:
        ```python
        histograms = emt.features.extract_histograms(corpus)
        ```
    """
    folder = cache_dir or files.cache_folder(None) / STORE_NAME
    store = FeatureStore(folder)
    films, problems = _open_films(corpus, config, store)
    missing = sum(len(film.job.times) for film in films if film.job)
    with _progress.progress(
        desc="Histograms",
        unit=" segments",
        total=missing,
        shown=bool(progress and missing),
    ) as bar:
        computed = _compute_films(films, store, config, bar.update, problems)
    logging.info(
        "Histograms of %d films: %d segments computed", len(films), computed
    )
    if problems:
        raise VideoError(
            [*problems, f"The histograms of all other films are in {folder}"]
        )
    shape = (config.frames, len(CHANNELS), BINS)
    rows = extraction.by_row(corpus, films, int(np.prod(shape)))
    return rows.reshape(len(corpus), *shape)


def _open_films(
    corpus: Corpus, config: HistogramConfig, store: FeatureStore
) -> tuple[list[Film], list[str]]:
    """The films of a corpus, and messages about those that do not open."""
    films: list[Film] = []
    problems: list[str] = []
    with_video = corpus.segments[corpus.segments["video"].notna()]
    for path, segments in with_video.groupby("video", sort=False):
        try:
            size, sha256 = fingerprint(str(path))
            key = FilmKey(
                video_sha256=sha256,
                video_bytes=size,
                weights_sha256="",
                compute=f"histograms {_VERSION}",
                channels=config.frames * len(CHANNELS) * BINS,
                image_size_px=config.short_side_px,
                config=config.as_dict(),
            )
            films.append(
                extraction.open_film(
                    str(path), key, segments, config.window(), store
                )
            )
        except VideoError as error:
            problems.append(str(error))
    return films, problems


def _compute_films(
    films: Sequence[Film],
    store: FeatureStore,
    config: HistogramConfig,
    on_segments: Callable[[int], object],
    problems: list[str],
) -> int:
    """Computes what is missing and no other run computes; notes `problems`.

    Returns the number of segments computed here.
    """
    computed = 0
    with FilmQueue(films, store, config.window()) as queue:
        for share in queue.rounds():
            for job in share:
                done = _compute(job, config, on_segments)
                queue.finish(share.film_of(job), done)
                computed += len(done)
                if job.error is not None:
                    problems.append(job.error)
    problems += queue.problems
    return computed


def _compute(
    job: FilmJob, config: HistogramConfig, on_segments: Callable[[int], object]
) -> dict[Times, np.ndarray]:
    """Computes what it can of a film; notes in `job.error` what it cannot."""
    done: dict[Times, np.ndarray] = {}
    try:
        with Video(job.path) as video:
            for index, values in film_histograms(video, job.times, config):
                done[job.times[index]] = values.ravel()
                on_segments(1)
    except (VideoError, cv2.error) as error:
        job.error = str(error)
    return done


def segment_ticks(plan: SegmentPlan, frames: int) -> list[int]:
    """Chooses the frames of a segment, evenly spaced.

    The segment's ticks are divided into `frames` equal parts; the tick in the
    middle of each is taken.

    Args:
        plan: The segment, with at least `frames` ticks.
        frames: Number of frames.

    Returns:
        `frames` ticks, increasing.
    """
    length = plan.stop - plan.first
    return [
        plan.first + (2 * i + 1) * length // (2 * frames) for i in range(frames)
    ]


def film_histograms(
    video: Video, segments: Sequence[Times], config: HistogramConfig
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the histograms of a film's segments, decoding every frame once.

    As for the I3D (`film_windows`), segments may overlap and lie in any
    order, a segment shorter than `config.frames` ticks is widened about its
    middle, and a segment may run a little past the end of the film; the film's
    last frame then stands for those that are missing.

    Args:
        video: The film, from its first frame on.
        segments: (start_s, end_s) in seconds; at least one.
        config: See `HistogramConfig`.

    Yields:
        (index of the segment, float32 [frames, 7, 32]), each segment once.

    Raises:
        VideoError: If the film does not decode, or ends before a segment
            does. Segments may have been yielded before.
        ValueError: If a segment's times make no sense.
    """
    fps = config.fps or video.fps
    plans = [plan_segment(*times, fps, config.window()) for times in segments]
    wanted: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
    for index, plan in enumerate(plans):
        for position, tick in enumerate(segment_ticks(plan, config.frames)):
            wanted[tick].append((index, position))
    shape = (config.frames, len(CHANNELS), BINS)
    results = [np.zeros(shape, np.float32) for _ in plans]
    missing = [config.frames] * len(plans)
    measured: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    ticks, frame = 0, None
    for tick, frame in frames_on_screen(video, config.fps):
        ticks = tick + 1
        if tick not in wanted:
            continue
        if frame is not measured[0]:
            measured = (frame, frame_histograms(frame, config.short_side_px))
        for index, position in wanted.pop(tick):
            results[index][position] = measured[1]
            missing[index] -= 1
            if not missing[index]:
                yield index, results[index]
        if not wanted:
            return
    windows.refuse_early_end(video, plans, ticks / fps, fps)
    if frame is not None:
        last = frame_histograms(frame, config.short_side_px)
        for index, position in itertools.chain(*wanted.values()):
            results[index][position] = last
    yield from ((i, results[i]) for i, count in enumerate(missing) if count)


def frame_histograms(
    frame: np.ndarray, short_side_px: int | None = None
) -> np.ndarray:
    """Computes the histograms of a frame.

    Args:
        frame: uint8 [H, W, 3] in BGR, as OpenCV decodes.
        short_side_px: Size to which a larger frame is reduced first. Defaults
            to None, as it is.

    Returns:
        float32 [7, 32], each row sums to 1; bins of equal width over the
        values of `channel_values`, the last one with its upper end.
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
    """Computes the seven channels of a frame.

    Orientations: the derivative of the intensity across lines of each
    direction, steered from Scharr's two derivatives. Its absolute value is
    the square root of the energy, 1 for a step from black to white. Since most
    of a picture is nearly flat, the square root of that is taken, so that
    small steps do not all fall into the first bin.

    Colours: hue, saturation and intensity as in the HSI space, I = (R+G+B)/3,
    S = 1 - min(R, G, B)/I, hue as the angle about the grey axis from red, as
    a part of a full turn. Grey pixels have hue 0, black ones saturation 0.

    Args:
        frame: uint8 [H, W, 3] in BGR.

    Returns:
        float32 [7, H, W] in [0, 1], in the order of `CHANNELS`.
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
