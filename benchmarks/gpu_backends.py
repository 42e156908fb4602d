"""What Keras has no word for: precision, name and memory of a GPU."""

from __future__ import annotations

import emotion_mt._backend  # noqa: F401  Quietly, and first.

import platform
import resource

import keras  # isort: skip


def keep_float32(shorten: bool) -> None:
    """Has PyTorch compute products of float32 in float32, or shorter."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = shorten
    torch.backends.cudnn.allow_tf32 = shorten


def prepare(shorten: bool) -> str:
    """Sets the precision of float32; returns what computes, in words."""
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        if not shorten:
            jax.config.update("jax_default_matmul_precision", "highest")
        return jax.devices()[0].device_kind
    if backend == "torch":
        import torch

        keep_float32(shorten)
        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
        return "cpu"
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(shorten)
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(x) for x in gpus]
    return details[0].get("device_name", "GPU") if details else "cpu"


def peak_bytes() -> int:
    """Returns the most memory that was in use on the card so far."""
    backend, peak = keras.config.backend(), None
    if backend == "jax":
        import jax

        peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    elif backend == "torch":
        import torch

        peak = torch.cuda.max_memory_allocated()
    else:
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            info = tf.config.experimental.get_memory_info("GPU:0")
            peak = info["peak"]
    return peak or own_peak_bytes()


def own_peak_bytes() -> int:
    """Returns that of this process, where there is no card."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if platform.system() == "Darwin" else 1024)
