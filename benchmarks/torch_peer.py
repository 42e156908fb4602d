"""PyTorch's I3D (piergiaj/pytorch-i3d) with our weights, for comparison."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

import numpy as np

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
