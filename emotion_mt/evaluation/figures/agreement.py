"""Figure 3: how much viewers agree, with each other and with the average."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.figures import style

#: Two segments always correlate by 1 or -1, which says nothing.
MIN_SEGMENTS = 3

#: Negative to positive: the colours of all figures, pale enough for black
#: letters on every cell.
_COLOURS = LinearSegmentedColormap.from_list(
    "agreement", ["#E5904F", "#FAFAFA", "#5BA7D6"]
)


def mean_correlations(corpus: Corpus) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correlates viewers within each film and averages over films (Fig. 3).

    Returns:
        Two DataFrames, viewers × viewers: the mean over films of Pearson's
        correlation over the segment means of both viewers, in [-1, 1], NaN
        where no film has one; and the number of films in that mean. A film
        has none where fewer than `MIN_SEGMENTS` segments are shared or a
        viewer's ratings of them are all the same.
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


def _write_cells(axes: Axes, mean: np.ndarray, count: np.ndarray) -> None:
    """Numbers in the cells, and of how many films where some are left out."""
    for (row, column), value in np.ndenumerate(mean):
        text = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
        some = 0 < count[row, column] < count.max()
        if some:
            text += f"\nn={count[row, column]}"
        size = 5.5 if some else style.SMALL_PT
        axes.text(column, row, text, ha="center", va="center", fontsize=size)


@style.styled
def draw_correlations(corpus: Corpus) -> style.Drawing | None:
    """Draws Figure 3; None for a single viewer, who agrees with nobody."""
    if len(corpus.viewers) < 2:
        return None
    mean, count = mean_correlations(corpus)
    names = style.short_names(corpus.viewers)
    size = len(names)
    label_in = style.widest_in(names)
    cell_in = min(0.5, (style.WIDTH_IN - label_in - 1.1) / size)
    side_in = max(cell_in * size, 2.0)
    rotated = label_in > cell_in
    figure = style.new_figure(
        height_in=side_in + 0.5 + (label_in if rotated else 0.1),
        width_in=max(side_in + label_in + 1.1, 4.2),
        layout="compressed",
    )
    axes = figure.add_subplot()
    axes.set_facecolor(style.PALE)
    image = axes.imshow(mean, cmap=_COLOURS, vmin=-1, vmax=1)
    _write_cells(axes, mean.to_numpy(), count.to_numpy())
    axes.set_xticks(np.arange(size), names, rotation=90 if rotated else 0)
    axes.set_yticks(np.arange(size), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=25)
    bar.set_label("Pearson correlation")
    bar.outline.set_visible(False)
    style.set_title(
        figure, f"Agreement of viewers, {corpus.dimension}", corpus.simulated
    )
    cells = mean.map(lambda v: "–" if np.isnan(v) else f"{v:.2f}")
    return style.Drawing(
        stem="figure3",
        title="Figure 3. Agreement of viewers",
        caption=_caption(corpus, count.to_numpy()),
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
