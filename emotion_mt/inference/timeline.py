"""A picture of a prediction: one line per viewer over time."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion_mt import paper
from emotion_mt._clock import clock, round_times
from emotion_mt.storage.atomic import replacing

#: Formats that a picture may have.
SUFFIXES = (".png", ".pdf")

#: A long film is wrapped into rows, no more than this many.
MAX_ROWS = 8

#: Shortest time in seconds that is wrapped.
MIN_ROW_S = 300.0

#: Gaps of less than this share of a row could hardly be seen; the line goes on.
_INVISIBLE = 1 / 300

#: Most steps between the marks of the time axis.
_MARKS = 12

_PROBABILITY = "_probability"

# Six of Okabe and Ito's colours and, in place of their yellow, which is too
# light for a line, the wine red of Paul Tol's; black is the average's. Dashes
# tell viewers apart when the colours are used up.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#882255",
)
_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.5),
    (1, 1),
    (5, 1, 1, 1),
)


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
        predictions: As there.
        title: As there.

    Returns:
        The figure, on Agg's canvas.

    Raises:
        ValueError: As there.
    """
    viewers = drawn_viewers(predictions)
    columns = [viewer + _PROBABILITY for viewer in viewers]
    known = predictions[columns].notna().any(axis=1)
    table = predictions[known].sort_values("start_s", kind="stable")
    rows = _rows(float(table["start_s"].min()), float(table["end_s"].max()))
    figure = Figure(
        figsize=(11, 1.6 + (2.9 if len(rows) == 1 else 1.55) * len(rows)),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, limits in zip(panels, rows, strict=True):
        _draw_row(axes, table, viewers, limits)
    panels[-1].set_xlabel("Time (min:s)")
    figure.supylabel("Probability of “positive”", fontsize="medium")
    handles = {
        line.get_label(): line
        for line in panels[0].get_lines()
        if not str(line.get_label()).startswith("_")
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


def drawn_viewers(predictions: pd.DataFrame) -> list[str]:
    """Returns the viewers with something to draw.

    Args:
        predictions: See `plot_timeline`.

    Returns:
        Their names, the average last, hence in front.

    Raises:
        ValueError: If a column is missing or there is nothing to draw.
    """
    names = [
        str(c).removesuffix(_PROBABILITY)
        for c in predictions
        if str(c).endswith(_PROBABILITY)
    ]
    missing = {"start_s", "end_s"} - set(predictions)
    if missing or not names:
        raise ValueError(
            "`predictions` needs the columns start_s, end_s and "
            f"<viewer>{_PROBABILITY}. Received: {list(predictions)}"
        )
    drawn = [
        name for name in names if predictions[name + _PROBABILITY].notna().any()
    ]
    if not drawn:
        raise ValueError(
            "`predictions` needs at least one probability. "
            f"Received {len(predictions)} rows without any"
        )
    return sorted(drawn, key=lambda name: name == paper.AVERAGE)


def line_styles(
    viewers: Sequence[str],
) -> dict[str, tuple[str, tuple[float, ...]]]:
    """Returns how each viewer's line is drawn.

    Args:
        viewers: What `drawn_viewers` returned.

    Returns:
        Viewer to colour (as in CSS) and dashes: lengths of strokes and gaps in
        line widths, () for a solid line. The average's is solid black.
    """
    styles = itertools.cycle(itertools.product(_DASHES, COLOURS))
    result: dict[str, tuple[str, tuple[float, ...]]] = {}
    for viewer in viewers:
        if viewer == paper.AVERAGE:
            result[viewer] = ("black", ())
        else:
            dashes, colour = next(styles)
            result[viewer] = (colour, dashes)
    return result


def _rows(start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Start and end of each row of the picture in seconds."""
    first = min(start_s, math.floor(start_s / 60) * 60)
    if end_s - first <= MIN_ROW_S:
        margin = 0.01 * (end_s - start_s)
        return [(max(0.0, start_s - margin), end_s + margin)]
    count = min(MAX_ROWS, math.ceil((end_s - first) / MIN_ROW_S))
    length = math.ceil((end_s - first) / count / 30) * 30.0
    return [
        (first + i * length, first + (i + 1) * length) for i in range(count)
    ]


def _draw_row(
    axes: Axes,
    table: pd.DataFrame,
    viewers: Sequence[str],
    limits: tuple[float, float],
) -> None:
    shown = table[(table["end_s"] > limits[0]) & (table["start_s"] < limits[1])]
    axes.axhline(0.5, color="#999999", linewidth=0.8, zorder=1)
    for viewer, (colour, dashes) in line_styles(viewers).items():
        average = viewer == paper.AVERAGE
        x, y = steps(shown, viewer, (limits[1] - limits[0]) * _INVISIBLE)
        style: dict[str, Any] = {
            "color": colour,
            "zorder": 3 if average else 2,
            "solid_capstyle": "butt",
            "solid_joinstyle": "miter",
        }
        axes.plot(
            x,
            y,
            linestyle=(0, dashes) if dashes else "solid",
            linewidth=2.6 if average else 1.4,
            label=viewer,
            **style,
        )
        known = ~np.isnan(y)
        axes.plot(
            x[known],
            y[known],
            linewidth=0.8 if average else 0.5,
            alpha=0.3,
            label="_gaps",
            **style,
        )
    axes.set_xlim(*limits)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    marks_s = round_times(*limits, _MARKS)
    axes.set_xticks(marks_s, [clock(mark) for mark in marks_s])
    axes.spines[["top", "right"]].set_visible(False)


def steps(
    table: pd.DataFrame, viewer: str, touching_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns points of a line that is level in each segment.

    Args:
        table: start_s, end_s and <viewer>_probability, in order of time.
        viewer: Whose line.
        touching_s: Gaps in seconds that are too small to be seen.

    Returns:
        x (seconds) and y (probability), float64; NaN in y between segments
        that do not touch.
    """
    starts, ends, values = (
        table[column].to_numpy(float)
        for column in ("start_s", "end_s", viewer + _PROBABILITY)
    )
    x: list[float] = []
    y: list[float] = []
    for start, end, value in zip(starts, ends, values, strict=True):
        if x and abs(start - x[-1]) > touching_s:
            x.append(start)
            y.append(math.nan)
        x += [start, end]
        y += [value, value]
    return np.array(x), np.array(y)
