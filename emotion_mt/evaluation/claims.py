"""Claims: which of several runs on one folder does a job."""

from __future__ import annotations

import os
from pathlib import Path

import filelock

from emotion_mt.corpus import atomic


class Claim:
    """The right to do one job and write its file; see `try_claim`."""

    def __init__(self, lock: filelock.BaseFileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Gives the job up, and removes the lock's file.

        On Windows, where an open file cannot be removed, the file stays; it
        is empty and does no harm.
        """
        if os.name != "nt":
            # Before the release: whoever waits on this file notices that it
            # is gone (filelock does) and starts over with a new one.
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def try_claim(path: Path) -> Claim | None:
    """Claims the job that a result file belongs to, without waiting.

    The claim is a lock of the operating system on the hidden file
    `.<name>.lock` beside the result. It ends with the process that holds it,
    however that ends, so a dead run blocks nobody. What a killed process had
    half written is removed.

    Args:
        path: The result file. Its folder is made if need be.

    Returns:
        The claim, or None while another run holds it.

    Raises:
        OSError: If the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(
        path.with_name(f".{path.name}.lock"), thread_local=False
    )
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return None
    atomic.remove_leftovers(path)
    return Claim(lock)
