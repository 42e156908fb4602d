"""How sure a difference over a handful of test films can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def film_interval(
    values: Sequence[float], level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Interval of a mean over test films, by resampling films.

    Segments of one film resemble each other, so films are drawn, not
    segments (percentile bootstrap, 9,999 draws).

    Args:
        values: One score per test film.
        level: Coverage in (0, 1).
        seed: Of the draws.

    Returns:
        Lower and upper end; (NaN, NaN) for fewer than two films.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    interval = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p-value of a paired sign-flip test, exact.

    Under the null hypothesis that two models are equally good, the sign of
    each film's difference is a coin toss. With n films there are 2^n ways, so
    the p-value cannot be less than 2 / 2^n.

    Args:
        differences: One difference per test film; at most 20.

    Returns:
        Share of the sign patterns whose mean is at least as far from 0; NaN
        without films.

    Raises:
        ValueError: If there are more than 20 differences.
    """
    differences = np.asarray(differences, dtype=float)
    if differences.size > 20:
        raise ValueError(
            "`differences` may have at most 20 values for an exact test. "
            f"Received: {differences.size}"
        )
    if differences.size < 2:
        # No film: no answer. One film: both signs are equally far from 0.
        return 1.0 if differences.size else float("nan")
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=2**differences.size,
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's step-down correction for several tests.

    Args:
        p_values: p-values, NaN for a test that could not be made.

    Returns:
        Adjusted p-values in the same order, at most 1; NaN stays NaN and does
        not count as a test.
    """
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    made = np.flatnonzero(~np.isnan(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(
        np.maximum.accumulate(factors * p_values[order]), 1.0
    )
    return adjusted
