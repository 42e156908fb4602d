"""One run at a time on a folder."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from emotion_mt.storage.atomic import write_text

#: Hidden files in the folder: what is locked, and who holds it.
_LOCK, _HOLDER = ".lock", ".lock-holder"


class FolderLockedError(RuntimeError):
    """Another process is at work in a folder."""


@contextlib.contextmanager
def locked(
    folder: Path, wait: bool = False, say: Callable[[str], None] = print
) -> Iterator[None]:
    """Holds a folder, so that one run at a time works in it.

    The lock is one of the operating system. It ends with the process that
    holds it, however that ends, so a dead run blocks nobody.

    Args:
        folder: The folder; made if need be.
        wait: Whether to wait until nobody else holds it.
        say: Is told whom the wait is for.

    Raises:
        FolderLockedError: If another process holds it and `wait` is False;
            says which.
        OSError: If the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / _LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        holder = "not known, it has just begun or is ending"
        with contextlib.suppress(OSError):
            holder = (folder / _HOLDER).read_text(encoding="utf-8").strip()
        if not wait:
            raise FolderLockedError(
                f"{folder}: expected no other run in this folder. Received "
                f"one: {holder}. Wait for its end with --wait, or choose "
                "another folder with --out"
            ) from None
        say(f"Waiting for another run in {folder}: {holder}")
        lock.acquire()
    try:
        now = datetime.datetime.now().isoformat(" ", "seconds")
        write_text(
            folder / _HOLDER,
            f"process {os.getpid()} on {platform.node()} since {now}, "
            f"{' '.join(sys.argv[:1])}",
        )
        yield
    finally:
        (folder / _HOLDER).unlink(missing_ok=True)
        lock.release()
