"""All figures of a run, written as PNG and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.figures.corpus import (
    draw_correlations,
    draw_counts,
)
from emotion_mt.evaluation.figures.films import (
    choose_films,
    choose_predictions,
    draw_film,
    draw_strip,
)
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_curves,
    draw_differences,
)
from emotion_mt.evaluation.figures.style import Drawing, save
from emotion_mt.evaluation.tables import Table


def _drawings(
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> Iterator[Drawing | None]:
    """All figures in the order of a report, None for those without content."""
    for table in tables:
        yield draw_accuracies(table)
        yield draw_differences(table)
    yield draw_correlations(corpus)
    yield draw_counts(corpus)
    predictions, average = choose_predictions(records), corpus.viewers[-1]
    if predictions is not None:
        films = choose_films(corpus, predictions)
        for letter, movie in zip("abcd", films, strict=False):
            yield draw_strip(corpus, predictions, movie, f"figure5{letter}")
        yield draw_film(corpus, predictions, average)
    yield draw_curves(records, average)


def save_all(
    folder: Path,
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
) -> list[Drawing]:
    """Draws every figure that the input allows, in the order of a report.

    Each is written twice: as .png for screens and .pdf for print. Those
    without any content (no prediction, no history) are left out.
    """
    drawings = [d for d in _drawings(corpus, tables, records) if d is not None]
    for drawing in drawings:
        png = folder / f"{drawing.stem}.png"
        save(drawing.figure, png, png.with_suffix(".pdf"))
    return drawings
