"""A prediction as one HTML file: the timeline to look into."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt._clock import clock, round_times
from emotion_mt._version import __version__
from emotion_mt.inference.timeline import (
    drawn_viewers,
    line_styles,
    steps,
)
from emotion_mt.storage.atomic import write_text

#: A row of the page shows this many seconds, more only if there would be too
#: many rows: a cue of 2.5 s is then 7 pixels wide on a telephone.
ROW_S = 120.0
MAX_ROWS = 40

#: Most steps between the marks of the time axis.
_MARKS = 5

#: Share of a row below which a gap cannot be seen.
_INVISIBLE = 1 / 1000

#: Style and script are parts of the page, in files of their own.
_PARTS = ("timeline.css", "timeline.js")


@dataclasses.dataclass(frozen=True)
class _Line:
    """A viewer's line in the legend.

    Attributes:
        name: The viewer.
        colour: As in CSS.
        dashes: For SVG's stroke-dasharray; "" for a solid line.
        width_px: Of the line.
    """

    name: str
    colour: str
    dashes: str
    width_px: float


@dataclasses.dataclass(frozen=True)
class _Row:
    """One row of the picture.

    Attributes:
        start_s: Where it starts.
        length_s: How long it is.
        label: Both for readers.
        ticks: (share of the row in percent, text).
        paths: For each line, what is drawn solid and what faint, as data of
            SVG paths; x in seconds from `start_s`, y in percent from above.
    """

    start_s: float
    length_s: float
    label: str
    ticks: tuple[tuple[float, str], ...]
    paths: tuple[tuple[str, str], ...]


def write_timeline_html(
    predictions: pd.DataFrame,
    path: str | os.PathLike[str],
    title: str | None = None,
) -> Path:
    """Writes the timeline as one HTML file that needs no other.

    One line per viewer over time, the average in front. Under the pointer, a
    finger or the cursor keys, the subtitle and all probabilities are shown;
    the names in the legend hide and show lines. The file loads nothing, works
    offline, prints, and holds the table as well.

    Args:
        predictions: What `Predictor.predict` returned, or its columns
            start_s, end_s, <viewer>_probability and, if there is one, text,
            read from a CSV file.
        path: File to write, .html.
        title: Title. Defaults to None, "Timeline".

    Returns:
        The path.

    Raises:
        ValueError: If a column is missing, there is nothing to draw, or the
            file has another suffix.

    Example:
        ```python
        write_timeline_html(predictions, "timeline.html", title="Crash")
        ```
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"`path` must end in .html. Received: {path}")
    write_text(path, render_timeline_html(predictions, title))
    return path


def render_timeline_html(
    predictions: pd.DataFrame, title: str | None = None
) -> str:
    """`write_timeline_html` without a file.

    Args:
        predictions: As there.
        title: As there.

    Returns:
        The page.

    Raises:
        ValueError: As there.
    """
    viewers = drawn_viewers(predictions)
    table = predictions.sort_values("start_s", kind="stable")
    style, script = (_part(name) for name in _PARTS)
    lines = _lines(viewers)
    about = predictions.attrs
    return (
        _environment()
        .get_template("timeline.html")
        .render(
            title=title or "Timeline",
            simulated=bool(about.get("simulated")),
            problems=list(about.get("problems", ())),
            silent=[v for v in about.get("viewers", ()) if v not in viewers],
            version=__version__,
            style=style,
            script=script,
            script_hash=_content_hash(script),
            # The average first where one reads, last where one draws.
            legend=sorted(
                enumerate(lines), key=lambda line: line[1].name != paper.AVERAGE
            ),
            lines=lines,
            averaged=len(viewers) > 1 and viewers[-1] == paper.AVERAGE,
            rows=_rows(table, viewers),
            segments=_segments(table, viewers),
            clock=clock,
        )
    )


def _lines(viewers: Sequence[str]) -> list[_Line]:
    lines = []
    for viewer, (colour, dashes) in line_styles(viewers).items():
        width_px = 3.2 if viewer == paper.AVERAGE else 1.6
        spaced = " ".join(f"{width_px * length:g}" for length in dashes)
        lines.append(_Line(viewer, colour, spaced, width_px))
    return lines


def _rows(table: pd.DataFrame, viewers: Sequence[str]) -> list[_Row]:
    first, end = float(table["start_s"].min()), float(table["end_s"].max())
    start = math.floor(first / 30) * 30.0
    if end - start <= ROW_S:
        # A short clip fills the width.
        start = first if first > 5 else 0.0
        return [_row(table, viewers, start, end - start)]
    count = min(MAX_ROWS, math.ceil((end - start) / ROW_S))
    length = max(ROW_S, math.ceil((end - start) / count / 30) * 30.0)
    count = math.ceil((end - start) / length)
    return [
        _row(table, viewers, start + i * length, length) for i in range(count)
    ]


def _row(
    table: pd.DataFrame,
    viewers: Sequence[str],
    start_s: float,
    length_s: float,
) -> _Row:
    end_s = start_s + length_s
    shown = table[(table["end_s"] > start_s) & (table["start_s"] < end_s)]
    paths = []
    for viewer in viewers:
        x, y = steps(shown, viewer, length_s * _INVISIBLE)
        x, y = x - start_s, 100 * (1 - y)
        known = ~np.isnan(y)
        paths.append((svg_path(x, y), svg_path(x[known], y[known])))
    return _Row(
        start_s,
        length_s,
        f"{clock(start_s)} to {clock(end_s)}",
        tuple(_ticks(start_s, end_s)),
        tuple(paths),
    )


def _ticks(start_s: float, end_s: float) -> Iterable[tuple[float, str]]:
    """Places of round times in a row; not at its very end."""
    length_s = end_s - start_s
    for mark in round_times(start_s, end_s, _MARKS):
        if mark < end_s - 0.05 * length_s:
            yield 100 * (mark - start_s) / length_s, clock(mark)


def svg_path(x: np.ndarray, y: np.ndarray) -> str:
    """Returns points as data of an SVG path.

    Args:
        x: float [n], to the right.
        y: float [n], downwards; a NaN lifts the pen.
    """
    parts, pen = [], "M"
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if math.isnan(down):
            pen = "M"
            continue
        parts.append(f"{pen}{across:.2f} {down:.1f}")
        pen = "L"
    return "".join(parts)


def _segments(
    table: pd.DataFrame, viewers: Sequence[str]
) -> list[dict[str, Any]]:
    """Each segment as the page's script and table want it."""
    texts = table["text"] if "text" in table else pd.Series("", table.index)
    columns = [table[f"{v}_probability"].astype(float) for v in viewers]
    return [
        {
            "start": start,
            "end": end,
            "text": text,
            "p": [
                None if math.isnan(p) else round(p, 4) for p in probabilities
            ],
        }
        for start, end, text, *probabilities in zip(
            table["start_s"].astype(float),
            table["end_s"].astype(float),
            texts.fillna("").astype(str),
            *columns,
            strict=True,
        )
    ]


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("emotion_mt.inference"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _part(name: str) -> markupsafe.Markup:
    """A file beside the template, word for word."""
    environment = _environment()
    assert environment.loader is not None, "it was given one"
    return markupsafe.Markup(
        environment.loader.get_source(environment, name)[0]
    )


def _content_hash(script: str) -> str:
    """What a content security policy calls a script that may run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
