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

_COLOURS = {SINGLE_TASK: style.BLUE, MULTI_TASK: style.ORANGE}
_MARKERS = {SINGLE_TASK: "o", MULTI_TASK: "s"}

#: More panels than this do not help a reader.
MAX_SPLITS = 8


def _chosen_trial(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The trial whose L1 strength was kept."""
    fit = record["fit"]
    return next(t for t in fit["trials"] if t["l1"] == fit["l1"])


def choose_fits(
    records: Sequence[Mapping[str, Any]], viewer: str
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Chooses one fit per architecture and split.

    Args:
        records: Contents of result files.
        viewer: Viewer whose ST is shown, the average one.

    Returns:
        Split name to architecture to record: most modalities, lowest seed;
        at most `MAX_SPLITS` splits.
    """
    usable = [
        record
        for record in records
        if record["job"]["architecture"] in _COLOURS
        and viewer in record["viewers"]
        and record["fit"]["trials"]
    ]
    usable.sort(
        key=lambda r: (
            len(r["job"]["split"]["test"]),
            -len(r["job"]["config"]["modalities"]),
            r["job"]["seed"],
        )
    )
    splits: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in usable:
        split = splits.setdefault(record["job"]["split"]["name"], {})
        split.setdefault(record["job"]["architecture"], record)
    return dict(list(splits.items())[:MAX_SPLITS])


def _draw_fit(axes: Axes, architecture: str, record: Mapping[str, Any]) -> None:
    """Training and validation loss of one fit."""
    trial = _chosen_trial(record)
    colour = _COLOURS[architecture]
    for name, label, dashes in (
        ("bce", "training films", (0, (2, 1.5))),
        ("val_bce", "validation film", "solid"),
    ):
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
                marker=_MARKERS[architecture],
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
    panels = list(grid.flat)
    for axes, (name, fits) in zip(panels, splits.items(), strict=False):
        for architecture in _COLOURS:
            if architecture in fits:
                _draw_fit(axes, architecture, fits[architecture])
        one = next(iter(fits.values()))["job"]["split"]
        tests = style.short_names(one["test"], 0.6)
        axes.set_title(f"{name}, test: {', '.join(tests)}")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for axes in panels[len(splits) :]:
        axes.set_axis_off()
    _limit(panels[: len(splits)])
    for number, axes in enumerate(panels[: len(splits)]):
        if number % across == 0:
            axes.set_ylabel("log-loss per label")
        if number + across >= len(splits):
            axes.set_xlabel("epoch")
    order = [
        f"{architecture}, {what}"
        for architecture in _COLOURS
        for what in ("training films", "validation film", "best epoch")
    ]
    style.add_legend(figure, order, columns=2)
    any_record = next(iter(next(iter(splits.values())).values()))
    style.set_title(
        figure, "Training curves", any_record["corpus"]["simulated"]
    )
    return style.Drawing(
        stem="training-curves",
        title="Training curves",
        caption=_caption(splits, viewer),
        figure=figure,
    )


def _limit(panels: Sequence[Axes]) -> None:
    """Cuts off overfitted ends that would flatten everything else."""
    curves = [line.get_ydata() for axes in panels for line in axes.lines]
    if not curves:
        return
    values = np.concatenate([np.asarray(c, dtype=float) for c in curves])
    starts = [float(np.nanmax(np.asarray(c, dtype=float)[:3])) for c in curves]
    top = max(max(starts), float(np.nanpercentile(values, 90)))
    panels[0].set_ylim(0, 1.1 * min(top, float(np.nanmax(values))))


def _caption(
    splits: Mapping[str, Mapping[str, Mapping[str, Any]]], viewer: str
) -> str:
    used = [record for fits in splits.values() for record in fits.values()]
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
