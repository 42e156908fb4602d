"""The rows of a table as pictures: accuracies, and MT minus ST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emotion_mt.evaluation.comparison import LEVEL, film_differences
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.references import CEILING, REFERENCES
from emotion_mt.evaluation.tables import Table
from emotion_mt.paper import MEAN

#: Colour and marker per kind of model, the first word of a row's name.
_KINDS = {
    "ST": (style.BLUE, "o"),
    "MT": (style.ORANGE, "s"),
    "Baseline": (style.GREEN, "D"),
}

#: For rows whose kind is taken already (MT-Text beside MT).
_OTHERS = ((style.PINK, "^"), (style.SKY, "v"))

#: Rows drawn as short lines: label, colour, dashes, sentence of the caption.
_LEVELS = {
    "Majority": (
        "majority class",
        style.GREY,
        (0, (1.5, 1.5)),
        " Dotted: always answering with the film's more frequent class.",
    ),
    CEILING: (
        "ceiling (hidden state known)",
        "black",
        "solid",
        " Solid line: what a predictor reaches that knows the hidden state of "
        "the simulation.",
    ),
}

_ROW_IN = 0.36

_Look = dict[str, Any]


def _looks(names: list[str]) -> dict[str, _Look]:
    """Gives each row a colour and a marker of its own."""
    looks: dict[str, tuple[str, str]] = {}
    others = iter(_OTHERS)
    for name in names:
        look = _KINDS[name.split("-")[0]]
        looks[name] = next(others) if look in looks.values() else look
    return {name: {"color": c, "marker": m} for name, (c, m) in looks.items()}


def _draw_model(
    axes: Axes, mean: pd.Series, films: pd.DataFrame, look: _Look, offset: float
) -> None:
    """Mean of a model with the single test films behind it."""
    columns = list(mean.index)
    films = films[films["column"].isin(columns)]
    places = films["column"].map(columns.index) + offset
    single: dict[str, Any] = {"s": 10, "alpha": 0.35, "linewidths": 0}
    axes.scatter(100 * films["accuracy"], places, **single, **look)
    rows = np.arange(len(columns)) + offset
    axes.scatter(mean, rows, s=36, label=mean.name, zorder=3, **look)


def _name_rows(axes: Axes, columns: list[str]) -> None:
    """Names of viewers downwards, the mean set apart."""
    axes.set_yticks(np.arange(len(columns)), style.short_names(columns, 1.6))
    axes.set_ylim(len(columns) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for y in np.arange(len(columns) - 1) + 0.5:
        axes.axhline(y, color=style.PALE, linewidth=0.5, zorder=0)
    if columns[-1] == MEAN:
        axes.axhline(len(columns) - 1.5, color=style.GREY, linewidth=1)


@style.styled
def draw_accuracies(table: Table) -> style.Drawing:
    """Draws the models of a table per column with their single test films."""
    rows, columns = table.rows, list(table.rows.columns)
    known = {*REFERENCES, CEILING}
    names = [name for name in rows.index if name not in known]
    figure = style.new_figure(
        height_in=max(_ROW_IN, 0.14 * len(names)) * len(columns) + 1.25
    )
    axes = figure.add_subplot()
    axes.axvline(50, color=style.PALE, linewidth=1, zorder=0)
    looks = _looks(names)
    reach = 0.22 if len(names) > 1 else 0.0
    for name, offset in zip(
        names, np.linspace(-reach, reach, len(names)), strict=True
    ):
        films = table.per_fold[table.per_fold["row"] == name]
        _draw_model(axes, rows.loc[name], films, looks[name], offset)
    levels = {
        name: look for name, look in _LEVELS.items() if name in rows.index
    }
    places = np.arange(len(columns))
    for name, (label, colour, dashes, _) in levels.items():
        axes.vlines(
            rows.loc[name],
            places - 0.38,
            places + 0.38,
            color=colour,
            linestyle=dashes,
            linewidth=1.4,
            label=label,
        )
    _name_rows(axes, columns)
    shown = table.per_fold["row"].isin(names)
    lowest = 100 * table.per_fold["accuracy"][shown].min()
    axes.set_xlim(min(40.0, 10 * np.floor(lowest / 10)) - 1, 101)
    axes.set_xlabel("accuracy on held-out films (%)")
    figure.legend(loc="outside lower center", ncols=5)
    *first, last = names
    models = f"{', '.join(first)} and {last}" if first else last
    title = f"Table {table.number}: accuracy of {models}"
    style.set_title(figure, title, table.simulated)
    return style.Drawing(
        stem=f"accuracies-table-{table.number}",
        title=f"Table {table.number} as a picture",
        caption="Large: mean over the test films; small: single test films."
        + "".join(sentence for *_, sentence in levels.values()),
        figure=figure,
        table=table.number,
    )


@style.styled
def draw_differences(table: Table) -> style.Drawing | None:
    """Draws MT minus ST in accuracy per viewer with 95 % intervals.

    Returns:
        The drawing; None where the table does not compare the two.
    """
    comparison = table.comparisons.get("accuracy")
    if comparison is None:
        return None
    ours, other = comparison.ours, comparison.other
    rows, columns = comparison.rows, list(comparison.rows.index)
    films = film_differences(table.per_fold, ours, other, "accuracy")
    figure = style.new_figure(height_in=0.3 * len(columns) + 1.1)
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for y, column in enumerate(columns):
        row, single = rows.loc[column], films[column].dropna()
        sure = row["p" if column == MEAN else "p_holm"] <= LEVEL
        axes.scatter(
            single,
            np.full(len(single), y + 0.3),
            s=9,
            color=style.GREY,
            alpha=0.6,
            linewidths=0,
        )
        if np.isfinite([row["low"], row["high"]]).all():
            axes.hlines(y, row["low"], row["high"], color=style.ORANGE, lw=2)
        axes.scatter(
            row["difference"],
            y,
            s=40,
            marker="s",
            facecolor=style.ORANGE if sure else "white",
            edgecolor=style.ORANGE,
            linewidths=1.4,
            zorder=3,
        )
    _name_rows(axes, columns)
    reach = 1.08 * max(abs(limit) for limit in axes.get_xlim())
    axes.set_xlim(-reach, reach)
    axes.set_xlabel(
        f"← {other} better     {ours} minus {other} (points of accuracy)     "
        f"{ours} better →"
    )
    title = f"Table {table.number}: {ours} minus {other}"
    style.set_title(figure, title, table.simulated)
    return style.Drawing(
        stem=f"difference-table-{table.number}",
        title=f"{ours} minus {other}",
        caption=(
            f"Square: mean over {comparison.films} test "
            f"film{'s' if comparison.films > 1 else ''}; bar: 95 % interval "
            "by resampling films; dots: single films. A filled square differs "
            "from 0 at the 5 % level in the exact sign-flip test (single "
            "viewers after Holm's correction), an empty one does not."
        ),
        figure=figure,
        table=table.number,
    )
