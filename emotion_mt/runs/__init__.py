"""From an opened corpus to tables, a report and bundles."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.runs.bundles import TrainedBundle, train_bundle, train_bundles
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.run import Experiment, Run
from emotion_mt.runs.tables import run_tables
from emotion_mt.runs.worker import JobInput

__all__ = [
    "Experiment",
    "JobInput",
    "Run",
    "RunOutcome",
    "TrainedBundle",
    "run_jobs",
    "run_tables",
    "train_bundle",
    "train_bundles",
]
