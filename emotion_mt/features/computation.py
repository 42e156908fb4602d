"""What the network computes in, chosen by measurement."""

from __future__ import annotations

import time

import tensorflow as tf
from absl import logging

from emotion_mt.features.i3d import POLICIES

#: How many times faster than float32 a type has to be for `"auto"`.
_WORTHWHILE = 1.2


def choose_dtype(dtype: str) -> str:
    """Resolves "auto", and warns of a type that is slow on this machine.

    A convolution of the size that is typical of the network is timed in
    float32 and in the types of 16 bits. A processor that has no arithmetic
    of a type emulates it and is several times slower, so that the answer does
    not hang on the noise of the measurement.

    Args:
        dtype: "float32", "bfloat16", "float16" or "auto". "auto" is the
            fastest type if it is at least 1.2 times as fast as float32, else
            float32; float16 is considered on a GPU only.

    Returns:
        "float32", "bfloat16" or "float16".

    Raises:
        ValueError: If `dtype` is none of these, or "float16" without a GPU.
    """
    if dtype == "float32":
        return dtype
    if dtype == "auto":
        short = ["bfloat16"]
        if tf.config.list_physical_devices("GPU"):
            short.append("float16")
        speedups = {name: measure_speedup(name) for name in short}
        best = max(speedups, key=lambda name: speedups[name])
        chosen = best if speedups[best] >= _WORTHWHILE else "float32"
        logging.info("I3D computes in %s (speedups: %s)", chosen, speedups)
        return chosen
    if dtype not in POLICIES:
        raise ValueError(
            f"`dtype` must be one of {(*POLICIES, 'auto')}. Received: {dtype!r}"
        )
    if dtype == "float16" and not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            "`dtype` 'float16' needs a GPU: TensorFlow has no max-pooling in "
            "it on processors; use 'bfloat16' or 'float32'. Received no GPU"
        )
    speedup = measure_speedup(dtype)
    if speedup < 1:
        logging.warning(
            "I3D in %s is slower than in float32 on this machine (%.2f times "
            "its speed); use dtype='float32'",
            dtype,
            speedup,
        )
    return dtype


def measure_speedup(dtype: str, repeats: int = 5) -> float:
    """Speed of a convolution in a type, relative to float32.

    Args:
        dtype: "bfloat16" or "float16".
        repeats: Timings of each, in turn; the best one counts.

    Returns:
        Time in float32 over time in `dtype`; above 1 is faster.
    """

    @tf.function
    def convolution(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv3d(x, kernel, [1] * 5, "SAME")

    best = {"float32": float("inf"), dtype: float("inf")}
    inputs = {
        name: (
            tf.ones((1, 4, 28, 28, 96), name),
            tf.ones((3, 3, 3, 96, 128), name),
        )
        for name in best
    }
    # One round more, since the first one traces the function.
    for _ in range(repeats + 1):
        for name, arguments in inputs.items():
            start = time.perf_counter()
            convolution(*arguments).numpy()
            best[name] = min(best[name], time.perf_counter() - start)
    return best["float32"] / best[dtype]
