"""MT minus ST over the test films: how large, and how sure it can be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from emotion_mt.paper import MEAN

#: A p-value up to this counts as a difference.
LEVEL = 0.05

#: Films of which all sign patterns are looked at: about a million.
EXACT_FILMS = 20


def film_interval(values: ArrayLike) -> tuple[float, float]:
    """Returns the 95 % interval of a mean over test films.

    Segments of one film resemble each other, so films are drawn, not segments
    (percentile bootstrap, 9,999 draws); NaN for fewer than two films.
    """
    scores = np.asarray(values, dtype=float)
    if scores.size < 2:
        return math.nan, math.nan
    rng = np.random.default_rng(0)
    interval = stats.bootstrap(
        (scores,), np.mean, method="percentile", rng=rng
    ).confidence_interval
    return float(interval.low), float(interval.high)


def sign_flip_p(differences: ArrayLike) -> float:
    """Returns the p-value of a two-sided paired sign-flip test, one per film.

    If two models are equally good, the sign of each film's difference is a
    coin toss. With n films there are 2^n ways, so the p-value, the share of
    those whose mean is at least as far from 0, cannot be less than 2 / 2^n.
    Of more than `EXACT_FILMS` films, as many ways are drawn at random.
    """
    films = np.asarray(differences, dtype=float)
    if films.size < 2:
        # No film: no answer. One film: both signs are equally far from 0.
        return 1.0 if films.size else math.nan
    result = stats.permutation_test(
        (films,),
        np.mean,
        permutation_type="samples",
        n_resamples=2 ** min(films.size, EXACT_FILMS),
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Corrects p-values of several tests by Holm's step-down method.

    NaN stands for a test that could not be made: it stays, and does not count.
    """
    raw = np.asarray(p_values, dtype=float)
    order = np.argsort(raw, kind="stable")[: np.count_nonzero(~np.isnan(raw))]
    steps = np.arange(order.size, 0, -1) * raw[order]
    adjusted = np.full(raw.shape, math.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison of two rows of a table.

    Attributes:
        ours: Name of the row that should be ahead, MT.
        other: Name of the row it is compared with, ST.
        measure: What is compared, among `scores.MEASURES`.
        rows: DataFrame, index the table's columns and `MEAN`; in points:
            difference, low and high (95 % interval by resampling films), p
            (sign-flip test over films) and p_holm (corrected for the number
            of columns; `MEAN` is a test of its own, over means of films).
        films: Number of test films.
    """

    ours: str
    other: str
    measure: str
    rows: pd.DataFrame
    films: int

    @property
    def name(self) -> str:
        """How the measure is called in words."""
        return self.measure.replace("_", " ")

    def sentence(self) -> str:
        """Says in plain words what the numbers support."""
        columns = self.rows.drop(index=MEAN)
        mean = self.rows.loc[MEAN].to_dict()
        exact = "exact " if self.films <= EXACT_FILMS else ""
        proof = (
            f" (95 % interval over films {mean['low']:+.1f} to "
            f"{mean['high']:+.1f}, {exact}sign-flip test over {self.films} "
            f"films p = {mean['p']:.3f})"
        )
        one = math.isnan(mean["low"])
        text = f"In {self.name}, " + standing(
            self.ours, self.other, columns["difference"], "" if one else proof
        )
        if one:
            return (
                f"{text}, on one test film: that says nothing about other "
                "films."
            )
        sure, better = "do not support", "either"
        if mean["p"] <= LEVEL:
            sure = "support"
            better = self.ours if mean["difference"] > 0 else self.other
        single = "no single column differs after Holm's correction"
        if len(differing := columns.index[columns["p_holm"] <= LEVEL]):
            single = (
                "single columns that differ after Holm's correction: "
                f"{', '.join(differing)}"
            )
        return (
            f"{text}. These numbers {sure} that {better} is better on "
            f"average; {single}."
        )


def standing(
    ours: str, other: str, differences: pd.Series, proof: str = ""
) -> str:
    """Says who is ahead by differences per column, in points.

    It is the beginning of a sentence, `proof` after their mean: "MT is behind
    ST by 2.7 points on average, ahead in 2 of 8 columns".
    """
    mean = differences.mean()
    place = f"{'ahead of' if mean > 0 else 'behind'} {other}"
    by = f"{abs(mean):.1f}"
    place = f"equal to {other}" if by == "0.0" else f"{place} by {by} points"
    return (
        f"{ours} is {place} on average{proof}, ahead in "
        f"{(differences > 0).sum()} of {len(differences)} columns"
    )


def compare(
    per_fold: pd.DataFrame, ours: str, other: str, measure: str
) -> Comparison | None:
    """Compares two rows, as `film_differences` does, if they share a cell."""
    films = film_differences(per_fold, ours, other, measure)
    if films.empty:
        return None
    values = [films[column].dropna().to_numpy() for column in films]
    rows = pd.DataFrame(
        [(v.mean(), *film_interval(v), sign_flip_p(v)) for v in values],
        index=films.columns,
        columns=["difference", "low", "high", "p"],
    )
    single = rows.index != MEAN
    rows["p_holm"] = holm(rows["p"].where(single))
    # As in the rows themselves, also where films lack a viewer.
    rows.loc[MEAN, "difference"] = rows["difference"][single].mean()
    return Comparison(ours, other, measure, rows, films=len(films))


def film_differences(
    per_fold: pd.DataFrame, ours: str, other: str, measure: str
) -> pd.DataFrame:
    """Subtracts the row `other` from the row `ours` of a `Table.per_fold`.

    Returns:
        DataFrame, index the folds, columns those that both rows have and
        `MEAN`, in points; empty where there are none.
    """
    cells = per_fold.pivot_table(
        index=["row", "fold"], columns="column", values=measure, sort=False
    )
    if not {ours, other} <= set(cells.index.get_level_values("row")):
        return pd.DataFrame()
    films = pd.DataFrame(100 * (cells.loc[ours] - cells.loc[other]))
    films = films.dropna(axis="columns", how="all").dropna(how="all")
    films[MEAN] = films.mean(axis="columns")
    return films
