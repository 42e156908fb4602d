"""Variables of the I3D: what they must be, their digest, their file.

Between a source and the Keras model, weights are a dictionary from
DeepMind's variable names (`i3d.Unit.variables`) to float32 arrays.
"""

from __future__ import annotations

import emotion_mt._backend  # noqa: F401  Quietly, and first.

import hashlib
import os
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from emotion_mt.features import files, i3d

Variables = Mapping[str, np.ndarray]

#: Digest (`variables_digest`) of the published Kinetics-400 RGB variables.
KINETICS_400_DIGEST = (
    "7b86eb4196cd5d13b5f5f029d400d079a21b584dda786b356030b0e7c67b8e6d"
)

#: Added to the moving variance of the batch normalisations, which have no
#: gamma.
_BATCH_NORM_EPSILON = 1e-3


class WeightsError(RuntimeError):
    """Weights that cannot be had or are not those of an I3D."""


def variable_shapes() -> dict[str, tuple[int, ...]]:
    """DeepMind's variable names to their shapes, in the table's order; 230."""
    shapes: dict[str, tuple[int, ...]] = {}
    for unit in i3d.units().values():
        shapes |= unit.variables
    return shapes


def checked(variables: Variables, source: str) -> dict[str, np.ndarray]:
    """The I3D's variables in the order of the table, float32.

    Statistics of batch normalisations may come as [C] or [1, 1, 1, 1, C].
    Variables that the network does not have are left out.
    """
    result: dict[str, np.ndarray] = {}
    problems = []
    for name, shape in variable_shapes().items():
        if name not in variables:
            problems.append(f"{name}: missing")
            continue
        value = np.asarray(variables[name])
        if value.shape == (1, 1, 1, 1, *shape):
            value = value.reshape(shape)
        if value.shape != shape:
            problems.append(f"{name}: shape {value.shape}, not {shape}")
        elif value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            problems.append(f"{name}: not finite numbers")
        else:
            result[name] = np.ascontiguousarray(value, np.float32)
    if problems:
        raise WeightsError(
            f"{source}: expected the variables of an I3D "
            f"({i3d.SCOPE}/…). Received {len(variables)} variables, "
            f"{len(problems)} of the expected ones missing or unusable: "
            + "; ".join(problems[:3])
            + ("; …" if len(problems) > 3 else "")
        )
    return result


def variables_digest(variables: Variables) -> str:
    """SHA-256 over names, shapes and values (float32, little-endian)."""
    return _digest(sorted(variables.items()))


def model_digest(model: keras.Model) -> str:
    """SHA-256 over the paths, shapes and values of a model's variables.

    Args:
        model: Any Keras model. What it computes in does not change the
            digest as long as its variables are float32.

    Returns:
        64 hexadecimal digits.
    """
    pairs = ((v.path, keras.ops.convert_to_numpy(v)) for v in model.weights)
    return _digest(pairs)


def _digest(pairs: Iterable[tuple[str, np.ndarray]]) -> str:
    sha = hashlib.sha256()
    for name, value in pairs:
        sha.update(repr((name, value.shape)).encode())
        sha.update(np.ascontiguousarray(value, "<f4").data)
    return sha.hexdigest()


def assign(model: keras.Model, variables: Variables) -> None:
    """Puts variables into a model that `build_i3d` made."""
    layers = {layer.name: layer for layer in model.layers}
    for unit in i3d.units().values():
        # A model that ends in Mixed_5c has no class scores.
        if unit.layer_name in layers:
            layers[unit.layer_name].set_weights(_folded(variables, unit))


def _folded(variables: Variables, unit: i3d.Unit) -> list[np.ndarray]:
    """Kernel and bias of a unit with its batch normalisation inside."""
    kernel, *others = (variables[name] for name in unit.variables)
    if not unit.has_batch_norm:
        return [kernel, *others]
    # Folded in float64, so that float32 is rounded to once.
    beta, mean, variance = (value.astype(np.float64) for value in others)
    scale = 1.0 / np.sqrt(variance + _BATCH_NORM_EPSILON)
    folded = (kernel * scale, beta - mean * scale)
    return [value.astype(np.float32) for value in folded]


def load_variables(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads a converted file; never unpickles."""
    try:
        variables = files.read_npz(path)
    except ValueError as error:
        raise WeightsError(str(error)) from error
    return checked(variables, os.fspath(path))
