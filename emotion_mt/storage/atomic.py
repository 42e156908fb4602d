"""Writing files so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path that takes the place of `path` at the end.

    The temporary file is flushed to disk and then renamed, so `path` holds
    either its old content or all of the new. After an exception the old
    content stays.

    Args:
        path: File to write; its folder is made if needed.

    Yields:
        Path to write to, with the same name as `path` in another folder.

    Raises:
        OSError: If it cannot be written; see `naming`.
    """
    path = Path(path)
    with naming(path), workspace(path) as folder:
        yield folder / path.name
        flush(folder / path.name)
        os.replace(folder / path.name, path)


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Adds `path` to errors of the system that name no file, as a full disk."""
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
def workspace(path: Path, mode: int = 0o777) -> Iterator[Path]:
    """Makes a hidden folder beside `path`, for what will be there.

    It is removed in the end. A lock of the operating system says until then
    that it is in use. The lock ends with the process, however that ends; the
    next call for the same `path` removes the folder then.

    Args:
        path: What the work is for; its folder is made if needed.
        mode: Permissions, of which the process's mask is taken away.

    Yields:
        The folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, path.name)
    while True:
        folder = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}.tmp")
        folder.mkdir(mode)
        lock = _lock_of(folder)
        # Another process may have taken it for a leftover before it is held.
        with contextlib.suppress(filelock.Timeout):
            lock.acquire(timeout=0)
            break
    try:
        yield folder
    finally:
        # First: Windows removes no open file.
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, name: str | None = None) -> None:
    """Removes workspaces whose process was killed; others stay.

    It is cleaning up: what cannot be removed stays.

    Args:
        folder: Where they lie; need not exist.
        name: Name of what they were for; None for all.
    """
    what = ".+" if name is None else re.escape(name)
    pattern = re.compile(rf"\.{what}-[0-9a-f]{{8}}\.tmp")
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            ours = pattern.fullmatch(entry.name)
            if ours and entry.is_dir(follow_symlinks=False):
                with (
                    contextlib.suppress(OSError),  # filelock.Timeout is one.
                    _lock_of(Path(entry.path)).acquire(timeout=0),
                ):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _lock_of(workspace: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(workspace / ".lock", thread_local=False)


def flush(path: Path) -> None:
    """Waits until a file, or all files of a folder, are on the disk."""
    for part in (path, *path.rglob("*")):
        if part.is_file():
            with part.open("rb+") as written:
                os.fsync(written.fileno())


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
