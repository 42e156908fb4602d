"""How often viewers feel positive, and how much they agree."""

from __future__ import annotations

import numpy as np

from emotion_mt.corpus.simulation.state import SimulatedState
from emotion_mt.corpus.simulation.traces import VALENCE, rated_means
from emotion_mt.corpus.traces import DIMENSIONS


def positive_shares(state: SimulatedState) -> np.ndarray:
    """Returns float64 [F, V + 1], share of positive segments of valence.

    The last column is the average viewer's.
    """
    means = [film.means(DIMENSIONS[VALENCE]) for film in state.films]
    return np.array([(values > 0).mean(axis=1) for values in means])


def mean_correlations(state: SimulatedState) -> np.ndarray:
    """Correlates the viewers' segment means, as the paper's Fig. 3.

    Args:
        state: The corpus.

    Returns:
        float64 [V + 1, V + 1], the mean over films of the correlations of
        valence within a film; the last row and column are the average.
    """
    means = [film.means(DIMENSIONS[VALENCE]) for film in state.films]
    return np.mean([np.corrcoef(values) for values in means], axis=0)


def repeat_correlations(state: SimulatedState) -> dict[str, float]:
    """Correlates the two passes of each viewer who rated twice.

    Args:
        state: The corpus.

    Returns:
        Viewer -> mean over films of the correlation of the segment means of
        valence within a film.
    """
    found: dict[str, list[float]] = {}
    for film in state.films:
        owner = film.feelings.viewer_of_pass
        means = rated_means(
            film.traces[:, :, VALENCE], film.timeline, np.arange(len(owner))
        )
        for row, viewer in enumerate(state.config.viewers):
            passes = means[owner == row]
            if len(passes) == 2:
                both = float(np.corrcoef(passes)[0, 1])
                found.setdefault(viewer.name, []).append(both)
    return {name: float(np.mean(values)) for name, values in found.items()}


def autocorrelation(columns: np.ndarray, steps: int) -> float:
    """Correlates traces with themselves some steps later.

    Args:
        columns: float64 [T, P], one trace per column.
        steps: How much later, 1 to T - 2.

    Returns:
        The mean over the traces.
    """
    found = [np.corrcoef(c[:-steps], c[steps:])[0, 1] for c in columns.T]
    return float(np.mean(found))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Returns Spearman's correlation of two rows without ties."""
    first, second = (
        np.argsort(np.argsort(row)).astype(np.float64) for row in (a, b)
    )
    return float(np.corrcoef(first, second)[0, 1])
