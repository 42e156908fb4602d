"""Figure 5: segments of a film with frame, subtitle, truth and prediction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.frames import read_frames
from emotion_mt.evaluation.figures.predictions import Predictions
from emotion_mt.evaluation.figures.segments import (
    RIGHT,
    SEGMENTS,
    WRONG,
    choose_segments,
    describe_segments,
)

# Sizes in inches.
_MARGIN = 0.08
_GAP = 0.07
_ROW = 0.165
_LINE = 0.125
_MAX_LINES = 7

#: Stands in place of a frame.
NO_VIDEO = "no video"

#: Colours of a cell and its letters, by the mark at its end.
_TINTS = {RIGHT: "#CFE4F2", WRONG: "#F9D9C4"}
_INKS = {RIGHT: "#00456C", WRONG: "#8A3B00"}


def _frames(segments: pd.DataFrame) -> list[np.ndarray | None]:
    """The middle frame of each segment, None where there is no video."""
    paths = segments["video"]
    middles = (segments["start_s"] + segments["end_s"]) / 2
    known = paths.notna()
    frames: dict[int, np.ndarray | None] = {}
    for path in paths[known].unique():
        times = middles[known & (paths == path)]
        frames |= dict(zip(times.index, read_frames(path, times), strict=True))
    return [frames.get(row) for row in segments.index]


def _shape(frames: Sequence[np.ndarray | None]) -> float:
    """Height over width of the frames, within what fits a strip."""
    shapes = [f.shape[0] / f.shape[1] for f in frames if f is not None]
    return float(np.clip(shapes[0], 0.4, 0.8)) if shapes else 9 / 16


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Places in inches; y downwards from the upper edge of the strip."""

    names_in: float
    column_in: float
    picture_in: float
    text_lines: int
    viewers: int

    def left(self, number: int) -> float:
        return self.names_in + number * self.column_in

    @property
    def box_in(self) -> float:
        """Width of a segment's frame, text and cells."""
        return self.column_in - _GAP

    @property
    def text_top(self) -> float:
        return self.picture_in + 0.04

    @property
    def cells_top(self) -> float:
        return self.text_top + (self.text_lines + 1) * _LINE + 0.08

    @property
    def height(self) -> float:
        return self.cells_top + (self.viewers + 1) * _ROW + 0.05


def _draw_picture(
    axes: Axes, layout: _Layout, left: float, frame: np.ndarray | None
) -> None:
    """The frame in its box, keeping its shape; a grey box without one."""
    width, height = layout.box_in, layout.picture_in
    axes.add_patch(
        Rectangle(
            (left, 0),
            width,
            height,
            facecolor=style.PALE if frame is None else "black",
        )
    )
    if frame is None:
        axes.text(
            left + width / 2, height / 2, NO_VIDEO, ha="center", va="center"
        )
        return
    scale = min(width / frame.shape[1], height / frame.shape[0])
    wide, high = scale * frame.shape[1], scale * frame.shape[0]
    x, y = left + (width - wide) / 2, (height - high) / 2
    axes.imshow(
        frame, extent=(x, x + wide, y + high, y), aspect="auto", zorder=2
    )


def _draw_column(
    axes: Axes, layout: _Layout, left: float, lines: Sequence[str]
) -> None:
    """Time in the film (the first line) and subtitle."""
    for number, line in enumerate(lines):
        axes.text(
            left,
            layout.text_top + number * _LINE,
            line,
            va="top",
            fontsize=style.SMALL_PT,
            color=style.GREY if number == 0 else "black",
        )


def _draw_cells(
    axes: Axes, layout: _Layout, left: float, cells: Sequence[str]
) -> None:
    """Truth and prediction, a row per viewer below the heading."""
    for row, cell in enumerate(["truth / pred.", *cells]):
        top = layout.cells_top + row * _ROW
        axes.add_patch(
            Rectangle(
                (left, top + 0.008),
                layout.box_in,
                _ROW - 0.016,
                facecolor=_TINTS.get(cell[-1], "white"),
            )
        )
        axes.text(
            left + layout.box_in / 2,
            top + _ROW / 2,
            cell,
            ha="center",
            va="center",
            fontsize=style.SMALL_PT,
            color=_INKS.get(cell[-1], "black") if row else style.GREY,
        )


def _draw_names(axes: Axes, layout: _Layout, names: Sequence[str]) -> None:
    """Names of viewers with lines between them."""
    for row, name in enumerate(names, start=1):
        top = layout.cells_top + row * _ROW
        axes.hlines(
            top,
            0,
            layout.left(SEGMENTS) - _GAP,
            color=style.PALE,
            linewidth=0.5,
            zorder=0,
        )
        axes.text(0, top + _ROW / 2, name, va="center", fontweight="bold")


@style.styled
def draw_strip(
    corpus: Corpus, predictions: Predictions, movie: str, stem: str = "figure5"
) -> style.Drawing:
    """Draws one film's strip of Figure 5.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        movie: The film.
        stem: File name without suffix.

    Returns:
        The drawing.
    """
    rows = choose_segments(corpus, predictions, movie)
    segments = corpus.segments.iloc[rows]
    shown = describe_segments(corpus, predictions, rows)
    frames = _frames(segments)
    names = style.short_names(corpus.viewers, 1.1)
    names_in = 0.12 + max(
        style.text_width_in(n, style.NORMAL_PT, bold=True) for n in names
    )
    column_in = (style.WIDTH_IN - 2 * _MARGIN + _GAP - names_in) / SEGMENTS
    texts = [
        style.wrap(
            text,
            column_in - _GAP,
            style.SMALL_PT,
            max_lines=_MAX_LINES,
        )
        for text in segments["text"]
    ]
    layout = _Layout(
        names_in=names_in,
        column_in=column_in,
        picture_in=(column_in - _GAP) * _shape(frames),
        text_lines=max((len(lines) for lines in texts), default=0),
        viewers=len(names),
    )
    figure = style.new_figure(height_in=layout.height + 0.62)
    axes = _inch_axes(figure, layout.height)
    cells = shown[list(corpus.viewers)].to_numpy()
    for number, frame in enumerate(frames):
        left = layout.left(number)
        _draw_picture(axes, layout, left, frame)
        lines = [shown["start"][number], *texts[number]]
        _draw_column(axes, layout, left, lines)
        _draw_cells(axes, layout, left, cells[number])
    _draw_names(axes, layout, names)
    # imshow and plot move the limits.
    axes.set_xlim(0, style.WIDTH_IN - 2 * _MARGIN)
    axes.set_ylim(layout.height, 0)
    figure.legend(
        handles=[
            Rectangle((0, 0), 1, 1, facecolor=_TINTS[mark], label=label)
            for mark, label in (
                (RIGHT, f"{RIGHT} prediction is right"),
                (WRONG, f"{WRONG} prediction is wrong"),
            )
        ],
        loc="lower center",
        ncols=2,
    )
    (short,) = style.short_names([movie])
    style.set_title(
        figure, f"Film {short}: {predictions.name}", corpus.simulated
    )
    return style.Drawing(
        stem=stem,
        title=f"Figure 5. Segments of film {movie}",
        caption=(
            f"Segments spread evenly over film {movie}, not chosen by result: "
            "frame from the middle, start (min:s), subtitle, and per viewer "
            f"the {corpus.annotation} {corpus.dimension} (truth) and what "
            f"{predictions.name}, predicted, trained without this film. A dash "
            "means not rated or not predicted."
        ),
        figure=figure,
        data=shown,
    )


def _inch_axes(figure: Figure, height: float) -> Axes:
    """Axes whose units are inches of the figure, y downwards."""
    width_in, height_in = figure.get_size_inches()
    figure.set_layout_engine("none")
    axes = figure.add_axes(
        (
            _MARGIN / width_in,
            0.3 / height_in,
            1 - 2 * _MARGIN / width_in,
            height / height_in,
        )
    )
    axes.set_axis_off()
    return axes
