"""Tables as grids of texts: what every rendering shows, rounded once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import pandas as pd

from emotion_mt.evaluation.comparison import Comparison
from emotion_mt.evaluation.tables import Table

#: Headings of the blocks below the accuracies.
MEASURE_NAMES = {
    "balanced_accuracy": "Balanced accuracy (%)",
    "macro_f1": "Macro-F1 (%)",
    "matthews": "Matthews correlation (× 100)",
}

SPREAD_NAMES = {
    "folds": "Standard deviation over test films (points)",
    "seeds": "Standard deviation over seeds (points)",
}

#: Lines of a comparison: name in the CSV file and in the other renderings.
COMPARISON_NAMES = {
    "difference": "{ours} − {other} (points)",
    "low": "95 % interval, low",
    "high": "95 % interval, high",
    "p": "p (exact sign-flip)",
    "p_holm": "p (Holm)",
}

#: Kinds of lines.
OURS, PAPER, DIFFERENCE = "ours", "paper", "difference"

#: Shown where a number is undefined.
DASH = "–"

#: Decimals in the CSV file. The other renderings round the same digits on.
CSV_DECIMALS = 4


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a grid.

    Attributes:
        name: What the numbers are of.
        kind: `OURS`, `PAPER` (published) or `DIFFERENCE` (ours minus the
            published).
        cells: One text per column of the grid.
    """

    name: str
    kind: str
    cells: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Grid:
    """A block of a rendered table.

    Attributes:
        heading: What the block shows.
        columns: Names of the columns.
        lines: The lines.
    """

    heading: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def _text(value: float, form: str) -> str:
    if math.isnan(value):
        return DASH
    return format(round(value, CSV_DECIMALS), form)


def cell(value: float) -> str:
    """A number of a table as text; a dash where it is undefined."""
    return _text(value, ".2f")


def _grid(
    heading: str,
    rows: pd.DataFrame,
    published: pd.DataFrame | None = None,
    render: Callable[[float], str] = cell,
) -> Grid:
    """A grid of a DataFrame, the paper's row and the difference under ours."""
    theirs = (
        {}
        if published is None
        else {name: list(row) for name, row in published.iterrows()}
    )
    lines = []
    for name, row in rows.iterrows():
        ours = [float(value) for value in row]
        lines.append(Line(str(name), OURS, tuple(map(render, ours))))
        if name in theirs:
            lines.append(
                Line(f"{name}, paper", PAPER, tuple(map(cell, theirs[name])))
            )
            lines.append(
                Line(
                    f"{name}, difference",
                    DIFFERENCE,
                    tuple(
                        _text(a - b, "+.2f")
                        for a, b in zip(ours, theirs[name], strict=True)
                    ),
                )
            )
    return Grid(heading, tuple(map(str, rows.columns)), tuple(lines))


def _comparison_grid(comparison: Comparison) -> Grid:
    """MT minus ST, a column per viewer."""
    heading = f"{comparison.ours} against {comparison.other}"
    names = {
        key: name.format(ours=comparison.ours, other=comparison.other)
        for key, name in COMPARISON_NAMES.items()
    }
    rows = comparison.rows[list(names)].rename(columns=names).T
    return _grid(heading, rows, render=lambda value: _text(value, ".3f"))


def grids(table: Table) -> Sequence[Grid]:
    """Returns the blocks of a table.

    Args:
        table: The table.

    Returns:
        Accuracies with the paper's rows, the comparison of MT and ST, the
        other measures, the spread; blocks without numbers are left out.
    """
    found = [_grid("Accuracy (%)", table.rows, table.published)]
    if table.comparison is not None:
        found.append(_comparison_grid(table.comparison))
    for measure, heading in MEASURE_NAMES.items():
        if not table.measures[measure].empty:
            found.append(_grid(heading, table.measures[measure]))
    for spread, heading in SPREAD_NAMES.items():
        rows = table.spread[spread].dropna(how="all")
        if not rows.empty:
            found.append(_grid(heading, rows))
    return found
