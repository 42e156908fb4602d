"""Measures, pictures and pages about a simulated corpus."""

from emotion_mt.corpus.simulation.report.contact_sheet import (
    draw_contact_sheet,
)
from emotion_mt.corpus.simulation.report.measure import Measure
from emotion_mt.corpus.simulation.report.measures import (
    measure_corpus,
    measure_files,
)
from emotion_mt.corpus.simulation.report.pages import (
    measures_table,
    replace_between_markers,
)

__all__ = [
    "Measure",
    "draw_contact_sheet",
    "measure_corpus",
    "measure_files",
    "measures_table",
    "replace_between_markers",
]
