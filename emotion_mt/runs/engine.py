"""Runs jobs on Dask and keeps what is finished.

Every job is fitted in a process with one compute thread, however many
processes there are and wherever they run, so results depend neither on the
number of workers nor on the order of the jobs. A worker returns the record of
its job, and the process that called `run_jobs` writes it: at once, and whole
or not at all. A run that was stopped continues with the jobs that have no
result file.
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
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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

#: What a cluster of this machine is set to. A worker keeps compiled models
#: and the run's input, and no data of Dask's that could be spilled: a pause
#: for lack of memory would never end. Its threads are set by Dask itself.
_LOCAL_SETTINGS = {
    "distributed.scheduler.allowed-failures": EXTRA_TRIES,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
}


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
        reused: Number of jobs that were finished before.
    """

    records: list[dict[str, Any]]
    failures: list[Failure]
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
    report: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Runs the jobs that have no result file yet.

    A job whose worker dies, takes longer than `job_timeout_s` or runs out of
    memory is tried again, `EXTRA_TRIES` times here, and as often as its
    setting `distributed.scheduler.allowed-failures` says on a cluster of
    somebody else's. Other errors of a fit are reported at once; they would be
    raised again.

    Args:
        jobs: Jobs to run.
        shared: Corpus and features of all jobs.
        folder: Folder of the result files, one per job.
        workers: Number of processes here; None for `default_workers()`.
        scheduler: Address of a Dask scheduler, "tcp://host:port", whose
            workers do the jobs instead, each of one thread and with the same
            versions of the packages.
        dashboard: Whether Dask's dashboard is opened on port 8787.
        job_timeout_s: Seconds that a job may take.
        report: Receives one line per finished job; None for none.

    Returns:
        Records of all finished jobs, and what failed. A job that fails does
        not stop the others.

    Raises:
        ValueError: If `workers` is less than 1 or given with `scheduler`, if
            `job_timeout_s` is not positive, if `shared` lacks features, or if
            the cluster's workers have several threads.
        OSError: If a result file cannot be written, or no cluster answers.
        RuntimeError: If the cluster has had no worker for a minute.
    """
    _check(workers, scheduler, job_timeout_s)
    done: dict[Job, dict[str, Any]] = {}
    failures: dict[Job, str] = {}
    paths = {
        job: folder / job.file_name(shared.key_of(job))
        for job in dict.fromkeys(jobs)
    }
    for job, path in paths.items():
        record = _finished(path, shared.key_of(job))
        if record is not None:
            done[job] = record
    reused = len(done)
    todo = [job for job in paths if job not in done]
    with (
        _progress.progress(
            "Training",
            len(paths),
            " jobs",
            initial=reused,
            effort=sum(job.effort for job in todo),
        ) as bar,
        contextlib.ExitStack() as stack,
    ):
        if todo:
            client = stack.enter_context(
                _client(workers or default_workers(), scheduler, dashboard)
            )
            ended = _work_off(todo, client, shared, job_timeout_s)
            for job, record, error in stack.enter_context(
                contextlib.closing(ended)
            ):
                bar.finish(job.effort)
                if record is None:
                    failures[job] = error
                    logging.error("%s failed: %s", job.name, error)
                    continue
                records.write_record(paths[job], record)
                done[job] = record
                if report is not None:
                    with bar.external_write_mode():
                        report(describe(record))
    return RunOutcome(
        records=[done[job] for job in jobs if job in done],
        failures=[
            Failure(job, failures[job]) for job in jobs if job in failures
        ],
        reused=reused,
    )


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


@contextlib.contextmanager
def _client(
    workers: int, scheduler: str | None, dashboard: bool
) -> Iterator[distributed.Client]:
    """Connects to a cluster, which is made here where there is none."""
    if scheduler is not None:
        client = distributed.Client(
            scheduler, timeout=WAIT_FOR_WORKERS_S, set_as_default=False
        )
        try:
            _check_threads(client, scheduler)
            yield client
        finally:
            client.close(timeout=2)
        return
    with dask.config.set(_LOCAL_SETTINGS), _without_messages():
        with _interrupts_blocked():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=":8787" if dashboard else ":0",
                silence_logs=python_logging.CRITICAL,
            )
        try:
            with distributed.Client(cluster, set_as_default=False) as client:
                if dashboard:
                    logging.warning("Dashboard: %s", cluster.dashboard_link)
                yield client
        finally:
            _end_workers(cluster)
            cluster.close()


def _end_workers(cluster: distributed.LocalCluster) -> None:
    """Ends worker processes, whatever they do; Dask would wait for a job."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _check_threads(client: distributed.Client, scheduler: str) -> None:
    """Refuses workers that would run several jobs at a time."""
    several = {a: n for a, n in client.nthreads().items() if n != 1}
    if several:
        raise ValueError(
            f"The Dask cluster {scheduler} must have workers of one "
            "thread each (dask worker --nworkers=N --nthreads=1). "
            f"Received threads by worker: {several}"
        )


def _work_off(
    jobs: Sequence[Job],
    client: distributed.Client,
    shared: JobInput,
    job_timeout_s: float,
) -> Generator[tuple[Job, dict[str, Any] | None, str]]:
    """Yields jobs as they end, each with its record or why there is none."""
    token = uuid.uuid4().hex
    plugin = InputPlugin(token, shared)
    _give_input(client, plugin)
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
                future = client.submit(
                    fit_job,
                    token,
                    job,
                    job_timeout_s,
                    key=f"{job.name}-{uuid.uuid4().hex}",
                    pure=False,
                    retries=EXTRA_TRIES,
                )
                futures[future] = job
            for future in _wait(client, list(futures)):
                yield futures.pop(future), *_result(future, job_timeout_s)
    finally:
        # A cluster that is gone needs no cleaning up.
        with contextlib.suppress(OSError, TimeoutError):
            client.cancel(list(futures))
            client.unregister_worker_plugin(plugin.name)


def _give_input(client: distributed.Client, plugin: InputPlugin) -> None:
    """Gives the workers their input, again if one of them dies meanwhile."""
    for _ in range(EXTRA_TRIES):
        try:
            client.register_plugin(plugin)
        except distributed.comm.CommClosedError:
            continue
        return
    client.register_plugin(plugin)


def _wait(
    client: distributed.Client, futures: list[distributed.Future]
) -> list[distributed.Future]:
    """Returns the futures that ended, after a while none."""
    if not futures:
        time.sleep(1.0)
    # `distributed.wait` looks for a client of its own.
    with contextlib.suppress(TimeoutError), client.as_current():
        distributed.wait(futures, _POLL_S, return_when="FIRST_COMPLETED")
    return [future for future in futures if future.done()]


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


@contextlib.contextmanager
def _without_messages() -> Iterator[None]:
    """Keeps what Dask logs when it is interrupted off the terminal."""
    loggers = [python_logging.getLogger(x) for x in ("distributed", "asyncio")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(python_logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Lets Ctrl-C pass by threads and processes that are started inside.

    It reaches all processes of a terminal. This one ends the others; each
    would print a traceback of its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def describe(record: Mapping[str, Any]) -> str:
    """Returns one line about a finished job: name and accuracies."""
    parts = []
    for viewer, content in record["viewers"].items():
        accuracy = content["score"]["accuracy"]
        shown = "no ratings" if accuracy is None else f"{100 * accuracy:.1f}"
        parts.append(f"{viewer} {shown}")
    return f"{record['name']}: {', '.join(parts)}"
