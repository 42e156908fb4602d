"""The pool of a Dask cluster; needs the optional extra `dask`."""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import Any, Self

import distributed
from absl import logging

from emotion_mt.evaluation import workers
from emotion_mt.evaluation.pools import Ended, Task, describe_error

#: Seconds that a cluster may be out of reach or without any worker.
WAIT_FOR_WORKERS_S = 60.0

#: Seconds after the limit of a job in which its worker may end itself before
#: the scheduler is told to end it.
STUCK_S = 30.0


class _InputPlugin(distributed.WorkerPlugin):
    """Gives the input of a run to each worker, also to those that come later.

    Args:
        token: Token of the run.
        shared: Input of its jobs.
    """

    def __init__(self, token: str, shared: workers.Input) -> None:
        self.name = f"emotion_mt-{token}"
        self._token = token
        self._shared = shared

    def setup(self, worker: Any) -> None:
        """Keeps the input; called by Dask in each worker."""
        workers.keep_input(self._token, self._shared)

    def teardown(self, worker: Any) -> None:
        """Drops the input; called by Dask when the run is over."""
        workers.drop_input(self._token)


class DaskPool:
    """Workers of a Dask cluster, one task per worker at a time.

    The cluster gives the task of a worker that died to another, as often as
    its setting `distributed.scheduler.allowed-failures` says (3 by default).
    A worker whose job takes too long ends itself; one that cannot, because it
    is stopped for instance, is ended by its nanny, or removed from the cluster
    if it has none, and its task is returned as lost.
    Workers, and the scheduler, need this package in the same versions.

    Args:
        scheduler: Address of the scheduler, "tcp://host:port".
        shared: Input of the jobs.
        job_timeout_s: Seconds after which a worker ends itself.

    Raises:
        OSError: If no cluster answers.
        ValueError: If a worker has several threads.
    """

    def __init__(
        self, scheduler: str, shared: workers.Input, job_timeout_s: float
    ) -> None:
        self._address = scheduler
        self._timeout_s = job_timeout_s
        self._token = uuid.uuid4().hex
        self._tasks: dict[distributed.Future, Task] = {}
        # When a task was first seen to be the one that a worker is at.
        self._begun_s: dict[tuple[str, str], float] = {}
        self._seen_s = time.monotonic()
        self._client = distributed.Client(
            scheduler, timeout=WAIT_FOR_WORKERS_S, set_as_default=False
        )
        try:
            self._check_threads()
            plugin = _InputPlugin(self._token, shared)
            self._plugin_name = plugin.name
            self._client.register_plugin(plugin)
        except BaseException:
            self._client.close()
            raise

    def _check_threads(self) -> None:
        """Refuses workers that would run several jobs at a time."""
        threads = self._client.nthreads()
        several = {a: n for a, n in threads.items() if n != 1}
        if several:
            raise ValueError(
                f"The Dask cluster {self._address} must have workers of one "
                "thread each (dask worker --nworkers=N --nthreads=1). "
                f"Received threads by worker: {several}"
            )

    def __enter__(self) -> Self:
        """Is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cancels what has not begun and leaves the cluster.

        What a worker is computing cannot be stopped; it ends by itself and
        its result is dropped.
        """
        # A cluster that is gone needs no cleaning up.
        with contextlib.suppress(OSError, TimeoutError):
            self._client.cancel(list(self._tasks))
            self._client.unregister_worker_plugin(self._plugin_name)
        self._tasks.clear()
        self._client.close(timeout=2)

    def free(self) -> int:
        """Returns the number of workers without a task of ours.

        Raises:
            OSError: If the cluster does not answer.
            RuntimeError: If it has had no worker for a minute.
        """
        size = len(self._client.nthreads())
        now = time.monotonic()
        if size:
            self._seen_s = now
        elif now - self._seen_s > WAIT_FOR_WORKERS_S:
            raise RuntimeError(
                f"The Dask cluster {self._address} must have workers. "
                f"Received none in {WAIT_FOR_WORKERS_S:g} s."
            )
        return max(size - self.busy(), 0)

    def busy(self) -> int:
        """Returns the number of tasks that were submitted and not returned."""
        return len(self._tasks)

    def rank(self, task: Task) -> int:
        """Has no preference; the cluster chooses the worker.

        Args:
            task: A task.
        """
        return 0

    def start(self, task: Task) -> None:
        """Submits a task.

        Args:
            task: The task.
        """
        future = self._client.submit(
            workers.fit_job_on_cluster,
            self._token,
            task.job,
            task.key,
            self._timeout_s,
            key=f"{task.job.name}-{uuid.uuid4().hex}",
            pure=False,
        )
        self._tasks[future] = task

    def wait(self, timeout_s: float) -> list[Ended]:
        """Waits until a task ended, or for some seconds.

        Args:
            timeout_s: The seconds.

        Returns:
            The tasks that ended.
        """
        if not self._tasks:
            time.sleep(timeout_s)
            return []
        # `distributed.wait` looks for a client of its own.
        with contextlib.suppress(TimeoutError), self._client.as_current():
            distributed.wait(
                list(self._tasks), timeout_s, return_when="FIRST_COMPLETED"
            )
        done = [future for future in self._tasks if future.done()]
        return [*map(self._collect, done), *self._give_up_stuck()]

    def _give_up_stuck(self) -> list[Ended]:
        """Takes back tasks whose workers should have ended themselves."""
        futures = {future.key: future for future in self._tasks}
        now = time.monotonic()
        # A worker of one thread is at the first of its tasks; the others, of
        # other runs for instance, wait.
        self._begun_s = {
            (keys[0], address): self._begun_s.get((keys[0], address), now)
            for address, keys in self._client.processing().items()
            if keys and keys[0] in futures
        }
        limit_s = self._timeout_s + STUCK_S
        return [
            self._take_back(futures[key], address)
            for (key, address), begun_s in self._begun_s.items()
            if now - begun_s > limit_s
        ]

    def _take_back(self, future: distributed.Future, address: str) -> Ended:
        """Ends a worker that is stuck, whatever it does."""
        task = self._tasks.pop(future)
        logging.warning(
            "%s: the Dask worker %s is stuck and is ended.",
            task.job.name,
            address,
        )
        # First, so that the cluster does not give the task to another.
        self._client.cancel([future])
        self._client.restart_workers(
            [address], timeout=WAIT_FOR_WORKERS_S, raise_for_error=False
        )
        return Ended(
            task,
            lost=f"took longer than {self._timeout_s:g} s at the Dask worker "
            f"{address}, which did not end itself",
        )

    def _collect(self, future: distributed.Future) -> Ended:
        """Takes what a future holds; its worker forgets it."""
        task = self._tasks.pop(future)
        if future.status == "finished":
            return Ended(task, record=future.result())
        if future.status == "error":
            return Ended(task, error=describe_error(future.exception()))
        return Ended(task, lost=f"Dask dropped it ({future.status})")
