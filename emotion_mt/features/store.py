"""The feature store: what films give, on disk, computed once (Sect. III-D).

One film is one file, and one claim while it is computed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
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
from emotion_mt.features import files, windows
from emotion_mt.features.container import VideoError, fingerprint
from emotion_mt.features.video import Seen, Video
from emotion_mt.features.windows import Times
from emotion_mt.storage import claims

#: Raised when windows, pooling or the file change, so that older files are
#: not used. (1: OpenCV, times from the first frame.)
VERSION = 2

#: Seconds between looks at films that other runs are at.
POLL_S = 0.5

Folder = str | os.PathLike[str]
Key = Mapping[str, Any]

#: Told how much more was done.
Update = Callable[[int], object]

#: A film, its segments and `Update` to float32 [N, C], NaN where the film has
#: no frames.
Compute = Callable[[Video, Sequence[Times], Update], np.ndarray]


def decode(
    path: str, segments: Sequence[Times], compute: Compute, update: Update
) -> tuple[np.ndarray, Seen]:
    """What `compute` says of a film, and what was found in it.

    Raises:
        VideoError: If nothing of the film can be used.
    """
    try:
        with Video(path) as video:
            return compute(video, segments, update), video.seen
    except (av.FFmpegError, cv2.error) as error:
        raise VideoError(f"{path}: {error}") from error


class FilmFile:
    """What is stored of a film, in one file (.npz) per film and key.

    The name of a file has a digest of its key: all that features depend on but
    for the segments, as JSON can hold it, and "channels", their length. So
    those of other weights, configurations and videos are never taken for
    these, and stay. In a file, a segment is known by its times.

    Files are written whole or not at all, by whoever has the claim to them.
    Nothing is unpickled.

    Attributes:
        path: The file.
        by_times: (start_s, end_s) to float32 [C], NaN where the film has no
            frames.
        seen: What was found by the decoding that went furthest.
    """

    def __init__(self, folder: Folder, name: str, key: Key) -> None:
        self._key = json.dumps({**key, "version": VERSION}, sort_keys=True)
        self._channels = key["channels"]
        digest = hashlib.sha256(self._key.encode()).hexdigest()
        self.path = pathlib.Path(folder) / f"{name}-{digest[:16]}.npz"
        self.by_times: dict[Times, np.ndarray] = {}
        self.seen = Seen()

    def read(self) -> None:
        """Takes what is on the disk.

        A damaged or replaced file counts as nothing; a warning names it.
        """
        try:
            arrays = files.read_npz(self.path)
            times, features = arrays["times_s"], arrays["features"]
            shape = (len(times), self._channels)
            if str(arrays["key"]) != self._key or features.shape != shape:
                raise ValueError("not what its name says")
            if str(arrays["sha256"]) != _digest(arrays):
                raise ValueError("not what was stored, another digest")
        except FileNotFoundError:
            return
        except (KeyError, ValueError) as error:
            logging.warning("%s: damaged, computed again: %s", self.path, error)
            return
        segments = [(start_s, end_s) for start_s, end_s in times.tolist()]
        self.by_times.update(zip(segments, features, strict=True))
        # Files of before have no "seen", and all in "problems".
        problems = json.loads(str(arrays["problems"]))
        self.seen = Seen(problems, *json.loads(str(arrays.get("seen", "[]"))))

    def add(self, by_times: Mapping[Times, np.ndarray], seen: Seen) -> None:
        """Adds segments, and writes the file."""
        self.by_times.update(by_times)
        if seen.frames >= self.seen.frames:
            self.seen = seen
        times = sorted(self.by_times)
        problems, *found = self.seen
        arrays: dict[str, Any] = {
            "key": self._key,
            "times_s": np.array(times, np.float64).reshape(-1, 2),
            "features": np.stack([self.by_times[t] for t in times]),
            "problems": json.dumps(problems),
            "seen": json.dumps(found),
        }
        files.write_npz(self.path, {**arrays, "sha256": _digest(arrays)})


def _digest(arrays: Mapping[str, Any]) -> str:
    """SHA-256 over what a file holds."""
    sha = hashlib.sha256()
    for name, kind in (("times_s", "<f8"), ("features", "<f4")):
        sha.update(np.ascontiguousarray(arrays[name], kind).tobytes())
    sha.update(str(arrays["problems"]).encode())
    sha.update(str(arrays.get("seen", "")).encode())
    return sha.hexdigest()


@dataclasses.dataclass
class _Film:
    """A film of a corpus."""

    path: str
    # Row of the corpus to the segment's times.
    rows: dict[int, Times]
    file: FilmFile

    def __post_init__(self) -> None:
        self.segments = list(dict.fromkeys(self.rows.values()))

    @property
    def missing(self) -> list[Times]:
        """Segments without a feature, each once."""
        return [t for t in self.segments if t not in self.file.by_times]


class Films:
    """The films of a corpus that have segments, and what is stored of them.

    The key is that of `FilmFile`, but for the video; `computed` counts the
    segments that were computed here.
    """

    def __init__(self, corpus: Corpus, key: Key, folder: Folder) -> None:
        self._shape = (len(corpus), key["channels"])
        self._folder = pathlib.Path(folder)
        self._films: list[_Film] = []
        self._errors: list[str] = []
        self.computed = 0
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
            self._films.append(_Film(path, places, FilmFile(folder, name, own)))

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
        died or failed. A bar, if shown, says `what` is done and counts units,
        of which segments have about `count`.
        """
        claims.tidy(self._folder)
        for film in self._films:
            film.file.read()
        waiting = [film for film in self._films if film.missing]
        total = sum(count(film.missing) for film in waiting)
        shown &= bool(waiting)
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

    def _do(self, film: _Film, compute: Compute, update: Update) -> bool:
        """Does a film, unless another process is at it; returns whether."""
        claim = claims.try_claim(film.file.path)
        if claim is None:
            return False
        try:
            film.file.read()
            if missing := film.missing:
                features, seen = decode(film.path, missing, compute, update)
                film.file.add(dict(zip(missing, features, strict=True)), seen)
                self.computed += len(missing)
        except VideoError as error:
            self._errors += error.problems
        finally:
            claim.release()
        return True

    @property
    def stored(self) -> int:
        """Number of segments that were in the store, or came there."""
        films = self._films
        known = sum(len(f.segments) - len(f.missing) for f in films)
        return known - self.computed

    @property
    def problems(self) -> list[str]:
        """What is wrong with films that were used all the same."""
        found = (
            windows.problems(film.path, film.file.seen, film.segments)
            for film in self._films
        )
        return list(itertools.chain.from_iterable(found))

    def by_row(self) -> np.ndarray:
        """float32 [N, C], NaN rows where there is no video."""
        if self._errors:
            where = f"of all other films are in {self._folder}"
            raise VideoError([*self._errors, f"The features {where}"])
        result = np.full(self._shape, np.nan, np.float32)
        for film in self._films:
            for row, times in film.rows.items():
                result[row] = film.file.by_times[times]
        return result
