"""Rows of CSV files, and what is wrong with them."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emotion_mt.corpus import textfiles
from emotion_mt.corpus.corpus import CorpusError, printable

#: Longest name of a film, viewer or segment, in characters: file names are
#: made of them, and have at most 255 bytes.
LONGEST_NAME = 100


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a CSV file and where it stands."""

    where: str
    cells: Mapping[str, str]


class Problems:
    """Messages, and the films that cannot be used because of them."""

    def __init__(self) -> None:
        self._messages: list[tuple[frozenset[str], str]] = []

    def add(self, where: str, movies: Iterable[str], message: str) -> None:
        """Adds a message that concerns some films, or none in particular."""
        concerned = frozenset(movie for movie in movies if movie)
        self._messages.append((concerned, f"{where}: {message}"))

    def concern(self, movie: str) -> bool:
        """Says whether a film cannot be used."""
        return any(movie in movies for movies, _ in self._messages)

    def messages(self, movies: Iterable[str]) -> tuple[str, ...]:
        """Returns what concerns some of `movies` or none in particular."""
        wanted = frozenset(movies)
        return tuple(
            message
            for concerned, message in self._messages
            if not concerned or concerned & wanted
        )


def read_table(
    path: Path,
    columns: Sequence[str],
    problems: Problems,
    notes: list[str],
) -> list[Row]:
    """Reads a CSV file; further columns are noted and ignored."""
    if not path.is_file():
        raise CorpusError(
            f"{path}: expected a file with the columns {', '.join(columns)}. "
            "Received: nothing there"
        )
    text, encoding = textfiles.read_text(path)
    if encoding in textfiles.FALLBACK_ENCODINGS:
        notes.append(f"{path}: not UTF-8, read as {encoding}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, columns, notes)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                problems.add(
                    where,
                    [],
                    f"expected {len(header)} fields. "
                    f"Received {len(cells)}: {','.join(cells)[:80]!r}",
                )
                continue
            stripped = [cell.strip() for cell in cells]
            rows.append(Row(where, dict(zip(header, stripped, strict=True))))
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {reader.line_num}: expected comma-separated "
            f"values. Received: {error}"
        ) from error
    return rows


def _check_header(
    path: Path, header: Sequence[str], columns: Sequence[str], notes: list[str]
) -> None:
    missing = [column for column in columns if column not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing or twice:
        raise CorpusError(
            f"{path}, line 1: expected the columns {', '.join(columns)}, each "
            f"once. Received: {','.join(header)!r}; "
            + (f"missing: {', '.join(missing)}" if missing else "")
            + (f"more than once: {', '.join(twice)}" if twice else "")
        )
    more = [name for name in header if name not in columns]
    if more:
        notes.append(f"{path}: columns not used: {', '.join(more)}")


def number(cell: str) -> float | None:
    """Returns a finite number, or None if the cell holds none."""
    try:
        value = float(cell)
    except ValueError:
        return None
    # Python also reads "1_000".
    return value if math.isfinite(value) and "_" not in cell else None


def is_name(
    row: Row, column: str, movies: Iterable[str], problems: Problems
) -> bool:
    """Says whether a cell names something; if not, adds the problem."""
    cell = row.cells[column]
    if not cell:
        message = f"expected a {column}. Received: ''"
    elif len(cell) > LONGEST_NAME:
        message = (
            f"expected a {column} of at most {LONGEST_NAME} characters. "
            f"Received {len(cell)}: {cell[:20]!r}…"
        )
    elif printable(cell) != cell:
        message = (
            f"expected a {column} in one line, without control characters. "
            f"Received: {cell!r}"
        )
    else:
        return True
    problems.add(row.where, movies, message)
    return False
