"""The timeline as HTML: a page of its own, or a piece of another page."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import numpy as np
import pandas as pd

from emotion_mt._clock import clock, round_times
from emotion_mt._version import __version__
from emotion_mt.evaluation.scores import DECISION_THRESHOLD
from emotion_mt.evaluation.timeline import lines as lines_lib
from emotion_mt.storage.atomic import write_text

#: A row shows so many seconds at most, more if there would be too many rows: a
#: cue of 2.5 s is then 7 pixels wide on a telephone.
_ROW_S = 120.0
_MAX_ROWS = 40

#: Most steps between the marks of the time axis.
_MARKS = 5

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("emotion_mt.evaluation"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def _source(name: str) -> markupsafe.Markup:
    """A file beside the template, word for word."""
    assert _ENVIRONMENT.loader is not None, "it was given one"
    source, *_ = _ENVIRONMENT.loader.get_source(_ENVIRONMENT, name)
    return markupsafe.Markup(source)


#: What makes every timeline of a page answer, and what the page's content
#: security policy calls it.
SCRIPT = _source("timeline.js")
SCRIPT_HASH = (
    "sha256-"
    + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
)


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
    page = _ENVIRONMENT.get_template("timeline_page.html").render(
        title=title or "Timeline",
        simulated=bool(predictions.attrs.get("simulated")),
        timeline=render_timeline(predictions),
        version=__version__,
        script=SCRIPT,
        script_hash=SCRIPT_HASH,
    )
    write_text(path, page)
    return path


def render_timeline(
    predictions: pd.DataFrame, pictures: Sequence[bytes | None] | None = None
) -> markupsafe.Markup:
    """Renders the timeline as a piece of HTML for any page.

    It brings its own style; `SCRIPT` makes it answer. Without the script the
    lines and the table are there all the same.

    Args:
        predictions: See `write_timeline_html`. Where the last viewer has a
            column <viewer>_rating as well (in [-1, 1], NaN for none), the
            ratings and which answers are right are shown too. `.attrs` of
            `Predictor.predict` is made use of.
        pictures: A JPEG file for each segment, or None where there is none.
            Defaults to None, no pictures.

    Returns:
        The piece; every text in it is escaped.

    Raises:
        ValueError: If a column is missing or there is nothing to draw.
    """
    lines = lines_lib.lines_of(predictions)
    table = predictions.reset_index(drop=True)
    table = table.sort_values("start_s", kind="stable")
    rated = lines_lib.ratings_of(table, lines[-1])
    rows = lines_lib.rows_of(table, _ROW_S, _MAX_ROWS)
    about = predictions.attrs
    drawn = [line.viewer for line in lines]
    # The average first where one reads, last where one draws.
    read = sorted(enumerate(lines), key=lambda line: not line[1].average)
    columns: list[tuple[str, int | None, list[tuple[str, str]]]] = [
        (line.viewer, number, _cells(line.values(table)))
        for number, line in read
    ]
    if rated is not None:
        columns += [
            ("rating", None, _signed(rated["rating"])),
            ("answer", None, [(name, name) for name in rated["answer"]]),
        ]
    return markupsafe.Markup(
        _ENVIRONMENT.get_template("timeline.html").render(
            style=_source("timeline.css"),
            simulated=bool(about.get("simulated")),
            problems=list(about.get("problems", ())),
            silent=[v for v in about.get("viewers", ()) if v not in drawn],
            lines=lines,
            read=read,
            averaged=len(lines) > 1 and lines[-1].average,
            answers=None if rated is None else rated["answer"].value_counts(),
            rows=[_row(table, rated, lines, limits) for limits in rows],
            colours=lines_lib.ANSWERS,
            columns=columns,
            pictures=bool(pictures),
            segments=_segments(table, pictures),
            clock=clock,
        )
    )


def _cells(values: np.ndarray) -> list[tuple[str, str]]:
    """Each probability as text, and the class that it stands for."""
    return [
        ("–", "none")
        if math.isnan(value)
        else (
            f"{value:.2f}",
            "positive" if value > DECISION_THRESHOLD else "negative",
        )
        for value in values
    ]


def _signed(ratings: pd.Series) -> list[tuple[str, str]]:
    return [
        ("–", "none") if math.isnan(rating) else (f"{rating:+.2f}", "rating")
        for rating in ratings
    ]


def _segments(
    table: pd.DataFrame, pictures: Sequence[bytes | None] | None
) -> list[dict[str, Any]]:
    """Each segment as the table on the page wants it."""
    texts = table["text"] if "text" in table else pd.Series("", table.index)
    return [
        {
            "start": float(start),
            "end": float(end),
            "text": text,
            "picture": _data_uri(pictures[index]) if pictures else None,
        }
        for index, start, end, text in zip(
            table.index,
            table["start_s"],
            table["end_s"],
            texts.fillna("").astype(str),
            strict=True,
        )
    ]


def _data_uri(jpeg: bytes | None) -> str | None:
    if jpeg is None:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _row(
    table: pd.DataFrame,
    rated: pd.DataFrame | None,
    lines: Sequence[lines_lib.Line],
    limits: tuple[float, float],
) -> dict[str, Any]:
    """One row of the picture: x in seconds, y in percent from above."""
    start_s, end_s = limits
    length_s = end_s - start_s
    shown = lines_lib.within(table, limits)
    return {
        "start_s": start_s,
        "length_s": length_s,
        "label": f"{clock(start_s)} to {clock(end_s)}",
        # None at the very end, where it would not fit.
        "ticks": [
            (100 * (mark - start_s) / length_s, clock(mark))
            for mark in round_times(start_s, end_s, _MARKS)
            if mark < end_s - 0.05 * length_s
        ],
        "paths": [_paths(shown, line, start_s) for line in lines],
        "ratings": {}
        if rated is None
        else _ratings(lines_lib.within(rated, limits), start_s),
    }


def _paths(
    shown: pd.DataFrame, line: lines_lib.Line, start_s: float
) -> tuple[str, str]:
    """A line as data of SVG paths: its segments, and what joins them."""
    spans = [
        f"{left:.2f} {100 * (1 - value):.1f}H{right:.2f}"
        for left, right, value in zip(
            shown["start_s"] - start_s,
            shown["end_s"] - start_s,
            line.values(shown),
            strict=True,
        )
        if not math.isnan(value)
    ]
    if not spans:
        return "", ""
    return "M" + "M".join(spans), "M" + "L".join(spans)


def _ratings(rated: pd.DataFrame, start_s: float) -> dict[str, str]:
    """Paths of the ratings' bars and of the strips below, by their class."""
    paths: dict[str, list[str]] = {}
    levels = {name: 108 + 7 * i for i, name in enumerate(lines_lib.ANSWERS)}
    for left, right, rating, answer in zip(
        (rated["start_s"] - start_s).tolist(),
        (rated["end_s"] - start_s).tolist(),
        rated["rating"].tolist(),
        rated["answer"].tolist(),
        strict=True,
    ):
        if not math.isnan(rating):
            kind = "positive" if rating > 0 else "negative"
            paths.setdefault(kind, []).append(
                f"M{left:.2f} 50V{50 - 50 * rating:.1f}H{right:.2f}V50Z"
            )
        if answer:
            paths.setdefault(answer, []).append(
                f"M{left:.2f} {levels[answer]}H{right:.2f}"
            )
    return {kind: "".join(parts) for kind, parts in paths.items()}
