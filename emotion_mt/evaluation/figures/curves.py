"""Training curves of ST and MT, a panel per split."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK

#: Colour and marker.
_LOOKS = {SINGLE_TASK: (style.BLUE, "o"), MULTI_TASK: (style.ORANGE, "s")}

#: Key of the history to label and dashes.
_LINES: dict[str, tuple[str, Any]] = {
    "bce": ("training films", (0, (2, 1.5))),
    "val_bce": ("validation film", "solid"),
}
_BEST = "best epoch"

#: More panels than this do not help a reader.
MAX_SPLITS = 8


def choose_fits(
    records: Sequence[Mapping[str, Any]], viewer: str
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Chooses one fit per split and architecture, ST's of one viewer.

    Returns:
        Split name to architecture to record: most modalities, lowest seed;
        at most `MAX_SPLITS` splits, those that test on fewest films.
    """

    def place(record: Mapping[str, Any]) -> tuple[int, int, int]:
        job = record["job"]
        modalities = job["config"]["modalities"]
        return len(job["split"]["test"]), -len(modalities), job["seed"]

    splits: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in sorted(records, key=place):
        job = record["job"]
        shown = job["architecture"] in _LOOKS and viewer in record["viewers"]
        if shown and record["fit"]["trials"]:
            split = splits.setdefault(job["split"]["name"], {})
            split.setdefault(job["architecture"], record)
    return dict(list(splits.items())[:MAX_SPLITS])


def _draw_fit(axes: Axes, architecture: str, fit: Mapping[str, Any]) -> None:
    """Losses of one fit, at the L1 strength that was kept."""
    trial = next(t for t in fit["trials"] if t["l1"] == fit["l1"])
    colour, marker = _LOOKS[architecture]
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
        for architecture in _LOOKS:
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
    order = [f"{architecture}, {x}" for architecture in _LOOKS for x in labels]
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
