"""The one place that turns missing labels into something a loss can use."""

from __future__ import annotations

from typing import Any

from keras import ops


def split_missing(labels: Any) -> tuple[Any, Any]:
    """Splits labels into filled labels and a mask.

    The labels are filled before anything is computed from them: a NaN that
    is only multiplied by 0 afterwards still makes the loss, or its gradient,
    NaN.

    Args:
        labels: float tensor [B, V]; 1.0 positive, 0.0 negative, NaN where
            the viewer did not rate the segment.

    Returns:
        labels: Like `labels`, with 0.0 where the label is missing.
        observed: Same shape and dtype, 1.0 where there is a label and 0.0
            where it is missing.
    """
    labels = ops.convert_to_tensor(labels)
    missing = ops.isnan(labels)
    filled = ops.where(missing, ops.zeros_like(labels), labels)
    observed = ops.cast(ops.logical_not(missing), labels.dtype)
    return filled, observed
