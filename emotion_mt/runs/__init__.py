"""From an opened corpus to tables, a report and bundles."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.

from emotion_mt.runs.bundles import TrainedBundle, train_bundle
from emotion_mt.runs.engine import RunOutcome
from emotion_mt.runs.run import Experiment, Run as Run
from emotion_mt.runs.tables import run_tables

__all__ = [
    "Experiment",
    "RunOutcome",
    "TrainedBundle",
    "run_tables",
    "train_bundle",
]
