"""The table of I3D's units, under the names of DeepMind's variables.

The inflated Inception-V1 of Carreira and Zisserman (see `build_i3d`); every
source of the weights and the Keras model speak of a unit by its name here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

#: What DeepMind's variables start with.
SCOPE = "RGB/inception_i3d"

#: Added to the moving variance of the batch normalisations, which have no
#: gamma.
BATCH_NORM_EPSILON = 1e-3

#: The unit that turns pooled Mixed_5c into class scores; no batch norm.
LOGITS_UNIT = "Logits/Conv3d_0c_1x1"

#: Output channels of the six units of each inception block: branch 0, the
#: reduction and the convolution of branches 1 and 2, branch 3.
MIXED_CHANNELS: Mapping[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


@dataclasses.dataclass(frozen=True)
class Unit:
    """One convolution with its batch normalisation and ReLU.

    Kernel and stride are the same in time, height and width.
    """

    # DeepMind's, without `SCOPE`: "Mixed_3b/Branch_0/…".
    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1

    @property
    def layer_name(self) -> str:
        """Name of the Keras layer; Keras admits no slash in it."""
        return self.name.replace("/", "_")

    @property
    def has_batch_norm(self) -> bool:
        """Whether the unit has a batch normalisation, else a bias."""
        return self.name != LOGITS_UNIT


def mixed_unit_names(block: str) -> list[str]:
    """Names of the six units of an inception block, as in `MIXED_CHANNELS`."""
    # DeepMind's checkpoints name this one unit differently.
    odd = "0a" if block == "Mixed_5b" else "0b"
    units = ["0/Conv3d_0a_1x1", "1/Conv3d_0a_1x1", "1/Conv3d_0b_3x3"]
    units += ("2/Conv3d_0a_1x1", f"2/Conv3d_{odd}_3x3", "3/Conv3d_0b_1x1")
    return [f"{block}/Branch_{unit}" for unit in units]


def units(width: float = 1.0) -> dict[str, Unit]:
    """The 58 units of I3D, by name, in the order of the forward pass."""
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: {width}")

    def scaled(*channels: int) -> list[int]:
        return [math.ceil(count * width) for count in channels]

    first, channels = scaled(64, 192)
    table = [
        Unit("Conv3d_1a_7x7", 3, first, 7, 2),
        Unit("Conv3d_2b_1x1", first, first, 1),
        Unit("Conv3d_2c_3x3", first, channels, 3),
    ]
    for block, outputs in MIXED_CHANNELS.items():
        a, b, c, d, e, f = scaled(*outputs)
        inputs = (channels, channels, b, channels, d, channels)
        kernels = (1, 1, 3, 1, 3, 1)
        names = mixed_unit_names(block)
        table += map(Unit, names, inputs, (a, b, c, d, e, f), kernels)
        channels = a + c + e + f
    # The classes of Kinetics-400.
    table.append(Unit(LOGITS_UNIT, channels, 400, 1))
    return {unit.name: unit for unit in table}


def variable_shapes(width: float = 1.0) -> dict[str, tuple[int, ...]]:
    """DeepMind's variable names to their shapes; 230 of them at width 1."""
    shapes: dict[str, tuple[int, ...]] = {}
    for unit in units(width).values():
        prefix, size = f"{SCOPE}/{unit.name}", unit.kernel
        kernel = (size, size, size, unit.inputs, unit.outputs)
        shapes[f"{prefix}/conv_3d/w"] = kernel
        parts = ("beta", "moving_mean", "moving_variance")
        norm = [f"{prefix}/batch_norm/{part}" for part in parts]
        bias = norm if unit.has_batch_norm else [f"{prefix}/conv_3d/b"]
        shapes.update(dict.fromkeys(bias, (unit.outputs,)))
    return shapes
