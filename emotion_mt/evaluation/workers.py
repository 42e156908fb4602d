"""What runs inside worker processes, here or on a Dask cluster."""

from __future__ import annotations

import dataclasses
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.training import fit_split

#: What BLAS libraries read when they are loaded, beside TensorFlow's own
#: setting, so that a worker computes with one thread.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Input:
    """What all jobs of a run share; travels once to each worker.

    Attributes:
        corpus: Corpus of all jobs.
        features: Kind (`Job.feature_kind`) to float32 array, one row per
            segment.
        digests: SHA-256 of "corpus" and "weights".
        feature_digests: Kind to SHA-256 of its array.
        versions: Versions of the packages of the process that asks.
    """

    corpus: Corpus
    features: Mapping[str, np.ndarray]
    digests: Mapping[str, str]
    feature_digests: Mapping[str, str]
    versions: Mapping[str, str] = dataclasses.field(default_factory=versions)

    def features_of(self, job: Job) -> np.ndarray | None:
        """Returns the features that a job looks at, None for text alone.

        Raises:
            ValueError: If they are not there.
        """
        kind = job.feature_kind
        if kind is None:
            return None
        if kind not in self.features:
            raise ValueError(
                f"`features` must hold {kind!r} for {job.name}. Received: "
                f"{sorted(self.features)}"
            )
        return self.features[kind]

    def digests_of(self, job: Job) -> dict[str, str]:
        """Returns the digests that belong into the job's record."""
        kind = job.feature_kind
        digest = "none" if kind is None else self.feature_digests[kind]
        return {**self.digests, "features": digest}


def make_input(
    corpus: Corpus, features: Mapping[str, np.ndarray], weights_digest: str
) -> Input:
    """Puts together what the jobs of a run share.

    Args:
        corpus: Corpus of all jobs.
        features: Kind to array.
        weights_digest: Digest of the weights the features come from.
    """
    return Input(
        corpus=corpus,
        features=dict(features),
        digests={"corpus": corpus.digest(), "weights": weights_digest},
        feature_digests={
            kind: records.features_digest(array)
            for kind, array in features.items()
        },
    )


# Inputs of the runs that this worker process serves, by a token of the run.
# A Dask worker may serve several runs.
_inputs: dict[str, Input] = {}


def keep_input(token: str, shared: Input) -> None:
    """Keeps the input of a run in this worker process."""
    _inputs[token] = shared


def drop_input(token: str) -> None:
    """Forgets the input of a run."""
    _inputs.pop(token, None)


def start_local_worker(parent: int, token: str, shared: Input) -> None:
    """Prepares a process that `run_jobs` started.

    Args:
        parent: Process that started this one; this one ends with it.
        token: Token of the run.
        shared: Its input.
    """
    # Ctrl-C reaches all processes of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    keep_input(token, shared)
    _compute_with_one_thread()


def _leave_with(parent: int) -> None:
    """Ends this process as soon as the process that started it is gone.

    A worker that waits for work does not notice that its parent was killed.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _compute_with_one_thread() -> None:
    """Makes TensorFlow use one thread, which decides the last bits.

    Raises:
        RuntimeError: If it has computed with several in this process.
    """
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise RuntimeError(
            "Expected a worker process that has not computed with several "
            "threads yet, so that results do not depend on it. Received one "
            f"that has: {error} Restart the workers."
        ) from error
    for gpu in tf.config.list_physical_devices("GPU"):
        # Several workers may share a GPU; none may take all of its memory.
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)


def ready() -> int:
    """Returns the number of this process once it can take a job."""
    return os.getpid()


def fit_job(token: str, job: Job, key: str) -> dict[str, Any]:
    """Fits one job in a worker process.

    Args:
        token: Token of the run.
        job: The job.
        key: `job.key(…)`.

    Returns:
        The record for the job's result file.

    Raises:
        RuntimeError: If the process was not prepared.
    """
    if token not in _inputs:
        raise RuntimeError("A job was started outside a prepared worker.")
    shared = _inputs[token]
    result = fit_split(
        shared.corpus,
        shared.features_of(job),
        job.split,
        job.viewers,
        job.config,
        seed=job.seed,
    )
    return records.make_record(
        job, key, shared.corpus, shared.digests_of(job), result
    )


def fit_job_on_cluster(
    token: str, job: Job, key: str, timeout_s: float
) -> dict[str, Any]:
    """`fit_job` in a Dask worker, which nobody else can stop or prepare.

    Args:
        token: As there.
        job: As there.
        key: As there.
        timeout_s: Seconds after which the process ends itself; Dask then
            gives the job to another.

    Returns:
        As there.

    Raises:
        RuntimeError: As there, or if the worker has other versions of the
            packages that decide the results.
    """
    shared = _inputs.get(token)
    if shared is not None and versions() != dict(shared.versions):
        raise RuntimeError(
            f"Expected a Dask worker with {dict(shared.versions)}. "
            f"Received one with {versions()}"
        )
    _compute_with_one_thread()
    # A thread of C code: it works even where Python is stuck.
    faulthandler.dump_traceback_later(timeout_s, exit=True)
    try:
        return fit_job(token, job, key)
    finally:
        faulthandler.cancel_dump_traceback_later()
