"""Tables, figures, report and bundles of one experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from absl import logging

from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import (
    TableSpec,
    in_working_order,
    specs_for,
)
from emotion_mt.evaluation.tables import Table, build_table
from emotion_mt.runs import folder as run_folder
from emotion_mt.runs.bundles import train_bundles
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.experiment import Experiment
from emotion_mt.runs.folder import TablePart
from emotion_mt.runs.run import Run
from emotion_mt.storage.lock import locked


def run_tables(
    experiment: Experiment,
    specs: Sequence[TableSpec] | None = None,
    say: Callable[[str], None] = print,
) -> RunOutcome:
    """Runs what some tables need and writes them, or all of them and bundles.

    Writes into `experiment.out`: jobs/ (one file per finished job, shared by
    all tables), config.json, per table a .md, .csv and .tex file, figures/,
    report.html and report.md, and with all tables bundles/. Stopped at any
    moment, the same call continues and ends with the same tables.

    Args:
        experiment: What to run.
        specs: Tables to make. Defaults to None: every table that the
            experiment allows, and a bundle per kind of input. That is what
            `make tables` and `emotion-mt tables` do.
        say: Receives lines for the user.

    Returns:
        The outcome of the jobs; its `failures` are empty if the tables are
        complete.

    Raises:
        CorpusError: If the corpus cannot be read.
        ValueError: If the corpus does not fit the experiment.
        FolderLockedError: If another run is at work in the folder.
        RuntimeError: If no job finished.
    """
    with locked(experiment.out, experiment.wait, say):
        run = Run(experiment, say)
        outcome = _make_tables(
            run, specs or specs_for(experiment.training.modalities)
        )
        if specs is None:
            with run.timed("bundles"):
                train_bundles(run, outcome.records)
        parts = (f"{name} {s:.1f} s" for name, s in run.seconds.items())
        say(f"Where the time went: {', '.join(parts)}")
    return outcome


def _make_tables(run: Run, specs: Sequence[TableSpec]) -> RunOutcome:
    experiment, say = run.experiment, run.say
    jobs = _jobs(specs, run)
    together = in_working_order(
        list(dict.fromkeys(job for part in jobs.values() for job in part))
    )
    shared = run.job_input({job.feature_kind for job in together})
    with run.timed("training"):
        outcome = run_jobs(
            together,
            shared,
            experiment.out / run_folder.JOBS,
            workers=experiment.workers,
            scheduler=experiment.scheduler,
            dashboard=experiment.dashboard,
            report=say,
        )
    if not outcome.records:
        raise RuntimeError(
            "No job finished, so there is no table. The first error: "
            f"{outcome.failures[0].message}"
        )
    with run.timed("tables"):
        parts = _write_tables(run, specs, jobs, outcome)
        tables = [_table(part) for part in parts]
    with run.timed("report"):
        _write_report(run, parts, tables, outcome)
    for table in tables:
        if table.number in jobs:
            say("\n" + rendering.to_text(table))
    if outcome.reused:
        say(f"{outcome.reused} finished jobs were used again.")
    for failure in outcome.failures:
        say(f"FAILED: {failure.job.name}: {failure.message}")
    say(f"Results are in {experiment.out}")
    return outcome


def _jobs(specs: Sequence[TableSpec], run: Run) -> dict[str, list[Job]]:
    """Jobs of each table by its number; tables that need none are left out."""
    experiment, corpus = run.experiment, run.corpus
    jobs = {}
    for spec in specs:
        splits = spec.splits(corpus.movies, experiment.baseline_validation)
        part = spec.jobs(
            corpus.viewers, splits, experiment.seeds, experiment.training
        )
        if part:
            jobs[spec.number] = part
        else:
            run.say(
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
    run: Run,
    specs: Sequence[TableSpec],
    jobs: Mapping[str, Sequence[Job]],
    outcome: RunOutcome,
) -> list[TablePart]:
    """Writes the tables of this run; returns them and those made before."""
    folder, settings = run.experiment.out, run.experiment.resolved()
    failed = [failure.job.name for failure in outcome.failures]
    parts = [
        run_folder.part_of(spec, jobs[spec.number], outcome.records, failed)
        for spec in specs
        if spec.number in jobs
    ]
    for part in parts:
        if part.records:
            rendering.write_table(folder, part.spec.file_stem, _table(part))
        else:
            # What stands there is of an experiment with other settings.
            rendering.remove_table(folder, part.spec.file_stem)
            logging.warning(
                "Table %s is left out: all its jobs failed.", part.spec.number
            )
    parts = [part for part in parts if part.records]
    digest = run.corpus.digest()
    earlier = run_folder.earlier_parts(folder, settings, digest, list(jobs))
    together = run_folder.in_order([*parts, *earlier])
    run_folder.write_config(folder, settings, digest, together)
    return together


def _table(part: TablePart) -> Table:
    return build_table(part.spec, part.records, part.failed)


def _write_report(
    run: Run,
    parts: Sequence[TablePart],
    tables: Sequence[Table],
    outcome: RunOutcome,
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
        run.experiment.out,
        run.corpus,
        tables,
        list(unique.values()),
        experiment=run.experiment.resolved(),
        failures=failures,
        seconds=run.seconds,
    )
