"""Tables as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emotion_mt.evaluation import grids
from emotion_mt.evaluation.tables import Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
}

_SIGN = re.compile(r"^([+-])(?=\d)")


def escape(text: str) -> str:
    """Returns text in one line without a character that LaTeX acts on."""
    line = " ".join(text.split())
    return "".join(_SPECIAL.get(character, character) for character in line)


def _number(text: str) -> str:
    """A number with a sign of its own width and length."""
    return _SIGN.sub(r"$\1$", escape(text))


def _line(line: grids.Line) -> str:
    name, cells = escape(line.name), [_number(c) for c in line.cells]
    if line.kind == grids.PAPER:
        name = rf"\textit{{{name}}}"
        cells = [rf"\textit{{{c}}}" for c in cells]
    return f"{' & '.join([name, *cells])} \\\\"


def _tabular(grid: grids.Grid) -> list[str]:
    heading = " & ".join(["", *map(escape, grid.columns)])
    return [
        rf"\begin{{tabular}}{{l{'r' * len(grid.columns)}}}",
        r"\hline",
        rf"{heading} \\",
        r"\hline",
        *map(_line, grid.lines),
        r"\hline",
        r"\end{tabular}",
    ]


def _table(caption: str, label: str, grid: grids.Grid) -> list[str]:
    return [
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{{label}}}",
        *_tabular(grid),
        r"\end{table*}",
    ]


def to_latex(table: Table) -> str:
    r"""Renders a table as LaTeX for `\input`, without any package.

    Accuracies first, published rows in italics; the other blocks follow as
    tables of their own. The notes stand above as comments.

    Args:
        table: The table.

    Returns:
        Lines of LaTeX (UTF-8, as LaTeX expects by default).
    """
    banner = "SIMULATED DATA. " if table.simulated else ""
    parts: Sequence[grids.Grid] = grids.grids(table)
    label = f"tab:{table.number}"
    lines = [f"% {' '.join(f'{banner}{n}'.split())}" for n in table.notes]
    for number, grid in enumerate(parts, start=1):
        caption = f"{banner}{table.title}"
        if number > 1:
            caption += f": {grid.heading}"
        lines += _table(
            caption, label if number == 1 else f"{label}-{number}", grid
        )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
