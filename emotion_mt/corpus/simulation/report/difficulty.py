"""First estimates of how hard a simulated corpus is, without deep models.

Logistic regressions on words, on simple statistics of the frames, and on the
looks that were asked of the renderer. They say what the content carries; the
networks of the paper may do better or worse.
"""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Iterator

import cv2
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emotion_mt.corpus.corpus import labels_from_values
from emotion_mt.corpus.simulation.pictures import rendering, style
from emotion_mt.corpus.simulation.state import SimulatedFilm, SimulatedState
from emotion_mt.corpus.simulation.timeline import STEP_MS
from emotion_mt.corpus.traces import DIMENSIONS

#: Parts of a film that are held out in turn by `known_films`.
BLOCKS = 5

# Strength of the penalty, as scikit-learn's inverse; fixed, never tuned.
_INVERSE_PENALTY = 0.1
# Pairs of neighbouring frames that are looked at in each segment.
_PAIRS = 2


@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    """Features and labels of the segments of a corpus.

    Attributes:
        features: float64 [N, D].
        labels: float32 [N, V], 1.0 positive, 0.0 negative.
        movies: str [N], film of each segment.
    """

    features: np.ndarray
    labels: np.ndarray
    movies: np.ndarray

    @property
    def films(self) -> list[str]:
        """The films, in order of appearance."""
        return list(dict.fromkeys(self.movies.tolist()))


def held_out_films(samples: Samples) -> np.ndarray:
    """Scores each film with a model fitted on all others.

    Args:
        samples: Features and labels.

    Returns:
        float64 [V], accuracy in [0, 1], the mean over films.
    """
    right = np.empty(samples.labels.shape)
    for film in samples.films:
        test = samples.movies == film
        right[test] = _right(samples, ~test, test)
    return _mean_over_films(samples, right)


def known_films(samples: Samples) -> np.ndarray:
    """Scores each fifth of all films with a model fitted on the other fifths.

    The fifths are consecutive, so that few shots are in both parts.

    Args:
        samples: Features and labels, the segments of a film in order of time.

    Returns:
        float64 [V], accuracy in [0, 1], the mean over films.
    """
    block = np.empty(len(samples.movies), dtype=np.int64)
    for film in samples.films:
        rows = np.flatnonzero(samples.movies == film)
        block[rows] = np.arange(len(rows)) * BLOCKS // len(rows)
    right = np.empty(samples.labels.shape)
    for number in range(BLOCKS):
        test = block == number
        right[test] = _right(samples, ~test, test)
    return _mean_over_films(samples, right)


def word_samples(state: SimulatedState) -> Samples:
    """Counts the words of each segment; valence labels."""
    texts = [
        text
        for film in state.films
        for text in film.texts[: film.timeline.rated]
    ]
    counts = CountVectorizer(token_pattern=r"[\w']+").fit_transform(texts)
    # Words that only a test film has cannot be used by a model that never
    # saw them: their columns are zero in its training films.
    return _samples(state, np.minimum(counts.toarray(), 1).astype(np.float64))


def joined(one: Samples, other: Samples) -> Samples:
    """Puts the features of the same segments side by side.

    Args:
        one: Features and labels.
        other: Other features with the same labels.
    """
    features = np.hstack([one.features, other.features])
    return dataclasses.replace(one, features=features)


def look_samples(state: SimulatedState) -> Samples:
    """Averages the looks of the shots over each segment; valence labels."""
    rows = []
    for film in state.films:
        looks = style.make_looks(
            film.profile.movie, film.content, state.seed, state.config
        )
        shots = np.array([dataclasses.astuple(look) for look in looks])
        frames = shots[film.timeline.shot_of_frame]
        rows += [
            frames[first:beyond].mean(axis=0)
            for first, beyond in _frame_ranges(film)
        ]
    return _samples(state, np.array(rows))


def frame_samples(state: SimulatedState) -> Samples:
    """Measures light, colour and movement of each segment; valence labels.

    A few frames of each segment are drawn for it, no video is read.

    Args:
        state: The corpus.

    Returns:
        One row per segment: lightness, saturation, warmth, edges and
        contrast, colours of the quarters of the picture, and the change from
        a frame to the next.
    """
    rows = [row for film in state.films for row in _measure_film(film, state)]
    return _samples(state, np.array(rows))


def _measure_film(
    film: SimulatedFilm, state: SimulatedState
) -> Iterator[np.ndarray]:
    """Yields float64 [D], the features of each segment of a film."""
    moments = []
    for first, beyond in _frame_ranges(film):
        places = np.linspace(first, beyond - 2, _PAIRS + 2)[1:-1]
        moments += [f for place in places for f in (int(place), int(place) + 1)]
    pictures = rendering.render_frames(
        film.profile.movie,
        film.timeline,
        film.content,
        state.seed,
        state.config,
        moments,
    )
    while pairs := list(itertools.islice(pictures, 2 * _PAIRS)):
        still = [_still_features(picture) for picture in pairs[::2]]
        moved = [
            np.log1p(cv2.absdiff(a, b).mean())
            for a, b in zip(pairs[::2], pairs[1::2], strict=True)
        ]
        yield np.append(np.mean(still, axis=0), [np.mean(moved), np.max(moved)])


def _still_features(picture: np.ndarray) -> np.ndarray:
    """Returns float64 [D], what one frame looks like."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    quarters = cv2.resize(picture, (2, 2), interpolation=cv2.INTER_AREA)
    blue, _, red = picture.mean(axis=(0, 1))
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()
    return np.array(
        [
            *hsv[..., 1:].mean(axis=(0, 1)),
            red - blue,
            edges,
            grey.std(),
            *quarters.ravel(),
        ],
        dtype=np.float64,
    )


def _frame_ranges(film: SimulatedFilm) -> list[tuple[int, int]]:
    """Returns first frame and the one after the last of each segment."""
    rated = film.timeline.rated
    first = film.timeline.cue_start_ms[:rated] // STEP_MS
    beyond = film.timeline.cue_end_ms[:rated] // STEP_MS + 1
    return list(zip(first.tolist(), beyond.tolist(), strict=True))


def _samples(state: SimulatedState, features: np.ndarray) -> Samples:
    labels = [
        labels_from_values(film.means(DIMENSIONS[0])).T for film in state.films
    ]
    movies = [
        film.profile.movie
        for film in state.films
        for _ in range(film.timeline.rated)
    ]
    return Samples(features, np.concatenate(labels), np.array(movies))


def _right(samples: Samples, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Fits one model per viewer; float64 [n, V], 1.0 where it is right."""
    columns = []
    for labels in samples.labels.T:
        truth = labels[test]
        if len(set(labels[train])) < 2:
            columns.append(truth == labels[train][0])
            continue
        model = make_pipeline(
            StandardScaler(),
            LogisticRegression(
                C=_INVERSE_PENALTY, class_weight="balanced", max_iter=200
            ),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(samples.features[train], labels[train])
        columns.append(model.predict(samples.features[test]) == truth)
    return np.stack(columns, axis=1).astype(np.float64)


def _mean_over_films(samples: Samples, right: np.ndarray) -> np.ndarray:
    by_film = [right[samples.movies == f].mean(axis=0) for f in samples.films]
    return np.mean(by_film, axis=0)
