"""MT minus ST over the test films, with what it supports in words."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.statistics import film_interval, holm, sign_flip_p

#: Name of the column that averages the others.
MEAN = paper.MEAN


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison of two rows of a table.

    Attributes:
        ours: Name of the row that should be ahead, MT.
        other: Name of the row it is compared with, ST.
        rows: DataFrame, index the table's columns and `MEAN`; in points of
            accuracy: difference, low and high (95 % interval by resampling
            films); p (exact sign-flip test over films) and p_holm (corrected
            for the number of columns; `MEAN` is a test of its own).
        films: Number of test films.
    """

    ours: str
    other: str
    rows: pd.DataFrame
    films: int

    def sentence(self) -> str:
        """Says in plain words what the numbers support."""
        columns = self.rows.drop(index=MEAN)
        ahead = int((columns["difference"] > 0).sum())
        mean = self.rows.loc[MEAN].to_dict()
        if math.isnan(mean["low"]):
            return (
                f"{self.ours} minus {self.other} is "
                f"{mean['difference']:+.1f} points in the mean, on one test "
                "film: that says nothing about other films."
            )
        text = (
            f"{self.ours} is ahead of {self.other} in {ahead} of "
            f"{len(columns)} columns; in the mean by "
            f"{mean['difference']:+.1f} points (95 % interval over films "
            f"{mean['low']:+.1f} to {mean['high']:+.1f}, exact sign-flip test "
            f"over {self.films} films p = {mean['p']:.3f}). "
        )
        significant = columns.index[columns["p_holm"] <= 0.05]
        if mean["p"] <= 0.05:
            better = self.ours if mean["difference"] > 0 else self.other
            text += f"These numbers support that {better} is better on average"
        else:
            text += (
                "These numbers do not support that either is better on average"
            )
        if len(significant):
            return (
                f"{text}; single columns that differ after Holm's correction: "
                f"{', '.join(significant)}."
            )
        return f"{text}; no single column differs after Holm's correction."


def compare(per_fold: pd.DataFrame, ours: str, other: str) -> Comparison | None:
    """Compares two rows film by film.

    Args:
        per_fold: DataFrame with row, fold, column, accuracy in [0, 1], one
            line per row, fold and column.
        ours: Name of the first row.
        other: Name of the second row.

    Returns:
        The comparison over the cells that both rows have; None if there is
        none.
    """
    wide = 100 * per_fold.pivot_table(
        index="fold", columns=["row", "column"], values="accuracy", sort=False
    )
    present = set(wide.columns.get_level_values("row"))
    if not {ours, other} <= present:
        return None
    differences = pd.DataFrame(wide[ours] - wide[other])
    differences = differences.dropna(axis="columns", how="all")
    if differences.empty:
        return None
    differences[MEAN] = differences.mean(axis="columns")
    lines: dict[str, dict[str, float]] = {}
    for column in differences:
        films = differences[column].to_numpy(dtype=float)
        values = films[~np.isnan(films)]
        low, high = film_interval(values)
        lines[str(column)] = {
            "difference": float(np.mean(values)),
            "low": low,
            "high": high,
            "p": sign_flip_p(values),
        }
    rows = pd.DataFrame.from_dict(lines, orient="index")
    single = rows.index != MEAN
    rows.loc[single, "p_holm"] = holm(
        rows.loc[single, "p"].to_numpy(dtype=float)
    )
    return Comparison(ours, other, rows, films=len(differences))
