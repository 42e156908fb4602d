"""One report of a run: report.html in one file, and report.md."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib

from emotion_mt._version import __version__
from emotion_mt.corpus import Corpus
from emotion_mt.corpus.atomic import write_json, write_text
from emotion_mt.evaluation import figures, rendering, timeline
from emotion_mt.evaluation.report_content import (
    Block,
    Content,
    Result,
    RunInfo,
    collect,
)
from emotion_mt.evaluation.tables import Table

#: Figures lie in this folder beside the report.
FIGURES = "figures"

#: Says from what the report was made and which files belong to it.
_STATE = "report.json"


def write_report(
    folder: Path,
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
    info: RunInfo,
) -> list[Path]:
    """Draws all figures and writes the report of a run.

    Writes report.html (one file that needs no other), report.md and
    figures/*.png and *.pdf. A report of the same results that is there
    already is left as it is, with the times of the run that made it.

    Args:
        folder: Folder of the run.
        corpus: The corpus.
        tables: The tables of the run.
        records: Contents of the result files behind them.
        info: Configuration, failures and times.

    Returns:
        The files of the report, report.html first.
    """
    folder = Path(folder)
    inputs = _digest(corpus, tables, records, info)
    known = _known_files(folder, inputs)
    if known is not None:
        return known
    pictures = figures.save_all(folder / FIGURES, corpus, tables, records)
    content = collect(corpus, tables, records, pictures, info)
    paths = [folder / "report.html", folder / "report.md"]
    write_text(paths[0], to_html(content))
    write_text(paths[1], to_markdown(content))
    for picture in pictures:
        paths += [picture.png, picture.png.with_suffix(".pdf")]
    write_json(
        folder / _STATE,
        {
            "inputs": inputs,
            "files": [path.relative_to(folder).as_posix() for path in paths],
        },
    )
    return paths


def _digest(
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
    info: RunInfo,
) -> str:
    """SHA-256 of all that decides a report, the times of a run left out."""
    here = Path(__file__).parent
    code = [*sorted(here.rglob("*.py")), *sorted(here.glob("templates/*"))]
    summary = {
        "corpus": [corpus.name, corpus.digest(), corpus.simulated],
        "remarks": [corpus.problems, corpus.notes],
        "left_out": corpus.left_out.to_json(),
        "videos": sorted(set(corpus.segments["video"].dropna())),
        "records": [record["key"] for record in records],
        "tables": [rendering.to_markdown(table) for table in tables],
        "experiment": dict(info.experiment),
        "failures": dict(info.failures),
        "versions": [__version__, matplotlib.__version__],
        "code": [hashlib.sha256(p.read_bytes()).hexdigest() for p in code],
    }
    text = json.dumps(summary, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _known_files(folder: Path, inputs: str) -> list[Path] | None:
    """The files of a whole report that was made from the same input."""
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if not isinstance(state, dict) or state.get("inputs") != inputs:
        return None
    paths = [folder / name for name in state["files"]]
    return paths if all(path.is_file() for path in paths) else None


def _data_uri(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/png;base64,{content}"


def to_html(content: Content) -> str:
    """Renders a report as one HTML file with the pictures inside.

    Every text is escaped; the page allows no other file, and no script but
    the timeline's.

    Args:
        content: The report.

    Returns:
        The page.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emotion_mt.evaluation", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    template = environment.get_template("report.html")
    return template.render(
        content=content,
        version=__version__,
        simulated_sentence=rendering.SIMULATED_SENTENCE,
        script=timeline.SCRIPT,
        script_hash=timeline.SCRIPT_HASH,
    )


def _escaped(texts: Sequence[str]) -> list[str]:
    return [rendering.markdown_text(text) for text in texts]


def _bullets(texts: Sequence[str]) -> list[str]:
    return ["", *(f"- {text}" for text in _escaped(texts))] if texts else []


def _block_lines(block: Block, level: str = "##") -> list[str]:
    columns = _escaped(block.columns or ("", ""))
    lines = [
        "",
        f"{level} {rendering.markdown_text(block.heading)}",
        "",
        f"| {' | '.join(columns)} |",
        f"| {' | '.join(['---'] * len(columns))} |",
    ]
    return lines + [f"| {' | '.join(_escaped(row))} |" for row in block.rows]


def _picture_lines(picture: figures.Picture) -> list[str]:
    title, caption = _escaped([picture.title, picture.caption])
    source = f"{FIGURES}/{picture.png.name}"
    return ["", f"![{title}]({source})", "", f"**{title}.** {caption}"]


def _result_lines(result: Result) -> list[str]:
    lines = ["", f"## {rendering.markdown_text(result.title)}"]
    if result.sentence:
        lines += ["", f"**{rendering.markdown_text(result.sentence)}**"]
    for number, grid in enumerate((*result.main, *result.more)):
        lines += ["", f"### {rendering.markdown_text(grid.heading)}", ""]
        lines += rendering.markdown_grid(grid)
        if number == 0:
            lines += _bullets(result.notes)
    for picture in result.pictures:
        lines += _picture_lines(picture)
    return lines


def to_markdown(content: Content) -> str:
    """Renders a report as Markdown; pictures by their path in figures/.

    Args:
        content: The report.

    Returns:
        The text.
    """
    lines = [f"# {rendering.markdown_text(content.title)}"]
    if content.simulated:
        lines += ["", "# SIMULATED DATA", "", rendering.SIMULATED_SENTENCE]
    lines += _bullets(content.warnings)
    lines += _block_lines(content.summary)
    for result in content.results:
        lines += _result_lines(result)
    lines += ["", "## Figures"]
    for picture in content.pictures:
        lines += _picture_lines(picture)
    lines += ["", "## Corpus"]
    for block in content.corpus:
        lines += _block_lines(block, "###")
    if content.remarks:
        lines += ["", "### Remarks", *_bullets(content.remarks)]
    lines += ["", "## Run"]
    for block in content.run:
        lines += _block_lines(block, "###")
    return "\n".join(lines) + "\n"
