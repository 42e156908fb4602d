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

#: Key of the history, label, dashes.
_LINES: tuple[tuple[str, str, Any], ...] = (
    ("bce", "training films", (0, (2, 1.5))),
    ("val_bce", "validation film", "solid"),
)

#: More panels than this do not help a reader.
MAX_SPLITS = 8

_Fits = dict[str, dict[str, Mapping[str, Any]]]


def choose_fits(records: Sequence[Mapping[str, Any]], viewer: str) -> _Fits:
    """Chooses one fit per architecture and split.

    Args:
        records: Contents of result files.
        viewer: Viewer whose ST is shown, the average one.

    Returns:
        Split name to architecture to record: most modalities, lowest seed;
        at most `MAX_SPLITS` splits.
    """

    def place(record: Mapping[str, Any]) -> tuple[int, int, int]:
        job = record["job"]
        modalities = job["config"]["modalities"]
        return len(job["split"]["test"]), -len(modalities), job["seed"]

    splits: _Fits = {}
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
    for name, label, dashes in _LINES:
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
        best = trial["best_epoch"]
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
                label=f"{architecture}, best epoch",
            )


@style.styled
def draw_curves(
    records: Sequence[Mapping[str, Any]], viewer: str
) -> style.Drawing | None:
    """Draws the losses of ST and MT over the epochs.

    Args:
        records: Contents of result files.
        viewer: Viewer whose ST is shown, the average one.

    Returns:
        The drawing; None where no fit has a history.
    """
    splits = choose_fits(records, viewer)
    if not splits:
        return None
    across = min(4, len(splits))
    down = math.ceil(len(splits) / across)
    figure = style.new_figure(
        height_in=1.6 * down + 1.0, width_in=max(3.6, 1.775 * across)
    )
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    panels = style.panels(grid, len(splits))
    for axes, (name, fits) in zip(panels, splits.items(), strict=True):
        for architecture in _LOOKS:
            if architecture in fits:
                _draw_fit(axes, architecture, fits[architecture]["fit"])
        tests = next(iter(fits.values()))["job"]["split"]["test"]
        short = ", ".join(style.short_names(tests, 0.6))
        axes.set_title(f"{name}, test: {short}")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _limit(panels)
    for axes in panels[::across]:
        axes.set_ylabel("log-loss per label")
    for axes in panels[-across:]:
        axes.set_xlabel("epoch")
    order = [
        f"{architecture}, {what}"
        for architecture in _LOOKS
        for what in (*(label for _, label, _ in _LINES), "best epoch")
    ]
    style.add_legend(figure, order, columns=2)
    used = [record for fits in splits.values() for record in fits.values()]
    simulated = used[0]["corpus"]["simulated"]
    style.set_title(figure, "Training curves", simulated)
    return style.Drawing(
        stem="training-curves",
        title="Training curves",
        caption=_caption(used, viewer),
        figure=figure,
    )


def _limit(panels: Sequence[Axes]) -> None:
    """Cuts off overfitted ends that would flatten everything else."""
    curves = [
        np.asarray(line.get_ydata(), dtype=float)
        for axes in panels
        for line in axes.lines
    ]
    if not curves:
        return
    values = np.concatenate(curves)
    starts = [float(np.nanmax(curve[:3])) for curve in curves]
    top = max(*starts, float(np.nanpercentile(values, 90)))
    panels[0].set_ylim(0, 1.1 * min(top, float(np.nanmax(values))))


def _caption(used: Sequence[Mapping[str, Any]], viewer: str) -> str:
    modalities = sorted(
        {" and ".join(r["job"]["config"]["modalities"]) for r in used}
    )
    seeds = sorted({r["job"]["seed"] for r in used})
    return (
        "Class-weighted log-loss per label, without the L1 penalty, at the "
        f"chosen L1 strength; ST is that of {viewer}, MT is over all viewers; "
        f"input {', '.join(modalities)}; seed "
        f"{', '.join(map(str, seeds))}. The marked epoch's weights were kept. "
        "Ends of curves that leave the picture are cut off."
    )
