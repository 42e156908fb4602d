"""The inflated Inception-V1 (I3D) as a Keras model (Sect. III-D).

Its units stand in one table, under the names of DeepMind's variables; every
source of the weights and the Keras model speak of a unit by its name there.
"""

from __future__ import annotations

import emotion_mt._backend  # noqa: F401  Quietly, and first.

import math
from collections.abc import Mapping
from typing import NamedTuple

import keras

#: What DeepMind's variables start with.
SCOPE = "RGB/inception_i3d"

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

_Size = tuple[int, int, int]

#: What a network may compute in.
_DTYPES = ("float32", "bfloat16", "float16")


class Unit(NamedTuple):
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

    @property
    def variables(self) -> dict[str, tuple[int, ...]]:
        """DeepMind's names of its variables, and their shapes."""
        norm = ("beta", "moving_mean", "moving_variance")
        bias = [f"batch_norm/{part}" for part in norm]
        names = bias if self.has_batch_norm else ["conv_3d/b"]
        prefix, size = f"{SCOPE}/{self.name}", self.kernel
        kernel = (size, size, size, self.inputs, self.outputs)
        shapes = dict.fromkeys([f"{prefix}/{n}" for n in names], kernel[-1:])
        return {f"{prefix}/conv_3d/w": kernel, **shapes}


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


def build_i3d(
    include_top: bool = False,
    dtype: str = "float32",
    image_size_px: int = 224,
    width: float = 1.0,
    seed: int = 0,
) -> keras.Model:
    """Builds the I3D with random weights.

    The batch normalisations of the published network are part of the
    convolutions: each has the kernel w / sqrt(variance + 1e-3) and the bias
    beta - mean / sqrt(variance + 1e-3). Put weights in with
    `weights.assign`, or take `load_i3d`, which does both.

    Call shapes: float32 [B, T, S, S, 3], values in [-1, 1], RGB, with S =
    `image_size_px` and T >= 8 frames, to float32 [B, T/8, S/32, S/32, 1024]
    (Mixed_5c; sizes rounded up), or to [B, 400] with `include_top`.

    Args:
        include_top: Whether to end in the class scores of Kinetics-400
            (before the softmax) instead of Mixed_5c. Needs T >= 16.
        dtype: "float32", "bfloat16" or "float16": what the network computes
            in. Its input, output and variables are float32 always.
        image_size_px: Height and width of a frame in pixels.
        width: Factor on the number of channels. The published network has
            1.0; tests use less.
        seed: Seed of the random weights (He normal; biases 0).

    Returns:
        A functional model whose layers bear DeepMind's unit names, with "_"
        for "/".

    Raises:
        ValueError: If `dtype` is unknown or `image_size_px` is no positive
            multiple of 32.

    Example:
        ```python
        model = build_i3d(image_size_px=32, width=1 / 16)
        model(np.zeros((1, 16, 32, 32, 3), "float32")).shape  # (1,2,1,1,64)
        ```

    Reference:
        Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017.
    """
    if dtype not in _DTYPES:
        raise ValueError(
            f"`dtype` must be one of {_DTYPES}. Received: {dtype!r}"
        )
    # Mixed_5c sees every 32nd pixel.
    if image_size_px <= 0 or image_size_px % 32:
        raise ValueError(
            "`image_size_px` must be a positive multiple of 32. "
            f"Received: {image_size_px}"
        )
    # Variables stay float32, so that the digest of the weights does not depend
    # on the type.
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    table = units(width)
    seeds = {name: seed + i for i, name in enumerate(table)}

    def conv(name: str, x: keras.KerasTensor) -> keras.KerasTensor:
        unit = table[name]
        return keras.layers.Conv3D(
            unit.outputs,
            unit.kernel,
            strides=unit.stride,
            padding="same",
            activation="relu" if unit.has_batch_norm else None,
            kernel_initializer=keras.initializers.HeNormal(seeds[name]),
            dtype=policy,
            name=unit.layer_name,
        )(x)

    def pool(
        name: str, x: keras.KerasTensor, size: _Size, strides: _Size
    ) -> keras.KerasTensor:
        return keras.layers.MaxPooling3D(
            size, strides=strides, padding="same", dtype=policy, name=name
        )(x)

    shape = (None, image_size_px, image_size_px, 3)
    frames = keras.Input(shape, dtype="float32", name="frames")
    x = conv("Conv3d_1a_7x7", frames)
    x = pool("MaxPool3d_2a_3x3", x, (1, 3, 3), (1, 2, 2))
    x = conv("Conv3d_2c_3x3", conv("Conv3d_2b_1x1", x))
    x = pool("MaxPool3d_3a_3x3", x, (1, 3, 3), (1, 2, 2))
    for block in MIXED_CHANNELS:
        if block == "Mixed_4b":
            x = pool("MaxPool3d_4a_3x3", x, (3, 3, 3), (2, 2, 2))
        elif block == "Mixed_5b":
            x = pool("MaxPool3d_5a_2x2", x, (2, 2, 2), (2, 2, 2))
        names = mixed_unit_names(block)
        name = f"{block}_Branch_3_MaxPool3d_0a_3x3"
        branch_3 = pool(name, x, (3, 3, 3), (1, 1, 1))
        branches = [
            conv(names[0], x),
            conv(names[2], conv(names[1], x)),
            conv(names[4], conv(names[3], x)),
            conv(names[5], branch_3),
        ]
        # Features leave the network as float32, whatever it computes in.
        out = "float32" if block == "Mixed_5c" else policy
        x = keras.layers.Concatenate(dtype=out, name=block)(branches)
    if not include_top:
        return keras.Model(frames, x, name="i3d")
    area = image_size_px // 32
    x = keras.layers.AveragePooling3D(
        (2, area, area), strides=1, dtype="float32", name="Logits_AvgPool"
    )(x)
    x = conv(LOGITS_UNIT, x)
    scores = keras.layers.GlobalAveragePooling3D(
        dtype="float32", name="Logits_Mean"
    )(x)
    return keras.Model(frames, scores, name="i3d_logits")
