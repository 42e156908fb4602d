"""Tables, figures, report and bundles of one experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from absl import logging

from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import (
    SPECS,
    TableSpec,
    in_working_order,
    specs_for,
)
from emotion_mt.runs.bundles import train_bundles
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.experiment import Experiment
from emotion_mt.runs.folder import (
    JOBS,
    TablePart,
    earlier_parts,
    write_config,
)
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
                train_bundles(run)
        parts = (f"{name} {s:.1f} s" for name, s in run.seconds.items())
        say(f"Where the time went: {', '.join(parts)}")
    return outcome


def _make_tables(run: Run, specs: Sequence[TableSpec]) -> RunOutcome:
    experiment, say = run.experiment, run.say
    jobs = _jobs(specs, run)
    together = in_working_order([job for part in jobs.values() for job in part])
    shared = run.job_input({job.feature_kind for job in together})
    with run.timed("training"):
        outcome = run_jobs(
            list(dict.fromkeys(together)),
            shared,
            experiment.out / JOBS,
            workers=experiment.workers,
            scheduler=experiment.scheduler,
            dashboard=experiment.dashboard,
            report=say,
        )
    if not outcome.records:
        raise RuntimeError(
            "No job finished, so there is no table. The first error: "
            f"{next(iter(outcome.failures.values()))}"
        )
    with run.timed("tables"):
        parts = _write_tables(run, jobs, outcome)
    with run.timed("report"):
        _write_report(run, parts, outcome)
    for part in parts:
        if part.spec in jobs:
            say("\n" + rendering.to_text(part.table))
    if outcome.reused:
        say(f"{outcome.reused} finished jobs were used again.")
    for job, error in outcome.failures.items():
        say(f"FAILED: {job.name}: {error}")
    say(f"Results are in {experiment.out}")
    return outcome


def _jobs(specs: Sequence[TableSpec], run: Run) -> dict[TableSpec, list[Job]]:
    """Jobs of each table; tables that need none are left out."""
    experiment, corpus = run.experiment, run.corpus
    jobs = {}
    for spec in specs:
        splits = spec.splits(corpus.movies, experiment.baseline_validation)
        part = spec.jobs(
            corpus.viewers, splits, experiment.seeds, experiment.training
        )
        if part:
            jobs[spec] = part
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
    run: Run, jobs: Mapping[TableSpec, Sequence[Job]], outcome: RunOutcome
) -> list[TablePart]:
    """Writes the tables of this run; returns all of the folder, in order."""
    folder, settings = run.experiment.out, run.experiment.resolved()
    digest, numbers = run.corpus.digest(), {spec.number for spec in jobs}
    parts = earlier_parts(folder, settings, digest, without=numbers)
    for spec, own in jobs.items():
        names = {job.name for job in own}
        found = [r for r in outcome.records if r["name"] in names]
        failed = [job.name for job in outcome.failures if job.name in names]
        if found:
            parts.append(TablePart(spec, found, failed))
            rendering.write_table(folder, spec.file_stem, parts[-1].table)
        else:
            # What stands there is of an experiment with other settings.
            rendering.remove_table(folder, spec.file_stem)
            logging.warning("Table %s: all its jobs failed.", spec.number)
    parts.sort(key=lambda part: list(SPECS).index(part.spec.number))
    write_config(folder, settings, digest, parts)
    return parts


def _write_report(
    run: Run, parts: Sequence[TablePart], outcome: RunOutcome
) -> None:
    """Writes the report on all tables of the folder."""
    # A model that serves several tables is listed once.
    unique = {r["key"]: r for part in parts for r in part.records}
    failures = {n: "failed in an earlier run" for p in parts for n in p.failed}
    failures |= {job.name: error for job, error in outcome.failures.items()}
    write_report(
        run.experiment.out,
        run.corpus,
        [part.table for part in parts],
        list(unique.values()),
        experiment=run.experiment.resolved(),
        failures=failures,
        seconds=run.seconds,
    )
