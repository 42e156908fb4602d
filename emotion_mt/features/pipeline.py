"""Windows of several films through the network, decoding beside it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import keras
import numpy as np
import tensorflow as tf

from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.video import Video, VideoError
from emotion_mt.features.windows import Times, film_windows, plan_segment

#: Batches that are decoded ahead of the network.
_PREFETCH_BATCHES = 2


@dataclasses.dataclass
class Timing:
    """Where the time went.

    Attributes:
        windows: Windows that went through the network.
        decode_s: Seconds of decoding, resizing and stacking, at the same
            time as the network.
        network_s: Seconds in the network.
        waiting_s: Seconds in which the network waited for frames.
    """

    windows: int = 0
    decode_s: float = 0.0
    network_s: float = 0.0
    waiting_s: float = 0.0


class FilmJob:
    """The segments of a film that are to be computed.

    Args:
        path: The video.
        times: (start_s, end_s) of the segments, without repetition.
        config: See `FeatureConfig`.

    Attributes:
        path: The video.
        times: The segments.
        planned: int [n], windows that each segment should have.
        received: int [n], windows of each that went through the network.
        maximum: float32 [n, C], maximum of each over those windows.
        error: Why the film is unusable, or None.

    Raises:
        VideoError: If the video does not open or a segment's times make no
            sense.
    """

    def __init__(
        self, path: str, times: Sequence[Times], config: FeatureConfig
    ) -> None:
        self.path = path
        self.times = list(times)
        with Video(path) as video:
            fps = config.fps or video.fps
        try:
            plans = [plan_segment(*segment, fps, config) for segment in times]
        except ValueError as error:
            raise VideoError(f"{path}: {error}") from error
        self.planned = np.array([plan.windows for plan in plans])
        self.received = np.zeros(len(plans), int)
        self.maximum: np.ndarray | None = None
        self.error: str | None = None

    def take(self, segment: int, pooled: np.ndarray) -> None:
        """Takes in a window, float32 [C], of a segment."""
        if self.maximum is None:
            shape = (len(self.times), len(pooled))
            self.maximum = np.full(shape, -np.inf, np.float32)
        np.maximum(self.maximum[segment], pooled, out=self.maximum[segment])
        self.received[segment] += 1

    def finished(self) -> dict[Times, np.ndarray]:
        """Segments whose features are final, float32 [C] each."""
        if self.maximum is None:
            return {}
        done = self.received > 0
        if self.error is not None:
            # Only where the film ends may planned windows be left out.
            done &= self.received == self.planned
        return {self.times[i]: self.maximum[i] for i in np.flatnonzero(done)}


def run(
    jobs: Sequence[FilmJob],
    i3d: keras.Model,
    config: FeatureConfig,
    batch_windows: int,
    on_windows: Callable[[int], object],
    timing: Timing,
) -> Iterator[FilmJob]:
    """Sends the windows of films through the network, film after film.

    Batches are filled across segments and films, so that all of them have
    the same size; the last one is filled up with black frames.

    Args:
        jobs: The films.
        i3d: Network to [B, T', H', W', C].
        config: See `FeatureConfig`.
        batch_windows: Windows per batch.
        on_windows: Is given the number of windows of each batch.
        timing: Is added to.

    Yields:
        Each of `jobs`, in order, as soon as it is finished or has its
        `error` set.
    """
    size_px = int(i3d.input_shape[2])
    network = pooled_network(i3d)
    batches = iter(_batches(jobs, config, size_px, batch_windows, timing))
    current = 0
    while True:
        start = time.perf_counter()
        batch = next(batches, None)
        timing.waiting_s += time.perf_counter() - start
        if batch is None:
            break
        numbers, segments, windows = batch
        start = time.perf_counter()
        missing = batch_windows - len(numbers)
        pooled = network(tf.pad(windows, [[0, missing]] + [[0, 0]] * 4)).numpy()
        timing.network_s += time.perf_counter() - start
        timing.windows += len(numbers)
        for number, segment, vector in zip(
            numbers.numpy(), segments.numpy(), pooled, strict=False
        ):
            while current < number:
                yield jobs[current]
                current += 1
            jobs[number].take(segment, vector)
        on_windows(len(numbers))
    yield from jobs[current:]


def pooled_network(i3d: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """The network with the scaling before and the pooling after it.

    Args:
        i3d: Network from float32 [B, T, S, S, 3] in [-1, 1] to
            [B, T', H', W', C].

    Returns:
        A function from uint8 [B, T, S, S, 3] to float32 [B, C], the mean over
        time and space.
    """

    # XLA's convolutions in 3-D are several times slower on a CPU.
    @tf.function(jit_compile=False)
    def pooled(windows: tf.Tensor) -> tf.Tensor:
        frames = tf.cast(windows, tf.float32) / 127.5 - 1.0
        mixed_5c = tf.cast(i3d(frames, training=False), tf.float32)
        return tf.reduce_mean(mixed_5c, axis=[1, 2, 3])

    return pooled


def _batches(
    jobs: Sequence[FilmJob],
    config: FeatureConfig,
    size_px: int,
    batch_windows: int,
    timing: Timing,
) -> tf.data.Dataset:
    """(number of the job, number of its segment, window), in batches."""
    window = (config.window_frames, size_px, size_px, 3)
    dataset = tf.data.Dataset.from_generator(
        lambda: _windows(jobs, config, size_px, timing),
        output_signature=(
            tf.TensorSpec((), tf.int64),
            tf.TensorSpec((), tf.int64),
            tf.TensorSpec(window, tf.uint8),
        ),
    )
    dataset = dataset.batch(batch_windows).prefetch(_PREFETCH_BATCHES)
    # Nothing is left to tune, and TensorFlow waits up to a minute for its
    # tuning thread when the iterator is deleted.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _windows(
    jobs: Sequence[FilmJob],
    config: FeatureConfig,
    size_px: int,
    timing: Timing,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Windows of film after film; a bad film is noted and left."""
    for number, job in enumerate(jobs):
        start = time.perf_counter()
        try:
            with Video(job.path) as video:
                for segment, window in film_windows(
                    video, job.times, size_px, config
                ):
                    timing.decode_s += time.perf_counter() - start
                    yield number, segment, window
                    start = time.perf_counter()
        except (VideoError, cv2.error) as error:
            job.error = str(error)
        timing.decode_s += time.perf_counter() - start
