"""Figure 4: positive and negative segments per viewer and film."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from emotion_mt.corpus import Corpus, summarize
from emotion_mt.evaluation.figures import style

#: Column of `Inspection.counts`, legend, colour, hatching.
_BARS = (
    ("positive", "positive", style.BLUE, ""),
    ("negative", "negative", style.ORANGE, "////"),
    ("missing", "not rated", "white", ""),
)


def _draw_panel(
    axes: Axes, counts: pd.DataFrame, bars: Sequence[tuple[str, str, str, str]]
) -> None:
    """Bars of one viewer, a group per film."""
    positions = np.arange(len(counts))
    width = 0.8 / len(bars)
    for number, (column, label, colour, hatch) in enumerate(bars):
        axes.bar(
            positions + (number - (len(bars) - 1) / 2) * width,
            counts[column],
            width,
            label=label,
            facecolor=colour,
            edgecolor="white" if hatch else style.GREY,
            hatch=hatch,
            linewidth=0.0 if colour != "white" else 0.5,
        )
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


@style.styled
def draw_counts(corpus: Corpus) -> style.Drawing:
    """Draws Figure 4."""
    counts = summarize(corpus).counts
    bars = [b for b in _BARS if b[0] != "missing" or counts["missing"].any()]
    names = style.short_names(corpus.movies, 0.8)
    size = len(corpus.viewers)
    across = min(size, max(1, min(4, 28 // len(names))))
    down = math.ceil(size / across)
    width_in = style.WIDTH_IN
    if size < 4 and len(names) <= 7:
        width_in *= 0.25 * size + 0.25
    group_in = (width_in - 0.4) / across / (len(names) + 1)
    label_in = style.widest_in(names)
    rotated = label_in + 0.06 > group_in
    figure = style.new_figure(
        height_in=1.25 * down + 0.7 + (label_in if rotated else 0.1),
        width_in=width_in,
    )
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    panels = style.panels(grid, size)
    titles = style.short_names(corpus.viewers)
    for number, (axes, viewer) in enumerate(
        zip(panels, corpus.viewers, strict=True)
    ):
        _draw_panel(axes, counts[counts["viewer"] == viewer], bars)
        axes.set_title(titles[number])
        # Films are named once per column of panels, under the last.
        last = number + across >= size
        axes.set_xticks(
            np.arange(len(names)),
            names if last else [""] * len(names),
            rotation=90 if rotated else 0,
        )
    for axes in panels[::across]:
        axes.set_ylabel("segments")
    style.add_legend(figure, [label for _, label, *_ in bars], columns=3)
    style.set_title(
        figure,
        f"Positive and negative segments, {corpus.dimension}",
        corpus.simulated,
    )
    table = counts.drop(columns="positive_share")
    return style.Drawing(
        stem="figure4",
        title="Figure 4. Positive and negative segments",
        caption=(
            f"Number of segments with positive and negative "
            f"{corpus.annotation} {corpus.dimension} per viewer and film"
            + (", and of segments not rated" if len(bars) > 2 else "")
            + ". A segment is positive where its mean is above 0."
        ),
        figure=figure,
        data=table.rename(columns={"movie": "film", "missing": "not rated"}),
    )
