"""Figures 3 and 4, of the corpus alone: agreement, and counts of segments."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from emotion_mt.corpus import Corpus, summarize
from emotion_mt.evaluation.figures import style

#: Two segments always correlate by 1 or -1, which says nothing.
MIN_SEGMENTS = 3

#: Negative to positive: the colours of all figures, pale enough for black
#: letters on every cell.
_COLOURS = LinearSegmentedColormap.from_list(
    "agreement", ["#E5904F", "#FAFAFA", "#5BA7D6"]
)

#: Name of a bar to its colour and hatching.
_BARS = {
    "positive": (style.BLUE, ""),
    "negative": (style.ORANGE, "////"),
    "not rated": ("white", ""),
}


def mean_correlations(corpus: Corpus) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correlates viewers within each film and averages over films (Fig. 3).

    Returns:
        Two DataFrames, viewers × viewers: the mean of Pearson's correlation,
        in [-1, 1], and of how many films. A film has none where fewer than
        `MIN_SEGMENTS` segments are shared or ratings of them are all the same.
    """
    viewers = list(corpus.viewers)
    values = pd.DataFrame(corpus.values.astype(np.float64), columns=viewers)
    films = pd.concat(
        [
            values.iloc[corpus.rows([movie])].corr(min_periods=MIN_SEGMENTS)
            for movie in corpus.movies
        ]
    ).groupby(level=0)
    return films.mean().loc[viewers], films.count().loc[viewers]


@style.styled
def draw_correlations(corpus: Corpus) -> style.Drawing | None:
    """Draws Figure 3; None for a single viewer, who agrees with nobody."""
    if len(corpus.viewers) < 2:
        return None
    mean, count = mean_correlations(corpus)
    cells = mean.map(lambda v: "–" if np.isnan(v) else f"{v:.2f}")
    names = style.short_names(corpus.viewers)
    size, label_in = len(names), style.LETTER_IN * max(map(len, names))
    cell_in = min(0.5, (style.WIDTH_IN - label_in - 1.1) / size)
    side_in, rotated = max(cell_in * size, 2.0), label_in > cell_in
    figure = style.new_figure(
        height_in=side_in + 0.5 + (label_in if rotated else 0.1),
        width_in=max(side_in + label_in + 1.1, 4.2),
        layout="compressed",
    )
    axes = figure.add_subplot()
    axes.set_facecolor(style.PALE)
    image = axes.imshow(mean, cmap=_COLOURS, vmin=-1, vmax=1)
    films = count.to_numpy()
    for (row, column), text in np.ndenumerate(cells.to_numpy(dtype=str)):
        some = 0 < films[row, column] < films.max()
        axes.text(
            column,
            row,
            text.replace("-", "−")
            + (f"\nn={films[row, column]}" if some else ""),
            ha="center",
            va="center",
            fontsize=5.5 if some else style.SMALL_PT,
        )
    axes.set_xticks(range(size), names, rotation=90 if rotated else 0)
    axes.set_yticks(range(size), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=25)
    bar.set_label("Pearson correlation")
    bar.outline.set_visible(False)
    style.set_title(
        figure, f"Agreement of viewers, {corpus.dimension}", corpus.simulated
    )
    return style.Drawing(
        stem="figure3",
        title="Figure 3. Agreement of viewers",
        caption=_caption(corpus, films),
        figure=figure,
        data=cells.rename_axis("viewer").reset_index(),
    )


def _caption(corpus: Corpus, count: np.ndarray) -> str:
    films = len(corpus.movies)
    text = (
        f"Pearson's correlation of the segment means of {corpus.annotation} "
        f"{corpus.dimension}, over the segments that both viewers rated, "
        f"mean over {films} film{'s' if films > 1 else ''}."
    )
    left_out = int((films - count[np.triu_indices(len(count))]).sum())
    if left_out:
        text += (
            f" {left_out} film{'s' if left_out > 1 else ''} × pairs of "
            f"viewers are left out: fewer than {MIN_SEGMENTS} segments rated "
            "by both, or ratings that do not vary. The cells concerned say "
            "of how many films n they are the mean; a dash: of none."
        )
    return text


@style.styled
def draw_counts(corpus: Corpus) -> style.Drawing:
    """Draws Figure 4."""
    counts = summarize(corpus).counts.drop(columns="positive_share")
    counts = counts.rename(columns={"movie": "film", "missing": "not rated"})
    gaps = counts["not rated"].any()
    bars = [name for name in _BARS if gaps or name != "not rated"]
    names, size = style.short_names(corpus.movies, 12), len(corpus.viewers)
    places = np.arange(len(names))
    across = min(size, max(1, min(4, 28 // len(names))))
    width_in = style.WIDTH_IN
    if size < 4 and len(names) <= 7:
        width_in *= 0.25 * size + 0.25
    group_in = (width_in - 0.4) / across / (len(names) + 1)
    label_in = style.LETTER_IN * max(map(len, names))
    rotated = label_in + 0.06 > group_in
    figure = style.new_figure(
        height_in=1.25 * math.ceil(size / across)
        + 0.7
        + (label_in if rotated else 0.1),
        width_in=width_in,
    )
    panels = style.panels(figure, size, across)
    titles = style.short_names(corpus.viewers)
    for number, (axes, viewer) in enumerate(
        zip(panels, corpus.viewers, strict=True)
    ):
        own = counts[counts["viewer"] == viewer]
        for bar, name in enumerate(bars):
            colour, hatch = _BARS[name]
            axes.bar(
                places + (bar - (len(bars) - 1) / 2) * 0.8 / len(bars),
                own[name],
                0.8 / len(bars),
                label=name,
                facecolor=colour,
                edgecolor="white" if hatch else style.GREY,
                hatch=hatch,
                linewidth=0.5 if colour == "white" else 0.0,
            )
        axes.set_title(titles[number])
        # Films are named once per column of panels, under the last.
        shown = names if number + across >= size else [""] * len(names)
        axes.set_xticks(places, shown, rotation=90 if rotated else 0)
        axes.tick_params(axis="x", length=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    for axes in panels[::across]:
        axes.set_ylabel("segments")
    style.add_legend(figure, bars)
    style.set_title(
        figure,
        f"Positive and negative segments, {corpus.dimension}",
        corpus.simulated,
    )
    return style.Drawing(
        stem="figure4",
        title="Figure 4. Positive and negative segments",
        caption=(
            f"Number of segments with positive and negative "
            f"{corpus.annotation} {corpus.dimension} per viewer and film"
            + (", and of segments not rated" if gaps else "")
            + ". A segment is positive where its mean is above 0."
        ),
        figure=figure,
        data=counts,
    )
