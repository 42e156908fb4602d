"""The timeline as HTML: a page of its own, or a piece of another page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import markupsafe
import pandas as pd

from emotion_mt._clock import clock, round_times
from emotion_mt.evaluation.scores import DECISION_THRESHOLD
from emotion_mt.evaluation.templating import ENVIRONMENT
from emotion_mt.evaluation.timeline import lines as lines_lib
from emotion_mt.storage.atomic import write_text

#: A row shows so many seconds at most, more if there would be too many rows: a
#: cue of 2.5 s is then 7 pixels wide on a telephone.
_ROW_S = 120.0
_MAX_ROWS = 40

#: Most steps between the marks of the time axis.
_MARKS = 5

#: What `.attrs` say of predictions that were read from a file.
_ABOUT: dict[Any, Any] = {"viewers": (), "problems": (), "simulated": False}


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
    page = ENVIRONMENT.get_template("timeline_page.html").render(
        title=title or "Timeline",
        simulated=bool(predictions.attrs.get("simulated")),
        timeline=render_timeline(predictions),
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
    film = lines_lib.prepare(predictions, _ROW_S, _MAX_ROWS)
    table = film.table
    texts = table["text"] if "text" in table else pd.Series("", table.index)
    files: Any = [pictures[i] if pictures else None for i in table.index]
    shown = table.assign(text=texts.fillna("").astype(str), picture=files)
    return markupsafe.Markup(
        ENVIRONMENT.get_template("timeline.html").render(
            film=film,
            # The average first where one reads, last where one draws.
            read=sorted(
                enumerate(film.lines),
                key=lambda x: (not x[1].average, not x[1].added),
            ),
            about=_ABOUT | predictions.attrs,
            answers=table["answer"].value_counts() if film.rated else {},
            rows=[_row(film, row) for row in film.rows],
            colours=lines_lib.ANSWERS,
            pictures=bool(pictures),
            segments=shown.to_dict("records"),
            threshold=DECISION_THRESHOLD,
        )
    )


def _row(film: lines_lib.Film, row: tuple[float, float]) -> dict[str, Any]:
    """One row of the picture."""
    start_s, end_s = row
    length_s = end_s - start_s
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
        "segments": film.within(row).to_dict("records"),
    }
