"""All figures of a run, written as PNG and PDF."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.agreement import draw_correlations
from emotion_mt.evaluation.figures.counts import draw_counts
from emotion_mt.evaluation.figures.curves import draw_curves
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_differences,
)
from emotion_mt.evaluation.figures.predictions import choose_predictions
from emotion_mt.evaluation.figures.segments import choose_films
from emotion_mt.evaluation.figures.strips import draw_strip
from emotion_mt.evaluation.figures.timeline import draw_timeline
from emotion_mt.evaluation.tables import Table


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A figure on disk.

    Attributes:
        title: Short title.
        caption: What is to be seen.
        png: The file for screens; the one for print lies beside it (.pdf).
        table: Roman number of the table it belongs to; "" for none.
        data: What it shows as a table of texts, or None.
        width_px: Width at which its letters have the size of a text's.
        html: What a page shows in its place; "" for the picture itself.
    """

    title: str
    caption: str
    png: Path
    table: str
    data: pd.DataFrame | None
    width_px: int
    html: str = ""


def _drawings(
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, style.Drawing | None]]:
    """Table number (or "") and drawing, in the order of a report."""
    for table in tables:
        yield table.number, draw_accuracies(table)
        if table.comparison is not None:
            yield table.number, draw_differences(table, table.comparison)
    yield "", draw_correlations(corpus)
    yield "", draw_counts(corpus)
    predictions = choose_predictions(records)
    average = corpus.viewers[-1]
    if predictions is not None:
        films = choose_films(corpus, predictions)
        for letter, movie in zip("abcdefgh", films, strict=False):
            yield (
                "",
                draw_strip(corpus, predictions, movie, f"figure5{letter}"),
            )
        yield "", draw_timeline(corpus, predictions, average)
    yield "", draw_curves(records, average)


def save_all(
    folder: Path,
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> list[Picture]:
    """Draws every figure that the input allows.

    Args:
        folder: Folder of the files.
        corpus: The corpus of the tables.
        tables: Tables to draw.
        records: Contents of the result files behind them.

    Returns:
        What was written, in the order of a report. Figures without any
        content (no prediction, no history) are left out.
    """
    pictures = []
    for table, drawing in _drawings(corpus, tables, records):
        if drawing is None:
            continue
        png = Path(folder) / f"{drawing.stem}.png"
        style.save(drawing.figure, png, png.with_suffix(".pdf"))
        pictures.append(
            Picture(
                title=drawing.title,
                caption=drawing.caption,
                png=png,
                table=table,
                data=drawing.data,
                width_px=style.width_px(drawing.figure),
                html=drawing.html,
            )
        )
    return pictures
