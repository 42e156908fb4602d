"""How hard a simulated corpus is, without deep models.

Logistic regressions on words and on simple statistics of the frames say what
the content carries; the networks of the paper may do better or worse.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emotion_mt.simulation import SimulatedFilm, SimulatedState
from emotion_mt.simulation.pictures import render_frames
from emotion_mt.simulation.timeline import STEP_MS

# Pairs of neighbouring frames that are looked at in each segment.
_PAIRS = 2
_BLOCKS = 5


def held_out(
    features: np.ndarray,
    labels: np.ndarray,
    movies: np.ndarray,
    known: bool = False,
) -> float:
    """Scores models that were fitted on all other films.

    Args:
        features: float64 [N, D], the segments of a film in order of time.
        labels: float32 [N, V], 1.0 positive, 0.0 negative.
        movies: str [N], film of each segment.
        known: Holds out a consecutive fifth of all films in turn, instead of
            a film.

    Returns:
        Accuracy in [0, 1], the mean over films and viewers.
    """
    by_movie = pd.Series(movies).groupby(movies)
    fifths = by_movie.cumcount() * _BLOCKS // by_movie.transform("size")
    groups = fifths.to_numpy() if known else movies
    right = np.empty(labels.shape)
    # Fixed, never tuned.
    how = {"C": 0.1, "class_weight": "balanced", "max_iter": 200}
    for group in np.unique(groups):
        test = groups == group
        for viewer, column in enumerate(labels.T):
            answers = column[~test][0]
            if len(set(column[~test])) > 1:
                model = make_pipeline(
                    StandardScaler(), LogisticRegression(**how)
                )
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    model.fit(features[~test], column[~test])
                answers = model.predict(features[test])
            right[test, viewer] = answers == column[test]
    return float(np.mean([right[movies == m].mean() for m in set(movies)]))


def word_features(state: SimulatedState) -> np.ndarray:
    """Says which words are in each segment: float64 [N, D]."""
    texts = [t for f in state.films for t in f.texts[: f.timeline.rated]]
    # Words that only a test film has cannot be used by a model that never
    # saw them: their columns are zero in its training films.
    counter = CountVectorizer(token_pattern=r"[\w']+", binary=True)
    return counter.fit_transform(texts).toarray().astype(np.float64)


def frame_features(state: SimulatedState) -> np.ndarray:
    """Measures light, colour and movement of each segment: float64 [N, D].

    A few frames of each segment are drawn for it, no video is read.
    """
    rows = [row for film in state.films for row in _measure_film(film, state)]
    return np.array(rows)


def _measure_film(
    film: SimulatedFilm, state: SimulatedState
) -> Iterator[np.ndarray]:
    line = film.timeline
    first = line.cue_start_ms[: line.rated] // STEP_MS
    last = line.cue_end_ms[: line.rated] // STEP_MS
    places = np.linspace(first, last - 1, _PAIRS + 2)[1:-1].T.astype(int)
    moments = np.stack([places, places + 1], axis=-1).ravel().tolist()
    known = (film.profile.movie, line, film.content, state.seed, state.config)
    pictures = render_frames(*known, moments)
    for _ in range(line.rated):
        pairs = [(next(pictures), next(pictures)) for _ in range(_PAIRS)]
        still = np.mean([_still_features(first) for first, _ in pairs], axis=0)
        moved = [np.log1p(cv2.absdiff(*pair).mean()) for pair in pairs]
        yield np.append(still, [np.mean(moved), np.max(moved)])


def _still_features(picture: np.ndarray) -> np.ndarray:
    """Returns lightness, saturation, warmth, edges, contrast, quarters."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    quarters = cv2.resize(picture, (2, 2), interpolation=cv2.INTER_AREA)
    blue, _, red = picture.mean(axis=(0, 1))
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()
    colours = hsv[..., 1:].mean(axis=(0, 1))
    numbers = [*colours, red - blue, edges, grey.std(), *quarters.ravel()]
    return np.array(numbers, dtype=np.float64)
