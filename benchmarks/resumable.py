"""Many small pieces of work in parallel, kept as they finish.

Every piece runs in a Dask worker, a process with one compute thread, so its
result does not depend on the number of processes. Each finished piece is one
line of a JSON Lines file; a run that was stopped at any moment continues with
the pieces that have no line.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import distributed
from tqdm.auto import tqdm


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
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line.encode())


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
    waiting = [key for key in tasks if key not in done]
    if waiting:
        with (
            distributed.LocalCluster(
                n_workers=min(workers, len(waiting)),
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address=":0",
            ) as cluster,
            distributed.Client(cluster) as client,
            tqdm(
                total=len(tasks), initial=len(tasks) - len(waiting), desc=title
            ) as bar,
        ):
            spread = client.scatter(shared, hash=False, broadcast=True)
            futures = {
                client.submit(_call, function, spread, tasks[key], key=key): key
                for key in waiting
            }
            for future, result in distributed.as_completed(
                futures, with_results=True
            ):
                key = futures[future]
                done[key] = {"key": key, **result}
                append_result(path, done[key])
                bar.update()
    return [done[key] for key in tasks]


def _call(function: Callable[[Any, Any], Any], shared: Any, task: Any) -> Any:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return function(shared, task)
