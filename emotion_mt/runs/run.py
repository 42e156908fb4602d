"""What a run depends on, and what is opened once for all that it makes."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emotion_mt import corpus as corpus_lib, features as features_lib, paper
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.features.extraction import STORE_NAME
from emotion_mt.features.files import write_npz
from emotion_mt.runs.worker import JobInput
from emotion_mt.simulation import simulate_corpus
from emotion_mt.training import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What tables and bundles are made from.

    Attributes:
        corpus: Folder of the corpus; None to simulate one in `data`.
        out: Folder of the results.
        annotation: "experienced" or "intended".
        dimension: "valence" or "arousal".
        seeds: One fit of every model per seed.
        training: Of every fit; its modalities are those of Table II.
        baseline_validation: See `fixed_split`; None for its default.
        weights: Where the I3D weights come from, see `load_i3d`.
        dtype: Arithmetic of the I3D, see `load_i3d`.
        cache: Folder of weights and features; None for the user's cache.
        workers: Training processes; None for what suits the machine.
        scheduler: Address of a Dask scheduler that runs the jobs instead.
        dashboard: Whether Dask's dashboard is opened.
        wait: Whether to wait for another run in the folder `out`.
        skip_bad_films: Go on without films whose files are broken.
        allow_outside: Whether a manifest's videos may lie outside of it.
        scale: Lowest and highest value of the ratings.
        encoding: Of text files that are not Unicode; None to guess.
        data: Folder that simulated corpora are written to.
        corpus_seed: Seed of the simulated corpus.
        segments_per_movie: Size of the simulated corpus.
    """

    corpus: Path | None = None
    out: Path = Path("runs/simulated")
    annotation: str = "experienced"
    dimension: str = "valence"
    seeds: tuple[int, ...] = (0,)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    baseline_validation: str | None = None
    weights: str = "auto"
    dtype: str = "float32"
    cache: Path | None = None
    workers: int | None = None
    scheduler: str | None = None
    dashboard: bool = False
    wait: bool = False
    skip_bad_films: bool = False
    allow_outside: bool = False
    scale: tuple[float, float] = (-1.0, 1.0)
    encoding: str | None = None
    data: Path = Path("data")
    corpus_seed: int = 0
    segments_per_movie: int = 60

    @property
    def corpus_folder(self) -> Path:
        """Folder of the corpus, the given or the simulated one."""
        size, seed = self.segments_per_movie, self.corpus_seed
        return self.corpus or self.data / f"simulated-{size}-seed{seed}"

    def resolved(self) -> dict[str, Any]:
        """Returns the experiment as plain JSON values."""
        content = {**vars(self), "training": self.training.to_json()}
        return json.loads(json.dumps(content, default=str))


class Run:
    """An opened corpus whose features are made when they are first needed.

    Args:
        experiment: What to open.
        say: Receives lines for the user.

    Attributes:
        corpus: The corpus.
        seconds: Name of a part to the seconds that it took.
        weights_digest: `model_digest` of the I3D, "none" as long as no
            feature of it was needed.
        report: What the I3D computed and what was in the store; None as long.
        own_features: Whether the visual features of `I3D` are the user's own,
            see `read_features`.
    """

    def __init__(
        self, experiment: Experiment, say: Callable[[str], None] = print
    ) -> None:
        self.experiment = experiment
        self.say = say
        self.seconds: dict[str, float] = collections.defaultdict(float)
        self.weights_digest = "none"
        self.report: features_lib.ExtractionReport | None = None
        self._features: dict[str, np.ndarray] = {}
        folder, size = experiment.corpus_folder, experiment.segments_per_movie
        if experiment.corpus is None:
            with self.timed("simulate"):
                simulate_corpus(folder, experiment.corpus_seed, size)
        with self.timed("read corpus"):
            self.corpus = corpus_lib.load_corpus(
                folder,
                annotation=experiment.annotation,
                dimension=experiment.dimension,
                on_problem="skip" if experiment.skip_bad_films else "raise",
                allow_outside=experiment.allow_outside,
                scale=experiment.scale,
                encoding=experiment.encoding,
                cache=experiment.cache,
            )
        # A public corpus says itself what was rated.
        rated = self.corpus.annotation
        self.experiment = dataclasses.replace(experiment, annotation=rated)
        say(corpus_lib.summarize(self.corpus).render())
        own = corpus_lib.read_features(folder, self.corpus, experiment.encoding)
        self.own_features = own is not None
        if own is not None:
            self._features[I3D], sentence = own
            say(sentence)

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
        """Returns features, one row per segment, NaN where it has no video.

        `I3D` are [N, 1024] or the user's own in their place, `HISTOGRAMS`
        [N, 16, 7, 32]; float32.
        """
        if kind in self._features:
            return self._features[kind]
        if not self.has_video:
            raise ValueError(
                f"Corpus {self.corpus.name} must have videos beside the "
                "subtitles. Received none; use text alone (--modalities=text)"
            )
        cache = self.experiment.cache
        store = None if cache is None else cache / STORE_NAME
        if kind == I3D:
            found = self._i3d(store)
        else:
            with self.timed("histograms"):
                found = features_lib.extract_histograms(self.corpus, store)
        self._features[kind] = found
        return found

    def _i3d(self, store: Path | None) -> np.ndarray:
        how = self.experiment
        with self.timed("load I3D"):
            i3d = features_lib.load_i3d(how.weights, how.dtype, how.cache)
            self.weights_digest = features_lib.model_digest(i3d)
        extraction = features_lib.extract(self.corpus, i3d, cache_dir=store)
        self.report = extraction.report
        self.say(str(self.report))
        self.seconds["I3D"] += self.report.network_s
        # Decoding runs beside the network; only the waiting costs time.
        self.seconds["waiting for decoded frames"] += self.report.waiting_s
        return extraction.features

    def job_input(self, kinds: set[str | None]) -> JobInput:
        """Returns what jobs share that look at some kinds of features."""
        wanted = [kind for kind in (I3D, HISTOGRAMS) if kind in kinds]
        features = {kind: self.features(kind) for kind in wanted}
        return JobInput(self.corpus, features, self.weights_digest)

    def write_features(self, path: str | os.PathLike[str]) -> None:
        """Writes segment_id, features and weights_digest to a .npz file."""
        ids = np.array(list(self.corpus.segments["segment_id"]))
        found: dict[str, Any] = {"segment_id": ids, "features": self.features()}
        write_npz(path, {**found, "weights_digest": self.weights_digest})

    def split(self, name: str) -> paper.Split:
        """Returns the fold of this name, or Baseline, in any case."""
        splits = list(self.corpus.folds)
        if set(self.corpus.movies) >= set(paper.MOVIES):
            splits.append(corpus_lib.baseline_split())
        named = {split.name.lower(): split for split in splits}
        if name.lower() not in named:
            raise ValueError(
                f"The fold of corpus {self.corpus.name} must be one of "
                f"{', '.join(s.name for s in splits)}. Received: {name!r}"
            )
        return named[name.lower()]
