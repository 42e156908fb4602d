"""The feature store: finished features of films, on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from emotion_mt.features import files
from emotion_mt.features.windows import Times
from emotion_mt.storage import atomic, claims

#: Raised when windows, pooling or the file change, so that older files are
#: not used.
VERSION = 1


@dataclasses.dataclass(frozen=True)
class FilmKey:
    """All that a film's features depend on, but for the segments.

    Attributes:
        video_sha256: Hash of the video file.
        video_bytes: Its size.
        weights_sha256: `weights.model_digest` of the network.
        compute: What the network computes in.
        channels: Length of a feature.
        image_size_px: Height and width of the frames it takes.
        config: `FeatureConfig.as_dict()`.
    """

    video_sha256: str
    video_bytes: int
    weights_sha256: str
    compute: str
    channels: int
    image_size_px: int
    config: Mapping[str, Any]

    def as_json(self) -> str:
        """The attributes and the store's version as canonical JSON."""
        content = {**dataclasses.asdict(self), "version": VERSION}
        return json.dumps(content, sort_keys=True)


class FeatureStore:
    """Features of segments in a folder, one file (.npz) per film and key.

    The name of a file has a digest of its key, so that features made with
    other weights, another configuration or another video are never taken for
    these; they stay, for when those are used again. Within a file, a segment
    is known by its times, so that only new segments have to be computed.

    Files are written whole or not at all, under a lock, so that a killed
    process or several at once do no harm. Nothing is unpickled.

    Args:
        folder: The folder; is made when something is written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder)

    def path(self, name: str, key: FilmKey) -> pathlib.Path:
        """The file of a film.

        Args:
            name: The film's name, for readers of the folder.
            key: See `FilmKey`.
        """
        digest = hashlib.sha256(key.as_json().encode()).hexdigest()
        return self.folder / f"{name}-{digest[:16]}.npz"

    def read(self, name: str, key: FilmKey) -> dict[Times, np.ndarray]:
        """Reads what is stored of a film.

        Args:
            name: See `path`.
            key: See `FilmKey`.

        Returns:
            (start_s, end_s) to float32 [C]; empty if nothing is stored. A
            damaged or replaced file counts as nothing; a warning names it.
        """
        path = self.path(name, key)
        try:
            arrays = files.read_npz(path)
            stored_key = str(arrays["key"])
            times, features = arrays["times_s"], arrays["features"]
            # Files of earlier versions have no digest.
            digest = str(arrays.get("sha256", _digest(times, features)))
        except FileNotFoundError:
            return {}
        except (files.DamagedFileError, KeyError) as error:
            logging.warning("%s: damaged, computed again: %s", path, error)
            return {}
        expected = (len(times), key.channels)
        if stored_key != key.as_json() or features.shape != expected:
            logging.warning("%s: not what its name says; computed again", path)
            return {}
        if digest != _digest(times, features):
            logging.warning(
                "%s: not what was stored, another digest; computed again", path
            )
            return {}
        pairs = zip(times.tolist(), features, strict=True)
        return {(start, end): feature for (start, end), feature in pairs}

    def add(
        self, name: str, key: FilmKey, new: Mapping[Times, np.ndarray]
    ) -> None:
        """Adds segments to what is stored of a film.

        Args:
            name: See `path`.
            key: See `FilmKey`.
            new: (start_s, end_s) to float32 [C].
        """
        path = self.path(name, key)
        with claims.writing(path):
            # Another process may have added some in the meantime.
            merged = {**self.read(name, key), **new}
            times = np.array(sorted(merged), np.float64).reshape(-1, 2)
            features = np.stack([merged[t] for t in sorted(merged)])
            with atomic.replacing(path) as temporary:
                np.savez(
                    temporary,
                    key=np.array(key.as_json()),
                    times_s=times,
                    features=features,
                    sha256=np.array(_digest(times, features)),
                )


def _digest(times: np.ndarray, features: np.ndarray) -> str:
    """SHA-256 over the values of times and features."""
    sha = hashlib.sha256(np.ascontiguousarray(times, "<f8").tobytes())
    sha.update(np.ascontiguousarray(features, "<f4").tobytes())
    return sha.hexdigest()
