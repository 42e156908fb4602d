"""Films of a corpus to one vector per segment (Sect. III-D)."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import time
from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from emotion_mt import _progress
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features import files, pipeline, weights
from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.pipeline import FilmJob
from emotion_mt.features.sharing import Film, FilmQueue
from emotion_mt.features.store import FeatureStore, FilmKey
from emotion_mt.features.video import VideoError, fingerprint

#: Folder of the feature store in the cache folder.
STORE_NAME = "features"

#: Windows per call of the network. More is no faster on a CPU and costs
#: memory; a GPU wants more.
CPU_BATCH_WINDOWS = 4
GPU_BATCH_WINDOWS = 16

_DEFAULT_CONFIG = FeatureConfig()


@dataclasses.dataclass
class ExtractionReport(pipeline.Timing):
    """What was done, and where the time went.

    Attributes:
        films: Films with segments.
        segments_stored: Segments whose features were in the store, or were
            computed by another run at the same time.
        segments_computed: Segments that went through the network.
        total_s: Seconds from start to end.
        windows: Windows that went through the network.
        network_s: Seconds in the network.
        decode_s: Seconds of decoding, beside the network.
        waiting_s: Seconds that the network waited for frames.
    """

    films: int = 0
    segments_stored: int = 0
    segments_computed: int = 0
    total_s: float = 0.0

    def __str__(self) -> str:
        text = (
            f"Features of {self.films} films in {self.total_s:.1f} s: "
            f"{self.segments_stored} segments from the store, "
            f"{self.segments_computed} computed"
        )
        if not self.windows:
            return text
        rate = self.windows / max(self.network_s, 1e-9)
        return (
            f"{text}; {self.windows} windows, I3D {self.network_s:.1f} s "
            f"({rate:.2f} windows/s), decoding {self.decode_s:.1f} s beside "
            f"it, waiting for frames {self.waiting_s:.1f} s"
        )


@dataclasses.dataclass(frozen=True)
class Extraction:
    """Features, and how they came about.

    Attributes:
        features: float32 [N, C], NaN where a segment has no video.
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
        where the segment has no video.

    Raises:
        VideoError: If films do not decode or end before their segments do.
            Everything else is computed and stored first; the message lists
            all of them.
        ValueError: If `i3d` does not end in Mixed_5c.
        OSError: If the store cannot be written to.

    Example:
        ```python
        features = emt.extract_features(corpus, emt.load_i3d())
        ```
    """
    return extract(corpus, i3d, cache_dir, config, progress).features


def extract(
    corpus: Corpus,
    i3d: keras.Model,
    cache_dir: str | os.PathLike[str] | None = None,
    config: FeatureConfig = _DEFAULT_CONFIG,
    progress: bool = True,
    batch_windows: int | None = None,
) -> Extraction:
    """`extract_features` that also tells where the time went.

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
    if batch_windows is None:
        gpu = tf.config.list_physical_devices("GPU")
        batch_windows = GPU_BATCH_WINDOWS if gpu else CPU_BATCH_WINDOWS
    folder = cache_dir or files.cache_folder(None) / STORE_NAME
    store = FeatureStore(folder)
    films, problems = _open_films(corpus, i3d, config, store)
    report = ExtractionReport(films=len(films) + len(problems))
    report.segments_stored = sum(len(film.features) for film in films)
    planned = sum(
        int(film.job.planned.sum()) for film in films if film.job is not None
    )
    with (
        _progress.progress(
            desc="I3D",
            unit=" windows",
            total=planned,
            shown=bool(progress and planned),
        ) as bar,
        FilmQueue(films, store, config) as queue,
    ):
        for share in queue.rounds():
            for job in pipeline.run(
                share, i3d, config, batch_windows, bar.update, report
            ):
                new = job.finished()
                queue.finish(share.film_of(job), new)
                report.segments_computed += len(new)
                if job.error is not None:
                    problems.append(job.error)
    problems += queue.problems
    report.segments_stored += queue.others
    report.total_s = time.perf_counter() - start
    if progress and planned:
        tqdm.write(str(report), file=sys.stderr)
    else:
        logging.info("%s", report)
    if problems:
        raise VideoError(
            [*problems, f"The features of all other films are in {folder}"]
        )
    return Extraction(by_row(corpus, films, i3d.output_shape[-1]), report)


def _open_films(
    corpus: Corpus,
    i3d: keras.Model,
    config: FeatureConfig,
    store: FeatureStore,
) -> tuple[list[Film], list[str]]:
    """The films of a corpus, and messages about those that do not open."""
    if len(i3d.output_shape) != 5:
        raise ValueError(
            "`i3d` must end in Mixed_5c, [B, T/8, 7, 7, 1024], as load_i3d() "
            f"does. Received the output shape {i3d.output_shape}"
        )
    network = FilmKey(
        video_sha256="",
        video_bytes=0,
        weights_sha256=weights.model_digest(i3d),
        compute="+".join(sorted({x.compute_dtype for x in i3d.layers})),
        channels=int(i3d.output_shape[-1]),
        image_size_px=int(i3d.input_shape[2]),
        config=config.as_dict(),
    )
    with_video = corpus.segments[corpus.segments["video"].notna()]
    films: list[Film] = []
    problems: list[str] = []
    for path, segments in with_video.groupby("video", sort=False):
        try:
            size, sha256 = fingerprint(str(path))
            key = dataclasses.replace(
                network, video_sha256=sha256, video_bytes=size
            )
            films.append(open_film(str(path), key, segments, config, store))
        except VideoError as error:
            problems.append(str(error))
    return films, problems


def open_film(
    path: str,
    key: FilmKey,
    segments: pd.DataFrame,
    config: FeatureConfig,
    store: FeatureStore,
) -> Film:
    """Looks up what the store has of a film and plans the rest.

    Args:
        path: The film's file.
        key: Key in the store.
        segments: The film's rows of `Corpus.segments`.
        config: Of the extraction.
        store: The store.

    Returns:
        The film; its `job` is None if nothing is missing.
    """
    name = re.sub(r"[^\w.-]+", "_", str(segments["movie"].iloc[0]))
    starts = segments["start_s"].astype(float)
    ends = segments["end_s"].astype(float)
    times = zip(starts.tolist(), ends.tolist(), strict=True)
    rows = dict(zip(segments.index.tolist(), times, strict=True))
    wanted = dict.fromkeys(rows.values())
    stored = store.read(name, key)
    features = {t: stored[t] for t in wanted if t in stored}
    missing = [t for t in wanted if t not in stored]
    job = FilmJob(path, missing, config) if missing else None
    return Film(name, key, rows, features, job)


def by_row(corpus: Corpus, films: Sequence[Film], channels: int) -> np.ndarray:
    """Features in the order of the corpus; NaN where there is no video."""
    result = np.full((len(corpus), channels), np.nan, np.float32)
    for film in films:
        for row, times in film.rows.items():
            result[row] = film.features[times]
    return result
