"""Values that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_plain(value: Any, name: str) -> Any:
    """Returns a value as JSON holds it.

    Args:
        value: Dicts with string keys, lists, tuples, NumPy arrays, strings,
            numbers, truth values and None.
        name: What the value is called in an error.

    Returns:
        The same in dicts, lists, str, int, float, bool and None; numbers that
        are not finite become None.

    Raises:
        TypeError: If something else is in it; says where.
    """
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist(), name)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [to_plain(v, f"{name}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {k: to_plain(v, f"{name}[{k!r}]") for k, v in value.items()}
    raise TypeError(
        f"`{name}` must be plain JSON: dicts with string keys, lists, "
        f"strings, numbers, True, False and None. Received: {value!r} "
        f"({type(value).__name__})"
    )
