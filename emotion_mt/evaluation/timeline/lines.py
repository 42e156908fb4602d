"""What picture and page share: lines of viewers, rows of a film, ratings."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.scores import DECISION_THRESHOLD

_PROBABILITY = "_probability"
_RATING = "_rating"

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

#: Whether an answer agrees with the rating, and the colour that says so.
ANSWERS = {"right": "#0072B2", "wrong": "#D55E00", "not rated": "#767676"}


@dataclasses.dataclass(frozen=True)
class Line:
    """A viewer's line.

    Attributes:
        viewer: The viewer.
        colour: As in CSS.
        dashes: Lengths of strokes and gaps in widths of the line; () for a
            solid one.
    """

    viewer: str
    colour: str
    dashes: tuple[float, ...]

    @property
    def average(self) -> bool:
        """Whether it is the average's, which is drawn in front and wider."""
        return self.viewer == paper.AVERAGE

    def values(self, table: pd.DataFrame) -> np.ndarray:
        """Its probability in each segment: float64 [N], NaN for none."""
        return table[self.viewer + _PROBABILITY].to_numpy(float)


def lines_of(predictions: pd.DataFrame) -> list[Line]:
    """Returns the lines of the viewers with something to draw.

    Args:
        predictions: start_s, end_s and <viewer>_probability.

    Returns:
        The lines, the average's last, hence in front.

    Raises:
        ValueError: If a column is missing or there is nothing to draw.
    """
    names = [
        str(column).removesuffix(_PROBABILITY)
        for column in predictions
        if str(column).endswith(_PROBABILITY)
    ]
    missing = {"start_s", "end_s"} - set(predictions)
    if missing or not names:
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
    styles = itertools.cycle(itertools.product(_DASHES, COLOURS))
    lines = []
    for name in sorted(drawn, key=lambda name: name == paper.AVERAGE):
        dashes, colour = (
            ((), "black") if name == paper.AVERAGE else next(styles)
        )
        lines.append(Line(name, colour, dashes))
    return lines


def rows_of(
    predictions: pd.DataFrame, row_s: float, most: int
) -> list[tuple[float, float]]:
    """Wraps a film into rows.

    Args:
        predictions: See `lines_of`; segments without any probability, such
            as cues after the end of the film, take no room.
        row_s: Length of a row in seconds, at most; longer if there were too
            many.
        most: Number of rows that there may be.

    Returns:
        Start and end of each row in seconds; one row for what is shorter.
    """
    known = predictions.filter(like=_PROBABILITY).notna().any(axis=1)
    first = float(predictions.loc[known, "start_s"].min())
    end = float(predictions.loc[known, "end_s"].max())
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


def within(table: pd.DataFrame, limits_s: tuple[float, float]) -> pd.DataFrame:
    """Returns the segments that are, at least in part, in a row."""
    start_s, end_s = limits_s
    return table[(table["end_s"] > start_s) & (table["start_s"] < end_s)]


def ratings_of(table: pd.DataFrame, line: Line) -> pd.DataFrame | None:
    """Returns what was rated, and whether the answers agree with it.

    Args:
        table: Segments, maybe with a column <viewer>_rating in [-1, 1], NaN
            where the viewer did not rate.
        line: The viewer's line.

    Returns:
        start_s, end_s, rating and answer (a key of `ANSWERS`, or "" where
        there is no probability), with the table's index; None if there is no
        such column.
    """
    column = line.viewer + _RATING
    if column not in table:
        return None
    rating, values = table[column].astype(float), line.values(table)
    agree = (values > DECISION_THRESHOLD) == (rating > 0)
    answer = np.where(agree, "right", "wrong")
    answer = np.where(rating.isna(), "not rated", answer)
    return table[["start_s", "end_s"]].assign(
        rating=rating, answer=np.where(np.isnan(values), "", answer)
    )
