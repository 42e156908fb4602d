"""The best possible scores: those of a predictor that knows what is hidden."""

from __future__ import annotations

import numpy as np

from emotion_mt.corpus.corpus import labels_from_values, mean_of_rated
from emotion_mt.corpus.simulation import traces
from emotion_mt.corpus.simulation.state import SimulatedFilm, SimulatedState
from emotion_mt.corpus.traces import DIMENSIONS


def ceiling_accuracies(
    state: SimulatedState, dimension: str
) -> dict[str, dict[str, float]]:
    """Scores a predictor that knows all responses, but no noise and no hand.

    The predictor knows for each viewer the shared and the own response at
    each moment and the viewer's offset. Against it are the labels that come
    out of the written traces by the rules of loading. What it misses is
    noise, the lag of the hand and its coarseness.

    Args:
        state: The corpus.
        dimension: One of `traces.DIMENSIONS`.

    Returns:
        Film code -> viewer (and the average one) -> accuracy in [0, 1].
    """
    return {
        film.profile.movie: dict(
            zip(
                state.viewers,
                _film_ceiling(film, state.scales, dimension).tolist(),
                strict=True,
            )
        )
        for film in state.films
    }


def known_means(
    film: SimulatedFilm, scales: traces.Scales, dimension: str
) -> np.ndarray:
    """Averages what each viewer would mark without noise and hand.

    Args:
        film: The film.
        scales: Offsets and ranges of the viewers.
        dimension: One of `traces.DIMENSIONS`.

    Returns:
        float64 [V + 1, n], in units of the traces; the last row is the
        average viewer.
    """
    column = DIMENSIONS.index(dimension)
    response = film.feelings.response[:, :, column]
    marks = scales.range[:, column] * (response + scales.offset[:, column])
    viewers = np.arange(marks.shape[1])
    means = traces.rated_means(np.clip(marks, -1, 1), film.timeline, viewers)
    return np.vstack([means, mean_of_rated(means)])


def _film_ceiling(
    film: SimulatedFilm, scales: traces.Scales, dimension: str
) -> np.ndarray:
    predicted = labels_from_values(known_means(film, scales, dimension))
    labels = labels_from_values(film.means(dimension))
    return (predicted == labels).mean(axis=1)
