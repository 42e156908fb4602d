"""The timeline as a picture, by matplotlib."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_mt._clock import clock, round_times
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.timeline import lines as lines_lib

#: A film of more than so many seconds is wrapped, into no more than so many
#: rows.
_ROW_S = 300.0
_MAX_ROWS = 8

#: Most steps between the marks of the time axis.
_MARKS = 12

#: Where the strips below a row lie that say which answers are right.
_STRIPS = {"right": -0.09, "wrong": -0.16, "not rated": -0.23}


def plot_timeline(
    predictions: pd.DataFrame,
    path: str | os.PathLike[str],
    title: str | None = None,
) -> Path:
    """Draws the probability of "positive" over time, one line per viewer.

    The average over the viewers, where there is one, is in front. A line is
    solid where there is a segment and faint where there is none; nothing is
    smoothed. A film of more than five minutes is wrapped into rows.

    Args:
        predictions: What `Predictor.predict` returned, or its columns
            start_s, end_s and <viewer>_probability read from a CSV file.
        path: File to write, .png or .pdf.
        title: Title. Defaults to None, no title.

    Returns:
        The path.

    Raises:
        ValueError: If a column is missing, there is nothing to draw, or the
            file has another suffix.

    Example:
        ```python
        plot_timeline(predictions, "timeline.png", title="Crash")
        ```
    """
    path = Path(path)
    style.save(draw_timeline(predictions, title), path)
    return path


def draw_timeline(
    predictions: pd.DataFrame, title: str | None = None
) -> Figure:
    """`plot_timeline` without a file.

    Args:
        predictions: As there. Where the last viewer has a column
            <viewer>_rating as well (in [-1, 1], NaN for none), the ratings
            are drawn behind the lines, and below which answers are right.
        title: As there.

    Returns:
        The figure, on Agg's canvas.

    Raises:
        ValueError: As there.
    """
    film = lines_lib.prepare(predictions, _ROW_S, _MAX_ROWS)
    count = len(film.rows)
    height_in = 1.6 + (2.9 if count == 1 else 1.55) * count
    figure = style.new_figure(height_in, width_in=11)
    panels = figure.subplots(count, 1, squeeze=False)[:, 0]
    for axes, row in zip(panels, film.rows, strict=True):
        _draw_lines(axes, film, row)
        if film.rated:
            _draw_ratings(axes, film, row)
    panels[-1].set_xlabel("Time (min:s)")
    figure.supylabel("Probability of “positive”", fontsize="medium")
    style.add_legend(figure)
    if predictions.attrs.get("simulated"):
        note = "model trained on simulated data"
        title = f"{title} – {note}" if title else note.capitalize()
    if title:
        # A dollar in a file name is no mathematics.
        figure.suptitle(title, fontsize="large", parse_math=False)
    return figure


def _draw_lines(
    axes: Axes, film: lines_lib.Film, row: tuple[float, float]
) -> None:
    """One row's lines and axes."""
    axes.axhline(0.5, color="#999999", linewidth=0.8, zorder=1)
    for line in film.lines:
        known = film.within(row).dropna(subset=line.column)
        values = known[line.column].to_numpy(float)
        width_pt = {1: 1.4, 2: 2.6, 3: 4.2}[line.weight]
        zorder = 3 if line.average else 2
        axes.hlines(
            values,
            known["start_s"],
            known["end_s"],
            color=line.colour,
            linestyle=(0, line.dashes) if line.dashes else "solid",
            linewidth=width_pt,
            zorder=zorder,
            label=line.viewer,
        )
        axes.plot(
            known[["start_s", "end_s"]].to_numpy().ravel(),
            values.repeat(2),
            color=line.colour,
            linewidth=0.3 * width_pt,
            alpha=0.4,
            zorder=zorder,
        )
    marks_s = round_times(*row, _MARKS)
    axes.set_xticks(marks_s, [clock(mark) for mark in marks_s])
    axes.set(xlim=row, ylim=(0, 1), yticks=[0, 0.5, 1])
    axes.spines[["top", "right"]].set_visible(False)


def _draw_ratings(
    axes: Axes, film: lines_lib.Film, row: tuple[float, float]
) -> None:
    """Ratings as bars from the middle, and the answers as strips below."""
    table = film.within(row)
    for name, chosen, colour, hatch in (
        ("rated positive", table["rating"] > 0, "#B2D4E8", None),
        ("rated negative", table["rating"] <= 0, "#F5CDB2", "////"),
    ):
        rated = table[chosen]
        axes.bar(
            rated["start_s"],
            rated["rating"] / 2,
            rated["end_s"] - rated["start_s"],
            bottom=0.5,
            align="edge",
            color=colour,
            hatch=hatch,
            edgecolor="white" if hatch else colour,
            linewidth=0,
            zorder=0,
            label=name,
        )
    for name, below in _STRIPS.items():
        answered = table[table["answer"] == name]
        if len(answered):
            lengths_s = answered["end_s"] - answered["start_s"]
            axes.broken_barh(
                list(zip(answered["start_s"], lengths_s, strict=True)),
                (below, 0.05),
                color=lines_lib.ANSWERS[name],
                label=f"{name}: {(film.table['answer'] == name).sum()}",
            )
    axes.set_ylim(min(_STRIPS.values()) - 0.02, 1)
