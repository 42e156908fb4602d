"""A corpus and its features, opened once for all that a run makes of them."""

from __future__ import annotations

import collections
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus import (
    Corpus,
    baseline_split,
    folds,
    load_corpus,
    simulate_corpus,
    summarize,
)
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.features import (
    ExtractionReport,
    extract,
    extract_histograms,
    load_i3d,
    model_digest,
)
from emotion_mt.features.extraction import STORE_NAME
from emotion_mt.runs.experiment import Experiment
from emotion_mt.runs.worker import JobInput
from emotion_mt.storage.atomic import replacing


class Run:
    """An opened corpus whose features are made when they are first needed.

    Args:
        experiment: What to open.
        say: Receives lines for the user.

    Attributes:
        experiment: As given.
        corpus: The corpus.
        say: As given.
        seconds: Name of a part to the seconds that it took.
        weights_digest: `model_digest` of the I3D, "none" as long as no
            feature of it was needed.
        report: What the I3D computed and what was in the store; None as long.

    Raises:
        CorpusError: If the corpus cannot be read.
    """

    def __init__(
        self, experiment: Experiment, say: Callable[[str], None] = print
    ) -> None:
        self.experiment = experiment
        self.say = say
        self.seconds: dict[str, float] = collections.defaultdict(float)
        self.weights_digest = "none"
        self.report: ExtractionReport | None = None
        self._features: dict[str, np.ndarray] = {}
        if experiment.corpus is None:
            with self.timed("simulate"):
                simulate_corpus(
                    experiment.corpus_folder,
                    seed=experiment.corpus_seed,
                    segments_per_movie=experiment.segments_per_movie,
                )
        with self.timed("read corpus"):
            self.corpus: Corpus = load_corpus(
                experiment.corpus_folder,
                annotation=experiment.annotation,
                dimension=experiment.dimension,
                on_problem="skip" if experiment.skip_bad_films else "raise",
                allow_outside=experiment.allow_outside,
            )
        say(summarize(self.corpus).render())

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds what runs inside to `seconds`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - start

    @property
    def has_video(self) -> bool:
        """Whether there is a film to look at."""
        return bool(self.corpus.segments["video"].notna().any())

    def features(self, kind: str = I3D) -> np.ndarray:
        """Returns visual features, one row per segment.

        Args:
            kind: `I3D`, float32 [N, 1024], or `HISTOGRAMS`, float32
                [N, 16, 7, 32]; NaN where a segment has no video.

        Raises:
            ValueError: If no film of the corpus has a video.
            VideoError: If videos cannot be used.
            WeightsError: If the weights cannot be had.
        """
        if not self.has_video:
            raise ValueError(
                f"Corpus {self.corpus.name} must have videos for the modality "
                "`visual`. Received none; put the films beside their "
                "subtitles, or use the text alone (--modalities=text)"
            )
        if kind not in self._features:
            cache = self.experiment.cache
            store = None if cache is None else cache / STORE_NAME
            if kind == I3D:
                self._features[kind] = self._extract(store)
            else:
                with self.timed("histograms"):
                    found = extract_histograms(self.corpus, cache_dir=store)
                    self._features[kind] = found
        return self._features[kind]

    def _extract(self, store: Path | None) -> np.ndarray:
        experiment = self.experiment
        with self.timed("load I3D"):
            i3d = load_i3d(
                experiment.weights, experiment.dtype, experiment.cache
            )
            self.weights_digest = model_digest(i3d)
        extraction = extract(self.corpus, i3d, cache_dir=store)
        self.report = report = extraction.report
        self.say(str(report))
        self.seconds["I3D"] += report.network_s
        # Decoding runs beside the network; only the waiting costs time.
        self.seconds["waiting for decoded frames"] += report.waiting_s
        return extraction.features

    def job_input(self, kinds: set[str | None]) -> JobInput:
        """Returns what jobs share that look at some kinds of features."""
        wanted = [kind for kind in (I3D, HISTOGRAMS) if kind in kinds]
        features = {kind: self.features(kind) for kind in wanted}
        return JobInput(self.corpus, features, self.weights_digest)

    def write_features(self, path: str | os.PathLike[str]) -> None:
        """Writes the I3D's features for use elsewhere.

        Args:
            path: File (.npz): segment_id (str [N]), features (float32
                [N, 1024]), weights_digest.
        """
        ids = np.array(self.corpus.segments["segment_id"].tolist(), str)
        features = self.features()
        with replacing(path) as temporary:
            np.savez_compressed(
                temporary,
                segment_id=ids,
                features=features,
                weights_digest=self.weights_digest,
            )

    def split(self, name: str) -> paper.Split:
        """Returns the split F1, F2, … of `folds`, or Baseline.

        Raises:
            ValueError: If there is no such split.
        """
        movies = self.corpus.movies
        splits = {split.name: split for split in folds(movies)}
        if set(movies) >= set(paper.MOVIES):
            splits["Baseline"] = baseline_split()
        if name.capitalize() not in splits:
            raise ValueError(
                f"The fold of corpus {self.corpus.name} must be one of "
                f"{', '.join(splits)}. Received: {name!r}"
            )
        return splits[name.capitalize()]
