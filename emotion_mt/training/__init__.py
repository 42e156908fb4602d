"""From a corpus and features to one fitted model."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.

from emotion_mt.training.config import (
    MONITORS,
    BaselineConfig,
    FitConfig,
    TrainingConfig,
)
from emotion_mt.training.data import class_weights, make_dataset
from emotion_mt.training.fit import fit_split
from emotion_mt.training.result import FitResult, Progress, Trial

__all__ = [
    "MONITORS",
    "BaselineConfig",
    "FitConfig",
    "FitResult",
    "Progress",
    "TrainingConfig",
    "Trial",
    "class_weights",
    "fit_split",
    "make_dataset",
]
