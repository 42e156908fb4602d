"""The network of a bundle: a description and one array of numbers.

Neither can name a class but ours or run code. What a forged bundle can do is
to claim sizes; none is allocated that the file of the weights does not have.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt.features.files import UNREADABLE
from emotion_mt.inference.errors import BundleError
from emotion_mt.models import (
    BaselineTextModel,
    EvokedEmotionModel,
    ViewerModel,
)

#: Classes that a bundle may hold, by name. (The Baseline's visual network
#: looks at histograms, which `Predictor` does not compute.)
MODELS: Mapping[str, type[ViewerModel]] = {
    model.__name__: model for model in (EvokedEmotionModel, BaselineTextModel)
}

#: What building a network raises if its description makes no sense.
_UNBUILDABLE = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError),
    *(TypeError, ValueError, tf.errors.OpError),
)


def describe(model: ViewerModel) -> dict[str, Any]:
    """Returns class, arguments and variables of a model, as plain JSON."""
    config = {**model.get_config(), "dtype": model.dtype_policy.name}
    # Most bundles have none, and those of before do not mention it.
    if not model.added:
        config.pop("added", None)
    return {
        "class_name": type(model).__name__,
        "config": config,
        "variables": [
            f"{name} {tuple(variable.shape)}"
            for name, variable in _variables(model)
        ],
    }


def write_weights(path: Path, model: ViewerModel) -> None:
    """Writes all variables, one after the other, as one float32 array."""
    arrays = [
        np.ravel(keras.ops.convert_to_numpy(variable)).astype("float32")
        for _, variable in _variables(model)
    ]
    np.save(path, np.concatenate(arrays))


def rebuild(
    path: Path, described: Mapping[str, Any], weights: Path
) -> ViewerModel:
    """Builds what `describe` described, with what `write_weights` wrote.

    Raises:
        BundleError: If it is no model of ours (names `path`), or the weights
            are not those of this model.
    """
    name, config = described.get("class_name"), described.get("config")
    # Keras makes an object of whatever class a dict names as "dtype".
    if (
        str(name) not in MODELS
        or not isinstance(config, dict)
        or not isinstance(config.get("dtype"), str)
    ):
        raise BundleError(
            f"{path}: expected the class_name {' or '.join(MODELS)} and its "
            "config, with the name of a dtype. Received: "
            f"{name!r:.100} and {config!r:.300}"
        )
    try:
        # Symbolic: nothing is allocated.
        with tf.Graph().as_default():
            plan = MODELS[str(name)].from_config(config)
    except _UNBUILDABLE as error:
        raise BundleError(
            f"{path}: expected the config of an {name}. Received one that "
            f"builds none: {error}"
        ) from error
    _check_same(path, describe(plan), described)
    sizes = [math.prod(variable.shape) for _, variable in _variables(plan)]
    flat = _read_weights(weights, sum(sizes))
    model = MODELS[str(name)].from_config(config)
    arrays = np.split(flat, np.cumsum(sizes)[:-1])
    for (key, variable), array in zip(_variables(model), arrays, strict=True):
        wrong = np.count_nonzero(~np.isfinite(array))
        if wrong:
            raise BundleError(
                f"{weights}: expected finite weights. Received {wrong} of "
                f"{array.size} numbers of {key} that are not"
            )
        variable.assign(array.reshape(variable.shape))
    return model


def _variables(model: ViewerModel) -> list[tuple[str, Any]]:
    """(name of layer and variable, variable) of all variables."""
    return [
        (f"{layer.name}/{variable.name}", variable)
        for layer in model.layers
        for variable in layer.weights
    ]


def _check_same(
    path: Path, expected: Mapping[str, Any], received: Mapping[str, Any]
) -> None:
    """Raises unless a model is described as `describe` does it."""
    lines = [
        re.split(",?\n *", json.dumps(described, indent=1, sort_keys=True))
        for described in (expected, received)
    ]
    for ours, theirs in itertools.zip_longest(*lines, fillvalue="nothing"):
        if ours != theirs:
            raise BundleError(
                f"{path}: expected the description of a model as save_bundle "
                f"writes it, here {ours:.200}. Received: {theirs:.200}"
            )


def _read_weights(path: Path, size: int) -> np.ndarray:
    """Reads float32 [size]."""
    try:
        # Mapped first: a size that the file does not have is not allocated.
        flat = np.array(np.lib.format.open_memmap(path, mode="r"))
    except UNREADABLE as error:
        raise BundleError(
            f"{path}: expected an array of numbers (.npy). Received a file "
            f"that cannot be read as one: {error}"
        ) from error
    if (flat.dtype, flat.shape) != (np.dtype("<f4"), (size,)):
        raise BundleError(
            f"{path}: expected float32 [{size}], the weights of the model in "
            f"bundle.json. Received: {flat.dtype} {list(flat.shape)}"
        )
    return flat
