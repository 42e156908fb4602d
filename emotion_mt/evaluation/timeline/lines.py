"""What picture and page share: lines of viewers, rows of a film, ratings."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.scores import DECISION_THRESHOLD

_PROBABILITY = "_probability"
_RATING = "_rating"

#: Colours of viewers. Yellow is too light for a line, so the seventh is the
#: wine red of Paul Tol's palette; black is the average's.
COLOURS = (
    *(style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.SKY),
    *(style.YELLOW, "#882255"),
)
#: Colour of viewers who were added to the model; their lines are the widest,
#: so that the average's in front does not hide them.
_ADDED = "#6A00C8"
#: Tell viewers apart when the colours are used up.
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1, 1), (5, 1, 1, 1))

#: Whether an answer agrees with the rating, and the colour that says so.
ANSWERS = {"right": style.BLUE, "wrong": style.ORANGE, "not rated": style.GREY}


@dataclasses.dataclass(frozen=True)
class Line:
    """A viewer's line.

    Attributes:
        viewer: The viewer.
        dashes: Lengths of strokes and gaps in widths of the line; () for a
            solid one.
        colour: As in CSS.
        added: Whether the viewer was added to the model after training.
    """

    viewer: str
    dashes: tuple[float, ...]
    colour: str
    added: bool = False

    @property
    def weight(self) -> int:
        """Width of the line, where that of most is 1."""
        return 2 if self.average else 3 if self.added else 1

    @property
    def average(self) -> bool:
        """Whether it is the average's, which is drawn in front and wider."""
        return self.viewer == paper.AVERAGE

    @property
    def column(self) -> str:
        """Column of its probabilities, NaN for none."""
        return self.viewer + _PROBABILITY


@dataclasses.dataclass(frozen=True)
class Film:
    """Predictions for a film, ready to be drawn.

    Attributes:
        table: The predictions in order of time; where there are ratings, also
            "rating" and "answer", a key of `ANSWERS` or "" for none.
        lines: One per viewer with something to draw, the average's last,
            hence in front.
        rows: Start and end of each row of the picture, in seconds.
        rated: Whether there are ratings.
    """

    table: pd.DataFrame
    lines: list[Line]
    rows: list[tuple[float, float]]
    rated: bool

    def within(self, row: tuple[float, float]) -> pd.DataFrame:
        """Returns the segments that are, at least in part, in a row."""
        start_s, end_s = row
        table = self.table
        return table[(table["end_s"] > start_s) & (table["start_s"] < end_s)]


def prepare(predictions: pd.DataFrame, row_s: float, most: int) -> Film:
    """Gives viewers their looks, wraps the film, compares with ratings.

    Args:
        predictions: See `render_timeline`.
        row_s: Most seconds of a row, longer if there were too many rows.
        most: Number of rows that there may be.

    Raises:
        ValueError: If a column is missing or there is nothing to draw.
    """
    names = [
        str(column).removesuffix(_PROBABILITY)
        for column in predictions
        if str(column).endswith(_PROBABILITY)
    ]
    if not {"start_s", "end_s"} <= set(predictions) or not names:
        raise ValueError(
            "`predictions` needs the columns start_s, end_s and "
            f"<viewer>{_PROBABILITY}. Received: {list(predictions)}"
        )
    drawn = [n for n in names if predictions[n + _PROBABILITY].notna().any()]
    if not drawn:
        raise ValueError(
            "`predictions` needs at least one probability. "
            f"Received {len(predictions)} rows without any"
        )
    added = predictions.attrs.get("added", ())
    drawn.sort(key=lambda name: (name == paper.AVERAGE, name in added))
    styles = itertools.cycle(itertools.product(_DASHES, COLOURS))
    own = dict.fromkeys(added, ((), _ADDED)) | {paper.AVERAGE: ((), "black")}
    lines = [
        Line(name, *(own.get(name) or next(styles)), name in added)
        for name in drawn
    ]
    # Numbers of rows stay those of `predictions`.
    table = predictions.reset_index(drop=True)
    table = table.sort_values("start_s", kind="stable")
    rating = lines[-1].viewer + _RATING
    if rating in table:
        answer, rated = table[lines[-1].column], table[rating].astype(float)
        right = (answer > DECISION_THRESHOLD) == (rated > 0)
        table["rating"] = rated
        table["answer"] = np.select(
            [answer.isna(), rated.isna(), right],
            ["", "not rated", "right"],
            "wrong",
        )
    return Film(table, lines, _wrap(table, row_s, most), rating in table)


def _wrap(
    table: pd.DataFrame, row_s: float, most: int
) -> list[tuple[float, float]]:
    """Wraps a film into rows; one for what is shorter.

    Segments without any probability, such as cues after the end of the film,
    take no room.
    """
    known = table.filter(like=_PROBABILITY).notna().any(axis=1)
    first = float(table.loc[known, "start_s"].min())
    end = float(table.loc[known, "end_s"].max())
    start = math.floor(first / 30) * 30.0
    if end - start <= row_s:
        # A short clip fills the width.
        return [(first if first > 5 else 0.0, end)]
    count = min(most, math.ceil((end - start) / row_s))
    length = math.ceil((end - start) / count / 30) * 30.0
    count = math.ceil((end - start) / length)
    return [
        (start + i * length, start + (i + 1) * length) for i in range(count)
    ]
