"""From a folder on disk to written tables: what the scripts call."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from emotion_mt.corpus import (
    Corpus,
    load_corpus,
    simulate_corpus,
    summarize,
)
from emotion_mt.evaluation import rendering, run_folder
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D, Job
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.run_folder import TablePart
from emotion_mt.evaluation.runner import RunOutcome, run_jobs
from emotion_mt.evaluation.specs import TableSpec, in_working_order
from emotion_mt.evaluation.tables import Table, build_table
from emotion_mt.features import (
    extract,
    extract_histograms,
    load_i3d,
    model_digest,
)
from emotion_mt.training import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that tables depend on.

    Attributes:
        corpus: Folder of the corpus; None to simulate one in `data`.
        out: Folder of the results.
        annotation: "experienced" or "intended".
        dimension: "valence" or "arousal".
        seeds: One fit of every model per seed.
        training: Configuration of every fit; its modalities are those of
            Table II, the other tables have their own.
        baseline_validation: Validation film of the Baseline split, which the
            paper does not name; None for the default of `fixed_split`.
        weights: Where the I3D weights come from, see `load_i3d`.
        dtype: Arithmetic of the I3D, see `load_i3d`.
        cache: Folder of weights and features; None for the user's cache.
        workers: Training processes; None for what suits the machine.
        scheduler: Address of a Dask scheduler that runs the jobs instead;
            None for processes of this machine.
        skip_bad_films: Go on without films whose files are broken.
        allow_outside: Whether a manifest's videos may lie outside of it.
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
    skip_bad_films: bool = False
    allow_outside: bool = False
    data: Path = Path("data")
    corpus_seed: int = 0
    segments_per_movie: int = 60

    @property
    def corpus_folder(self) -> Path:
        """Folder of the corpus, the given or the simulated one."""
        if self.corpus is not None:
            return self.corpus
        size, seed = self.segments_per_movie, self.corpus_seed
        return self.data / f"simulated-{size}-seed{seed}"

    def resolved(self) -> dict[str, object]:
        """Returns the experiment as plain JSON values."""
        plain = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
        }
        return {**plain, "training": self.training.to_json()}


class Stopwatch:
    """Adds up the seconds that the parts of a run take."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measures what runs inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Adds seconds that were measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def __str__(self) -> str:
        parts = (f"{name} {s:.1f} s" for name, s in self.seconds.items())
        return "Where the time went: " + ", ".join(parts)


def _open_corpus(
    experiment: Experiment, watch: Stopwatch, say: Callable[[str], None]
) -> Corpus:
    """Loads the corpus, simulating it first where none was given."""
    if experiment.corpus is None:
        with watch.part("simulate"):
            simulate_corpus(
                experiment.corpus_folder,
                seed=experiment.corpus_seed,
                segments_per_movie=experiment.segments_per_movie,
            )
    with watch.part("read corpus"):
        corpus = load_corpus(
            experiment.corpus_folder,
            annotation=experiment.annotation,
            dimension=experiment.dimension,
            on_problem="skip" if experiment.skip_bad_films else "raise",
            allow_outside=experiment.allow_outside,
        )
    say(summarize(corpus).render())
    return corpus


def _features(
    kinds: set[str | None],
    experiment: Experiment,
    corpus: Corpus,
    watch: Stopwatch,
    say: Callable[[str], None],
) -> tuple[dict[str, np.ndarray], str]:
    """Visual features by kind, and the digest of the I3D's weights."""
    wanted = kinds - {None}
    features, digest = {}, "none"
    if wanted and corpus.segments["video"].isna().all():
        raise ValueError(
            f"Corpus {corpus.name} has no video, which the modality "
            "`visual` needs. Use --modalities=text, or put the films beside "
            "their subtitles."
        )
    cache = experiment.cache
    store = None if cache is None else cache / "features"
    if I3D in wanted:
        with watch.part("load I3D"):
            i3d = load_i3d(experiment.weights, experiment.dtype, cache)
            digest = model_digest(i3d)
        extraction = extract(corpus, i3d, cache_dir=store)
        report = extraction.report
        say(str(report))
        watch.add("I3D", report.network_s)
        # Decoding runs beside the network; only the waiting costs time.
        watch.add("waiting for decoded frames", report.waiting_s)
        features[I3D] = extraction.features
    if HISTOGRAMS in wanted:
        with watch.part("histograms"):
            features[HISTOGRAMS] = extract_histograms(corpus, cache_dir=store)
    return features, digest


def run_tables(
    experiment: Experiment,
    specs: Sequence[TableSpec],
    say: Callable[[str], None] = print,
) -> RunOutcome:
    """Runs what some tables need and writes them.

    Writes into `experiment.out`: jobs/ (one file per finished job, shared by
    all tables), config.json, per table a .md, .csv and .tex file, figures/,
    report.html and report.md. Stopped at any moment, the same call continues
    and ends with the same tables.

    Args:
        experiment: What to run.
        specs: Tables to make.
        say: Receives lines for the user.

    Returns:
        The outcome of the jobs; its `failures` are empty if the tables are
        complete.

    Raises:
        CorpusError: If the corpus cannot be read.
        ValueError: If the corpus does not fit the experiment.
        RuntimeError: If no job finished.
    """
    watch = Stopwatch()
    corpus = _open_corpus(experiment, watch, say)
    jobs = _jobs(specs, experiment, corpus, say)
    together = in_working_order(
        list(dict.fromkeys(job for part in jobs.values() for job in part))
    )
    features, digest = _features(
        {job.feature_kind for job in together}, experiment, corpus, watch, say
    )
    with watch.part("training"):
        outcome = run_jobs(
            together,
            corpus,
            features,
            experiment.out / run_folder.JOBS,
            workers=experiment.workers,
            scheduler=experiment.scheduler,
            weights_digest=digest,
            report=say,
        )
    if not outcome.records:
        raise RuntimeError(
            "No job finished, so there is no table. The first error: "
            f"{outcome.failures[0].message}"
        )
    with watch.part("tables"):
        parts = _write_tables(experiment, corpus, specs, jobs, outcome)
        tables = [_table(part) for part in parts]
    with watch.part("report"):
        _write_report(experiment, corpus, parts, tables, outcome, watch)
    for table in tables:
        if table.number in jobs:
            say("\n" + rendering.to_text(table))
    _say_end(experiment, outcome, watch, say)
    return outcome


def _jobs(
    specs: Sequence[TableSpec],
    experiment: Experiment,
    corpus: Corpus,
    say: Callable[[str], None],
) -> dict[str, list[Job]]:
    """Jobs of each table by its number; tables that need none are left out."""
    jobs = {}
    for spec in specs:
        splits = spec.splits(corpus.movies, experiment.baseline_validation)
        part = spec.jobs(
            corpus.viewers, splits, experiment.seeds, experiment.training
        )
        if part:
            jobs[spec.number] = part
        else:
            say(
                f"Table {spec.number} is left out: it is about several viewers "
                f"and their average. The corpus has: {corpus.viewers}"
            )
    if not jobs:
        raise ValueError(
            f"Corpus {corpus.name} must have several viewers for Table "
            f"{', '.join(spec.number for spec in specs)}. "
            f"Received: {corpus.viewers}"
        )
    return jobs


def _write_tables(
    experiment: Experiment,
    corpus: Corpus,
    specs: Sequence[TableSpec],
    jobs: Mapping[str, Sequence[Job]],
    outcome: RunOutcome,
) -> list[TablePart]:
    """Writes the tables of this run; returns them and those made before."""
    failed = [failure.job.name for failure in outcome.failures]
    parts = [
        run_folder.part_of(spec, jobs[spec.number], outcome.records, failed)
        for spec in specs
        if spec.number in jobs
    ]
    for part in parts:
        if part.records:
            stem = part.spec.file_stem
            rendering.write_table(experiment.out, stem, _table(part))
        else:
            # What stands there is of an experiment with other settings.
            rendering.remove_table(experiment.out, part.spec.file_stem)
            logging.warning(
                "Table %s is left out: all its jobs failed.", part.spec.number
            )
    parts = [part for part in parts if part.records]
    folder, settings = experiment.out, experiment.resolved()
    digest = corpus.digest()
    earlier = run_folder.earlier_parts(folder, settings, digest, list(jobs))
    together = run_folder.in_order([*parts, *earlier])
    run_folder.write_config(folder, settings, digest, together)
    return together


def _table(part: TablePart) -> Table:
    return build_table(part.spec, part.records, part.failed)


def _write_report(
    experiment: Experiment,
    corpus: Corpus,
    parts: Sequence[TablePart],
    tables: Sequence[Table],
    outcome: RunOutcome,
    watch: Stopwatch,
) -> None:
    """Writes the report on all tables of the folder."""
    # A model that serves several tables is listed once.
    unique = {r["key"]: r for part in parts for r in part.records}
    failures = {
        name: "failed in an earlier run"
        for part in parts
        for name in part.failed
    }
    failures |= {f.job.name: f.message for f in outcome.failures}
    write_report(
        experiment.out,
        corpus,
        tables,
        list(unique.values()),
        experiment=experiment.resolved(),
        failures=failures,
        seconds=watch.seconds,
    )


def _say_end(
    experiment: Experiment,
    outcome: RunOutcome,
    watch: Stopwatch,
    say: Callable[[str], None],
) -> None:
    """Says what was reused, what failed, where things are and the time."""
    if outcome.reused:
        say(f"{outcome.reused} finished jobs were used again.")
    for failure in outcome.failures:
        say(f"FAILED: {failure.job.name}: {failure.message}")
    say(f"Results are in {experiment.out}")
    say(str(watch))
