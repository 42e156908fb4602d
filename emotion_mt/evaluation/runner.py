"""Runs jobs in parallel processes and keeps what is finished.

Every job is fitted in a process with one compute thread, however many
processes there are, so results depend neither on the number of workers nor on
the order of the jobs. A job's result file appears whole or not at all; a run
that was stopped continues with the jobs that have none.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import loky
import numpy as np
from absl import logging
from tqdm.auto import tqdm

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.training import fit_split


@dataclasses.dataclass(frozen=True)
class Failure:
    """A job that ended with an error.

    Attributes:
        job: The job.
        message: Type and text of the error.
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
        fit_s: Seconds of fitting, summed over the jobs fitted now.
    """

    records: list[dict[str, Any]]
    failures: list[Failure]
    reused: int
    fit_s: float


@dataclasses.dataclass(frozen=True)
class _Input:
    """What all jobs of a run share."""

    corpus: Corpus
    features: np.ndarray | None
    digests: Mapping[str, str]


# Set once in each worker process by `_start_worker`, so that the corpus and
# the features travel once per process instead of once per job.
_shared: _Input | None = None


def _leave_with(parent: int) -> None:
    """Ends this process as soon as the process that started it is gone.

    A worker that waits for work does not notice that its parent was killed.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _start_worker(parent: int, shared: _Input) -> None:
    """Prepares a worker process."""
    import tensorflow as tf

    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Several workers may share a GPU; none may take all of its memory.
        tf.config.experimental.set_memory_growth(gpu, True)
    global _shared
    _shared = shared


def _run(job: Job, key: str, path: Path) -> float:
    """Fits one job in a worker process and writes its file.

    Returns:
        Seconds the fit took.
    """
    if _shared is None:
        raise RuntimeError("A job was started outside a prepared worker.")
    result = fit_split(
        _shared.corpus,
        _shared.features,
        job.split,
        job.viewers,
        job.config,
        seed=job.seed,
    )
    record = records.make_record(
        job, key, _shared.corpus, _shared.digests, result
    )
    records.write_record(path, record)
    return result.seconds["total"]


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


def _finished(path: Path, key: str) -> dict[str, Any] | None:
    """Reads the record of a job that was finished before, if it is sound."""
    if not path.exists():
        return None
    try:
        record = records.read_record(path)
    except ValueError as error:
        logging.warning("%s The job is run again.", error)
        return None
    return record if record["key"] == key else None


def run_jobs(
    jobs: Sequence[Job],
    corpus: Corpus,
    features: np.ndarray | None,
    folder: Path,
    *,
    workers: int | None = None,
    weights_digest: str = "none",
    report: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Runs the jobs that have no result file yet.

    Args:
        jobs: Jobs to run.
        corpus: Corpus of all jobs.
        features: float32 [N, 1024] visual features, or None for text alone.
        folder: Folder of the result files, one per job.
        workers: Number of processes; None for `default_workers()`.
        weights_digest: Digest of the weights the features come from, written
            into the result files.
        report: Receives one line per finished job; None for none.

    Returns:
        Records of all finished jobs, and what failed. A job that fails does
        not stop the others.

    Raises:
        ValueError: If `workers` is less than 1.
    """
    workers = default_workers() if workers is None else workers
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    folder = Path(folder)
    digests = {
        "corpus": corpus.digest(),
        "features": records.features_digest(features),
        "weights": weights_digest,
    }
    paths, waiting = {}, []
    done: dict[Job, dict[str, Any]] = {}
    for job in jobs:
        key = job.key(digests["corpus"], digests["features"])
        paths[job] = folder / job.file_name(key)
        record = _finished(paths[job], key)
        if record is None:
            waiting.append((job, key))
        else:
            done[job] = record
    reused = len(done)
    seconds, failures = 0.0, {}
    shared = _Input(corpus, features, digests)
    bar = tqdm(total=len(jobs), initial=reused, desc="Training", unit="job")
    with bar, _executor(min(workers, len(waiting)), shared) as executor:
        futures = {
            executor.submit(_run, job, key, paths[job]): job
            for job, key in waiting
        }
        try:
            for future in concurrent.futures.as_completed(futures):
                job = futures[future]
                bar.update()
                error = future.exception()
                if error is not None:
                    failures[job] = f"{type(error).__name__}: {error}"
                    logging.error("%s failed: %s", job.name, failures[job])
                    continue
                seconds += future.result()
                done[job] = records.read_record(paths[job])
                if report is not None:
                    with bar.external_write_mode():
                        report(describe(done[job]))
        except KeyboardInterrupt:
            executor.shutdown(wait=False, kill_workers=True)
            raise
    return RunOutcome(
        records=[done[job] for job in jobs if job in done],
        failures=[
            Failure(job, failures[job]) for job in jobs if job in failures
        ],
        reused=reused,
        fit_s=seconds,
    )


def _executor(workers: int, shared: _Input) -> loky.ProcessPoolExecutor:
    """Starts worker processes (lazily: none before the first job).

    loky starts fresh interpreters: forked children of a process that has used
    TensorFlow deadlock. A worker that dies ends the run with an error, where
    the standard library's executor may wait for ever.
    """
    return loky.ProcessPoolExecutor(
        max(workers, 1),
        initializer=_start_worker,
        initargs=(os.getpid(), shared),
    )


def describe(record: Mapping[str, Any]) -> str:
    """Returns one line about a finished job: name and accuracies."""
    parts = []
    for viewer, content in record["viewers"].items():
        accuracy = content["score"]["accuracy"]
        shown = "no ratings" if accuracy is None else f"{100 * accuracy:.1f}"
        parts.append(f"{viewer} {shown}")
    return f"{record['name']}: {', '.join(parts)}"
