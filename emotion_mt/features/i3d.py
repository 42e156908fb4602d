"""The inflated Inception-V1 (I3D) as a Keras model (Sect. III-D)."""

from __future__ import annotations

import keras

from emotion_mt.features import architecture
from emotion_mt.features.architecture import Unit

#: Computation type to the Keras policy that has it; variables stay float32,
#: so that the digest of the weights does not depend on the type.
POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


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
    if dtype not in POLICIES:
        raise ValueError(
            f"`dtype` must be one of {tuple(POLICIES)}. Received: {dtype!r}"
        )
    stride = architecture.SPATIAL_STRIDE
    if image_size_px <= 0 or image_size_px % stride:
        raise ValueError(
            f"`image_size_px` must be a positive multiple of {stride}. "
            f"Received: {image_size_px}"
        )
    builder = _Builder(dtype, architecture.units(width), seed)
    shape = (None, image_size_px, image_size_px, 3)
    frames = keras.Input(shape, dtype="float32", name="frames")
    features = _trunk(builder, frames)
    if not include_top:
        return keras.Model(frames, features, name="i3d")
    pool = (2, image_size_px // stride, image_size_px // stride)
    x = keras.layers.AveragePooling3D(
        pool, strides=1, dtype="float32", name="Logits_AvgPool"
    )(features)
    x = builder.unit(architecture.LOGITS_UNIT, x, activation=None)
    scores = keras.layers.GlobalAveragePooling3D(
        dtype="float32", name="Logits_Mean"
    )(x)
    return keras.Model(frames, scores, name="i3d_logits")


class _Builder:
    """Makes the layers; knows units, type and seed."""

    def __init__(self, dtype: str, units: dict[str, Unit], seed: int) -> None:
        self.policy = keras.DTypePolicy(POLICIES[dtype])
        self.units = units
        self.numbers = {name: seed + i for i, name in enumerate(units)}

    def unit(
        self,
        name: str,
        x: keras.KerasTensor,
        activation: str | None = "relu",
    ) -> keras.KerasTensor:
        unit = self.units[name]
        return keras.layers.Conv3D(
            unit.outputs,
            unit.kernel,
            strides=unit.stride,
            padding="same",
            activation=activation,
            kernel_initializer=keras.initializers.HeNormal(self.numbers[name]),
            dtype=self.policy,
            name=unit.layer_name,
        )(x)

    def max_pool(
        self,
        name: str,
        x: keras.KerasTensor,
        size: tuple[int, int, int],
        strides: tuple[int, int, int],
    ) -> keras.KerasTensor:
        return keras.layers.MaxPooling3D(
            size,
            strides=strides,
            padding="same",
            dtype=self.policy,
            name=name,
        )(x)

    def mixed(self, block: str, x: keras.KerasTensor) -> keras.KerasTensor:
        names = architecture.mixed_unit_names(block)
        pool_name = f"{block}_Branch_3_MaxPool3d_0a_3x3"
        pooled = self.max_pool(pool_name, x, (3, 3, 3), (1, 1, 1))
        branches = [
            self.unit(names[0], x),
            self.unit(names[2], self.unit(names[1], x)),
            self.unit(names[4], self.unit(names[3], x)),
            self.unit(names[5], pooled),
        ]
        # Features leave the network as float32, whatever it computes in.
        last = block == "Mixed_5c"
        return keras.layers.Concatenate(
            dtype="float32" if last else self.policy, name=block
        )(branches)


def _trunk(builder: _Builder, frames: keras.KerasTensor) -> keras.KerasTensor:
    x = builder.unit("Conv3d_1a_7x7", frames)
    x = builder.max_pool("MaxPool3d_2a_3x3", x, (1, 3, 3), (1, 2, 2))
    x = builder.unit("Conv3d_2b_1x1", x)
    x = builder.unit("Conv3d_2c_3x3", x)
    x = builder.max_pool("MaxPool3d_3a_3x3", x, (1, 3, 3), (1, 2, 2))
    for block in architecture.MIXED_CHANNELS:
        if block == "Mixed_4b":
            x = builder.max_pool("MaxPool3d_4a_3x3", x, (3, 3, 3), (2, 2, 2))
        elif block == "Mixed_5b":
            x = builder.max_pool("MaxPool3d_5a_2x2", x, (2, 2, 2), (2, 2, 2))
        x = builder.mixed(block, x)
    return x
