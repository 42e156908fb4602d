"""The inflated Inception-V1 (I3D) as a Keras model (Sect. III-D)."""

from __future__ import annotations

import keras

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.features import architecture

Size = tuple[int, int, int]

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
    # Mixed_5c sees every 32nd pixel.
    if image_size_px <= 0 or image_size_px % 32:
        raise ValueError(
            "`image_size_px` must be a positive multiple of 32. "
            f"Received: {image_size_px}"
        )
    policy = keras.DTypePolicy(POLICIES[dtype])
    units = architecture.units(width)
    seeds = {name: seed + i for i, name in enumerate(units)}

    def conv(
        name: str, x: keras.KerasTensor, activation: str | None = "relu"
    ) -> keras.KerasTensor:
        unit = units[name]
        return keras.layers.Conv3D(
            unit.outputs,
            unit.kernel,
            strides=unit.stride,
            padding="same",
            activation=activation,
            kernel_initializer=keras.initializers.HeNormal(seeds[name]),
            dtype=policy,
            name=unit.layer_name,
        )(x)

    def pool(
        name: str, x: keras.KerasTensor, size: Size, strides: Size
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
    for block in architecture.MIXED_CHANNELS:
        if block == "Mixed_4b":
            x = pool("MaxPool3d_4a_3x3", x, (3, 3, 3), (2, 2, 2))
        elif block == "Mixed_5b":
            x = pool("MaxPool3d_5a_2x2", x, (2, 2, 2), (2, 2, 2))
        names = architecture.mixed_unit_names(block)
        pooled = pool(
            f"{block}_Branch_3_MaxPool3d_0a_3x3", x, (3, 3, 3), (1, 1, 1)
        )
        branches = [
            conv(names[0], x),
            conv(names[2], conv(names[1], x)),
            conv(names[4], conv(names[3], x)),
            conv(names[5], pooled),
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
    x = conv(architecture.LOGITS_UNIT, x, activation=None)
    scores = keras.layers.GlobalAveragePooling3D(
        dtype="float32", name="Logits_Mean"
    )(x)
    return keras.Model(frames, scores, name="i3d_logits")
