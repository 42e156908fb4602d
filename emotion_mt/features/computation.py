"""What the network computes in, and whether this machine is fast in it."""

from __future__ import annotations

import time

import tensorflow as tf
from absl import logging

from emotion_mt.features.i3d import POLICIES


def check_dtype(dtype: str) -> None:
    """Refuses an unknown type, and warns of one that is slow on this machine.

    A convolution of the size that is typical of the network is timed in
    float32 and in the type: a processor that has no arithmetic of a type
    emulates it and is several times slower.

    Args:
        dtype: "float32", "bfloat16" or "float16".

    Raises:
        ValueError: If `dtype` is none of these, or "float16" without a GPU.
    """
    if dtype not in POLICIES:
        raise ValueError(
            f"`dtype` must be one of {tuple(POLICIES)}. Received: {dtype!r}"
        )
    if dtype == "float32":
        return
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
