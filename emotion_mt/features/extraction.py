"""Films of a corpus to one vector per segment (Sect. III-D)."""

from __future__ import annotations

import emotion_mt._backend  # noqa: F401  Quietly, and first.

import collections
import contextlib
import dataclasses
import itertools
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features import weights
from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.store import Films, Update
from emotion_mt.features.video import Video
from emotion_mt.features.windows import Times, count_windows, film_windows
from emotion_mt.storage.cache import cache_folder

#: Folder of the feature store in the cache folder.
STORE_NAME = "features"

#: Windows per call of the network. More is no faster on a CPU and costs
#: memory; a GPU wants more.
CPU_BATCH_WINDOWS = 4
GPU_BATCH_WINDOWS = 16

#: Batches that are decoded ahead of the network.
_BATCHES_AHEAD = 3

_DEFAULT_CONFIG = FeatureConfig()

#: Numbers of segments, and uint8 [B, T, S, S, 3].
_Batch = tuple[list[int], np.ndarray]


@dataclasses.dataclass
class ExtractionReport:
    """What was done, and where the time went.

    Attributes:
        films: Films with segments.
        segments_stored: Segments whose features were in the store, or were
            computed by another run at the same time.
        segments_computed: Segments that went through the network.
        total_s: Seconds from start to end.
        windows: Windows that went through the network.
        network_s: Seconds in the network.
        decode_s: Seconds of decoding, resizing and stacking, beside the
            network.
        waiting_s: Seconds that the network waited for frames.
        problems: What is wrong with films that were used all the same, a
            sentence each.
    """

    films: int = 0
    segments_stored: int = 0
    segments_computed: int = 0
    total_s: float = 0.0
    windows: int = 0
    network_s: float = 0.0
    decode_s: float = 0.0
    waiting_s: float = 0.0
    problems: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        text = (
            f"Features of {self.films} films in {self.total_s:.1f} s: "
            f"{self.segments_stored} segments from the store, "
            f"{self.segments_computed} computed"
        )
        if self.windows:
            rate = self.windows / max(self.network_s, 1e-9)
            text += (
                f"; {self.windows} windows, I3D {self.network_s:.1f} s "
                f"({rate:.2f} windows/s), decoding {self.decode_s:.1f} s "
                f"beside it, waiting for frames {self.waiting_s:.1f} s"
            )
        return "\n- ".join([text, *self.problems])


@dataclasses.dataclass(frozen=True)
class Extraction:
    """Features, and how they came about.

    Attributes:
        features: float32 [N, C], NaN where a segment has no video, or the
            video no frames.
        report: See `ExtractionReport`.
    """

    features: np.ndarray
    report: ExtractionReport


def extract_features(
    corpus: Corpus,
    i3d: keras.Model,
    cache_dir: str | os.PathLike[str] | None = None,
    config: FeatureConfig = _DEFAULT_CONFIG,
    progress: bool = True,
) -> np.ndarray:
    """Computes the visual feature of every segment, or takes it from disk.

    Windows of frames go through the I3D to Mixed_5c, the mean over space and
    time gives a vector per window, and the maximum over a segment's windows
    gives its feature (Sect. III-D). Each film is decoded once; finished films
    are kept in the store. Several calls on one store, also in other processes,
    share the films: what one is computing is left to it.

    What is wrong with a film that can be used all the same (a gap in its
    timestamps, segments past its end) is logged, and written with the report.

    Args:
        corpus: Segments and the films they are in.
        i3d: A network from frames in [-1, 1] to [B, T', H', W', C], as
            `load_i3d` returns.
        cache_dir: Folder of the feature store. Default: "features" in
            `$EMOTION_MT_CACHE`, else in `~/.cache/emotion_mt`.
        config: How films become windows.
        progress: Whether to show, on stderr, windows per second and the time
            left, and in the end where the time went.

    Returns:
        float32 [N, C], C = 1024 for I3D, one row per segment; a row of NaN
        where the segment has no video, or the video no frames at its time.

    Raises:
        VideoError: If nothing of a film can be used. Everything else is
            computed and stored first; the message lists all such films.
        ValueError: If `i3d` does not end in Mixed_5c.
        OSError: If the store cannot be written to.

    Example:
        ```python
        features = emt.extract_features(corpus, emt.load_i3d())
        ```
    """
    found = extract(corpus, i3d, cache_dir, config, progress)
    if progress and (found.report.windows or found.report.problems):
        tqdm.write(str(found.report), file=sys.stderr)
    return found.features


def extract(
    corpus: Corpus,
    i3d: keras.Model,
    cache_dir: str | os.PathLike[str] | None = None,
    config: FeatureConfig = _DEFAULT_CONFIG,
    progress: bool = True,
    batch_windows: int | None = None,
) -> Extraction:
    """`extract_features` that also tells where the time went.

    It shows no report in the end.

    Args:
        corpus: As there.
        i3d: As there.
        cache_dir: As there.
        config: As there.
        progress: As there.
        batch_windows: Windows per call of the network. Default: 4, or 16
            where TensorFlow sees a GPU.

    Returns:
        Features and report.

    Raises:
        VideoError: As there.
        ValueError: As there.
    """
    start = time.perf_counter()
    if len(i3d.output_shape) != 5:
        raise ValueError(
            "`i3d` must end in Mixed_5c, [B, T/8, 7, 7, 1024], as load_i3d() "
            f"does. Received the output shape {i3d.output_shape}"
        )
    key = {
        "weights_sha256": weights.model_digest(i3d),
        "compute": "+".join(sorted({x.compute_dtype for x in i3d.layers})),
        "channels": int(i3d.output_shape[-1]),
        "image_size_px": int(i3d.input_shape[2]),
        "config": config.as_dict(),
    }
    films = Films(corpus, key, cache_dir or cache_folder(None) / STORE_NAME)
    extractor = WindowExtractor(i3d, config, batch_windows)
    report = extractor.report
    films.complete(extractor, "I3D", " windows", extractor.planned, progress)
    report.films = corpus.segments["video"].nunique()
    report.segments_stored = films.stored
    report.segments_computed = films.computed
    report.problems = films.problems
    report.total_s = time.perf_counter() - start
    logging.info("%s", report)
    return Extraction(films.by_row(), report)


class WindowExtractor:
    """Sends films through a network; `report` has windows and times so far."""

    def __init__(
        self, i3d: keras.Model, config: FeatureConfig, batch: int | None = None
    ) -> None:
        gpu = tf.config.list_physical_devices("GPU")
        default = GPU_BATCH_WINDOWS if gpu else CPU_BATCH_WINDOWS
        self._config = config
        self._batch = default if batch is None else batch
        self._size_px = int(i3d.input_shape[2])
        self._channels = int(i3d.output_shape[-1])
        self._network = pooled_network(i3d)
        self.report = ExtractionReport()

    def planned(self, segments: Sequence[Times]) -> int:
        """About how many windows segments have."""
        fps = self._config.fps or 25.0
        return sum(count_windows(s, fps, self._config) for s in segments)

    def __call__(
        self, video: Video, segments: Sequence[Times], on_windows: Update
    ) -> np.ndarray:
        """float32 [N, C], NaN where the film has no frames.

        The film is decoded in another thread, as it goes by.
        """
        maximum = np.full((len(segments), self._channels), -np.inf, np.float32)
        batches = self._batches(video, segments)
        with contextlib.closing(_ahead(batches, video)) as coming:
            while (batch := self._wait(coming)) is not None:
                numbers, windows = batch
                pooled = self._pool(windows)
                np.maximum.at(maximum, numbers, pooled[: len(numbers)])
                on_windows(len(numbers))
        maximum[np.isneginf(maximum)] = np.nan
        return maximum

    def _batches(
        self, video: Video, segments: Sequence[Times]
    ) -> Iterator[_Batch]:
        windows = film_windows(video, segments, self._size_px, self._config)
        start = time.perf_counter()
        while pairs := list(itertools.islice(windows, self._batch)):
            stacked = np.stack([window for _, window in pairs])
            self.report.decode_s += time.perf_counter() - start
            yield [number for number, _ in pairs], stacked
            start = time.perf_counter()

    def _wait(self, coming: Iterator[_Batch]) -> _Batch | None:
        start = time.perf_counter()
        batch = next(coming, None)
        self.report.waiting_s += time.perf_counter() - start
        return batch

    def _pool(self, windows: np.ndarray) -> np.ndarray:
        """float32 [B, C] of windows, filled up to a whole batch."""
        start = time.perf_counter()
        missing = self._batch - len(windows)
        filled = np.pad(windows, [(0, missing)] + [(0, 0)] * 4)
        pooled = self._network(tf.constant(filled)).numpy()
        self.report.network_s += time.perf_counter() - start
        self.report.windows += len(windows)
        return pooled


def _ahead(batches: Iterator[_Batch], video: Video) -> Generator[_Batch]:
    """Makes batches in another thread while those before are used."""
    pool = ThreadPoolExecutor(1)
    try:
        coming = collections.deque(
            pool.submit(next, batches, None) for _ in range(_BATCHES_AHEAD)
        )
        while (batch := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, batches, None))
            yield batch
    finally:
        video.cancelled = True
        pool.shutdown(cancel_futures=True)


def pooled_network(i3d: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """uint8 [B, T, S, S, 3] to float32 [B, C], the mean over time and space."""

    # XLA's convolutions in 3-D are several times slower on a CPU.
    @tf.function(jit_compile=False)
    def pooled(windows: tf.Tensor) -> tf.Tensor:
        frames = tf.cast(windows, tf.float32) / 127.5 - 1.0
        mixed_5c = tf.cast(i3d(frames, training=False), tf.float32)
        return tf.reduce_mean(mixed_5c, axis=[1, 2, 3])

    return pooled
