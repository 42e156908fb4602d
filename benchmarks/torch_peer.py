"""PyTorch's I3D (piergiaj/pytorch-i3d) with our weights, for comparison."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt.features import i3d

#: The branches of its inception blocks, in the order of ours.
_BRANCHES = ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")


def load_peer(
    folder: str, variables: dict[str, np.ndarray], windows: np.ndarray
) -> Callable[[], np.ndarray]:
    """Loads the peer.

    Args:
        folder: A clone of piergiaj/pytorch-i3d; PyTorch must be installed.
        variables: What `sources.find_variables` returns.
        windows: uint8 [B, T, 224, 224, 3], what it is to be timed on.

    Returns:
        A function without arguments that gives Mixed_5c of the windows, mean
        over time and space, float32 [B, 1024].
    """
    import torch

    sys.path.append(folder)
    model = importlib.import_module("pytorch_i3d").InceptionI3d(400)
    wanted = {
        name
        for name in model.state_dict()
        if not name.startswith("logits") and "num_batches" not in name
    }
    state = _state(variables)
    if wanted != set(state):
        raise ValueError(
            f"{folder}: expected an I3D with weights {sorted(state)}. "
            f"Received: {sorted(wanted)}"
        )
    tensors = {name: torch.from_numpy(x) for name, x in state.items()}
    model.load_state_dict(tensors, strict=False)
    model.eval()
    frames = windows.astype(np.float32).transpose(0, 4, 1, 2, 3) / 127.5 - 1
    inputs = torch.from_numpy(np.ascontiguousarray(frames))

    def run() -> np.ndarray:
        with torch.inference_mode():
            x = inputs
            for name in model.end_points:
                x = getattr(model, name)(x)
            return x.mean(dim=(2, 3, 4)).numpy()

    return run


def _state(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Our variables under its names."""
    names = {
        ours: f"{block}.{theirs}"
        for block in i3d.MIXED_CHANNELS
        for ours, theirs in zip(
            i3d.mixed_unit_names(block), _BRANCHES, strict=True
        )
    }
    state = {}
    for unit in i3d.units().values():
        if not unit.has_batch_norm:
            continue
        ours = f"{i3d.SCOPE}/{unit.name}"
        theirs = names.get(unit.name, unit.name)
        kernel = variables[f"{ours}/conv_3d/w"].transpose(4, 3, 0, 1, 2)
        state[f"{theirs}.conv3d.weight"] = np.ascontiguousarray(kernel)
        state[f"{theirs}.bn.weight"] = np.ones(unit.outputs, np.float32)
        for our, their in (
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            value = variables[f"{ours}/batch_norm/{our}"]
            state[f"{theirs}.bn.{their}"] = np.ravel(value)
    return state


def in_torch(
    model: keras.Model, kind: Mapping[str, Any]
) -> Callable[[Any], np.ndarray]:
    """Returns a function that walks the layers of an I3D with PyTorch."""
    import torch

    functional = torch.nn.functional
    weights = {
        layer.name: (
            torch.from_numpy(
                ops.convert_to_numpy(layer.kernel).transpose(4, 3, 0, 1, 2)
            ).to(**kind),
            torch.from_numpy(ops.convert_to_numpy(layer.bias)).to(**kind),
        )
        for layer in model.layers
        if hasattr(layer, "kernel")
    }

    def padded(x: Any, sizes: Any, strides: Any) -> Any:
        # Padding "same"; nothing is below 0 after ReLU where maxima are taken.
        pads: list[int] = []
        for n, size, step in zip(x.shape[2:], sizes, strides, strict=True):
            missing = max((-(-n // step) - 1) * step + size - n, 0)
            pads = [missing // 2, missing - missing // 2, *pads]
        return functional.pad(x, pads)

    def apply(layer: Any, x: Any) -> Any:
        if isinstance(layer, keras.layers.Concatenate):
            return torch.cat(x, 1)
        if isinstance(layer, keras.layers.GlobalAveragePooling3D):
            return x.float().mean((2, 3, 4))
        if isinstance(layer, keras.layers.MaxPooling3D):
            x = padded(x, layer.pool_size, layer.strides)
            return functional.max_pool3d(x, layer.pool_size, layer.strides)
        x = padded(x, layer.kernel_size, layer.strides)
        x = functional.conv3d(x, *weights[layer.name], layer.strides)
        return functional.relu(x)

    def forward(frames: Any) -> np.ndarray:
        known = {id(model.input): frames}
        with torch.inference_mode():
            for layer in model.layers[1:]:
                inputs = layer.input
                x = (
                    [known[id(tensor)] for tensor in inputs]
                    if isinstance(inputs, list)
                    else known[id(inputs)]
                )
                known[id(layer.output)] = apply(layer, x)
        return known[id(model.output)].cpu().numpy()

    return forward
