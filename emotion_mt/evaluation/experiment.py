"""From a folder on disk to written tables: what the scripts call."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from emotion_mt.corpus import (
    BASELINE_VALIDATION,
    Corpus,
    load_corpus,
    simulate_corpus,
    summarize,
)
from emotion_mt.corpus.atomic import write_json
from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.report_content import RunInfo
from emotion_mt.evaluation.runner import RunOutcome, run_jobs
from emotion_mt.evaluation.specs import TableSpec
from emotion_mt.evaluation.tables import Table, build_table
from emotion_mt.features import extract, load_i3d, model_digest
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
            paper does not name.
        weights: Where the I3D weights come from, see `load_i3d`.
        dtype: Arithmetic of the I3D, see `load_i3d`.
        cache: Folder of weights and features; None for the user's cache.
        workers: Training processes; None for what suits the machine.
        skip_bad_films: Go on without films whose files are broken.
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
    baseline_validation: str = BASELINE_VALIDATION
    weights: str = "auto"
    dtype: str = "float32"
    cache: Path | None = None
    workers: int | None = None
    skip_bad_films: bool = False
    data: Path = Path("data")
    corpus_seed: int = 0
    segments_per_movie: int = 60

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
    folder = experiment.corpus
    if folder is None:
        with watch.part("simulate"):
            folder = simulate_corpus(
                experiment.data / f"simulated-{experiment.segments_per_movie}"
                f"-seed{experiment.corpus_seed}",
                seed=experiment.corpus_seed,
                segments_per_movie=experiment.segments_per_movie,
            )
    with watch.part("read corpus"):
        corpus = load_corpus(
            folder,
            annotation=experiment.annotation,
            dimension=experiment.dimension,
            on_problem="skip" if experiment.skip_bad_films else "raise",
        )
    say(summarize(corpus).render())
    return corpus


def _extract(
    experiment: Experiment,
    corpus: Corpus,
    watch: Stopwatch,
    say: Callable[[str], None],
) -> tuple[np.ndarray, str]:
    """Visual features and the digest of the weights they come from."""
    if corpus.segments["video"].isna().all():
        raise ValueError(
            f"Corpus {corpus.name} has no video, which the modality "
            "`visual` needs. Use --modalities=text, or put the films beside "
            "their subtitles."
        )
    with watch.part("load I3D"):
        i3d = load_i3d(experiment.weights, experiment.dtype, experiment.cache)
        digest = model_digest(i3d)
    cache = experiment.cache
    store = None if cache is None else cache / "features"
    extraction = extract(corpus, i3d, cache_dir=store)
    report = extraction.report
    say(str(report))
    watch.add("I3D", report.network_s)
    # Decoding runs beside the network; only the waiting costs time.
    watch.add("waiting for decoded frames", report.waiting_s)
    return extraction.features, digest


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
    jobs = {spec.number: _jobs(spec, experiment, corpus) for spec in specs}
    together = list(
        dict.fromkeys(job for part in jobs.values() for job in part)
    )
    features, digest = None, "none"
    if any("visual" in job.config.modalities for job in together):
        features, digest = _extract(experiment, corpus, watch, say)
    with watch.part("training"):
        outcome = run_jobs(
            together,
            corpus,
            features,
            experiment.out / "jobs",
            workers=experiment.workers,
            weights_digest=digest,
            report=say,
        )
    if not outcome.records:
        raise RuntimeError(
            "No job finished, so there is no table. The first error: "
            f"{outcome.failures[0].message}"
        )
    with watch.part("tables"):
        tables = [_table(spec, jobs[spec.number], outcome) for spec in specs]
        for spec, table in zip(specs, tables, strict=True):
            rendering.write_table(experiment.out, spec.file_stem, table)
        _write_config(experiment, jobs, digest, corpus)
    with watch.part("report"):
        write_report(
            experiment.out,
            corpus,
            tables,
            outcome.records,
            RunInfo(
                experiment.resolved(),
                {f.job.name: f.message for f in outcome.failures},
                dict(watch.seconds),
            ),
        )
    for table in tables:
        say("\n" + rendering.to_text(table))
    _say_end(experiment, outcome, watch, say)
    return outcome


def _jobs(spec: TableSpec, experiment: Experiment, corpus: Corpus) -> list[Job]:
    splits = spec.splits(corpus.movies, experiment.baseline_validation)
    return spec.jobs(
        corpus.viewers, splits, experiment.seeds, experiment.training
    )


def _table(spec: TableSpec, jobs: Sequence[Job], outcome: RunOutcome) -> Table:
    """Builds a table from the records of its own jobs."""
    names = {job.name for job in jobs}
    return build_table(
        spec,
        [record for record in outcome.records if record["name"] in names],
        failed=[f.job.name for f in outcome.failures if f.job.name in names],
    )


def _write_config(
    experiment: Experiment,
    jobs: dict[str, list[Job]],
    digest: str,
    corpus: Corpus,
) -> None:
    """Writes what is needed to repeat the run."""
    splits = {
        number: [dataclasses.asdict(s) for s in {j.split: 0 for j in part}]
        for number, part in jobs.items()
    }
    write_json(
        experiment.out / "config.json",
        {
            "experiment": experiment.resolved(),
            "versions": versions(),
            "corpus_digest": corpus.digest(),
            "weights_digest": digest,
            "splits": splits,
        },
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
