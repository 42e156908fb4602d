"""The rows of a table as pictures: accuracies, and MT minus ST."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from emotion_mt.evaluation.comparison import LEVEL, film_differences
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.scores import CEILING, REFERENCES
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
_LEVELS: dict[str, tuple[str, str, Any, str]] = {
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


def _looks(names: list[str]) -> dict[str, dict[str, Any]]:
    """Gives each row a colour and a marker of its own."""
    looks: dict[str, tuple[str, str]] = {}
    others = iter(_OTHERS)
    for name in names:
        look = _KINDS[name.split("-")[0]]
        looks[name] = next(others) if look in looks.values() else look
    return {name: {"color": c, "marker": m} for name, (c, m) in looks.items()}


def _name_rows(axes: Axes, columns: list[str]) -> None:
    """Names of viewers downwards, the mean set apart."""
    axes.set_yticks(range(len(columns)), style.short_names(columns, 22))
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
    names = [n for n in rows.index if n not in (*REFERENCES, CEILING)]
    height_in = max(0.36, 0.14 * len(names)) * len(columns) + 1.25
    figure = style.new_figure(height_in)
    axes = figure.add_subplot()
    axes.axvline(50, color=style.PALE, linewidth=1, zorder=0)
    places = np.arange(len(columns))
    films = table.per_fold[table.per_fold["column"].isin(columns)]
    reach = 0.22 if len(names) > 1 else 0.0
    offsets = np.linspace(-reach, reach, len(names))
    for (name, look), offset in zip(
        _looks(names).items(), offsets, strict=True
    ):
        own = films[films["row"] == name]
        axes.scatter(
            100 * own["accuracy"],
            own["column"].map(columns.index) + offset,
            s=10,
            alpha=0.35,
            linewidths=0,
            **look,
        )
        mean = rows.loc[name]
        axes.scatter(mean, places + offset, s=36, label=name, zorder=3, **look)
    levels = {name: _LEVELS[name] for name in _LEVELS if name in rows.index}
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
    lowest = 100 * films["accuracy"][films["row"].isin(names)].min()
    axes.set_xlim(min(40.0, 10 * np.floor(lowest / 10)) - 1, 101)
    axes.set_xlabel("accuracy on held-out films (%)")
    style.add_legend(figure, columns=5)
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
    """Draws MT minus ST with intervals; None for tables without the two."""
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
        row, single = rows.loc[column], films[column]
        sure = row["p" if column == MEAN else "p_holm"] <= LEVEL
        small: dict[str, Any] = {"s": 9, "alpha": 0.6, "linewidths": 0}
        axes.scatter(single, [y + 0.3] * len(single), color=style.GREY, **small)
        if not np.isnan(row["low"]):
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
