"""The I3D of TensorFlow Hub: its variables and its input range.

The module `deepmind/i3d-kinetics-400/1` is in the format of TF1: `hub.load`
gives a `WrappedFunction` per signature, whose `prune` reaches any tensor of
the graph by name.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt.features import architecture
from emotion_mt.features.weights import WeightsError

#: The published module.
HANDLE = "https://tfhub.dev/deepmind/i3d-kinetics-400/1"

#: The tensor that the paper takes its features from.
MIXED_5C = f"{architecture.SCOPE}/Mixed_5c/concat:0"

#: Ranges that a module may want, to the function from [-1, 1] to it.
INPUT_RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "[-1, 1]": lambda frames: frames,
    "[0, 1]": lambda frames: (frames + 1) / 2,
    "[0, 255]": lambda frames: (frames + 1) * 127.5,
}

#: Seconds without an answer after which a download is given up.
_TIMEOUT_S = 60.0


def load_module(handle: str) -> Any:
    """Loads a module in the format of TF1 with `hub.load`.

    Args:
        handle: A URL or a local folder.

    Returns:
        What `hub.load` returns.

    Raises:
        WeightsError: If it cannot be had or is no such module.
    """
    try:
        # Imported here: it needs setuptools < 82, brings Keras 2 along, and
        # nobody needs it who has the weights from elsewhere.
        import tensorflow_hub as hub

        with _socket_timeout(_TIMEOUT_S):
            module = hub.load(handle)
        signatures = module.signatures
    except (
        ImportError,
        OSError,
        ValueError,
        RuntimeError,
        AttributeError,
        tf.errors.OpError,
    ) as error:
        raise WeightsError(
            f"{handle}: expected a TF-Hub module (URL or folder) that can be "
            f"loaded. Received: {type(error).__name__}: {error}"
        ) from error
    if "default" not in signatures:
        raise WeightsError(
            f"{handle}: expected a module with the signature 'default'. "
            f"Received: {sorted(signatures)}"
        )
    return module


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Gives downloads of libraries that set no timeout one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def module_variables(module: Any) -> dict[str, np.ndarray]:
    """The variables of a module by name, without ":0".

    Args:
        module: What `load_module` returned.
    """
    return {v.name.split(":")[0]: v.numpy() for v in module.variables}


def module_mixed_5c(module: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The module's own way to Mixed_5c.

    Args:
        module: What `load_module` returned.

    Returns:
        A function from float32 [B, T, H, W, 3], in the range that the module
        wants, to Mixed_5c, float32 [B, T/8, H/32, W/32, 1024].

    Raises:
        WeightsError: If the graph has no tensor `MIXED_5C`.
    """
    signature = module.signatures["default"]
    # Captured variables come after the one argument.
    feed = signature.inputs[0]
    try:
        pruned = signature.prune(feeds=feed, fetches=MIXED_5C)
    except (KeyError, ValueError) as error:
        raise WeightsError(
            f"expected a module whose graph has {MIXED_5C}. Received: {error}"
        ) from error
    return lambda frames: pruned(tf.constant(frames, tf.float32)).numpy()


def input_range(
    module: Any, model: keras.Model, tolerance: float = 1e-3
) -> str:
    """Finds out by measurement which pixel range a module wants.

    Publications disagree whether the module rescales [0, 1] to [-1, 1] by
    itself. Two facts settle what this package does. The variables want
    [-1, 1]: with them, DESIGN's real clip of weight lifting gets its known
    class scores at that range. And this function tells of any module at hand
    whether its graph is the bare network ("[-1, 1]") or one that rescales
    first: it gives a random clip to the Keras I3D with the module's own
    variables and to the module in each range.

    Args:
        module: What `load_module` returned.
        model: The Keras I3D to Mixed_5c, float32, with the module's
            variables.
        tolerance: Largest difference, relative to the largest feature.

    Returns:
        A key of `INPUT_RANGES`.

    Raises:
        WeightsError: If no range gives what the variables give.
    """
    size = model.input_shape[2]
    shape = (1, 2 * architecture.TEMPORAL_STRIDE, size, size, 3)
    clip = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    expected = np.asarray(model(clip, training=False))
    mixed_5c = module_mixed_5c(module)
    errors = {}
    for name, convert in INPUT_RANGES.items():
        received = mixed_5c(convert(clip))
        difference = np.abs(received - expected).max()
        errors[name] = float(difference / np.abs(expected).max())
    best = min(errors, key=lambda name: errors[name])
    if errors[best] > tolerance:
        raise WeightsError(
            f"expected a module whose {MIXED_5C} is that of an I3D with its "
            f"variables within {tolerance} for one of the input ranges "
            f"{tuple(INPUT_RANGES)}. Received the differences {errors}"
        )
    return best


def is_module_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a SavedModel, as TF-Hub modules do."""
    names = ("saved_model.pb", "saved_model.pbtxt")
    return any(os.path.exists(os.path.join(path, name)) for name in names)
