"""Jobs and their records, scores, tables, figures and the report."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.

from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.scores import Score, score
from emotion_mt.evaluation.specs import SPECS, TableSpec, specs_for
from emotion_mt.evaluation.tables import Table, build_table

__all__ = [
    "SPECS",
    "Job",
    "Score",
    "Table",
    "TableSpec",
    "build_table",
    "score",
    "specs_for",
]
