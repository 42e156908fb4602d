"""The timeline as a picture, by matplotlib."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion_mt._clock import clock, round_times
from emotion_mt.evaluation.timeline import lines as lines_lib
from emotion_mt.storage.atomic import replacing

#: Formats that a picture may have.
SUFFIXES = (".png", ".pdf")

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
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"`path` must end in {' or '.join(SUFFIXES)}. Received: {path}"
        )
    figure = draw_timeline(predictions, title)
    with replacing(path) as temporary:
        # No date or version inside: the same table gives the same file.
        pdf = path.suffix.lower() == ".pdf"
        metadata = {"CreationDate": None} if pdf else {"Software": None}
        figure.savefig(temporary, dpi=150, metadata=metadata)
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
    lines = lines_lib.lines_of(predictions)
    table = predictions.sort_values("start_s", kind="stable")
    rows = lines_lib.rows_of(table, _ROW_S, _MAX_ROWS)
    figure = Figure(
        figsize=(11, 1.6 + (2.9 if len(rows) == 1 else 1.55) * len(rows)),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    rated = lines_lib.ratings_of(table, lines[-1])
    for axes, limits in zip(panels, rows, strict=True):
        _draw_lines(axes, lines_lib.within(table, limits), lines, limits)
        if rated is not None:
            _draw_ratings(axes, rated, limits)
    panels[-1].set_xlabel("Time (min:s)")
    figure.supylabel("Probability of “positive”", fontsize="medium")
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=min(len(handles), 10),
        frameon=False,
    )
    if predictions.attrs.get("simulated"):
        note = "model trained on simulated data"
        title = f"{title} – {note}" if title else note.capitalize()
    if title:
        # A dollar in a file name is no mathematics.
        figure.suptitle(title, fontsize="large", parse_math=False)
    return figure


def _draw_lines(
    axes: Axes,
    table: pd.DataFrame,
    lines: list[lines_lib.Line],
    limits: tuple[float, float],
) -> None:
    """One row's lines and axes."""
    axes.axhline(0.5, color="#999999", linewidth=0.8, zorder=1)
    for line in lines:
        known = table[~np.isnan(line.values(table))]
        values = line.values(known)
        width_pt = 2.6 if line.average else 1.4
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
    axes.set_xlim(*limits)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    marks_s = round_times(*limits, _MARKS)
    axes.set_xticks(marks_s, [clock(mark) for mark in marks_s])
    axes.spines[["top", "right"]].set_visible(False)


def _draw_ratings(
    axes: Axes, film: pd.DataFrame, limits: tuple[float, float]
) -> None:
    """Ratings as bars from the middle, and the answers as strips below."""
    counts = film["answer"].value_counts()
    rated = lines_lib.within(film, limits)
    length_s = rated["end_s"] - rated["start_s"]
    for name, chosen, colour, hatch in (
        ("rated positive", rated["rating"] > 0, "#B2D4E8", None),
        ("rated negative", rated["rating"] <= 0, "#F5CDB2", "////"),
    ):
        axes.bar(
            rated.loc[chosen, "start_s"],
            rated.loc[chosen, "rating"] / 2,
            length_s[chosen],
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
        chosen = rated["answer"] == name
        if chosen.any():
            spans = zip(
                rated.loc[chosen, "start_s"], length_s[chosen], strict=True
            )
            axes.broken_barh(
                list(spans),
                (below, 0.05),
                color=lines_lib.ANSWERS[name],
                label=f"{name}: {counts[name]}",
            )
    axes.set_ylim(min(_STRIPS.values()) - 0.02, 1)
