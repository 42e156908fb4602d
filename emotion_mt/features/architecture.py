"""The table of I3D's units, under the names of DeepMind's variables.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, the
inflated Inception-V1 (Sect. III-D of the paper takes its Mixed_5c). Every
source of the weights, the Keras model and the feature store speak of a unit
by the name it has in this table.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

#: What DeepMind's variables start with.
SCOPE = "RGB/inception_i3d"

#: Classes of Kinetics-400.
CLASSES = 400

#: Added to the moving variance of the batch normalisations, which have no
#: gamma.
BATCH_NORM_EPSILON = 1e-3

#: Windows shorter than this leave no frame for Mixed_5c; it sees every 8th.
TEMPORAL_STRIDE = 8

#: Mixed_5c sees every 32nd pixel.
SPATIAL_STRIDE = 32

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

    Attributes:
        name: DeepMind's name, without `SCOPE`, "Mixed_3b/Branch_0/…".
        inputs: Input channels.
        outputs: Output channels.
        kernel: Kernel size, the same in time, height and width.
        stride: Stride, the same in time, height and width.
    """

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
    """The units of I3D, by name, in the order of the forward pass.

    Returns:
        Name, without `SCOPE`, to `Unit`; 58 of them.
    """
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: {width}")

    def scaled(channels: int) -> int:
        return math.ceil(channels * width)

    stem = (
        ("Conv3d_1a_7x7", 3, scaled(64), 7, 2),
        ("Conv3d_2b_1x1", scaled(64), scaled(64), 1, 1),
        ("Conv3d_2c_3x3", scaled(64), scaled(192), 3, 1),
    )
    table = [Unit(*row) for row in stem]
    channels = scaled(192)
    for block, outputs in MIXED_CHANNELS.items():
        a, b, c, d, e, f = (scaled(count) for count in outputs)
        inputs = (channels, channels, b, channels, d, channels)
        table += [
            Unit(name, *row)
            for name, *row in zip(
                mixed_unit_names(block),
                inputs,
                (a, b, c, d, e, f),
                (1, 1, 3, 1, 3, 1),
                strict=True,
            )
        ]
        channels = a + c + e + f
    table.append(Unit(LOGITS_UNIT, channels, CLASSES, 1))
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
