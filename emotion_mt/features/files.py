"""The cache folder, locks, and reading arrays safely."""

from __future__ import annotations

import hashlib
import os
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import filelock
import numpy as np

from emotion_mt.corpus import atomic

#: Environment variable with the folder for converted weights and features.
CACHE_VARIABLE = "EMOTION_MT_CACHE"


class DamagedFileError(ValueError):
    """A file of ours that is cut short or altered."""


def cache_folder(cache_dir: str | os.PathLike[str] | None) -> pathlib.Path:
    """The folder that holds converted weights and extracted features.

    Args:
        cache_dir: A folder, or None for `$EMOTION_MT_CACHE` or, where that is
            not set, `~/.cache/emotion_mt`.
    """
    if cache_dir is not None:
        return pathlib.Path(cache_dir)
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return pathlib.Path(chosen)
    return pathlib.Path.home() / ".cache" / "emotion_mt"


@contextmanager
def lock(path: pathlib.Path) -> Iterator[None]:
    """Holds the lock of a file, so that one process at a time changes it.

    The lock is a file beside it, `<name>.lock`; it is released when the
    process ends, however it ends. What a killed process had half written
    (see `atomic.replacing`) is removed.

    Args:
        path: The file to be changed. Its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_name(f"{path.name}.lock")):
        atomic.remove_leftovers(path)
        yield


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads all arrays of an .npz file; never unpickles.

    Raises:
        FileNotFoundError: If there is no such file.
        DamagedFileError: If it cannot be read as such a file.
    """
    # NumPy leaves files open that it cannot read; this one is closed.
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (
            OSError,
            EOFError,
            ValueError,
            AttributeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise DamagedFileError(
                f"{os.fspath(path)}: expected arrays (.npz). Received a file "
                f"that cannot be read: {error}"
            ) from error


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
