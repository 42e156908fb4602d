"""How models did: accuracies, MT minus ST, and training curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from emotion_mt.evaluation.comparison import LEVEL, film_differences
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.jobs import BASELINE, MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.scores import CEILING, REFERENCES
from emotion_mt.evaluation.tables import Table
from emotion_mt.paper import MEAN

#: Colour and marker per kind of model, the first word of a row's name.
_KINDS = {
    SINGLE_TASK: (style.BLUE, "o"),
    MULTI_TASK: (style.ORANGE, "s"),
    BASELINE: (style.GREEN, "D"),
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

#: Models whose training is shown.
_CURVES = (SINGLE_TASK, MULTI_TASK)

#: Key of the history to label and dashes.
_LINES: dict[str, tuple[str, Any]] = {
    "bce": ("training films", (0, (2, 1.5))),
    "val_bce": ("validation film", "solid"),
}
_BEST = "best epoch"

#: More panels than this do not help a reader.
MAX_SPLITS = 8


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
    places = np.arange(len(columns))
    for place, column in enumerate(columns):
        axes.scatter(
            films[column],
            [place + 0.3] * len(films),
            s=9,
            color=style.GREY,
            alpha=0.6,
            linewidths=0,
        )
    ends = rows[["low", "high"]].assign(place=places).dropna()
    axes.hlines(
        ends["place"], ends["low"], ends["high"], color=style.ORANGE, lw=2
    )
    # The mean is a test of its own.
    sure = rows["p_holm"].fillna(rows["p"]) <= LEVEL
    axes.scatter(
        rows["difference"],
        places,
        s=40,
        marker="s",
        facecolors=np.where(sure, style.ORANGE, "white"),
        edgecolors=style.ORANGE,
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
            "from 0 at the 5 % level in the sign-flip test (single "
            "viewers after Holm's correction), an empty one does not."
        ),
        figure=figure,
        table=table.number,
    )


def choose_fits(
    records: Sequence[Mapping[str, Any]], viewer: str
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Chooses one fit per split and architecture, ST's of one viewer.

    Returns:
        Split name to architecture to record: most modalities, lowest seed;
        at most `MAX_SPLITS` splits, those that test on fewest films.
    """
    splits: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in sorted(
        records,
        key=lambda record: (
            len(record["job"]["split"]["test"]),
            -len(record["job"]["config"]["modalities"]),
            record["job"]["seed"],
        ),
    ):
        job = record["job"]
        shown = job["architecture"] in _CURVES and viewer in record["viewers"]
        if shown and record["fit"]["trials"]:
            split = splits.setdefault(job["split"]["name"], {})
            split.setdefault(job["architecture"], record)
    return dict(list(splits.items())[:MAX_SPLITS])


def _draw_fit(axes: Axes, architecture: str, fit: Mapping[str, Any]) -> None:
    """Losses of one fit, at the L1 strength that was kept."""
    trial = next(t for t in fit["trials"] if t["l1"] == fit["l1"])
    colour, marker = _KINDS[architecture]
    best = trial["best_epoch"]
    for name, (label, dashes) in _LINES.items():
        curve = np.array(trial["history"].get(name, []), dtype=float)
        if np.isnan(curve).all():
            continue
        axes.plot(
            np.arange(1, curve.size + 1),
            curve,
            color=colour,
            linestyle=dashes,
            linewidth=1.2,
            label=f"{architecture}, {label}",
        )
        if name == "val_bce" and 1 <= best <= curve.size:
            axes.scatter(
                best,
                curve[best - 1],
                s=30,
                marker=marker,
                color=colour,
                edgecolor="black",
                linewidths=0.8,
                zorder=3,
                label=f"{architecture}, {_BEST}",
            )


@style.styled
def draw_curves(
    records: Sequence[Mapping[str, Any]], viewer: str
) -> style.Drawing | None:
    """Draws losses of MT and of a viewer's ST, if a fit has a history."""
    splits = choose_fits(records, viewer)
    if not splits:
        return None
    across = min(4, len(splits))
    figure = style.new_figure(
        height_in=1.6 * math.ceil(len(splits) / across) + 1.0,
        width_in=max(3.6, 1.775 * across),
    )
    panels = style.panels(figure, len(splits), across)
    for axes, (name, fits) in zip(panels, splits.items(), strict=True):
        for architecture in _CURVES:
            if architecture in fits:
                _draw_fit(axes, architecture, fits[architecture]["fit"])
        tests = next(iter(fits.values()))["job"]["split"]["test"]
        short = ", ".join(style.short_names(tests, 9))
        axes.set_title(f"{name}, test: {short}")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    # Overfitted ends would flatten everything else.
    curves = [np.array(line.get_ydata()) for a in panels for line in a.lines]
    if curves:
        most = np.nanpercentile(np.concatenate(curves), 90)
        starts = [np.nanmax(curve[:3]) for curve in curves]
        panels[0].set_ylim(0, 1.1 * max(*starts, most))
    for axes in panels[::across]:
        axes.set_ylabel("log-loss per label")
    for axes in panels[-across:]:
        axes.set_xlabel("epoch")
    labels = [*(label for label, _ in _LINES.values()), _BEST]
    order = [f"{architecture}, {x}" for architecture in _CURVES for x in labels]
    style.add_legend(figure, order, columns=2)
    used = [record for fits in splits.values() for record in fits.values()]
    simulated = used[0]["corpus"]["simulated"]
    style.set_title(figure, "Training curves", simulated)
    inputs = {" and ".join(r["job"]["config"]["modalities"]) for r in used}
    seeds = {record["job"]["seed"] for record in used}
    return style.Drawing(
        stem="training-curves",
        title="Training curves",
        caption=(
            "Class-weighted log-loss per label, without the L1 penalty, at the "
            f"chosen L1 strength; ST is that of {viewer}, MT is over all "
            f"viewers; input {', '.join(sorted(inputs))}; seed "
            f"{', '.join(map(str, sorted(seeds)))}. The marked epoch's weights "
            "were kept. Ends of curves that leave the picture are cut off."
        ),
        figure=figure,
    )
