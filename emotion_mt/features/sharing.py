"""Films that several runs on one store share, so that each is done once."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Self, overload

import numpy as np

from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.pipeline import FilmJob, Times
from emotion_mt.features.store import FeatureStore, FilmKey
from emotion_mt.features.video import VideoError
from emotion_mt.storage import claims
from emotion_mt.storage.claims import Claim, try_claim

#: Seconds between looks at films that other runs are at.
POLL_S = 0.5


@dataclasses.dataclass
class Film:
    """A film, and what is known of its segments.

    Attributes:
        name: Name in the store.
        key: Key in the store.
        rows: Segment of each row of the corpus that is in this film.
        features: Segments to their features, float32 [C].
        job: What is to be computed, or None.
    """

    name: str
    key: FilmKey
    rows: dict[int, Times]
    features: dict[Times, np.ndarray]
    job: FilmJob | None


class FilmQueue:
    """Films that lack features, of which each run on a store takes its share.

    A film is claimed before it is decoded, and its features are stored before
    the claim is given up. A film that another run has claimed is looked at
    again until its features are there, or that run has died or failed. A
    context manager: leaving it gives up all claims.

    Args:
        films: The films; those without a job are done.
        store: The store that runs share.
        config: How films become windows.

    Attributes:
        problems: Messages about films that ceased to be usable.
        others: Segments whose features other runs computed.
    """

    def __init__(
        self, films: Iterable[Film], store: FeatureStore, config: FeatureConfig
    ) -> None:
        self._waiting = [film for film in films if film.job is not None]
        self._store = store
        claims.tidy(store.folder)
        self._config = config
        self._claims: dict[int, Claim] = {}
        self._error: OSError | None = None
        # Films are claimed in the thread that decodes them.
        self._lock = threading.Lock()
        self._left = False
        self.problems: list[str] = []
        self.others = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._left = True
            while self._claims:
                self._claims.popitem()[1].release()

    def rounds(self) -> Iterator[Share]:
        """Yields what this run can do, until nothing is left to do.

        Each share must be worked off before the next is asked for.

        Raises:
            OSError: If the store's folder cannot be written to.
        """
        while self._waiting:
            share = Share(self._claimed())
            if share:
                yield share
            if self._error is not None:
                raise self._error
            if self._waiting and not share:
                time.sleep(POLL_S)

    def finish(self, film: Film, new: dict[Times, np.ndarray]) -> None:
        """Stores what was computed of a film and gives its claim up.

        Args:
            film: One of a share.
            new: Segments to their features, float32 [C]; may be empty.
        """
        if new:
            self._store.add(film.name, film.key, new)
        film.features.update(new)
        self._give_up(film)

    def _give_up(self, film: Film) -> None:
        with self._lock:
            self._claims.pop(id(film)).release()

    def _claim(self, film: Film) -> bool:
        with self._lock:
            if self._left:
                return False
            claim = try_claim(self._store.path(film.name, film.key))
            if claim is not None:
                self._claims[id(film)] = claim
            return claim is not None

    def _claimed(self) -> Iterator[Film]:
        """Claims film after film, when it is asked for the next one."""
        for film in list(self._waiting):
            try:
                claimed = self._claim(film)
            except OSError as error:
                # For `rounds`: this may run in a thread of TensorFlow, which
                # would wrap it.
                self._error = error
                return
            if not claimed:
                continue
            self._waiting.remove(film)
            if self._still_lacks(film):
                yield film
            else:
                self._give_up(film)

    def _still_lacks(self, film: Film) -> bool:
        """Takes what other runs have stored since the last look."""
        assert film.job is not None
        stored = self._store.read(film.name, film.key)
        found = {t: stored[t] for t in film.job.times if t in stored}
        film.features.update(found)
        self.others += len(found)
        missing = [t for t in film.job.times if t not in stored]
        if not found or not missing:
            return bool(missing)
        try:
            film.job = FilmJob(film.job.path, missing, self._config)
        except VideoError as error:
            self.problems.append(str(error))
            return False
        return True


class Share(Sequence[FilmJob]):
    """Jobs of claimed films, each claimed when the one before is begun.

    Args:
        films: Claims a film when it is asked for one.

    Attributes:
        films: Those that were claimed so far.
    """

    def __init__(self, films: Iterator[Film]) -> None:
        self._coming = films
        self.films: list[Film] = []
        self._claim_next()

    def _claim_next(self) -> bool:
        film = next(self._coming, None)
        if film is not None:
            self.films.append(film)
        return film is not None

    def film_of(self, job: FilmJob) -> Film:
        """Returns the film that a job belongs to."""
        return next(film for film in self.films if film.job is job)

    def __len__(self) -> int:
        return len(self.films)

    @overload
    def __getitem__(self, index: int) -> FilmJob: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FilmJob]: ...
    def __getitem__(self, index: int | slice) -> FilmJob | Sequence[FilmJob]:
        jobs = [film.job for film in self.films if film.job is not None]
        return jobs[index]

    def __iter__(self) -> Iterator[FilmJob]:
        """Yields jobs; once, from the first film to the last to be claimed."""
        number = 0
        while number < len(self.films) or self._claim_next():
            yield self[number]
            number += 1
