"""PyTorch's I3D (piergiaj/pytorch-i3d) with our weights, for comparison."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from emotion_mt.features import architecture

#: The branches of its inception blocks, in the order of ours.
_BRANCHES = ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")


class PeerMissingError(RuntimeError):
    """The peer is not installed; the message says what is missing."""


def load_peer(
    folder: str | None, variables: dict[str, np.ndarray], windows: np.ndarray
) -> tuple[Callable[[], np.ndarray], str]:
    """Loads the peer.

    Args:
        folder: A clone of piergiaj/pytorch-i3d.
        variables: What `sources.find_variables` returns.
        windows: uint8 [B, T, 224, 224, 3], what it is to be timed on.

    Returns:
        A function without arguments that gives Mixed_5c of the windows, mean
        over time and space, float32 [B, 1024]; and PyTorch's version.

    Raises:
        PeerMissingError: If PyTorch or the clone is missing.
    """
    if folder is None:
        raise PeerMissingError("no --pytorch_i3d")
    try:
        import torch
    except ImportError as error:
        raise PeerMissingError("PyTorch is not installed") from error
    path = pathlib.Path(folder) / "pytorch_i3d.py"
    if not path.exists():
        raise PeerMissingError(f"there is no {path}")
    model = _module(path).InceptionI3d(400, in_channels=3)
    state = {
        name: torch.from_numpy(value)
        for name, value in _state(variables).items()
    }
    unset = model.load_state_dict(state, strict=False).missing_keys
    unexpected = [
        name
        for name in unset
        if not name.startswith("logits")
        and not name.endswith("num_batches_tracked")
    ]
    if unexpected:
        raise RuntimeError(f"weights that the peer did not get: {unexpected}")
    model.eval()
    frames = windows.astype(np.float32).transpose(0, 4, 1, 2, 3) / 127.5 - 1
    inputs = torch.from_numpy(np.ascontiguousarray(frames))

    def run() -> np.ndarray:
        with torch.inference_mode():
            x = inputs
            for name in model.end_points:
                x = getattr(model, name)(x)
            return x.mean(dim=(2, 3, 4)).numpy()

    return run, f"torch {torch.__version__}"


def _module(path: pathlib.Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pytorch_i3d", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _state(variables: dict[str, np.ndarray]) -> dict[str, Any]:
    """Our variables under its names."""
    names = {
        ours: f"{block}.{theirs}"
        for block in architecture.MIXED_CHANNELS
        for ours, theirs in zip(
            architecture.mixed_unit_names(block), _BRANCHES, strict=True
        )
    }
    state = {}
    for unit in architecture.units().values():
        if not unit.has_batch_norm:
            continue
        ours = f"{architecture.SCOPE}/{unit.name}"
        theirs = names.get(unit.name, unit.name)
        norm = f"{ours}/batch_norm"
        kernel = variables[f"{ours}/conv_3d/w"].transpose(4, 3, 0, 1, 2)
        state[f"{theirs}.conv3d.weight"] = np.ascontiguousarray(kernel)
        state[f"{theirs}.bn.weight"] = np.ones(unit.outputs, np.float32)
        state[f"{theirs}.bn.bias"] = variables[f"{norm}/beta"]
        state[f"{theirs}.bn.running_mean"] = variables[f"{norm}/moving_mean"]
        variance = variables[f"{norm}/moving_variance"]
        state[f"{theirs}.bn.running_var"] = variance
    return state
