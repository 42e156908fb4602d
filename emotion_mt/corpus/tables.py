"""Tables in text files: their separator, their rows, and what is wrong."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emotion_mt.corpus.assemble import Messages
from emotion_mt.corpus.corpus import MEAN_DECIMALS, CorpusError, printable
from emotion_mt.corpus.textfiles import plain_line, read_text

#: Longest name of a movie, viewer or segment, in characters: file names are
#: made of them, and have at most 255 bytes.
LONGEST_NAME = 100

#: What may stand between the columns.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.I)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclasses.dataclass(frozen=True)
class Scale:
    """What ratings were given on; its middle is neutral.

    Attributes:
        low: Lowest value there is, the most negative.
        high: Highest value there is.

    Raises:
        ValueError: If they are no finite numbers, low < high.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuses scales without a middle."""
        if not (self.low < self.high and math.isfinite(self.high - self.low)):
            raise ValueError(
                "`scale` must be two finite numbers, low < high. "
                f"Received: {self.low}, {self.high}"
            )

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}]"

    @property
    def hint(self) -> str:
        """The way out for ratings that do not fit."""
        usual = self == Scale()
        return " (for another scale: --scale=LOW,HIGH)" if usual else ""

    def holds(self, values: Any) -> Any:
        """Says which values are on the scale, as bool of their shape.

        Args:
            values: float [...].
        """
        return (self.low <= values) & (values <= self.high)

    def to_unit(self, values: Any) -> Any:
        """Returns values mapped from the scale to [-1, 1], its middle to 0.

        Args:
            values: float [...].
        """
        if self == Scale():
            return values
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        # The middle is 0 and no trace of rounding.
        return np.round((values - middle) / half, MEAN_DECIMALS)


class Row(NamedTuple):
    """A row of a table.

    `where` is the file and the line; `cells` are column, in lower case, to
    cell, without blanks around it. With `decimal_commas` "0,4" is a number.
    """

    where: str
    cells: Mapping[str, str]
    decimal_commas: bool

    def number(self, column: str) -> float | None:
        """Returns a finite number, or None if the cell holds none."""
        cell = self.cells[column]
        if self.decimal_commas and _DECIMAL_COMMA.fullmatch(cell):
            cell = cell.replace(",", ".")
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        # Python also reads "1_000".
        return value if math.isfinite(value) and "_" not in cell else None

    def name(self, column: str, messages: Messages, *movies: str) -> str:
        """Returns a composed name; "" with a problem if it is none."""
        cell = self.cells[column]
        received, limit = repr(cell), ""
        if len(cell) > LONGEST_NAME:
            limit = f" of at most {LONGEST_NAME} characters"
            received = f"{len(cell)}: {cell[:20]!r}…"
        elif printable(cell) != cell:
            limit = " in one line, without control characters"
        elif cell:
            return plain_line(cell)
        messages.problem(
            f"{self.where}: expected a {column}{limit}. Received: {received}",
            *movies,
        )
        return ""


def read_table(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    messages: Messages,
    encoding: str | None,
    more: bool = False,
) -> list[Row]:
    """Reads the rows of a table with a header that are not blank.

    Commas, semicolons or tabs separate the columns, whichever gives the
    header. Between semicolons or tabs numbers may have a decimal comma.
    Further columns are ignored with a note, unless `more` are wanted.
    `messages` receives a problem per row that is none. A file that is not
    there or no table with these columns is refused (CorpusError).
    """
    if not os.path.isfile(path):
        raise CorpusError(
            f"{path}: expected a file with the columns {', '.join(columns)}. "
            "Received: no such file"
        )
    file = read_text(path, encoding)
    messages.notes += file.notes
    # Where Excel was told how to read it, the first line says so.
    told = _SEPARATOR_LINE.fullmatch(file.lines[0])
    text = file.text[len(file.lines[0]) if told else 0 :]
    separator, header, reader = _header(
        path, text, columns, told[1] if told else ""
    )
    unused = [name for name in header if name not in columns]
    if unused and not more:
        messages.notes.append(f"{path}: columns not used: {', '.join(unused)}")
    if separator != ",":
        messages.notes.append(
            f"{path}: columns separated by {SEPARATORS[separator]}; a comma "
            "in a number is a decimal comma"
        )
    rows: list[Row] = []
    try:
        for raw in reader:
            where = f"{path}, line {reader.line_num}"
            cells = [cell.strip() for cell in raw]
            if any(cells) and len(cells) != len(header):
                messages.problem(
                    f"{where}: expected {len(header)} fields. Received "
                    f"{len(cells)}: {separator.join(raw)[:80]!r}"
                )
            elif any(cells):
                named = dict(zip(header, cells, strict=True))
                rows.append(Row(where, named, separator != ","))
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {reader.line_num}: expected values separated by "
            f"{SEPARATORS[separator]}. Received: {error}"
        ) from error
    return rows


def _header(
    path: str | os.PathLike[str], text: str, columns: Sequence[str], told: str
) -> tuple[str, list[str], Any]:
    """Returns the separator, the columns, and a reader of what is below."""
    headers: dict[str, list[str]] = {}
    readers: dict[str, Any] = {}
    for separator in [told] if told in SEPARATORS else SEPARATORS:
        lines = io.StringIO(text, newline="")
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            names = next(filter(any, reader), [])
        except csv.Error:
            names = []
        headers[separator] = [name.strip().casefold() for name in names]
        readers[separator] = reader
    # The right one finds most of the columns; if none does, it is a comma.
    separator = max(headers, key=lambda s: len({*headers[s]} & {*columns}))
    header = headers[separator]
    missing = [column for column in columns if column not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    faults = {"missing": missing, "more than once": twice}
    if missing or twice:
        raise CorpusError(
            f"{path}, line 1: expected the columns {', '.join(columns)}, each "
            "once, separated by commas, semicolons or tabs. Received: "
            + "; ".join(
                [repr(separator.join(header)[:200])]
                + [f"{f}: {', '.join(c)}" for f, c in faults.items() if c]
            )
        )
    return separator, header, readers[separator]
