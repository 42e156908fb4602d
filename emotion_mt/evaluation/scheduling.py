"""Works off a list of tasks: claims, retries, result files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from absl import logging

from emotion_mt.corpus.claims import Claim, try_claim
from emotion_mt.evaluation import records
from emotion_mt.evaluation.pools import (
    POLL_S,
    Ended,
    Pool,
    Task,
    ran_out_of_memory,
)

#: Further tries of a job whose worker died, hung or ran out of memory.
EXTRA_TRIES = 2


def finished(task: Task) -> dict[str, Any] | None:
    """Reads the record of a task that was finished before, if it is sound."""
    try:
        record = records.read_record(task.path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        logging.warning("%s The job is run again.", error)
        return None
    return record if record["key"] == task.key else None


class Schedule:
    """Tasks that are worked off by one pool, beside other runs.

    A task is claimed before it starts, and its file is written before the
    claim is given up, so several runs on one folder share the work. A task
    that another run has claimed is looked at again until its file is there or
    its owner is gone.

    Args:
        tasks: Tasks, the first to start first.
        pool: Where they run; entered and left by the caller, who calls
            `release` after that.

    Attributes:
        elsewhere: Tasks that other runs were doing at the last look.
    """

    def __init__(self, tasks: Sequence[Task], pool: Pool) -> None:
        self._queue = list(tasks)
        self._pool = pool
        self._claims: dict[Task, Claim] = {}
        self._tries: Counter[Task] = Counter()
        self.elsewhere = 0

    def rounds(self) -> Iterator[tuple[list[Ended], list[Ended]]]:
        """Starts tasks and waits, until all have ended.

        Yields:
            What other runs finished, and what ended here, `lost` only for
            the last time; often nothing. Records are on disk.

        Raises:
            OSError: If a result file cannot be written.
        """
        while self._queue or self._pool.busy():
            yield self._fill(), []
            if self._queue or self._pool.busy():
                ended = map(self._settle, self._pool.wait(POLL_S))
                yield [], [end for end in ended if end is not None]

    def release(self) -> None:
        """Gives up all claims."""
        while self._claims:
            self._claims.popitem()[1].release()

    def _fill(self) -> list[Ended]:
        """Starts what can start; returns what other runs have finished."""
        others: list[Ended] = []
        held: set[Task] = set()
        while self._pool.free():
            for task in sorted(self._queue, key=self._pool.rank):
                if task in held:
                    continue
                if not self._claim(task):
                    held.add(task)
                    continue
                self._queue.remove(task)
                record = None if self._tries[task] else finished(task)
                if record is None:
                    self._tries[task] += 1
                    self._pool.start(task)
                    break
                # It was finished since the last look.
                self._give_up(task)
                others.append(Ended(task, record=record))
            else:
                # All were looked at.
                self.elsewhere = len(held)
                break
        return others

    def _claim(self, task: Task) -> bool:
        """Claims a task, unless it is or another run has it."""
        if task in self._claims:
            return True
        claim = try_claim(task.path)
        if claim is not None:
            self._claims[task] = claim
        return claim is not None

    def _settle(self, end: Ended) -> Ended | None:
        """Writes a record, or puts a task back; None if that is not the end."""
        if end.error is not None and ran_out_of_memory(end.error):
            end = Ended(end.task, lost=f"ran out of memory ({end.error})")
        if end.lost is not None:
            tries = self._tries[end.task]
            if tries <= EXTRA_TRIES:
                logging.warning(
                    "%s: %s. Trying again (%d of %d).",
                    end.task.job.name,
                    end.lost,
                    tries,
                    EXTRA_TRIES,
                )
                self._queue.append(end.task)
                return None
            end = Ended(end.task, lost=f"{end.lost}; tried {tries} times")
        elif end.record is not None:
            records.write_record(end.task.path, end.record)
        self._give_up(end.task)
        return end

    def _give_up(self, task: Task) -> None:
        self._claims.pop(task).release()
