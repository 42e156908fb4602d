"""MT minus ST over the test films, with what it supports in words."""

from __future__ import annotations

import dataclasses
import math

import pandas as pd

from emotion_mt.evaluation.statistics import film_interval, holm, sign_flip_p
from emotion_mt.paper import MEAN

#: A p-value up to this counts as a difference.
LEVEL = 0.05


def standing(
    ours: str, other: str, differences: pd.Series, proof: str = ""
) -> str:
    """Says who is ahead, as the beginning of a sentence.

    Args:
        ours: Name of the first row.
        other: Name of the second row.
        differences: The first minus the second per column, in points.
        proof: Stands after their mean.

    Returns:
        "MT is behind ST by 2.7 points on average, ahead in 2 of 8 columns".
    """
    mean = differences.mean()
    place = "ahead of" if mean > 0 else "behind"
    by = f" by {abs(mean):.1f} points"
    if by == " by 0.0 points":
        place, by = "equal to", ""
    return (
        f"{ours} is {place} {other}{by} on average{proof}, ahead in "
        f"{(differences > 0).sum()} of {len(differences)} columns"
    )


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison of two rows of a table.

    Attributes:
        ours: Name of the row that should be ahead, MT.
        other: Name of the row it is compared with, ST.
        measure: What is compared, among `scores.MEASURES`.
        rows: DataFrame, index the table's columns and `MEAN`; in points:
            difference, low and high (95 % interval by resampling films); p
            (exact sign-flip test over films) and p_holm (corrected for the
            number of columns; `MEAN` is a test of its own). Interval and test
            of `MEAN` are over the means of single films.
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
        one = math.isnan(mean["low"])
        proof = (
            f" (95 % interval over films {mean['low']:+.1f} to "
            f"{mean['high']:+.1f}, exact sign-flip test over {self.films} "
            f"films p = {mean['p']:.3f})"
        )
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
        differing = columns.index[columns["p_holm"] <= LEVEL]
        if len(differing):
            single = (
                "single columns that differ after Holm's correction: "
                f"{', '.join(differing)}"
            )
        return (
            f"{text}. These numbers {sure} that {better} is better on "
            f"average; {single}."
        )


def compare(
    per_fold: pd.DataFrame, ours: str, other: str, measure: str
) -> Comparison | None:
    """Compares two rows film by film.

    Args:
        per_fold: DataFrame with row, fold, column and the measure in [0, 1],
            one line per row, fold and column.
        ours: Name of the first row.
        other: Name of the second row.
        measure: What to compare, among `scores.MEASURES`.

    Returns:
        The comparison over the cells that both rows have; None if there is
        none.
    """
    films = film_differences(per_fold, ours, other, measure)
    if films.empty:
        return None
    values = {column: films[column].dropna().to_numpy() for column in films}
    rows = pd.DataFrame(
        [(each.mean(), *film_interval(each)) for each in values.values()],
        index=films.columns,
        columns=["difference", "low", "high"],
    )
    single = rows.index != MEAN
    rows["p"] = [sign_flip_p(each) for each in values.values()]
    rows["p_holm"] = holm(rows["p"].where(single))
    # As in the rows themselves, also where films lack a viewer.
    rows.loc[MEAN, "difference"] = rows["difference"][single].mean()
    return Comparison(ours, other, measure, rows, films=len(films))


def film_differences(
    per_fold: pd.DataFrame, ours: str, other: str, measure: str
) -> pd.DataFrame:
    """Subtracts two rows film by film; arguments as of `compare`.

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
