"""Tables as Markdown, text, CSV and LaTeX.

Every rendering but the CSV file shows the same blocks of a table: DataFrames
of texts, rounded once. To change what a table shows, change `lead_blocks`,
`comparison_blocks` or `more_blocks`.
"""

from __future__ import annotations

import html
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from emotion_mt.evaluation.scores import LEAD
from emotion_mt.evaluation.tables import Table
from emotion_mt.evaluation.templating import ENVIRONMENT
from emotion_mt.storage.atomic import write_text

#: What simulated data are, in words.
SIMULATED_SENTENCE = (
    "The films, subtitles and ratings behind these numbers were generated; "
    "they say nothing about real viewers."
)

#: Headings of blocks by measure in the CSV file.
HEADINGS = {
    "accuracy": "Accuracy (%)",
    "balanced_accuracy": "Balanced accuracy (%)",
    "macro_f1": "Macro-F1 (%)",
    "matthews": "Matthews correlation (× 100)",
    "sd_folds": "Standard deviation of accuracy over test films (points)",
    "sd_seeds": "Standard deviation of accuracy over seeds (points)",
}

#: Lines of a comparison: measure in the CSV file and name elsewhere.
COMPARISON_NAMES = {
    "difference": "{ours} − {other} (points)",
    "low": "95 % interval, low",
    "high": "95 % interval, high",
    "p": "p (sign-flip)",
    "p_holm": "p (Holm)",
}

#: Kinds of lines and how their numbers are written: ours, the paper's, ours
#: minus the paper's, MT minus ST, and how sure that is.
_FORMS = {
    **{"ours": ".2f", "paper": ".2f", "difference": "+.2f"},
    **{"ahead": "+.2f", "proof": ".3f"},
}

#: Shown where a number is undefined.
DASH = "–"

#: Decimals in the CSV file. The other renderings round the same digits on.
CSV_DECIMALS = 4


def number(value: float, form: str = ".2f") -> str:
    """A number of a table as text; a dash where it is undefined."""
    if math.isnan(value):
        return DASH
    return format(round(value, CSV_DECIMALS), form)


def _block(lines: Mapping[tuple[str, str], pd.Series]) -> pd.DataFrame:
    """Texts of numbers; (name, kind) of a line to its numbers."""
    texts = {
        (name, kind): [number(value, _FORMS[kind]) for value in row]
        for (name, kind), row in lines.items()
    }
    return pd.DataFrame(texts, next(iter(lines.values())).index).T


def lead_blocks(table: Table) -> dict[str, pd.DataFrame]:
    """What stands above the notes: accuracy and balanced accuracy.

    Returns:
        Heading to DataFrame of texts, index (name, kind), columns the
        table's. The paper's rows are accuracies; MT − ST ends each block.
    """
    blocks = {}
    for measure in LEAD:
        lines = {}
        rows, one = table.measures[measure], table.comparisons.get(measure)
        for name in rows.index:
            lines[name, "ours"] = rows.loc[name]
            if measure == "accuracy" and name in table.published.index:
                theirs = table.published.loc[name]
                lines[f"{name}, paper", "paper"] = theirs
                difference = rows.loc[name] - theirs
                lines[f"{name}, difference", "difference"] = difference
        if one is not None:
            difference = one.rows["difference"].reindex(rows.columns)
            lines[f"{one.ours} − {one.other}", "ahead"] = difference
        if lines:
            blocks[HEADINGS[measure]] = _block(lines)
    return blocks


def comparison_blocks(table: Table) -> dict[str, pd.DataFrame]:
    """How sure MT − ST is, per measure; as `lead_blocks` returns it."""
    blocks = {}
    for one in table.comparisons.values():
        pair = {"ours": one.ours, "other": one.other}
        blocks[f"{one.ours} against {one.other}, {one.name}"] = _block(
            {
                (text.format(**pair), "proof"): one.rows[key]
                for key, text in COMPARISON_NAMES.items()
            }
        )
    return blocks


def more_blocks(table: Table) -> dict[str, pd.DataFrame]:
    """The other measures and the spread; as `lead_blocks` returns it."""
    found = {m: rows for m, rows in table.measures.items() if m not in LEAD}
    found |= {f"sd_{name}": rows for name, rows in table.spread.items()}
    return {
        HEADINGS[m]: _block(
            {(name, "ours"): known.loc[name] for name in known.index}
        )
        for m, rows in found.items()
        if len(known := rows.dropna(how="all"))
    }


def all_blocks(table: Table) -> dict[str, pd.DataFrame]:
    """All blocks of a table, as `lead_blocks` returns them."""
    return lead_blocks(table) | comparison_blocks(table) | more_blocks(table)


def markdown_text(text: str) -> str:
    """Returns text in one line in which nothing is Markdown or HTML."""
    line = " ".join(html.escape(text, quote=False).split())
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", line)


def markdown_table(frame: pd.DataFrame) -> str:
    """Renders a DataFrame of texts, or a block, as a Markdown table.

    A block's names are bold and its numbers to the right; the paper's rows
    are in italics. Otherwise the index is left out.
    """
    rows = frame.astype(str).map(markdown_text).to_numpy().tolist()
    columns = [markdown_text(str(column)) for column in frame.columns]
    marks = ["---"] * len(columns)
    if frame.index.nlevels == 2:
        for (name, kind), row in zip(frame.index, rows, strict=True):
            row[:] = [f"*{c}*" for c in row] if kind == "paper" else row
            mark = "*" if kind in ("paper", "difference") else "**"
            row.insert(0, f"{mark}{markdown_text(name)}{mark}")
        columns, marks = ["", *columns], ["---", *["---:"] * len(columns)]
    lines = [columns, marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_markdown(table: Table) -> str:
    """Renders a table as Markdown: the lead, notes, then the rest."""
    return render("table.md", table=table)


def render(template: str, **content: Any) -> str:
    """Fills a template that may show tables."""
    shown = {"rendering": sys.modules[__name__], **content}
    return ENVIRONMENT.get_template(template).render(shown)


def to_text(table: Table) -> str:
    """Renders the lead and the notes for a terminal, in aligned columns."""
    banner = f"SIMULATED DATA. {SIMULATED_SENTENCE}"
    parts = [table.title, *([banner] if table.simulated else [])]
    blocks = lead_blocks(table)
    # In one piece, so that their columns stand below each other.
    whole = pd.concat(blocks.values()).droplevel(1).to_string()
    names, *lines = whole.split("\n")
    for heading, block in blocks.items():
        parts.append("\n".join([heading, names, *lines[: len(block)]]))
        del lines[: len(block)]
    parts.append("\n".join(f"- {note}" for note in table.notes))
    return "\n\n".join(parts)


def to_csv(table: Table) -> str:
    """Renders a table as CSV, one line per row and measure.

    Columns: row, source ("ours" or "paper"), measure ("accuracy", …,
    "sd_folds", "sd_seeds"; of the row "MT - ST" "difference", "low", "high",
    "p" and "p_holm" of the accuracy, and the same of the balanced accuracy as
    "balanced_accuracy_difference", …), simulated (True or False), then the
    table's columns in percent, empty where undefined.
    """
    parts = {("ours", name): rows for name, rows in table.measures.items()}
    parts["paper", "accuracy"] = table.published
    parts |= {("ours", f"sd_{n}"): rows for n, rows in table.spread.items()}
    for measure, one in table.comparisons.items():
        prefix = "" if measure == "accuracy" else f"{measure}_"
        name = [f"{one.ours} - {one.other}"]
        parts |= {
            ("ours", f"{prefix}{key}"): one.rows[[key]].T.set_axis(name)
            for key in COMPARISON_NAMES
        }
    known = {key: rows for key, rows in parts.items() if len(rows)}
    whole = pd.concat(known, names=["source", "measure", "row"]).reset_index()
    whole.insert(0, "row", whole.pop("row"))
    whole.insert(3, "simulated", table.simulated & (whole["source"] == "ours"))
    digits = f"%.{CSV_DECIMALS}f"
    return whole.to_csv(index=False, float_format=digits, lineterminator="\n")


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "−": "$-$",
        "–": "--",
        "×": r"$\times$",
    }
)


def latex_text(text: str) -> str:
    """Returns text in one line without a character that LaTeX acts on."""
    return " ".join(text.split()).translate(_LATEX)


def to_latex(table: Table) -> str:
    r"""Renders a table as LaTeX for `\input`, without any package.

    A table per block, published rows in italics. The notes stand above as
    comments. The text is UTF-8, as LaTeX expects by default.
    """
    return render("table.tex", table=table)


_RENDERINGS = {".md": to_markdown, ".csv": to_csv, ".tex": to_latex}


def write_table(folder: Path, name: str, table: Table) -> list[Path]:
    """Writes `name`.md, .csv and .tex, each all or nothing.

    Returns:
        The paths written.
    """
    paths = []
    for suffix, render in _RENDERINGS.items():
        paths.append(folder / f"{name}{suffix}")
        write_text(paths[-1], render(table))
    return paths


def remove_table(folder: Path, name: str) -> None:
    """Removes what `write_table` wrote under this name, if it did."""
    for suffix in _RENDERINGS:
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
