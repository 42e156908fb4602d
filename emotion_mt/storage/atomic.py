"""Writing files so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds after which a temporary file is a leftover where nothing says so.
_OLD_S = 24 * 3600.0


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path that takes the place of `path` at the end.

    The temporary file lies in the same folder, is flushed to disk and then
    renamed, so `path` holds either its old content or all of the new. After
    an exception the old content stays and the temporary file is removed. What
    a process that was killed has left of `path` is removed by the next call.

    Args:
        path: File to write; its folder is made if needed.

    Yields:
        Path to write to, with the same suffix as `path`.

    Raises:
        OSError: If it cannot be written; names `path` where the system's own
            error names no file, as for a full disk.
    """
    path = Path(path)
    with naming(path), _replacing(path) as temporary:
        yield temporary


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Adds `path` to errors of the system that name no file.

    Args:
        path: What is written in the block.

    Raises:
        OSError: With `path` as its file name, for instance for a full disk.
    """
    try:
        yield
    except OSError as error:
        # Errors of a kind of their own say what has to be said.
        if error.filename is not None or type(error) is not OSError:
            raise
        if error.errno is None:
            raise OSError(f"{path}: {error}") from error
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    with _temporary_file(path) as temporary:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        # mkstemp makes private files; give the usual permissions.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)


@contextlib.contextmanager
def _temporary_file(path: Path) -> Iterator[Path]:
    """Makes an empty hidden file beside `path` and holds it (see `held`)."""
    while True:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-",
            suffix=f".tmp{path.suffix}",
            dir=path.parent,
        )
        # Another run may have taken it for a leftover before it was held.
        if _hold(handle) and os.fstat(handle).st_nlink:
            break
        os.close(handle)
    if fcntl is None:
        # Where files are not held, they must not be open to be renamed.
        os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        if fcntl is not None:
            os.close(handle)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Removes what killed processes left of `path`, half written.

    What a living process is writing stays.

    Args:
        path: The `path` that was given to `replacing`.
    """
    path = Path(path)
    # As `mkstemp` names files.
    pattern = re.compile(
        rf"\.{re.escape(path.stem)}-[a-z0-9_]{{8}}\.tmp{re.escape(path.suffix)}"
    )
    remove_unheld(path.parent, pattern)


@contextlib.contextmanager
def temporary_folder(
    parent: Path, prefix: str, mode: int = 0o777
) -> Iterator[Path]:
    """Makes a folder and removes what is at its name in the end.

    Until then it is held: a lock of the operating system on the folder, also
    where it is renamed, says that it is in use. The lock ends with the
    process, however that ends; `remove_unheld` then removes the folder.

    Args:
        parent: Where to make it.
        prefix: What its name begins with; see `folder_names`.
        mode: Its permissions, of which the process's mask is taken away.

    Yields:
        Its path.

    Raises:
        OSError: If it cannot be made.
    """
    while True:
        path = parent / f"{prefix}{uuid.uuid4().hex[:8]}.tmp"
        path.mkdir(mode)
        handle = None if fcntl is None else os.open(path, os.O_RDONLY)
        # Another run may have taken it for a leftover before it was held.
        if handle is None or (_hold(handle) and path.exists()):
            break
        os.close(handle)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def folder_names(prefix: str) -> str:
    """Returns a regular expression for names of `temporary_folder`."""
    return rf"{re.escape(prefix)}[0-9a-f]{{8}}\.tmp"


def _hold(handle: int) -> bool:
    """Marks an open file or folder as in use; False if another has done so."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody can tell whose it is, so
        # `remove_unheld` leaves it alone.
        return True
    return True


def remove_unheld(folder: Path, names: re.Pattern[str]) -> None:
    """Removes temporary files and folders that no living process holds.

    Where the system cannot say so (Windows), those that are a day old. It is
    cleaning up: what cannot be removed stays.

    Args:
        folder: Where they lie; need not exist.
        names: Matches their names, and no others.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if names.fullmatch(entry.name):
                _remove_unheld(Path(entry.path))


def _remove_unheld(path: Path) -> None:
    with contextlib.suppress(OSError):
        if fcntl is None:
            if time.time() - path.stat().st_mtime > _OLD_S:
                _remove(path)
            return
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
        finally:
            os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` to `path` in UTF-8, all or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Writes `content` to `path` as strict JSON, all or nothing.

    Raises:
        ValueError: If `content` holds NaN or infinity; missing numbers are
            written as null (None).
    """
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")
