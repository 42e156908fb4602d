"""Claims: which of several runs on one folder makes a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from emotion_mt.storage import atomic


class Claim:
    """The right to do the work for one file and to write it.

    See `try_claim`.
    """

    def __init__(self, lock: filelock.BaseFileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Gives the work up, and removes the lock's file.

        On Windows, where an open file cannot be removed, the file stays; it
        is empty and does no harm.
        """
        if os.name != "nt":
            # Before the release: whoever waits on this file notices that it
            # is gone (filelock does) and starts over with a new one.
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def try_claim(path: Path) -> Claim | None:
    """Claims the work that a file belongs to, without waiting.

    The claim is a lock of the operating system on the hidden file
    `.<name>.lock` beside the file. It ends with the process that holds it,
    however that ends, so a dead run blocks nobody. What a killed process had
    half written is removed.

    Args:
        path: The file that is the result. Its folder is made if need be.

    Returns:
        The claim, or None while another run holds it.

    Raises:
        OSError: If the folder cannot be written to.
    """
    lock = _lock(path, f".{path.name}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return None
    atomic.remove_leftovers(path)
    return Claim(lock)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Holds the lock of a file, so that one process at a time changes it.

    It waits for others. The lock is `<name>.lock` beside the file, another
    one than that of `try_claim`: who has claimed the work may write.

    Args:
        path: The file to be changed. Its folder is made if need be.
    """
    lock = _lock(path, f"{path.name}.lock")
    lock.acquire()
    try:
        atomic.remove_leftovers(path)
        yield
    finally:
        Claim(lock).release()


def tidy(folder: Path) -> None:
    """Removes what killed processes left in a folder of ours.

    That is half-written files, and locks of finished work, which nobody will
    claim again. What a living process writes or holds stays, and so does what
    cannot be removed.

    Args:
        folder: A folder in which `try_claim` or `writing` is used; need not
            exist.
    """
    atomic.remove_unheld(folder, re.compile(r"\..+-[a-z0-9_]{8}\.tmp\.\w+"))
    with suppress(OSError):
        for path in list(folder.glob("*.lock")):
            lock = _lock(path, path.name)
            with suppress(filelock.Timeout):
                lock.acquire(timeout=0)
                Claim(lock).release()


def _lock(path: Path, name: str) -> filelock.BaseFileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(path.with_name(name), thread_local=False)
