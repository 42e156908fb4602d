"""The rows of a table as pictures: accuracies, and MT minus ST."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from emotion_mt.evaluation.comparison import MEAN, Comparison
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.references import CEILING, REFERENCES
from emotion_mt.evaluation.tables import Table

#: Colour and marker per kind of model, the first word of a row's name.
_KINDS = {
    "ST": (style.BLUE, "o"),
    "MT": (style.ORANGE, "s"),
    "Baseline": (style.GREEN, "D"),
}

#: For rows whose kind is taken already (MT-Text beside MT).
_OTHERS = (
    (style.PINK, "^"),
    (style.SKY, "v"),
    (style.YELLOW, "P"),
    (style.GREY, "X"),
)

_ROW_IN = 0.36


def _looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Gives each row a colour and a marker of its own."""
    looks: dict[str, tuple[str, str]] = {}
    others = list(_OTHERS)
    for name in names:
        look = _KINDS.get(name.split("-")[0])
        if look is None or look in looks.values():
            look = others.pop(0) if others else ("black", "*")
        looks[name] = look
    return looks


def _and(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _draw_models(axes: Axes, table: Table, names: list[str]) -> None:
    """Mean of each model with the single test films behind it."""
    columns = list(table.rows.columns)
    looks = _looks(names)
    offsets = np.linspace(-0.22, 0.22, len(names)) if len(names) > 1 else [0.0]
    for name, offset in zip(names, offsets, strict=True):
        colour, marker = looks[name]
        films = table.per_fold[table.per_fold["row"] == name]
        films = films[films["column"].isin(columns)]
        axes.scatter(
            100 * films["accuracy"],
            [columns.index(c) + offset for c in films["column"]],
            s=10,
            color=colour,
            marker=marker,
            alpha=0.35,
            linewidths=0,
        )
        axes.scatter(
            table.rows.loc[name],
            np.arange(len(columns)) + offset,
            s=36,
            color=colour,
            marker=marker,
            label=name,
            zorder=3,
        )


def _draw_levels(axes: Axes, table: Table) -> None:
    """Constant answers and the ceiling as short lines."""
    positions = np.arange(len(table.rows.columns))
    levels = (
        ("Majority", "majority class", style.GREY, (0, (1.5, 1.5))),
        (CEILING, "ceiling (hidden state known)", "black", "solid"),
    )
    for name, label, colour, dashes in levels:
        if name in table.rows.index:
            axes.vlines(
                table.rows.loc[name],
                positions - 0.38,
                positions + 0.38,
                color=colour,
                linestyle=dashes,
                linewidth=1.4,
                label=label,
            )


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
    columns = list(table.rows.columns)
    known = {*REFERENCES, CEILING}
    names = [name for name in table.rows.index if name not in known]
    figure = style.new_figure(
        height_in=max(_ROW_IN, 0.14 * len(names)) * len(columns) + 1.25
    )
    axes = figure.add_subplot()
    axes.axvline(50, color=style.PALE, linewidth=1, zorder=0)
    _draw_models(axes, table, names)
    _draw_levels(axes, table)
    _name_rows(axes, columns)
    shown = table.per_fold["row"].isin(names)
    lowest = 100 * table.per_fold["accuracy"][shown].min()
    axes.set_xlim(min(40.0, 10 * np.floor(lowest / 10)) - 1, 101)
    axes.set_xlabel("accuracy on held-out films (%)")
    figure.legend(loc="outside lower center", ncols=5)
    style.set_title(
        figure,
        f"Table {table.number}: accuracy of {_and(names)}",
        table.simulated,
    )
    return style.Drawing(
        stem=f"accuracies-table-{table.number}",
        title=f"Table {table.number} as a picture",
        caption=(
            "Large: mean over the test films; small: single test films. "
            + (
                "Dotted: always answering with the film's more frequent class. "
                if "Majority" in table.rows.index
                else ""
            )
            + (
                "Solid line: what a predictor reaches that knows the hidden "
                "state of the simulation."
                if CEILING in table.rows.index
                else ""
            )
        ).strip(),
        figure=figure,
    )


def save_comparison(path: Path, table: Table) -> None:
    """Draws the models of a table per viewer with their single test films.

    Args:
        path: Image file to write, .png or .pdf.
        table: The table.
    """
    style.save(draw_accuracies(table).figure, path)


def _film_differences(
    table: Table, comparison: Comparison
) -> dict[str, np.ndarray]:
    """Column to differences of single films, in points."""
    scores = table.per_fold
    ours, other = (
        scores[scores["row"] == name].pivot(
            index="fold", columns="column", values="accuracy"
        )
        for name in (comparison.ours, comparison.other)
    )
    single = (100 * (ours - other)).dropna(axis="columns", how="all")
    single[MEAN] = single.mean(axis="columns")
    return {str(c): single[c].dropna().to_numpy() for c in single}


@style.styled
def draw_differences(table: Table, comparison: Comparison) -> style.Drawing:
    """Draws MT minus ST per viewer with 95 % intervals."""
    rows = comparison.rows
    columns = list(rows.index)
    single = _film_differences(table, comparison)
    figure = style.new_figure(height_in=0.3 * len(columns) + 1.1)
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for y, column in enumerate(columns):
        row = rows.loc[column]
        sure = row["p" if column == MEAN else "p_holm"] <= 0.05
        axes.scatter(
            single[column],
            np.full(len(single[column]), y + 0.3),
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
        f"← {comparison.other} better     {comparison.ours} minus "
        f"{comparison.other} (points of accuracy)     "
        f"{comparison.ours} better →"
    )
    style.set_title(
        figure,
        f"Table {table.number}: {comparison.ours} minus {comparison.other}",
        table.simulated,
    )
    return style.Drawing(
        stem=f"difference-table-{table.number}",
        title=f"{comparison.ours} minus {comparison.other}",
        caption=(
            f"Square: mean over {comparison.films} test "
            f"film{'s' if comparison.films > 1 else ''}; bar: 95 % interval "
            "by resampling films; dots: single films. A filled square differs "
            "from 0 at the 5 % level in the exact sign-flip test (single "
            "viewers after Holm's correction), an empty one does not."
        ),
        figure=figure,
    )
