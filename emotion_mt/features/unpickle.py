"""Reads pickles that hold NumPy arrays, and runs nothing in them."""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

import numpy as np

# The constructor that NumPy itself names in a pickle of an array; there is no
# public way to it.
_reconstruct: Any = np.empty(0).__reduce__()[0]

#: (module, name) in a pickle to what it may become; nothing else may.
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # NumPy 1 and NumPy 2 name the same function.
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(
                "expected NumPy arrays and plain containers only. Received "
                f"a pickle that asks for {module}.{name}"
            )
        return ADMITTED[module, name]


def load_arrays(file: BinaryIO) -> Any:
    """Reads a pickle of NumPy arrays in plain containers.

    Only the constructors of NumPy's arrays are admitted; a pickle that names
    any other class or function is refused before anything is called.

    Args:
        file: The open pickle.

    Returns:
        Dictionaries, lists, tuples, numbers, strings and arrays.

    Raises:
        pickle.UnpicklingError: If the pickle asks for anything else, holds
            arrays of Python objects, or is damaged.
    """
    try:
        loaded = _ArrayUnpickler(file).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:
        # A damaged pickle can raise nearly anything.
        raise pickle.UnpicklingError(
            f"expected a pickle. Received one that cannot be read: {error!r}"
        ) from error
    _refuse_objects(loaded)
    return loaded


def _refuse_objects(value: Any) -> None:
    """Refuses arrays of Python objects, wherever they are."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise pickle.UnpicklingError(
                "expected arrays of numbers. Received an array of Python "
                f"objects, dtype {value.dtype}"
            )
    elif isinstance(value, dict):
        for item in value.values():
            _refuse_objects(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_objects(item)
