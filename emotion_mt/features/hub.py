"""The I3D of TensorFlow Hub: its variables and its input range.

The module `deepmind/i3d-kinetics-400/1` is in the format of TF1: `hub.load`
gives a `WrappedFunction` per signature, whose `prune` reaches any tensor of
the graph by name.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.features import architecture, weights
from emotion_mt.features.i3d import build_i3d
from emotion_mt.features.weights import WeightsError

#: The published module.
HANDLE = "https://tfhub.dev/deepmind/i3d-kinetics-400/1"

#: The tensor that the paper takes its features from.
MIXED_5C = f"{architecture.SCOPE}/Mixed_5c/concat:0"

#: Ranges that a module may want, to factor and offset from [-1, 1] to it.
INPUT_RANGES = {
    "[-1, 1]": (1.0, 0.0),
    "[0, 1]": (0.5, 0.5),
    "[0, 255]": (127.5, 127.5),
}

#: Seconds without an answer after which a download is given up.
_TIMEOUT_S = 60.0


def is_module_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a SavedModel, as TF-Hub modules do."""
    names = ("saved_model.pb", "saved_model.pbtxt")
    return any(os.path.exists(os.path.join(path, name)) for name in names)


def from_hub(
    handle: str, image_size_px: int = 224, width: float = 1.0
) -> dict[str, np.ndarray]:
    """Takes the variables out of a TF-Hub module, and checks its graph.

    Publications disagree whether the module rescales [0, 1] to [-1, 1] by
    itself. Two facts settle what this package does. The variables want
    [-1, 1]: with them, DESIGN's real clip of weight lifting gets its known
    class scores at that range. And this function finds out whether the graph
    at hand is the bare network ("[-1, 1]") or one that rescales first, and
    logs it: it gives a random clip to the Keras I3D with the module's own
    variables and to the module in each range.

    Returns:
        What `weights.checked` returns.
    """
    before = socket.getdefaulttimeout()
    # hub.load sets no timeout.
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        # Imported here: it needs setuptools < 82, brings Keras 2 along, and
        # nobody needs it who has the weights from elsewhere.
        import tensorflow_hub as hub

        module = hub.load(handle)
        signature = module.signatures["default"]
        # Captured variables come after the one argument.
        mixed_5c = signature.prune(signature.inputs[0], MIXED_5C)
    except (
        *(ImportError, OSError, ValueError, RuntimeError),
        *(AttributeError, LookupError, tf.errors.OpError),
    ) as error:
        raise WeightsError(
            f"{handle}: expected a TF-Hub module (URL or folder) whose "
            f"signature 'default' has the tensor {MIXED_5C}. Received: "
            f"{type(error).__name__}: {error}"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    found = {v.name.split(":")[0]: v.numpy() for v in module.variables}
    variables = weights.checked(found, handle, width)
    model = build_i3d(image_size_px=image_size_px, width=width)
    weights.assign(model, variables, width)
    errors = _range_errors(mixed_5c, model)
    best = min(errors, key=lambda name: errors[name])
    if errors[best] > 1e-3:
        raise WeightsError(
            f"{handle}: expected a module whose {MIXED_5C} is that of an I3D "
            "with its variables within 0.001 for one of the input ranges "
            f"{tuple(INPUT_RANGES)}. Received the differences {errors}"
        )
    logging.info("TF-Hub module %s takes pixels in %s", handle, best)
    return variables


def _range_errors(mixed_5c: Any, model: Any) -> dict[str, float]:
    """Input range to the difference from the Keras model, relative."""
    size = model.input_shape[2]
    shape = (1, 2 * architecture.TEMPORAL_STRIDE, size, size, 3)
    clip = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    expected = np.asarray(model(clip, training=False))
    errors = {}
    for name, (factor, offset) in INPUT_RANGES.items():
        scaled = tf.constant(clip * factor + offset, tf.float32)
        difference = np.abs(mixed_5c(scaled).numpy() - expected).max()
        errors[name] = float(difference / np.abs(expected).max())
    return errors
