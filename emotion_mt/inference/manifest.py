"""`bundle.json`: what is in a bundle, who wrote it, and all digests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from emotion_mt._version import __version__
from emotion_mt.features.files import file_sha256
from emotion_mt.inference.errors import BundleError
from emotion_mt.storage.atomic import write_json

#: What `bundle.json` says it is.
FORMAT = "emotion_mt bundle"

#: Raised when the layout of the folder changes.
VERSION = 1

#: Names of the files; only text models have a vocabulary.
NAME = "bundle.json"
MODEL = "model.keras"
VOCABULARY = "vocabulary.json"
CARD = "README.md"

#: Keys of a manifest and the types that their values may have.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "versions": (dict,),
    "viewers": (list,),
    "untrained_viewers": (list,),
    "modalities": (list,),
    "model_digest": (str,),
    "feature_config": (dict, type(None)),
    "weights_digest": (str, type(None)),
    "training": (dict,),
    "scores": (dict,),
    "files": (dict,),
    "sha256": (str,),
}


def installed_versions() -> dict[str, str]:
    """Package to the version that is running."""
    return {
        "emotion_mt": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


def write(folder: Path, content: Mapping[str, Any]) -> None:
    """Writes `bundle.json` as the last file of a bundle.

    Args:
        folder: The bundle; all its other files are there.
        content: Plain JSON with the keys from "viewers" to "scores".
    """
    paths = sorted(folder.iterdir())
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "versions": installed_versions(),
        **content,
        "files": {path.name: file_sha256(path) for path in paths},
    }
    write_json(folder / NAME, {**manifest, "sha256": _digest(manifest)})


def read(folder: Path) -> dict[str, Any]:
    """Reads `bundle.json` and checks versions and all digests.

    Args:
        folder: The bundle.

    Returns:
        Its content, with all keys and the right types.

    Raises:
        BundleError: If something is not as it was written, or was written by
            an incompatible version.
    """
    path = folder / NAME
    manifest = read_json(path)
    _check_format(path, manifest)
    for key, types in _TYPES.items():
        if not isinstance(manifest.get(key, ...), types):
            names = " or ".join(t.__name__ for t in types)
            raise BundleError(
                f"{path}: expected {key!r} to be {names}. "
                f"Received: {manifest.get(key, 'nothing')!r}"
            )
    if manifest["sha256"] != _digest(manifest):
        raise _altered(path, manifest["sha256"], _digest(manifest))
    _check_keras(path, manifest["versions"])
    _check_files(folder, manifest)
    return manifest


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Args:
        path: The file.

    Raises:
        BundleError: If there is no such file or it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path}: expected a file of a bundle, as save_bundle writes. "
            "Received: no such file"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(
            f"{path}: expected JSON. Received: {error}"
        ) from error
    if not isinstance(content, dict):
        raise BundleError(
            f"{path}: expected a JSON object. "
            f"Received: {type(content).__name__}"
        )
    return content


def _digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over a manifest's content, without the digest itself."""
    content = {k: v for k, v in manifest.items() if k != "sha256"}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _altered(path: Path, expected: str, received: str) -> BundleError:
    return BundleError(
        f"{path}: expected the content that save_bundle wrote, SHA-256 "
        f"{expected}. Received: altered content, {received}"
    )


def _check_format(path: Path, manifest: Mapping[str, Any]) -> None:
    format_, version = manifest.get("format"), manifest.get("version")
    if format_ != FORMAT or type(version) is not int:
        raise BundleError(
            f"{path}: expected format {FORMAT!r}, version {VERSION}. "
            f"Received: format {format_!r}, version {version!r}"
        )
    if version != VERSION:
        versions = manifest.get("versions")
        writer = versions if isinstance(versions, dict) else {}
        hint = (
            "Install that one, or a later one, to read it"
            if version > VERSION
            else "Save the model again with this one"
        )
        raise BundleError(
            f"{path}: expected version {VERSION} of the format, which "
            f"emotion_mt {__version__} reads. Received: version {version}, "
            f"written by emotion_mt {writer.get('emotion_mt', '?')}. {hint}"
        )


def _check_keras(path: Path, versions: Mapping[str, Any]) -> None:
    """Refuses another major version of Keras, and warns of an older one."""
    written, running = str(versions.get("keras")), keras.__version__
    saved, here = (
        # Python refuses to read a number of thousands of digits.
        tuple(int(number) for number in re.findall(r"\d{1,9}", version)[:2])
        for version in (written, running)
    )
    if saved[:1] != here[:1]:
        raise BundleError(
            f"{path}: expected a bundle that was written with Keras "
            f"{here[0]}, since {running} is installed. Received: one that was "
            f"written with Keras {written}"
        )
    if saved > here:
        logging.warning(
            "%s: written with Keras %s, and %s is installed. If the model "
            "cannot be read: pip install 'keras>=%s'",
            path.parent,
            written,
            running,
            written,
        )


def _check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuses files that are missing, too many, or altered."""
    wanted = {MODEL, CARD}
    if "text" in manifest["modalities"]:
        wanted.add(VOCABULARY)
    digests = manifest["files"]
    if set(digests) != wanted:
        raise BundleError(
            f"{folder / NAME}: expected the digests of "
            f"{', '.join(sorted(wanted))}. "
            f"Received those of: {', '.join(sorted(digests)) or 'nothing'}"
        )
    for name, expected in digests.items():
        path = folder / name
        if not path.is_file():
            raise BundleError(
                f"{path}: expected a file of the bundle. Received: no such file"
            )
        received = file_sha256(path)
        if received != expected:
            raise _altered(path, expected, received)
