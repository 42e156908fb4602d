"""Tables as Markdown and CSV, and all their files."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd

from emotion_mt.evaluation import grids
from emotion_mt.evaluation.comparison import Comparison
from emotion_mt.evaluation.latex import to_latex
from emotion_mt.evaluation.tables import Table
from emotion_mt.storage.atomic import write_text

#: What simulated data are, in words.
SIMULATED_SENTENCE = (
    "The films, subtitles and ratings behind these numbers were generated; "
    "they say nothing about real viewers."
)

#: Stands above every simulated result.
SIMULATED_BANNER = f"**SIMULATED DATA.** {SIMULATED_SENTENCE}"

_CSV_FORMAT = f"%.{grids.CSV_DECIMALS}f"

_MARKS = {grids.OURS: "", grids.PAPER: "*", grids.DIFFERENCE: ""}


def markdown_text(text: str) -> str:
    """Returns text in one line in which nothing is Markdown or HTML."""
    line = " ".join(html.escape(text, quote=False).split())
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", line)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_grid(grid: grids.Grid) -> list[str]:
    """Renders a block as lines of Markdown, the paper's rows in italics."""
    lines = [
        _line(["", *map(markdown_text, grid.columns)]),
        _line(["---", *["---:"] * len(grid.columns)]),
    ]
    for line in grid.lines:
        mark = "**" if line.kind == grids.OURS else "*"
        around = _MARKS[line.kind]
        cells = [f"{around}{c}{around}" for c in line.cells]
        name = f"{mark}{markdown_text(line.name)}{mark}"
        lines.append(_line([name, *cells]))
    return lines


def to_markdown(table: Table) -> str:
    """Renders a table as Markdown: accuracies, notes, then the rest."""
    accuracies, *others = grids.grids(table)
    lines = [f"# {markdown_text(table.title)}", ""]
    if table.simulated:
        lines += [SIMULATED_BANNER, ""]
    lines += [*markdown_grid(accuracies), ""]
    lines += [f"- {markdown_text(note)}" for note in table.notes]
    for grid in others:
        lines += ["", f"## {grid.heading}", "", *markdown_grid(grid)]
    return "\n".join(lines) + "\n"


def to_text(table: Table) -> str:
    """Renders accuracies and notes for a terminal, in aligned columns."""
    accuracies = grids.grids(table)[0]
    rows = [("", *accuracies.columns)]
    rows += [(line.name, *line.cells) for line in accuracies.lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [table.title, ""]
    if table.simulated:
        lines += [SIMULATED_BANNER.replace("**", ""), ""]
    for name, *cells in rows:
        numbers = [c.rjust(w) for c, w in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *numbers]))
    return "\n".join([*lines, "", *(f"- {note}" for note in table.notes)])


def _comparison_parts(
    comparison: Comparison | None,
) -> list[tuple[pd.DataFrame, str, str]]:
    """Lines of the CSV file about MT minus ST: rows, source, measure."""
    if comparison is None:
        return []
    name = f"{comparison.ours} - {comparison.other}"
    return [
        (comparison.rows[[key]].T.set_axis([name]), "ours", key)
        for key in grids.COMPARISON_NAMES
    ]


def to_csv(table: Table) -> str:
    """Renders a table as CSV, one line per row and measure.

    Columns: row, source ("ours" or "paper"), measure ("accuracy", …,
    "sd_folds", "sd_seeds"; of the row "MT - ST" "difference", "low", "high",
    "p", "p_holm"), simulated (True or False), then the table's columns in
    percent, empty where undefined.
    """
    parts = [
        *((rows, "ours", name) for name, rows in table.measures.items()),
        (table.published, "paper", "accuracy"),
        *((rows, "ours", f"sd_{name}") for name, rows in table.spread.items()),
        *_comparison_parts(table.comparison),
    ]
    frames = []
    for rows, source, measure in parts:
        if rows.empty:
            continue
        frame = rows.rename_axis("row").reset_index()
        frame.insert(1, "source", source)
        frame.insert(2, "measure", measure)
        frame.insert(3, "simulated", table.simulated and source == "ours")
        frames.append(frame)
    whole = pd.concat(frames, ignore_index=True)
    return whole.to_csv(
        index=False, float_format=_CSV_FORMAT, lineterminator="\n"
    )


def write_table(folder: Path, name: str, table: Table) -> list[Path]:
    """Writes `name`.md, .csv and .tex, each all or nothing.

    Returns:
        The paths written.
    """
    paths = []
    for suffix, render in _RENDERINGS.items():
        path = folder / f"{name}{suffix}"
        write_text(path, render(table))
        paths.append(path)
    return paths


def remove_table(folder: Path, name: str) -> None:
    """Removes what `write_table` wrote under this name, if it did."""
    for suffix in _RENDERINGS:
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


_RENDERINGS = {".md": to_markdown, ".csv": to_csv, ".tex": to_latex}
