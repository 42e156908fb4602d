"""How sure a difference over a handful of test films can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def film_interval(values: ArrayLike) -> tuple[float, float]:
    """Interval of a mean over test films, by resampling films.

    Segments of one film resemble each other, so films are drawn, not
    segments (percentile bootstrap, 9,999 draws).

    Args:
        values: One score per test film.

    Returns:
        Ends of the 95 % interval; (NaN, NaN) for fewer than two films.
    """
    scores = np.asarray(values, dtype=float)
    if scores.size < 2:
        return float("nan"), float("nan")
    interval = stats.bootstrap(
        (scores,),
        np.mean,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def sign_flip_p(differences: ArrayLike) -> float:
    """Two-sided p-value of a paired sign-flip test, exact.

    If two models are equally good, the sign of each film's difference is a
    coin toss. With n films there are 2^n ways, so the p-value cannot be less
    than 2 / 2^n.

    Args:
        differences: One difference per test film; at most 20.

    Returns:
        Share of the sign patterns whose mean is at least as far from 0; NaN
        without films.

    Raises:
        ValueError: If there are more than 20 differences.
    """
    films = np.asarray(differences, dtype=float)
    if films.size > 20:
        raise ValueError(
            "`differences` may have at most 20 values for an exact test. "
            f"Received: {films.size}"
        )
    if films.size < 2:
        # No film: no answer. One film: both signs are equally far from 0.
        return 1.0 if films.size else float("nan")
    result = stats.permutation_test(
        (films,), np.mean, permutation_type="samples", n_resamples=2**films.size
    )
    return float(result.pvalue)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's step-down correction for several tests.

    NaN stands for a test that could not be made: it stays, and does not
    count. Adjusted values are at most 1.
    """
    raw = np.asarray(p_values, dtype=float)
    order = np.argsort(raw, kind="stable")[: np.count_nonzero(~np.isnan(raw))]
    factors = np.arange(order.size, 0, -1)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum(
        np.maximum.accumulate(factors * raw[order]), 1.0
    )
    return adjusted
