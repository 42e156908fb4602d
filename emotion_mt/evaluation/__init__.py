"""Jobs, the runner that executes them, scores, tables."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.evaluation.experiment import Experiment, run_tables
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.runner import RunOutcome, run_jobs
from emotion_mt.evaluation.scores import Score, score
from emotion_mt.evaluation.specs import SPECS, TableSpec, specs_for
from emotion_mt.evaluation.tables import Table, build_table

__all__ = [
    "SPECS",
    "Experiment",
    "Job",
    "RunOutcome",
    "Score",
    "Table",
    "TableSpec",
    "build_table",
    "run_jobs",
    "run_tables",
    "score",
    "specs_for",
]
