"""Digests, and arrays in files, read and written safely."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from emotion_mt.storage import atomic

#: What NumPy raises for a file that holds no arrays, or is damaged.
UNREADABLE = (
    *(OSError, EOFError, ValueError, AttributeError, OverflowError),
    # A header that is no Python any more, or another dictionary.
    *(SyntaxError, tokenize.TokenError, TypeError, LookupError),
    # A size that was altered; and parts of ZIP that nobody asked for.
    *(MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads all arrays of an .npz file; never unpickles.

    Raises:
        ValueError: If it is damaged.
    """
    # NumPy leaves files open that it cannot read; this one is closed.
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except UNREADABLE as error:
            raise ValueError(
                f"{os.fspath(path)}: expected arrays (.npz). Received a file "
                f"that cannot be read: {error}"
            ) from error


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes arrays to an .npz file, whole or not at all."""
    # Older NumPy leaves its archive open where a disk is full.
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    with atomic.replacing(path) as temporary:
        # A copy: the collector crashes on buffers in the traceback of an error.
        temporary.write_bytes(archive.getvalue())


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
