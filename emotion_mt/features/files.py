"""The cache folder, digests, and reading arrays safely."""

from __future__ import annotations

import hashlib
import lzma
import os
import pathlib
import zipfile
import zlib

import numpy as np

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
            # A size that was altered.
            MemoryError,
            # Encryption and other features of ZIP that nobody asked for.
            RuntimeError,
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
        ) as error:
            raise DamagedFileError(
                f"{os.fspath(path)}: expected arrays (.npz). Received a file "
                f"that cannot be read: {error}"
            ) from error


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
