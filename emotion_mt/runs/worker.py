"""What runs inside a worker process, here or elsewhere in a Dask cluster."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import re
from collections.abc import Callable, Mapping
from typing import Any

import distributed
import numpy as np

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.training import FitResult, Progress, fit_split

#: How errors begin that Python, NumPy, TensorFlow and XLA raise for lack of
#: memory: it may be there when other processes have ended.
_OUT_OF_MEMORY = re.compile(
    r"\w*MemoryError\b|ResourceExhaustedError\b|\w+: RESOURCE_EXHAUSTED\b"
    r"|\w+: std::bad_alloc\b"
)


class JobInput:
    """What all jobs of a run share, with its digests, counted once.

    Args:
        corpus: Corpus of all jobs.
        features: Kind (`Job.feature_kind`) to float32 array, one row per
            segment.
        weights_digest: Of the weights the features come from, or "none".
    """

    def __init__(
        self,
        corpus: Corpus,
        features: Mapping[str, np.ndarray],
        weights_digest: str = "none",
    ) -> None:
        self.corpus = corpus
        self.features: dict[str | None, np.ndarray] = dict(features.items())
        self.versions = versions()
        both = {"corpus": corpus.digest(), "weights": weights_digest}
        self._digests = {
            kind: {**both, "features": records.features_digest(array)}
            for kind, array in {**self.features, None: None}.items()
        }

    def digests_of(self, job: Job) -> dict[str, str]:
        """Returns the digests that belong into a job's record."""
        if job.feature_kind not in self._digests:
            raise ValueError(
                f"`features` must hold {job.feature_kind!r} for {job.name}. "
                f"Received: {sorted(map(str, self.features))}"
            )
        return self._digests[job.feature_kind]

    def key_of(self, job: Job) -> str:
        """Returns the digest of everything that decides the job's result."""
        digests = self.digests_of(job)
        return job.key(digests["corpus"], digests["features"])

    def fit(
        self, job: Job, on_epoch: Callable[[Progress], object] | None = None
    ) -> tuple[FitResult, dict[str, Any]]:
        """Fits a job; returns the result and its record."""
        features = self.features.get(job.feature_kind)
        how = (self.corpus, features, job.split, job.viewers, job.config)
        result = fit_split(*how, seed=job.seed, on_epoch=on_epoch)
        about = (self.key_of(job), self.corpus, self.digests_of(job))
        return result, records.make_record(job, *about, result)


class InputPlugin(distributed.WorkerPlugin):
    """Brings a run's input to each worker, also to those that come later."""

    def __init__(self, name: str, shared: JobInput) -> None:
        self.name, self.shared = name, shared


def fit_job(
    run: str, job: Job, timeout_s: float
) -> tuple[dict[str, Any] | None, str]:
    """Returns the record of a job and "", or None and why there is none."""
    if multiprocessing.parent_process() and not gc.get_freeze_count():
        # Modules stay in a worker's process; looking through them takes longer
        # than some fits.
        gc.freeze()
    # A thread of C code: it works even where Python is stuck.
    faulthandler.dump_traceback_later(timeout_s, exit=True)
    try:
        plugin: Any = distributed.get_worker().plugins[run]
        shared = plugin.shared
        if versions() != shared.versions:
            raise RuntimeError(
                f"Expected a worker with {shared.versions}. "
                f"Received one with {versions()}"
            )
        _compute_with_one_thread()
        return shared.fit(job)[1], ""
    except Exception as error:  # Told to the user, with the job's name.
        description = f"{type(error).__name__}: {error}"
        if _OUT_OF_MEMORY.match(description):
            # Another try may go well.
            raise MemoryError(f"ran out of memory ({description})") from error
        return None, description
    finally:
        faulthandler.cancel_dump_traceback_later()
        # Models of a fit refer to themselves; the next needs their memory.
        gc.collect()


def _compute_with_one_thread() -> None:
    """Makes TensorFlow use one thread, which decides the last bits."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise RuntimeError(
            "Expected a worker that has not computed with several threads. "
            f"Restart the workers: {error}"
        ) from error
