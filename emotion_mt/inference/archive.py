"""Looks into a .keras file before Keras does.

Keras makes objects of whatever classes and functions a file names, and its
own safe mode has had holes in several releases. So a bundle's model is
admitted only if it consists of what `EvokedEmotionModel` writes: its own
class, Keras's dtype policy, and arrays of numbers.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py

from emotion_mt.inference.errors import BundleError
from emotion_mt.models import EvokedEmotionModel

#: What Keras writes into the file of a model without assets.
MEMBERS = ("config.json", "metadata.json", "model.weights.h5")

#: A member may not unpack to more than this many times its stored size.
MAX_EXPANSION = 100

#: Key under which the model's class is registered with Keras.
_MODEL = f"emotion_mt>{EvokedEmotionModel.__name__}"

#: What reading a damaged archive raises; RuntimeError is for an encrypted one
#: and for JSON that is nested too deep.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)

#: Classes of Keras that the model's configuration holds.
_POLICIES = ("DTypePolicy", "FloatDTypePolicy")


def check_archive(path: Path) -> dict[str, Any]:
    """Refuses a .keras file that holds anything but an `EvokedEmotionModel`.

    Nothing in the file is built or executed.

    Args:
        path: The file.

    Returns:
        The arguments of the model, as the file has them.

    Raises:
        BundleError: Names the file and what it holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            config = json.loads(archive.read("config.json"))
            objects = tuple(_objects(config, "config.json"))
            weights = archive.read("model.weights.h5")
    except BundleError:
        raise
    except _UNREADABLE as error:
        raise BundleError(
            f"{path}: expected a model file of Keras (.keras). "
            f"Received a file that cannot be read: {error}"
        ) from error
    _check_objects(path, objects)
    _check_weights(path, weights)
    return config["config"]


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = sorted(member.filename for member in members)
    if names != sorted(MEMBERS):
        raise BundleError(
            f"{path}: expected an archive of {', '.join(MEMBERS)}, each once. "
            f"Received: {', '.join(names) or 'nothing'}"
        )
    for member in members:
        if member.file_size > MAX_EXPANSION * max(member.compress_size, 1):
            raise BundleError(
                f"{path}: expected {member.filename} to unpack to at most "
                f"{MAX_EXPANSION} times its size. Received: "
                f"{member.compress_size} bytes that unpack to "
                f"{member.file_size}"
            )


def _check_objects(
    path: Path, objects: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    for place, described in objects:
        if not _is_admitted(described):
            raise BundleError(
                f"{path}: expected a model made of EvokedEmotionModel and "
                f"nothing else. Received: {_full_name(described)} at {place}; "
                "nothing was built of it"
            )
    place, root = objects[0] if objects else ("", {})
    is_model = root.get("registered_name") == _MODEL
    complete = isinstance(root.get("config"), dict)
    if place != "config.json" or not is_model or not complete:
        raise BundleError(
            f"{path}: expected an EvokedEmotionModel in config.json. "
            f"Received: {_full_name(root)}"
        )


def _objects(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (place, description) of all that Keras would make objects of."""
    if isinstance(value, dict):
        if "class_name" in value or "registered_name" in value:
            yield place, value
        children: Any = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        yield from _objects(child, f"{place}/{key}")


def _is_admitted(described: dict[str, Any]) -> bool:
    name, registered = (
        described.get(key) for key in ("class_name", "registered_name")
    )
    if registered == _MODEL:
        return name == EvokedEmotionModel.__name__
    # Keras looks for the registered name first, so it has to be none.
    own = described.get("module") in ("keras", "keras.dtype_policies")
    return own and name in _POLICIES and registered is None


def _full_name(described: dict[str, Any]) -> str:
    parts = [described.get("module"), described.get("class_name")]
    name = ".".join(str(part) for part in parts if part) or "no class"
    if name.endswith(".function") or described.get("class_name") == "function":
        name = f"the function {described.get('config')!r} ({name})"
    registered = described.get("registered_name")
    if registered and registered != described.get("class_name"):
        name = f"{name} (registered as {registered!r})"
    return name


def _check_weights(path: Path, content: bytes) -> None:
    place = f"{path}: model.weights.h5"
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            _check_group(place, file, set())
    except (OSError, RuntimeError, KeyError) as error:
        raise BundleError(
            f"{place}: expected weights in HDF5. "
            f"Received a file that cannot be read: {error}"
        ) from error


def _check_group(place: str, group: h5py.Group, seen: set[int]) -> None:
    """Refuses what reaches out of the file or stores no numbers."""
    for name in group:
        where = f"{group.name.rstrip('/')}/{name}"
        link = group.get(name, getclass=True, getlink=True)
        if link is not h5py.HardLink:
            raise BundleError(
                f"{place}: expected arrays of numbers. "
                f"Received: a {link.__name__} at {where}"
            )
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            raise BundleError(
                f"{place}: expected each array and group once. "
                f"Received: {where} again under another name"
            )
        seen.add(address)
        if isinstance(item, h5py.Group):
            _check_group(place, item, seen)
        else:
            _check_array(f"{place}: {where}", item)


def _check_array(place: str, item: Any) -> None:
    numeric = isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub"
    if not numeric or item.shape is None:
        kind = getattr(item, "dtype", type(item).__name__)
        raise BundleError(
            f"{place}: expected an array of numbers. Received: {kind}"
        )
    if item.external or item.is_virtual:
        raise BundleError(
            f"{place}: expected an array that lies in the file. "
            "Received one whose values lie in another file"
        )
    declared = math.prod(item.shape) * item.dtype.itemsize
    stored = item.id.get_storage_size()
    if declared > MAX_EXPANSION * stored:
        raise BundleError(
            f"{place}: expected {declared} bytes for the shape {item.shape}. "
            f"Received: {stored} bytes"
        )
