"""What runs inside a worker process, here or elsewhere in a Dask cluster."""

from __future__ import annotations

import dataclasses
import faulthandler
import gc
import re
from collections.abc import Mapping
from typing import Any

import distributed
import numpy as np

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.training import fit_split

#: How the descriptions of errors begin that Python, NumPy, TensorFlow and XLA
#: raise for lack of memory: it may be there when other processes have ended.
_OUT_OF_MEMORY = re.compile(
    r"\w*MemoryError\b|ResourceExhaustedError\b|\w+: RESOURCE_EXHAUSTED\b"
    r"|\w+: std::bad_alloc\b"
)


@dataclasses.dataclass(frozen=True, eq=False)
class JobInput:
    """What all jobs of a run share; travels once to each worker.

    Attributes:
        corpus: Corpus of all jobs.
        features: Kind (`Job.feature_kind`) to float32 array, one row per
            segment.
        weights_digest: Of the weights the features come from, or "none".
        corpus_digest: `Corpus.digest()`.
        feature_digests: Kind to SHA-256 of its array.
        versions: Of the packages of the process that asks.
    """

    corpus: Corpus
    features: Mapping[str, np.ndarray]
    weights_digest: str
    corpus_digest: str
    feature_digests: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        features: Mapping[str, np.ndarray],
        weights_digest: str = "none",
    ) -> JobInput:
        """Puts an input together, with its digests."""
        digests = {k: records.features_digest(v) for k, v in features.items()}
        return cls(
            corpus,
            dict(features),
            weights_digest,
            corpus.digest(),
            digests,
            versions(),
        )

    def digests_of(self, job: Job) -> dict[str, str]:
        """Returns the digests that belong into a job's record.

        Raises:
            ValueError: If the features that the job looks at are not there.
        """
        kind = job.feature_kind
        if kind is not None and kind not in self.features:
            raise ValueError(
                f"`features` must hold {kind!r} for {job.name}. Received: "
                f"{sorted(self.features)}"
            )
        return {
            "corpus": self.corpus_digest,
            "weights": self.weights_digest,
            "features": self.feature_digests[kind] if kind else "none",
        }

    def key_of(self, job: Job) -> str:
        """Returns the digest of everything that decides the job's result."""
        digests = self.digests_of(job)
        return job.key(digests["corpus"], digests["features"])


class InputPlugin(distributed.WorkerPlugin):
    """Gives the input of a run to each worker, also to those that come later.

    Args:
        token: Token of the run.
        shared: Input of its jobs.
    """

    def __init__(self, token: str, shared: JobInput) -> None:
        self.name = f"emotion_mt-{token}"
        self._token = token
        self._shared = shared

    def setup(self, worker: Any) -> None:
        """Keeps the input; called by Dask in each worker."""
        _inputs[self._token] = self._shared

    def teardown(self, worker: Any) -> None:
        """Drops the input; called by Dask when the run is over."""
        _inputs.pop(self._token, None)


# Inputs of the runs that this worker process serves, by a token of the run.
# A Dask worker may serve several runs.
_inputs: dict[str, JobInput] = {}


def fit_job(
    token: str, job: Job, timeout_s: float
) -> tuple[dict[str, Any] | None, str]:
    """Fits one job in a Dask worker.

    Args:
        token: Token of the run.
        job: The job.
        timeout_s: Seconds after which the process ends itself; Dask then
            gives the job to another.

    Returns:
        The record for the job's result file and "", or None and the error
        that the fit raised, which another try would raise again.

    Raises:
        MemoryError: If the memory did not suffice; another try may go well.
    """
    # A thread of C code: it works even where Python is stuck.
    faulthandler.dump_traceback_later(timeout_s, exit=True)
    try:
        return _fit(_inputs[token], job), ""
    except Exception as error:  # Told to the user, with the job's name.
        description = f"{type(error).__name__}: {error}"
        if _OUT_OF_MEMORY.match(description):
            raise MemoryError(f"ran out of memory ({description})") from error
        return None, description
    finally:
        faulthandler.cancel_dump_traceback_later()
        # Models of a fit refer to themselves; the next needs their memory.
        gc.collect()


def _fit(shared: JobInput, job: Job) -> dict[str, Any]:
    if versions() != dict(shared.versions):
        raise RuntimeError(
            f"Expected a worker with {dict(shared.versions)}. "
            f"Received one with {versions()}"
        )
    _compute_with_one_thread()
    result = fit_split(
        shared.corpus,
        shared.features.get(job.feature_kind or ""),
        job.split,
        job.viewers,
        job.config,
        seed=job.seed,
    )
    return records.make_record(
        job,
        shared.key_of(job),
        shared.corpus,
        shared.digests_of(job),
        result,
    )


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
