"""`bundle.json`: what a bundle says of itself, and the digests of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emotion_mt._version import __version__
from emotion_mt.features.files import file_sha256
from emotion_mt.inference.errors import BundleError
from emotion_mt.storage.atomic import write_json

FORMAT = "emotion_mt bundle"

#: Raised when the files of a bundle change.
VERSION = 2

#: The files of a bundle; the last one is of bundles before 0.3.0.
NAME, WEIGHTS, CARD = "bundle.json", "weights.npy", "README.md"
EARLIER_MODEL = "model.keras"

#: Entries and their types.
_TYPES: Mapping[str, Any] = {
    "format": str,
    "version": int,
    "versions": dict,
    "model": dict,
    "vocabulary": list | None,
    "feature_config": dict | None,
    "weights_digest": str | None,
    "untrained_viewers": list,
    "training": dict,
    "scores": dict,
    "files": dict,
    "sha256": str,
}


def installed_versions() -> dict[str, str]:
    """Package to the version that is running."""
    return {
        "emotion_mt": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


def write(folder: Path, entries: Mapping[str, Any]) -> None:
    """Writes `bundle.json` as the last file of a bundle."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "versions": installed_versions(),
        **entries,
        "files": {name: file_sha256(folder / name) for name in (WEIGHTS, CARD)},
    }
    write_json(folder / NAME, {**content, "sha256": _digest(content)})


def read(folder: Path) -> dict[str, Any]:
    """Reads `bundle.json`: its entries, all there and of the right types.

    Raises:
        BundleError: If they or a file's digest are not as they were written.
    """
    path = folder / NAME
    content = _read_json(path)
    _check_version(path, content)
    for key, kind in _TYPES.items():
        if not isinstance(content.get(key, ...), kind):
            raise BundleError(
                f"{path}: expected {key!r} to be "
                f"{getattr(kind, '__name__', kind)}. "
                f"Received: {content.get(key, 'nothing')!r:.200}"
            )
    for names, known in (
        (set(content), set(_TYPES)),
        (set(content["files"]), {WEIGHTS, CARD}),
    ):
        if names != known:
            raise BundleError(
                f"{path}: expected {', '.join(sorted(known))} and nothing "
                f"else. Received: {', '.join(sorted(names))}"
            )
    _check_digest(path, content["sha256"], _digest(content))
    for name, expected in content["files"].items():
        if not (folder / name).is_file():
            raise BundleError(
                f"{folder / name}: expected a file of the bundle. "
                "Received: no such file"
            )
        _check_digest(folder / name, expected, file_sha256(folder / name))
    return content


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = (
            f", but {EARLIER_MODEL}, as emotion_mt before 0.3.0 wrote it; save "
            f"the model again with emotion_mt {__version__}"
        ) * (path.parent / EARLIER_MODEL).exists()
        raise BundleError(
            f"{path}: expected a file of a bundle, as save_bundle writes. "
            f"Received: no such file{hint}"
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


def _check_version(path: Path, content: Mapping[str, Any]) -> None:
    format_, version = content.get("format"), content.get("version")
    if format_ != FORMAT or type(version) is not int or version != VERSION:
        versions = content.get("versions")
        writer = versions if isinstance(versions, dict) else {}
        raise BundleError(
            f"{path}: expected format {FORMAT!r}, version {VERSION}, which "
            f"emotion_mt {__version__} reads. Received: {format_!r:.100}, "
            f"version {version!r:.100}, written by emotion_mt "
            f"{writer.get('emotion_mt', '?')!s:.20}. Read it with that "
            "version, or save the model again with this one"
        )


def _digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over the content of bundle.json, without the digest itself."""
    signed = {k: v for k, v in content.items() if k != "sha256"}
    text = json.dumps(signed, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_digest(path: Path, expected: Any, received: str) -> None:
    if received != expected:
        raise BundleError(
            f"{path}: expected the content that save_bundle wrote, SHA-256 "
            f"{expected!s:.64}. Received: altered content, {received}"
        )
