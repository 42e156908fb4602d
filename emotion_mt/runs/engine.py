"""Runs jobs on Dask and keeps what is finished.

Every job is fitted in a process with one compute thread, wherever it runs, so
results depend neither on the number of workers nor on the order of the jobs.
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
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import dask
import distributed
from absl import logging

from emotion_mt import _progress
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.runs.worker import InputPlugin, JobInput, fit_job

#: Seconds that one job may take; at full size, it takes minutes.
JOB_TIMEOUT_S = 3600.0
#: Further tries of a job whose worker died, hung or ran out of memory.
EXTRA_TRIES = 2
#: Seconds that a cluster may be out of reach or without any worker.
WAIT_FOR_WORKERS_S = 60.0

#: What a cluster of this machine is set to. Its workers hold no data of Dask's
#: that could be spilled: a pause for lack of memory would never end.
_LOCAL_SETTINGS = {
    "distributed.scheduler.allowed-failures": EXTRA_TRIES,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    # Its samples pile up, and every search for garbage goes through them.
    "distributed.worker.profile.enabled": False,
}


@dataclasses.dataclass(frozen=True)
class RunOutcome:
    """What `run_jobs` leaves behind.

    Attributes:
        records: Records of the finished jobs, in the order of the jobs.
        failures: Jobs that failed, in that order, and why.
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

    A job whose worker dies, hangs or runs out of memory is tried again:
    `EXTRA_TRIES` times here, elsewhere as often as Dask's setting
    `distributed.scheduler.allowed-failures` says.

    Args:
        jobs: Jobs to run.
        shared: Corpus and features of all jobs.
        folder: Folder of the result files, one per job.
        workers: Processes here; None for one per core, or one with a GPU.
        scheduler: Address of a Dask scheduler whose workers do it instead.
        dashboard: Whether Dask's dashboard is opened on port 8787.
        job_timeout_s: Seconds that a job may take.
        report: Receives one line per finished job.

    Returns:
        What finished and what failed; a failure does not stop the others.

    Raises:
        ValueError: If arguments, or the threads of a cluster, do not fit.
        OSError: If a result file cannot be written, or no cluster answers.
        RuntimeError: If no worker starts, or there has been none for a minute.
    """
    if workers is not None and (workers < 1 or scheduler is not None):
        raise ValueError(
            "`workers` must be at least 1 and cannot be given with "
            f"`scheduler`. Received: {workers} and {scheduler}"
        )
    keys = {job: shared.key_of(job) for job in jobs}
    paths = {job: folder / job.file_name(key) for job, key in keys.items()}
    found = {job: _finished(paths[job], key) for job, key in keys.items()}
    done = {job: record for job, record in found.items() if record is not None}
    todo = [job for job in keys if job not in done]
    reused, failures = len(done), {}
    count, effort = len(keys), sum(job.effort for job in todo)
    bar = _progress.progress(
        "Training", count, " jobs", initial=reused, effort=effort
    )
    cluster = _client(workers, scheduler, dashboard)
    ended = _work_off(todo, cluster, shared, job_timeout_s)
    with bar, contextlib.closing(ended):
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
        found = part["score"]["accuracy"]
        known = "no ratings" if found is None else f"{100 * found:.1f}"
        shown.append(f"{viewer} {known}")
    return f"{record['name']}: {', '.join(shown)}"


@contextlib.contextmanager
def _client(
    workers: int | None, scheduler: str | None, dashboard: bool
) -> Iterator[distributed.Client]:
    """Connects to a cluster, which is made here where there is none."""
    with contextlib.ExitStack() as stack:
        address = scheduler or stack.enter_context(
            local_cluster(workers, dashboard)
        )
        client = distributed.Client(
            address, timeout=WAIT_FOR_WORKERS_S, set_as_default=False
        )
        stack.callback(client.close, timeout=2)
        several = {a: n for a, n in client.nthreads().items() if n != 1}
        if several:
            raise ValueError(
                "The Dask cluster must have workers of one thread each (dask "
                f"worker --nworkers=N --nthreads=1). Received: {several}"
            )
        yield client


@contextlib.contextmanager
def local_cluster(
    workers: int | None = None, dashboard: bool = False
) -> Iterator[distributed.LocalCluster]:
    """Starts worker processes here, and ends them whatever they do.

    Several `run_jobs` may share its `scheduler_address`; for the arguments see
    there.
    """
    import tensorflow as tf

    # One process keeps a GPU busy; None is one per core to Dask.
    if workers is None and tf.config.list_physical_devices("GPU"):
        workers = 1
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(_LOCAL_SETTINGS))
        # What Dask logs when it is interrupted stays off the terminal.
        for name in ("distributed", "asyncio"):
            logger = python_logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(python_logging.CRITICAL)
        with _interrupts_blocked():
            try:
                cluster = _tried(
                    RuntimeError,
                    distributed.LocalCluster,
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=":8787" if dashboard else ":0",
                    silence_logs=python_logging.CRITICAL,
                )
            except RuntimeError as error:
                raise RuntimeError(
                    "Expected worker processes that start; there may be too "
                    f"little memory for them. Received: {error}"
                ) from error
        stack.callback(_end, cluster)
        if dashboard:
            logging.warning("Dashboard: %s", cluster.dashboard_link)
        yield cluster


def _end(cluster: distributed.LocalCluster) -> None:
    """Ends a cluster here; Dask itself would wait for a job."""
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, kill)
    cluster.close()


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Lets Ctrl-C pass by what is started inside; this process ends it."""
    mask = getattr(signal, "pthread_sigmask", None)  # Not on Windows.
    before = mask(signal.SIG_BLOCK, {signal.SIGINT}) if mask else None
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, before)


def _work_off(
    jobs: Sequence[Job],
    cluster: contextlib.AbstractContextManager[distributed.Client],
    shared: JobInput,
    job_timeout_s: float,
) -> Generator[tuple[Job, dict[str, Any] | None, str]]:
    """Yields jobs as they end, with what `fit_job` returned or would have.

    Without any, no cluster is needed.
    """
    if not jobs:
        return
    run = f"emotion_mt-{uuid.uuid4().hex}"
    with cluster as client:
        lost = distributed.comm.CommClosedError
        _tried(lost, client.register_plugin, InputPlugin(run, shared))
        queue = collections.deque(jobs)
        futures: dict[distributed.Future, Job] = {}
        try:
            while queue or futures:
                workers = _count_workers(client)
                # No more than can begin: Dask blames the death of a worker on
                # all jobs that wait for it.
                while queue and len(futures) < workers:
                    job = queue.popleft()
                    key = f"{job.name}-{uuid.uuid4().hex}"
                    work = (fit_job, run, job, job_timeout_s)
                    future = client.submit(*work, key=key, retries=EXTRA_TRIES)
                    futures[future] = job
                # `distributed.wait` looks for a client of its own.
                with contextlib.suppress(TimeoutError), client.as_current():
                    distributed.wait(
                        list(futures), 5.0, return_when="FIRST_COMPLETED"
                    )
                for future in [future for future in futures if future.done()]:
                    yield futures.pop(future), *_result(future, job_timeout_s)
        finally:
            # A cluster that is gone needs no cleaning up.
            with contextlib.suppress(OSError, TimeoutError):
                client.unregister_worker_plugin(run)


def _tried(
    error: type[Exception], call: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Calls something, again if a worker process dies meanwhile."""
    for _ in range(EXTRA_TRIES):
        with contextlib.suppress(error):
            return call(*args, **kwargs)
    return call(*args, **kwargs)


def _count_workers(client: distributed.Client) -> int:
    """Waits for workers where none is left, as when all have just died."""
    for _ in range(round(WAIT_FOR_WORKERS_S) + 1):
        if workers := len(client.nthreads()):
            return workers
        time.sleep(1.0)
    waited = f"{WAIT_FOR_WORKERS_S:g} s"
    raise RuntimeError(f"The Dask cluster has no worker after {waited}")


def _result(
    future: distributed.Future, job_timeout_s: float
) -> tuple[dict[str, Any] | None, str]:
    """What a future holds: a record, or why there is none."""
    if future.status == "finished":
        return future.result()
    if future.status != "error":
        return None, f"Dask dropped it ({future.status})"
    error, tries = future.exception(), EXTRA_TRIES + 1
    if isinstance(error, distributed.KilledWorker):
        tries = error.allowed_failures + 1
        what = f"took longer than {job_timeout_s:g} s and ended itself"
        error = f"its worker process died, or {what}"
    return None, f"{error}; tried {tries} times"
