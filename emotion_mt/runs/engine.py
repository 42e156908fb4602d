"""Runs jobs on Dask and keeps what is finished.

Every job is fitted in a process with one compute thread, wherever it runs, so
results depend neither on the number of workers nor on the order of the jobs.
The process that called `run_jobs` writes each record when it arrives.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import logging as python_logging
import os
import signal
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import dask
import distributed
from absl import logging

from emotion_mt import _progress
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.runs.worker import InputPlugin, JobInput, fit_job

#: Seconds that one job may take before its worker is given up for hung. A job
#: of the full size takes minutes.
JOB_TIMEOUT_S = 3600.0

#: Further tries of a job whose worker died, hung or ran out of memory.
EXTRA_TRIES = 2

#: Seconds that a cluster may be out of reach or without any worker.
WAIT_FOR_WORKERS_S = 60.0

#: Seconds between looks at the cluster while no job ends.
_POLL_S = 5.0

#: What a cluster of this machine is set to. Its workers hold no data of Dask's
#: that could be spilled: a pause for lack of memory would never end.
_LOCAL_SETTINGS = {
    "distributed.scheduler.allowed-failures": EXTRA_TRIES,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
}


#: A job that ended, its record or None, and why there is none.
_Ended: TypeAlias = tuple[Job, dict[str, Any] | None, str]


@dataclasses.dataclass(frozen=True)
class RunOutcome:
    """What `run_jobs` leaves behind.

    Attributes:
        records: Records of the finished jobs, in the order of the jobs.
        failures: Jobs that failed, in that order, to type and text of the
            error, or how their workers were lost.
        reused: Number of jobs that were finished before.
    """

    records: list[dict[str, Any]]
    failures: dict[Job, str]
    reused: int


def run_jobs(
    jobs: Sequence[Job],
    shared: JobInput,
    folder: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    dashboard: bool = False,
    job_timeout_s: float = JOB_TIMEOUT_S,
    report: Callable[[str], None] = logging.info,
) -> RunOutcome:
    """Runs the jobs that have no result file yet.

    A job whose worker dies, takes longer than `job_timeout_s` or runs out of
    memory is tried again: `EXTRA_TRIES` times here, on another cluster as
    often as its `distributed.scheduler.allowed-failures` says. Other errors
    of a fit are reported at once. A job that fails does not stop the others.

    Args:
        jobs: Jobs to run.
        shared: Corpus and features of all jobs.
        folder: Folder of the result files, one per job.
        workers: Number of processes here; None for one where there is a GPU,
            which one keeps busy, else one per core.
        scheduler: Address of a Dask scheduler, "tcp://host:port", whose
            workers do the jobs instead, each of one thread and with the same
            versions of the packages.
        dashboard: Whether Dask's dashboard is opened on port 8787.
        job_timeout_s: Seconds that a job may take.
        report: Receives one line per finished job.

    Returns:
        Records of all finished jobs, and what failed.

    Raises:
        ValueError: If `workers` is less than 1 or given with `scheduler`, if
            `shared` lacks features, or if the cluster's workers have several
            threads.
        OSError: If a result file cannot be written, or no cluster answers.
        RuntimeError: If the cluster has had no worker for a minute.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    if workers is not None and scheduler is not None:
        raise ValueError(
            "`workers` are processes here and cannot be given with "
            f"`scheduler`. Received: {workers} and {scheduler}"
        )
    keys = {job: shared.key_of(job) for job in jobs}
    paths = {job: folder / job.file_name(key) for job, key in keys.items()}
    found = {job: _finished(paths[job], key) for job, key in keys.items()}
    done = {job: record for job, record in found.items() if record is not None}
    todo = [job for job in keys if job not in done]
    reused, failures = len(done), {}
    effort = sum(job.effort for job in todo)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(
            _progress.progress(
                *("Training", len(keys), " jobs"), initial=reused, effort=effort
            )
        )
        ended: Iterable[_Ended] = ()
        if todo:
            client = stack.enter_context(_client(workers, scheduler, dashboard))
            ended = stack.enter_context(
                contextlib.closing(
                    _work_off(todo, client, shared, job_timeout_s)
                )
            )
        for job, record, error in ended:
            bar.finish(job.effort)
            if record is None:
                failures[job] = error
                logging.error("%s failed: %s", job.name, error)
                continue
            records.write_record(paths[job], record)
            done[job] = record
            with bar.external_write_mode():
                report(_line(record))
    return RunOutcome(
        [done[job] for job in jobs if job in done],
        {job: failures[job] for job in jobs if job in failures},
        reused,
    )


def _finished(path: Path, key: str) -> dict[str, Any] | None:
    """Reads the record of a job that was finished before, if it is sound."""
    try:
        record = records.read_record(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        logging.warning("%s The job is run again.", error)
        return None
    return record if record["key"] == key else None


def _line(record: dict[str, Any]) -> str:
    """One line about a finished job: name and accuracies."""
    shown = []
    for viewer, part in record["viewers"].items():
        accuracy = part["score"]["accuracy"]
        known = "no ratings" if accuracy is None else f"{100 * accuracy:.1f}"
        shown.append(f"{viewer} {known}")
    return f"{record['name']}: {', '.join(shown)}"


@contextlib.contextmanager
def _client(
    workers: int | None, scheduler: str | None, dashboard: bool
) -> Iterator[distributed.Client]:
    """Connects to a cluster, which is made here where there is none."""
    with contextlib.ExitStack() as stack:
        client = distributed.Client(
            scheduler or stack.enter_context(_cluster(workers, dashboard)),
            timeout=WAIT_FOR_WORKERS_S,
            set_as_default=False,
        )
        stack.callback(client.close, timeout=2)
        several = {a: n for a, n in client.nthreads().items() if n != 1}
        if several:
            raise ValueError(
                f"The Dask cluster {scheduler} must have workers of one "
                "thread each (dask worker --nworkers=N --nthreads=1). "
                f"Received threads by worker: {several}"
            )
        yield client


@contextlib.contextmanager
def _cluster(
    workers: int | None, dashboard: bool
) -> Iterator[distributed.LocalCluster]:
    """Starts worker processes here, and ends them whatever they do."""
    import tensorflow as tf

    # One process keeps a GPU busy; None is one per core to Dask.
    if workers is None and tf.config.list_physical_devices("GPU"):
        workers = 1
    with dask.config.set(_LOCAL_SETTINGS):
        with _interrupts_blocked():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=":8787" if dashboard else ":0",
                silence_logs=python_logging.CRITICAL,
            )
        try:
            if dashboard:
                logging.warning("Dashboard: %s", cluster.dashboard_link)
            yield cluster
        finally:
            # Dask itself would wait for a job.
            kill = getattr(signal, "SIGKILL", signal.SIGTERM)
            for nanny in cluster.workers.values():
                nanny.auto_restart = False
                if nanny.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(nanny.pid, kill)
            cluster.close()


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Lets Ctrl-C pass by threads and processes that are started inside.

    This process ends them; each would print a traceback of its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work_off(
    jobs: Sequence[Job],
    client: distributed.Client,
    shared: JobInput,
    job_timeout_s: float,
) -> Generator[_Ended]:
    """Yields jobs as they end, each with its record or why there is none."""
    run = f"emotion_mt-{uuid.uuid4().hex}"
    client.register_plugin(InputPlugin(run, shared))
    queue = collections.deque(jobs)
    futures: dict[distributed.Future, Job] = {}
    seen_s = time.monotonic()
    try:
        while queue or futures:
            workers = len(client.nthreads())
            if workers:
                seen_s = time.monotonic()
            elif time.monotonic() - seen_s > WAIT_FOR_WORKERS_S:
                raise RuntimeError(
                    "The Dask cluster must have workers. Received none in "
                    f"{WAIT_FOR_WORKERS_S:g} s."
                )
            # No more than can begin: Dask blames the death of a worker on
            # all jobs that wait for it.
            while queue and len(futures) < workers:
                job = queue.popleft()
                key = f"{job.name}-{uuid.uuid4().hex}"
                work = (fit_job, run, job, job_timeout_s)
                future = client.submit(*work, key=key, retries=EXTRA_TRIES)
                futures[future] = job
            if not futures:
                time.sleep(1.0)
                continue
            # `distributed.wait` looks for a client of its own.
            with contextlib.suppress(TimeoutError), client.as_current():
                distributed.wait(
                    list(futures), _POLL_S, return_when="FIRST_COMPLETED"
                )
            for future in [future for future in futures if future.done()]:
                yield futures.pop(future), *_result(future, job_timeout_s)
    finally:
        # A cluster that is gone needs no cleaning up.
        with contextlib.suppress(OSError, TimeoutError):
            client.cancel(list(futures))
            client.unregister_worker_plugin(run)


def _result(
    future: distributed.Future, job_timeout_s: float
) -> tuple[dict[str, Any] | None, str]:
    """What a future holds: a record, or why there is none."""
    if future.status == "finished":
        return future.result()
    if future.status != "error":
        return None, f"Dask dropped it ({future.status})"
    error = future.exception()
    if isinstance(error, distributed.KilledWorker):
        return None, (
            "its worker process died, or took longer than "
            f"{job_timeout_s:g} s and ended itself; tried "
            f"{error.allowed_failures + 1} times"
        )
    return None, f"{error}; tried {EXTRA_TRIES + 1} times"
