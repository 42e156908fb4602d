"""The I3D in PyTorch, layer by layer with our weights, for comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops


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
