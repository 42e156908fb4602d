"""The feature store: what films give, on disk, computed once (Sect. III-D)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import av
import cv2
import numpy as np
from absl import logging

from emotion_mt import _progress
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.features import files
from emotion_mt.features.container import VideoError, fingerprint
from emotion_mt.features.video import Video
from emotion_mt.features.windows import Times, lacking_segments
from emotion_mt.storage import atomic, claims

#: Raised when windows, pooling or the file change, so that older files are
#: not used. (1: OpenCV, times from the first frame.)
VERSION = 2

#: Seconds between looks at films that other runs are at.
POLL_S = 0.5

#: All that a film's features depend on, but for the segments, as JSON can
#: hold it; among it "channels", the length of a feature.
Key = Mapping[str, Any]


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


#: Told how much more was done.
Update = Callable[[int], object]

#: A film, its segments and `Update` to float32 [N, C], NaN where the film has
#: no frames.
Compute = Callable[[Video, Sequence[Times], Update], np.ndarray]


def decode(
    path: str, segments: Sequence[Times], compute: Compute, update: Update
) -> FilmFeatures:
    """Opens a film and computes the features of its segments.

    Raises:
        VideoError: If nothing of the film can be used.
    """
    try:
        with Video(path) as video:
            features = compute(video, segments, update)
            by_times = dict(zip(segments, features, strict=True))
            problems = video.problems + lacking_segments(video, segments)
    except (av.FFmpegError, cv2.error) as error:
        raise VideoError(f"{path}: {error}") from error
    return FilmFeatures(by_times, problems)


class FeatureStore:
    """Features of segments in a folder, one file (.npz) per film and key.

    The name of a file has a digest of its key, so that features made with
    other weights, another configuration or another video are never taken for
    these; they stay, for when those are used again. Within a file, a segment
    is known by its times, so that only new segments have to be computed.

    Files are written whole or not at all, under a lock, so that a killed
    process or several at once do no harm. Nothing is unpickled.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder)

    def path(self, name: str, key: Key) -> pathlib.Path:
        """The file of a film."""
        digest = hashlib.sha256(_canonical(key).encode()).hexdigest()
        return self.folder / f"{name}-{digest[:16]}.npz"

    def read(self, name: str, key: Key) -> FilmFeatures:
        """Reads what is stored of a film.

        A damaged or replaced file counts as nothing; a warning names it.
        """
        path = self.path(name, key)
        try:
            arrays = files.read_npz(path)
            times, features = arrays["times_s"], arrays["features"]
            problems = json.loads(str(arrays["problems"]))
            shape = (len(times), key["channels"])
            if str(arrays["key"]) != _canonical(key) or features.shape != shape:
                raise ValueError("not what its name says")
            if str(arrays["sha256"]) != _digest(times, features, problems):
                raise ValueError("not what was stored, another digest")
        except FileNotFoundError:
            return FilmFeatures()
        except (KeyError, ValueError) as error:
            logging.warning("%s: damaged, computed again: %s", path, error)
            return FilmFeatures()
        segments = [(start_s, end_s) for start_s, end_s in times.tolist()]
        return FilmFeatures(
            dict(zip(segments, features, strict=True)), problems
        )

    def add(self, name: str, key: Key, new: FilmFeatures) -> None:
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
                    key=_canonical(key),
                    times_s=times,
                    features=features,
                    problems=json.dumps(problems),
                    sha256=_digest(times, features, problems),
                )


def _canonical(key: Key) -> str:
    return json.dumps({**key, "version": VERSION}, sort_keys=True)


def _digest(
    times: np.ndarray, features: np.ndarray, problems: list[str]
) -> str:
    """SHA-256 over what a file holds."""
    sha = hashlib.sha256(np.ascontiguousarray(times, "<f8").tobytes())
    sha.update(np.ascontiguousarray(features, "<f4").tobytes())
    sha.update(json.dumps(problems).encode())
    return sha.hexdigest()


@dataclasses.dataclass
class Film:
    """A film of a corpus, its name and key in the store, and its segments."""

    path: str
    name: str
    key: Key
    # Row of the corpus to the segment's times.
    rows: dict[int, Times]
    by_times: dict[Times, np.ndarray] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def missing(self) -> list[Times]:
        """Segments without a feature, each once."""
        wanted = dict.fromkeys(self.rows.values())
        return [times for times in wanted if times not in self.by_times]


class Films:
    """The films of a corpus that have segments, and what is stored of them.

    Args:
        corpus: The corpus.
        key: Key in the store, but for the video.
        folder: The store.

    Attributes:
        stored: Segments whose features were in the store, or were computed
            by another process at the same time.
        computed: Segments that were computed here.
    """

    def __init__(
        self, corpus: Corpus, key: Key, folder: str | os.PathLike[str]
    ) -> None:
        self._shape = (len(corpus), key["channels"])
        self._store = FeatureStore(folder)
        self._films: list[Film] = []
        self._errors: list[str] = []
        self.stored = self.computed = 0
        with_video = corpus.segments[corpus.segments["video"].notna()]
        for video, rows in with_video.groupby("video", sort=False):
            path = str(video)
            try:
                size, sha256 = fingerprint(path)
            except VideoError as error:
                self._errors += error.problems
                continue
            own = {**key, "video_sha256": sha256, "video_bytes": size}
            name = re.sub(r"[^\w.-]+", "_", str(rows["movie"].iloc[0]))
            times = rows[["start_s", "end_s"]].astype(float)
            places = {i: (start, end) for i, start, end in times.itertuples()}
            film = Film(path, name, own, places)
            self.stored += self._look_up(film)
            self._films.append(film)

    def _look_up(self, film: Film) -> int:
        """Takes what is stored; returns how many segments that were."""
        found = self._store.read(film.name, film.key)
        before = len(film.missing)
        film.by_times.update(found.by_times)
        film.problems = [f"{film.path}: {p}" for p in found.problems]
        return before - len(film.missing)

    def complete(
        self,
        compute: Compute,
        what: str,
        unit: str,
        count: Callable[[Sequence[Times]], int],
        shown: bool,
    ) -> None:
        """Computes what is missing, film by film.

        A film is claimed before it is computed, and its features are stored
        before the claim is given up. A film that another process has claimed
        is looked at again until its features are there, or that process has
        died or failed.

        Args:
            compute: See `Compute`.
            what: What is done, for the progress bar.
            unit: What the bar counts.
            count: How many of these some segments have, about.
            shown: Whether to show the bar.
        """
        claims.tidy(self._store.folder)
        waiting = [film for film in self._films if film.missing]
        total = sum(count(film.missing) for film in waiting)
        shown = shown and bool(waiting)
        with _progress.progress(what, total, unit, shown=shown) as bar:
            while waiting:
                count_before = len(waiting)
                waiting = [
                    x for x in waiting if not self._do(x, compute, bar.update)
                ]
                if len(waiting) == count_before:
                    time.sleep(POLL_S)
        for problem in self.problems:
            logging.warning("%s", problem)

    def _do(self, film: Film, compute: Compute, update: Update) -> bool:
        """Does a film, unless another process is at it; returns whether."""
        claim = claims.try_claim(self._store.path(film.name, film.key))
        if claim is None:
            return False
        try:
            self.stored += self._look_up(film)
            if film.missing:
                new = decode(film.path, film.missing, compute, update)
                # A film may be elsewhere the next time.
                where = f"{film.path}: "
                new.problems = [p.removeprefix(where) for p in new.problems]
                self._store.add(film.name, film.key, new)
                self.computed += len(new.by_times)
                self._look_up(film)
        except VideoError as error:
            self._errors += error.problems
        finally:
            claim.release()
        return True

    @property
    def problems(self) -> list[str]:
        """What is wrong with films that were used all the same."""
        return [problem for film in self._films for problem in film.problems]

    def by_row(self) -> np.ndarray:
        """float32 [N, C], NaN rows where there is no video."""
        if self._errors:
            where = f"of all other films are in {self._store.folder}"
            raise VideoError([*self._errors, f"The features {where}"])
        result = np.full(self._shape, np.nan, np.float32)
        for film in self._films:
            for row, times in film.rows.items():
                result[row] = film.by_times[times]
        return result
