"""The feature store: what films give, on disk, computed once (Sect. III-D)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from absl import logging

from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features import files
from emotion_mt.features.container import VideoError, fingerprint
from emotion_mt.features.windows import Times
from emotion_mt.storage import atomic, claims

#: Raised when windows, pooling or the file change, so that older files are
#: not used. (1: OpenCV, times from the first frame.)
VERSION = 2

#: Seconds between looks at films that other runs are at.
POLL_S = 0.5


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


@dataclasses.dataclass
class FilmFeatures:
    """What is known of a film's segments.

    Attributes:
        by_times: (start_s, end_s) to float32 [C], NaN where the film has no
            frames.
        problems: What is wrong with the film, a sentence each.
    """

    by_times: dict[Times, np.ndarray] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)


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
        """The file of a film."""
        digest = hashlib.sha256(key.as_json().encode()).hexdigest()
        return self.folder / f"{name}-{digest[:16]}.npz"

    def read(self, name: str, key: FilmKey) -> FilmFeatures:
        """Reads what is stored of a film.

        Returns:
            The features; none if nothing is stored. A damaged or replaced
            file counts as nothing; a warning names it.
        """
        path = self.path(name, key)
        try:
            arrays = files.read_npz(path)
            times, features = arrays["times_s"], arrays["features"]
            problems = json.loads(str(arrays["problems"]))
            stored = str(arrays["key"]), str(arrays["sha256"])
        except FileNotFoundError:
            return FilmFeatures()
        except (files.DamagedFileError, KeyError, ValueError) as error:
            logging.warning("%s: damaged, computed again: %s", path, error)
            return FilmFeatures()
        expected = (len(times), key.channels)
        if stored[0] != key.as_json() or features.shape != expected:
            logging.warning("%s: not what its name says; computed again", path)
            return FilmFeatures()
        if stored[1] != _digest(times, features, problems):
            logging.warning(
                "%s: not what was stored, another digest; computed again", path
            )
            return FilmFeatures()
        pairs = zip(times.tolist(), features, strict=True)
        return FilmFeatures(
            {(s, e): feature for (s, e), feature in pairs}, problems
        )

    def add(self, name: str, key: FilmKey, new: FilmFeatures) -> None:
        """Adds segments to what is stored of a film."""
        path = self.path(name, key)
        with claims.writing(path):
            # Another process may have added some in the meantime.
            old = self.read(name, key)
            merged = {**old.by_times, **new.by_times}
            problems = list(dict.fromkeys([*old.problems, *new.problems]))
            times = np.array(sorted(merged), np.float64).reshape(-1, 2)
            features = np.stack([merged[t] for t in sorted(merged)])
            with atomic.replacing(path) as temporary:
                np.savez(
                    temporary,
                    key=np.array(key.as_json()),
                    times_s=times,
                    features=features,
                    problems=np.array(json.dumps(problems)),
                    sha256=np.array(_digest(times, features, problems)),
                )


def _digest(
    times: np.ndarray, features: np.ndarray, problems: list[str]
) -> str:
    """SHA-256 over what a file holds."""
    sha = hashlib.sha256(np.ascontiguousarray(times, "<f8").tobytes())
    sha.update(np.ascontiguousarray(features, "<f4").tobytes())
    sha.update(json.dumps(problems).encode())
    return sha.hexdigest()


class Film(FilmFeatures):
    """A film of a corpus, and what is known of its segments.

    Attributes:
        path: The video.
        name: Name in the store.
        key: Key in the store.
        rows: Row of the corpus to the segment's times.
    """

    def __init__(self, path: str, segments: Any, key: FilmKey) -> None:
        super().__init__()
        self.path = path
        self.name = re.sub(r"[^\w.-]+", "_", str(segments["movie"].iloc[0]))
        size, sha256 = fingerprint(path)
        self.key = dataclasses.replace(
            key, video_sha256=sha256, video_bytes=size
        )
        times = segments[["start_s", "end_s"]].astype(float).to_numpy().tolist()
        self.rows = {
            row: (start_s, end_s)
            for row, (start_s, end_s) in zip(
                segments.index.tolist(), times, strict=True
            )
        }

    @property
    def missing(self) -> list[Times]:
        """Segments without a feature, each once."""
        wanted = dict.fromkeys(self.rows.values())
        return [times for times in wanted if times not in self.by_times]

    def look_up(self, store: FeatureStore) -> int:
        """Takes what is stored; returns how many segments that were."""
        stored, before = store.read(self.name, self.key), len(self.missing)
        self.by_times.update(stored.by_times)
        self.problems = [f"{self.path}: {p}" for p in stored.problems]
        return before - len(self.missing)


@dataclasses.dataclass
class Films:
    """The films of a corpus that have segments.

    Attributes:
        films: Those that are there.
        errors: Messages about films that cannot be used.
        stored: Segments whose features were in the store, or were computed
            by another process at the same time.
        computed: Segments that were computed here.
    """

    corpus: Corpus
    key: FilmKey
    store: FeatureStore
    films: list[Film] = dataclasses.field(default_factory=list)
    errors: list[str] = dataclasses.field(default_factory=list)
    stored: int = 0
    computed: int = 0

    def __post_init__(self) -> None:
        """Looks up what the store has."""
        segments = self.corpus.segments
        with_video = segments[segments["video"].notna()]
        for path, rows in with_video.groupby("video", sort=False):
            try:
                film = Film(str(path), rows, self.key)
            except VideoError as error:
                self.errors += error.problems
                continue
            self.stored += film.look_up(self.store)
            self.films.append(film)

    def complete(self, compute: Callable[[Film], FilmFeatures]) -> None:
        """Computes what is missing, film by film.

        A film is claimed before it is computed, and its features are stored
        before the claim is given up. A film that another process has claimed
        is looked at again until its features are there, or that process has
        died or failed.
        """
        claims.tidy(self.store.folder)
        waiting = [film for film in self.films if film.missing]
        while waiting:
            left = [film for film in waiting if not self._do(film, compute)]
            if len(left) == len(waiting):
                time.sleep(POLL_S)
            waiting = left

    def _do(self, film: Film, compute: Callable[[Film], FilmFeatures]) -> bool:
        """Does a film, unless another process is at it; returns whether."""
        claim = claims.try_claim(self.store.path(film.name, film.key))
        if claim is None:
            return False
        try:
            self.stored += film.look_up(self.store)
            if film.missing:
                new = compute(film)
                # A film may be elsewhere the next time.
                where = f"{film.path}: "
                new.problems = [p.removeprefix(where) for p in new.problems]
                self.store.add(film.name, film.key, new)
                self.computed += len(new.by_times)
                film.look_up(self.store)
        except VideoError as error:
            self.errors += error.problems
        finally:
            claim.release()
        return True

    @property
    def problems(self) -> list[str]:
        """What is wrong with films that were used all the same."""
        return [problem for film in self.films for problem in film.problems]

    def by_row(self) -> np.ndarray:
        """float32 [N, C], NaN rows where there is no video."""
        if self.errors:
            where = (
                f"The features of all other films are in {self.store.folder}"
            )
            raise VideoError([*self.errors, where])
        shape = (len(self.corpus), self.key.channels)
        result = np.full(shape, np.nan, np.float32)
        for film in self.films:
            for row, times in film.rows.items():
                result[row] = film.by_times[times]
        return result
