"""Runs jobs in parallel processes and keeps what is finished.

Every job is fitted in a process with one compute thread, however many
processes there are and wherever they run, so results depend neither on the
number of workers nor on the order of the jobs. A worker returns the record of
its job, and the process that called `run_jobs` writes it: at once, and whole
or not at all. A run that was stopped continues with the jobs that have no
result file; several runs on one folder share the work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from emotion_mt import _progress
from emotion_mt.corpus import Corpus, claims
from emotion_mt.evaluation import workers as worker_side
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.pools import Ended, LocalPool, Pool, Task
from emotion_mt.evaluation.scheduling import Schedule, finished

#: Seconds that one job may take before its worker is given up for hung. A job
#: of the full size takes minutes.
JOB_TIMEOUT_S = 3600.0


@dataclasses.dataclass(frozen=True)
class Failure:
    """A job that ended without a result.

    Attributes:
        job: The job.
        message: Type and text of the error, or how its workers were lost.
    """

    job: Job
    message: str


@dataclasses.dataclass(frozen=True)
class RunOutcome:
    """What `run_jobs` leaves behind.

    Attributes:
        records: Records of the finished jobs, in the order of the jobs.
        failures: Jobs that failed, in the order of the jobs.
        reused: Number of jobs that were finished before, or by another run
            at the same time.
        fit_s: Seconds of fitting, summed over the jobs fitted now.
    """

    records: list[dict[str, Any]]
    failures: list[Failure]
    reused: int
    fit_s: float


def default_workers() -> int:
    """Returns the number of worker processes that suits this machine.

    One where there is a GPU, which one process keeps busy; otherwise one per
    core that this process may use.
    """
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    jobs: Sequence[Job],
    corpus: Corpus,
    features: Mapping[str, np.ndarray],
    folder: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    job_timeout_s: float = JOB_TIMEOUT_S,
    weights_digest: str = "none",
    report: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Runs the jobs that have no result file yet.

    A job whose worker dies or takes longer than `job_timeout_s` is tried again
    in a fresh worker, `EXTRA_TRIES` times, and so is one for which the memory
    does not suffice. Other errors of a fit are reported at once; they would be
    raised again. On a Dask cluster, its own setting decides how often a job
    whose worker died is tried (see `DaskPool`).

    Several calls on one folder, also from several machines that share it, do
    each job once: a job that another run is at is left to it, and taken over
    if that run dies.

    Args:
        jobs: Jobs to run.
        corpus: Corpus of all jobs.
        features: Kind (`Job.feature_kind`) to visual features, one row per
            segment: "i3d" float32 [N, 1024], "histograms" float32
            [N, F, 7, 32]. Kinds that no job takes may be absent.
        folder: Folder of the result files, one per job.
        workers: Number of processes here; None for `default_workers()`.
        scheduler: Address of a Dask scheduler, "tcp://host:port", whose
            workers do the jobs instead; needs the extra `dask`.
        job_timeout_s: Seconds that a job may take.
        weights_digest: Digest of the weights the features come from, written
            into the result files.
        report: Receives one line per finished job; None for none.

    Returns:
        Records of all finished jobs, and what failed. A job that fails does
        not stop the others.

    Raises:
        ValueError: If `workers` is less than 1 or given with `scheduler`, if
            `job_timeout_s` is not positive, if `features` lacks a kind, or if
            the cluster's workers have several threads.
        ImportError: If `scheduler` is given without the extra `dask`.
        OSError: If a result file cannot be written, or no cluster answers.
    """
    _check(workers, scheduler, job_timeout_s)
    shared = worker_side.make_input(corpus, features, weights_digest)
    tasks: list[Task] = []
    done: dict[Job, dict[str, Any]] = {}
    claims.tidy(Path(folder))
    for task in _tasks(jobs, shared, Path(folder)):
        record = finished(task)
        if record is None:
            tasks.append(task)
        else:
            done[task.job] = record
    reused, seconds, elsewhere = len(done), 0.0, 0
    failures: dict[Job, str] = {}
    bar = _progress.progress(
        "Training",
        len(done) + len(tasks),
        " jobs",
        initial=reused,
        effort=sum(task.job.effort for task in tasks),
    )
    with (
        bar,
        _schedule(tasks, workers, scheduler, shared, job_timeout_s) as schedule,
    ):
        for others, ended in schedule.rounds():
            reused += len(others)
            for end in (*others, *ended):
                bar.finish(end.task.job.effort)
                if end.record is None:
                    failures[end.task.job] = _explain(end)
                    continue
                done[end.task.job] = end.record
                if report is not None:
                    with bar.external_write_mode():
                        report(describe(end.record))
            seconds += sum(_fit_s(end) for end in ended)
            if elsewhere != schedule.elsewhere:
                elsewhere = schedule.elsewhere
                note = f"{elsewhere} at another run" if elsewhere else ""
                bar.set_postfix_str(note)
    return RunOutcome(
        records=[done[job] for job in jobs if job in done],
        failures=[
            Failure(job, failures[job]) for job in jobs if job in failures
        ],
        reused=reused,
        fit_s=seconds,
    )


def _check(
    workers: int | None, scheduler: str | None, job_timeout_s: float
) -> None:
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    if workers is not None and scheduler is not None:
        raise ValueError(
            "`workers` are processes here and cannot be given with "
            f"`scheduler`. Received: {workers} and {scheduler}"
        )
    if not job_timeout_s > 0:
        raise ValueError(
            f"`job_timeout_s` must be positive. Received: {job_timeout_s}"
        )


def _tasks(
    jobs: Sequence[Job], shared: worker_side.Input, folder: Path
) -> Iterator[Task]:
    """Yields each job once, with its key and result file."""
    for job in dict.fromkeys(jobs):
        shared.features_of(job)
        digests = shared.digests_of(job)
        key = job.key(digests["corpus"], digests["features"])
        yield Task(job, key, folder / job.file_name(key))


@contextlib.contextmanager
def _schedule(
    tasks: Sequence[Task],
    workers: int | None,
    scheduler: str | None,
    shared: worker_side.Input,
    job_timeout_s: float,
) -> Iterator[Schedule]:
    """Opens workers for the tasks; ends them before claims are given up."""
    pool: Pool
    if scheduler is None or not tasks:
        size = min(workers or default_workers(), len(tasks)) if tasks else 0
        pool = LocalPool(size, shared, job_timeout_s)
    else:
        pool = _dask_pool(scheduler, shared, job_timeout_s)
    schedule = Schedule(tasks, pool)
    try:
        with pool:
            yield schedule
    finally:
        schedule.release()


def _dask_pool(
    scheduler: str, shared: worker_side.Input, job_timeout_s: float
) -> Pool:
    try:
        from emotion_mt.evaluation.cluster import DaskPool
    except ModuleNotFoundError as error:
        raise ImportError(
            "`scheduler` needs the package `distributed`, which the extra "
            "`dask` installs: pip install 'emotion_mt[dask]'. "
            f"Received: {error}"
        ) from error
    return DaskPool(scheduler, shared, job_timeout_s)


def _explain(end: Ended) -> str:
    """Says why a task ended without a record, and logs it."""
    message = str(end.error or end.lost)
    logging.error("%s failed: %s", end.task.job.name, message)
    return message


def _fit_s(end: Ended) -> float:
    record = end.record
    return 0.0 if record is None else record["fit"]["seconds"]["total"]


def describe(record: Mapping[str, Any]) -> str:
    """Returns one line about a finished job: name and accuracies."""
    parts = []
    for viewer, content in record["viewers"].items():
        accuracy = content["score"]["accuracy"]
        shown = "no ratings" if accuracy is None else f"{100 * accuracy:.1f}"
        parts.append(f"{viewer} {shown}")
    return f"{record['name']}: {', '.join(parts)}"
