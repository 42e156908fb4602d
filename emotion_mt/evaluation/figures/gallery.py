"""All figures of a run, written as PNG and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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


def _drawings(
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> Iterator[style.Drawing | None]:
    """All figures in the order of a report, None for those without content."""
    for table in tables:
        yield draw_accuracies(table)
        yield draw_differences(table)
    yield draw_correlations(corpus)
    yield draw_counts(corpus)
    predictions = choose_predictions(records)
    average = corpus.viewers[-1]
    if predictions is not None:
        films = choose_films(corpus, predictions)
        for letter, movie in zip("abcdefgh", films, strict=False):
            yield draw_strip(corpus, predictions, movie, f"figure5{letter}")
        yield draw_timeline(corpus, predictions, average)
    yield draw_curves(records, average)


def save_all(
    folder: Path,
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> list[style.Drawing]:
    """Draws every figure that the input allows.

    Args:
        folder: Folder of the files: the `stem` of each with .png for screens
            and .pdf for print.
        corpus: The corpus of the tables.
        tables: Tables to draw.
        records: Contents of the result files behind them.

    Returns:
        What was written, in the order of a report. Figures without any
        content (no prediction, no history) are left out.
    """
    drawings = [d for d in _drawings(corpus, tables, records) if d is not None]
    for drawing in drawings:
        png = Path(folder) / f"{drawing.stem}.png"
        style.save(drawing.figure, png, png.with_suffix(".pdf"))
    return drawings
