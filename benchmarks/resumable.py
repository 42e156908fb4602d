"""Many small pieces of work in parallel, kept as they finish.

Every piece runs in a process with one compute thread, so its result does not
depend on the number of processes. Each finished piece is one line of a JSON
Lines file; a run that was stopped at any moment continues with the pieces
that have no line.
"""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import loky
from tqdm.auto import tqdm

#: Seconds after which a process without work ends. So none stays behind when
#: the process that started it is killed.
_IDLE_S = 60

#: Growth after which loky replaces a process. Its own limit, 0.3 GB, is met
#: every few pieces, and the new process has to compile everything again.
_MOST_GROWTH_BYTES = 3 * 10**9

# Set once in each worker process by `_start`.
_shared: Any = None


def read_results(path: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Reads the finished pieces.

    Args:
        path: A JSON Lines file written by `run`; it need not exist.

    Returns:
        Key to result. A last line that was cut off when the run was stopped
        does not count.

    Raises:
        ValueError: If any other line is not a result.
    """
    if not path.exists():
        return {}
    found = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    # What follows the last line break is empty, or the start of a line.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            result = json.loads(line)
            found[result["key"]] = result
        except (json.JSONDecodeError, TypeError, KeyError) as error:
            raise ValueError(
                f"{path}, line {number}: expected a JSON object with the "
                f"entry `key`. Received: {line[:80]!r}"
            ) from error
    return found


def append_result(path: pathlib.Path, result: Mapping[str, Any]) -> None:
    """Adds one finished piece and writes it out at once.

    Args:
        path: The JSON Lines file; a last line that was cut off is removed.
        result: JSON values with the entry "key"; no NaN.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(result, allow_nan=False) + "\n"
    with path.open("a+b") as file:
        whole = _whole_bytes(file)
        file.truncate(whole)
        file.write(line.encode())


def _whole_bytes(file: Any) -> int:
    """Returns how many bytes of a file are whole lines."""
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def run(
    function: Callable[[Any, Any], Mapping[str, Any]],
    tasks: Mapping[str, Any],
    path: pathlib.Path,
    shared: Any,
    workers: int,
    title: str,
) -> list[dict[str, Any]]:
    """Runs the pieces that have no result yet.

    Args:
        function: Gets `shared` and one of `tasks`, in a worker process;
            returns JSON values.
        tasks: Key to piece of work, in the order in which they start.
        path: The JSON Lines file of the results.
        shared: What all pieces need; it travels once per process.
        workers: Number of processes, at least 1.
        title: Stands before the progress bar.

    Returns:
        The results of `tasks`, in their order.

    Raises:
        ValueError: If `workers` is less than 1.
        Exception: What a piece raises; everything finished is kept.
    """
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    done = read_results(path)
    waiting = {key: task for key, task in tasks.items() if key not in done}
    if waiting:
        bar = tqdm(
            total=len(tasks), initial=len(tasks) - len(waiting), desc=title
        )
        with bar, _pool(min(workers, len(waiting)), shared) as pool:
            futures = {
                pool.submit(_call, function, task): key
                for key, task in waiting.items()
            }
            try:
                for future in concurrent.futures.as_completed(futures):
                    key = futures[future]
                    done[key] = {"key": key, **future.result()}
                    append_result(path, done[key])
                    bar.update()
            except BaseException:
                pool.shutdown(wait=False, kill_workers=True)
                raise
    return [done[key] for key in tasks]


def _pool(workers: int, shared: Any) -> loky.ProcessPoolExecutor:
    # loky starts fresh interpreters: forked children of a process that has
    # used TensorFlow deadlock.
    return loky.ProcessPoolExecutor(
        workers,
        timeout=_IDLE_S,
        initializer=_start,
        initargs=(shared,),
        env={"LOKY_MAX_MEMORY_LEAK_SIZE": str(_MOST_GROWTH_BYTES)},
    )


def _start(shared: Any) -> None:
    """Prepares a worker process."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    global _shared
    _shared = shared


def _call(function: Callable[[Any, Any], Any], task: Any) -> Any:
    return function(_shared, task)
