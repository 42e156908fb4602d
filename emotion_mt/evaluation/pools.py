"""Pools of worker processes: what they have in common, and the local one."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, Self

import loky

from emotion_mt.evaluation import workers
from emotion_mt.evaluation.jobs import Job

#: Seconds that a worker process may take to start and import TensorFlow.
START_LIMIT_S = 600.0

#: Longest wait in one go, so that clocks and other runs are looked at.
POLL_S = 0.5


@dataclasses.dataclass(frozen=True)
class Task:
    """A job that is to be done.

    Attributes:
        job: The job.
        key: `job.key(…)`.
        path: Its result file.
    """

    job: Job
    key: str
    path: Path


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a task ended; exactly one of the last three is set.

    Attributes:
        task: The task.
        record: Its record.
        error: Type and text of the error that the fit raised. Another try
            would raise it again.
        lost: How its worker was lost. Another try may go well.
    """

    task: Task
    record: dict[str, Any] | None = None
    error: str | None = None
    lost: str | None = None


class Pool(Protocol):
    """Worker processes. A context manager: leaving it ends all work."""

    def __enter__(self) -> Self:
        """Opens the pool."""

    def __exit__(self, *_: object) -> None:
        """Ends what runs and cleans up."""

    def free(self) -> int:
        """Returns the number of tasks that could start now."""

    def busy(self) -> int:
        """Returns the number of tasks that were started and not returned."""

    def rank(self, task: Task) -> int:
        """Returns a number that is small for tasks to be started first."""

    def start(self, task: Task) -> None:
        """Starts a task; only if one is free."""

    def wait(self, timeout_s: float) -> list[Ended]:
        """Waits until a task ended, or for some seconds; returns what did."""


def _shape(task: Task) -> tuple[Any, ...]:
    """What jobs with the same compiled model have in common."""
    job = task.job
    return job.architecture, job.config.modalities, len(job.viewers)


def _exit(error: BaseException) -> str:
    """Returns the exit codes that loky's long message has, if it has."""
    found = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    return "" if found is None else f" with {found[1]}"


def describe_error(error: BaseException) -> str:
    """Returns type and text of an error."""
    return f"{type(error).__name__}: {error}"


#: How the descriptions of errors begin that Python, NumPy, TensorFlow and XLA
#: raise for lack of memory: it may be there when other processes have ended.
_OUT_OF_MEMORY = re.compile(
    r"\w*MemoryError\b|ResourceExhaustedError\b|\w+: RESOURCE_EXHAUSTED\b"
    r"|\w+: std::bad_alloc\b"
)


def ran_out_of_memory(description: str) -> bool:
    """Tells errors for lack of memory from others.

    Args:
        description: Of `describe_error`.
    """
    return _OUT_OF_MEMORY.match(description) is not None


class LocalPool:
    """Processes on this machine, one executor of loky each.

    One executor per process, so that a process that dies or hangs is told
    from the others, which go on. loky starts fresh interpreters: forked
    children of a process that has used TensorFlow deadlock.

    Args:
        size: Number of processes, each started with its first task.
        shared: Input of the jobs.
        job_timeout_s: Seconds after which a job's process is killed.
    """

    def __init__(
        self, size: int, shared: workers.Input, job_timeout_s: float
    ) -> None:
        token = uuid.uuid4().hex
        self._workers = [
            _Worker(token, shared, job_timeout_s) for _ in range(size)
        ]

    def __enter__(self) -> Self:
        """Starts nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kills the processes, and does not let Ctrl-C interrupt that."""
        with _without_interrupts():
            for worker in self._workers:
                worker.kill()

    def _at_work(self) -> list[_Worker]:
        return [w for w in self._workers if w.task is not None]

    def _idle(self) -> list[_Worker]:
        return [w for w in self._workers if w.task is None]

    def free(self) -> int:
        """Returns the number of idle processes."""
        return len(self._idle())

    def busy(self) -> int:
        """Returns the number of processes that have a task."""
        return len(self._at_work())

    def rank(self, task: Task) -> int:
        """Prefers tasks whose model an idle process has compiled last.

        Compiling a model takes as long as some fits, so each process keeps
        to one architecture while there are such tasks, and then takes one
        that no other is at.

        Args:
            task: A task.
        """
        shape = _shape(task)
        if any(w.shape == shape for w in self._idle()):
            return 0
        return 2 if any(w.shape == shape for w in self._at_work()) else 1

    def start(self, task: Task) -> None:
        """Gives a task to the idle process that suits it best.

        Args:
            task: The task.
        """
        shape = _shape(task)
        max(self._idle(), key=lambda w: (w.shape == shape, w.alive)).start(task)

    def wait(self, timeout_s: float) -> list[Ended]:
        """Waits until a task ended, or for some seconds.

        Args:
            timeout_s: The seconds.

        Returns:
            The tasks that ended.
        """
        at_work = self._at_work()
        if not at_work:
            time.sleep(timeout_s)
            return []
        concurrent.futures.wait(
            [worker.future for worker in at_work],
            timeout_s,
            return_when=concurrent.futures.FIRST_COMPLETED,
        )
        ended = [worker.poll() for worker in at_work]
        return [end for end in ended if end is not None]


class _Worker:
    """One process, replaced by a fresh one after it was lost."""

    def __init__(
        self, token: str, shared: workers.Input, job_timeout_s: float
    ) -> None:
        self._token = token
        self._shared = shared
        self._timeout_s = job_timeout_s
        self._executor: loky.ProcessPoolExecutor | None = None
        self._ready: concurrent.futures.Future = concurrent.futures.Future()
        self._start_s = 0.0
        self.future: concurrent.futures.Future = concurrent.futures.Future()
        self.task: Task | None = None
        #: Kind of model that the process has compiled last.
        self.shape: tuple[Any, ...] | None = None

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._executor is not None

    def start(self, task: Task) -> None:
        with _without_interrupts():
            try:
                self.future = self._submit(task)
            except concurrent.futures.BrokenExecutor:
                # The process died while it was idle.
                self.kill()
                self.future = self._submit(task)
        self.task, self.shape = task, _shape(task)
        self._start_s = time.monotonic()
        # A fresh process: the job's time starts when the process is ready.
        self._ready.add_done_callback(self._restart_clock)

    def _submit(self, task: Task) -> concurrent.futures.Future:
        if self._executor is None:
            self._executor = self._make_executor()
            self._ready = self._executor.submit(workers.ready)
        return self._executor.submit(
            workers.fit_job, self._token, task.job, task.key
        )

    def _restart_clock(self, _: concurrent.futures.Future) -> None:
        self._start_s = time.monotonic()

    def _make_executor(self) -> loky.ProcessPoolExecutor:
        # A worker that keeps compiled models is no leak (loky would replace
        # the process, which then compiles them again).
        environment = {
            **workers.ONE_THREAD,
            "LOKY_MAX_MEMORY_LEAK_SIZE": str(2**62),
        }
        return loky.ProcessPoolExecutor(
            1,
            initializer=workers.start_local_worker,
            initargs=(os.getpid(), self._token, self._shared),
            env=environment,
        )

    def poll(self) -> Ended | None:
        """Returns how the task ended, or None if it has not."""
        if self.task is None:
            return None
        if not self.future.done():
            limit_s = self._timeout_s if self._ready.done() else START_LIMIT_S
            if time.monotonic() - self._start_s <= limit_s:
                return None
            self.kill()
            return self._end(lost=f"took longer than {limit_s:g} s")
        error = self.future.exception()
        if error is None:
            return self._end(record=self.future.result())
        if isinstance(error, concurrent.futures.BrokenExecutor):
            self.kill()
            return self._end(lost=f"the worker process died{_exit(error)}")
        description = describe_error(error)
        if ran_out_of_memory(description):
            # The next try is in a process that holds nothing yet.
            self.kill()
        return self._end(error=description)

    def _end(self, **how: Any) -> Ended:
        task, self.task = self.task, None
        assert task is not None
        return Ended(task, **how)

    def kill(self) -> None:
        """Ends the process, whatever it does."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = self.shape = None


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Puts Ctrl-C off until the end of the block.

    A process that is started inside never sees one: it would print a
    traceback for each.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    with _handler_put_off():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _handler_put_off() -> Iterator[None]:
    """Puts the handler of Ctrl-C off, which runs in the main thread.

    A mask alone does not: the system hands the signal to any thread without
    one, and Python then calls the handler in the main thread all the same.
    """
    handler = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or not callable(handler):
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)
