"""Writing files so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path that takes the place of `path` at the end.

    The temporary file lies in the same folder, is flushed to disk and then
    renamed, so `path` holds either its old content or all of the new. After
    an exception the old content stays and the temporary file is removed.

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
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        # mkstemp makes private files; give the usual permissions.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Removes what killed processes left of `path`, half written.

    To be called only where nobody else can be writing `path`.

    Args:
        path: The `path` that was given to `replacing`.
    """
    path = Path(path)
    pattern = f".{glob.escape(path.stem)}-*{glob.escape(path.suffix)}"
    for leftover in path.parent.glob(pattern):
        leftover.unlink(missing_ok=True)


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
