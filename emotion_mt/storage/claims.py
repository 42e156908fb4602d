"""Claims: which of several runs on one folder makes a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from emotion_mt.storage import atomic


class Claim:
    """The right to do the work for one file and to write it.

    Args:
        path: File of the lock; its folder is made if need be.
        timeout_s: Seconds to wait for others; -1 for as long as it takes.

    Raises:
        filelock.Timeout: If another holds it for so long.
        OSError: If the folder cannot be written to.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(path, thread_local=False)
        self._lock.acquire(timeout=timeout_s)

    def release(self) -> None:
        """Gives the work up, and removes the lock's file."""
        # Not on Windows, where an open file cannot be removed; filelock does.
        if os.name != "nt":
            # Before the release: whoever waits on this file notices that it
            # is gone (filelock does) and starts over with a new one.
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def try_claim(path: Path) -> Claim | None:
    """Claims the work that a file belongs to, without waiting.

    The claim is a lock of the operating system on the hidden file
    `.<name>.lock` beside the file. It ends with the process that holds it,
    however that ends, so a dead run blocks nobody.

    Args:
        path: The file that is the result. Its folder is made if need be.

    Returns:
        The claim, or None while another run holds it.

    Raises:
        OSError: If the folder cannot be written to.
    """
    try:
        return Claim(path.with_name(f".{path.name}.lock"), 0)
    except filelock.Timeout:
        return None


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Lets one process at a time change a file, and waits for others.

    The lock is `<name>.lock` beside the file, another one than that of
    `try_claim`: who has claimed the work may write.
    """
    claim = Claim(path.with_name(f"{path.name}.lock"), -1)
    try:
        yield
    finally:
        claim.release()


def tidy(folder: Path) -> None:
    """Removes what killed processes left in a folder; need not exist.

    That is half-written files, and locks of finished work, which nobody will
    claim again. What a living process writes or holds stays.
    """
    atomic.sweep(folder)
    for path in list(folder.glob("*.lock")):
        # It is cleaning up: what cannot be removed stays.
        with contextlib.suppress(OSError):  # filelock.Timeout is one.
            Claim(path, 0).release()
