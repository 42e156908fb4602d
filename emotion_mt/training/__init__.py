"""From a corpus and features to one fitted model."""

import emotion_mt._tensorflow  # noqa: F401  Quietly, and first.
from emotion_mt.training.batches import make_dataset
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.data import Segments, select_segments
from emotion_mt.training.fit import fit_split
from emotion_mt.training.result import FitResult, Progress, Trial
from emotion_mt.training.vocabulary import (
    class_weights,
    feature_statistics,
    fit_tokenizer,
)

__all__ = [
    "FitResult",
    "Progress",
    "Segments",
    "TrainingConfig",
    "Trial",
    "class_weights",
    "feature_statistics",
    "fit_split",
    "fit_tokenizer",
    "make_dataset",
    "select_segments",
]
