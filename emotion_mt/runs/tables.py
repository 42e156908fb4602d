"""Tables, figures, report and bundles of one experiment."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from emotion_mt.evaluation import rendering, specs as table_specs
from emotion_mt.evaluation.jobs import (
    HISTOGRAMS,
    Job,
    result_file_name,
    versions,
)
from emotion_mt.evaluation.records import read_record
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import SPECS, TableSpec
from emotion_mt.evaluation.tables import Table, build_table
from emotion_mt.runs.bundles import train_bundles
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.run import Experiment, Run
from emotion_mt.storage.atomic import write_json
from emotion_mt.storage.lock import locked

#: Settings that decide no number.
_HOW = {"workers", "scheduler", "dashboard", "wait", "out", "cache", "data"}


def run_tables(
    experiment: Experiment,
    specs: Sequence[TableSpec] | None = None,
    say: Callable[[str], None] = print,
) -> RunOutcome:
    """Runs what some tables need and writes them, or all of them and bundles.

    Writes into `experiment.out`: jobs/ (one file per finished job, shared by
    all tables), config.json, each table as .md, .csv and .tex, figures/, the
    report on all tables of the folder, and with all tables bundles/. Stopped
    at any moment, the same call continues and ends with the same tables.

    Args:
        experiment: What to run.
        specs: Tables to make. Defaults to None: every table that the
            experiment allows, and a bundle per kind of input.
        say: Receives lines for the user.

    Returns:
        The outcome of the jobs; without `failures`, the tables are complete.

    Raises:
        ValueError: If the corpus cannot be read or does not fit.
        FolderLockedError: If another run is at work in the folder.
        RuntimeError: If no job finished.
    """
    run = Run(experiment, say)  # One that cannot be opened leaves no folder.
    with locked(experiment.out, experiment.wait, say):
        wanted = specs or table_specs.specs_for(experiment.training.modalities)
        outcome = _make_tables(run, wanted)
        if specs is None:
            with run.timed("bundles"):
                train_bundles(run)
        parts = (f"{name} {s:.1f} s" for name, s in run.seconds.items())
        say(f"Where the time went: {', '.join(parts)}")
    return outcome


def _make_tables(run: Run, specs: Sequence[TableSpec]) -> RunOutcome:
    experiment, say = run.experiment, run.say
    jobs = _jobs(specs, run)
    # A model that serves several tables is trained once.
    together = dict.fromkeys(job for own in jobs.values() for job in own)
    shared = run.job_input({job.feature_kind for job in together})
    with run.timed("training"):
        outcome = run_jobs(
            table_specs.in_working_order(list(together)),
            shared,
            experiment.out / "jobs",
            workers=experiment.workers,
            scheduler=experiment.scheduler,
            dashboard=experiment.dashboard,
            report=say,
        )
    if not outcome.records:
        error = next(iter(outcome.failures.values()))
        raise RuntimeError(f"No job finished. The first error: {error}")
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
    experiment, viewers = run.experiment, run.corpus.viewers
    jobs = {}
    for spec in specs:
        splits = run.corpus.own_folds[: 1 if spec.baseline else None]
        splits = splits or spec.splits(
            run.corpus.movies, experiment.baseline_validation
        )
        own = spec.jobs(viewers, splits, experiment.seeds, experiment.training)
        if run.own_features and not run.has_video:
            seen = [job for job in own if job.feature_kind != HISTOGRAMS]
            if len(seen) < len(own):
                run.say(
                    f"Table {spec.number} has no Baseline that looks at "
                    "pictures: the corpus has features, but no videos."
                )
            own = seen
        if own:
            jobs[spec] = own
        else:
            run.say(
                f"Table {spec.number} is left out: it is about several viewers "
                f"and their average. The corpus has: {viewers}"
            )
    if not jobs:
        numbers = ", ".join(spec.number for spec in specs)
        raise ValueError(
            f"Corpus {run.corpus.name} must have several viewers for Table "
            f"{numbers}. Received: {viewers}"
        )
    return jobs


class _Part(NamedTuple):
    """One table of a folder, and what it rests on."""

    spec: TableSpec
    records: list[dict[str, Any]]
    failed: list[str]
    table: Table


def _write_tables(
    run: Run, jobs: Mapping[TableSpec, Sequence[Job]], outcome: RunOutcome
) -> list[_Part]:
    """Writes the tables of this run; returns all of the folder, in order."""
    folder = run.experiment.out
    parts = _earlier_parts(run, without={spec.number for spec in jobs})
    for spec, own in jobs.items():
        names = {job.name for job in own}
        found = [r for r in outcome.records if r["name"] in names]
        failed = [job.name for job in outcome.failures if job.name in names]
        if found:
            table = build_table(spec, found, failed)
            parts.append(_Part(spec, found, failed, table))
            rendering.write_table(folder, spec.file_stem, table)
        else:
            # What stands there is of an experiment with other settings.
            rendering.remove_table(folder, spec.file_stem)
            logging.warning("Table %s: all its jobs failed.", spec.number)
    parts.sort(key=lambda part: list(SPECS).index(part.spec.number))
    _write_config(run, parts)
    return parts


def _write_config(run: Run, parts: Sequence[_Part]) -> None:
    """Writes what is needed to repeat a run and to find its tables again."""
    content = {**_identity(run), "splits": {}, "tables": {}}
    weights = {r["digests"]["weights"] for p in parts for r in p.records}
    content["weights_digest"] = sorted(weights - {"none"})
    for part in parts:
        number = part.spec.number
        splits = [record["job"]["split"] for record in part.records]
        named = {split["name"]: split for split in splits}
        content["splits"][number] = list(named.values())
        content["tables"][number] = {
            "modalities": part.spec.rows[0].inputs[0],
            "jobs": [
                result_file_name(r["name"], r["key"]) for r in part.records
            ],
            "failed": part.failed,
        }
    write_json(run.experiment.out / "config.json", content)


def _identity(run: Run) -> dict[str, Any]:
    """What config.json says of all tables of a run."""
    known = {"versions": versions(), "corpus_digest": run.corpus.digest()}
    return {"experiment": run.experiment.resolved(), **known}


def _earlier_parts(run: Run, without: Collection[str]) -> list[_Part]:
    """Tables that other calls with the same settings left in the folder."""
    path = run.experiment.out / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        same = _decisive(config) == _decisive(_identity(run))
    except FileNotFoundError:
        return []
    except (ValueError, LookupError, TypeError) as error:
        logging.warning("%s is not whole and is made anew: %s", path, error)
        return []
    parts = []
    for number, entry in config["tables"].items() if same else ():
        if number in without:
            continue
        files = [path.parent / "jobs" / name for name in entry["jobs"]]
        try:
            found = [read_record(file) for file in files]
        except (OSError, ValueError) as error:
            logging.warning("Table %s is left out: %s", number, error)
            continue
        second = table_specs.table2_spec(tuple(entry["modalities"]))
        spec = second if number == "II" else SPECS[number]
        table = build_table(spec, found, entry["failed"])
        parts.append(_Part(spec, found, entry["failed"], table))
    return parts


def _decisive(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a config.json decides numbers of a table."""
    settings = {k: v for k, v in config["experiment"].items() if k not in _HOW}
    # Each table has modalities of its own.
    settings["training"] = {**settings["training"], "modalities": None}
    return settings, config["versions"], config["corpus_digest"]


def _write_report(run: Run, parts: list[_Part], outcome: RunOutcome) -> None:
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
