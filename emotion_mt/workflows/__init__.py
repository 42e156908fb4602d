"""Work that crosses rooms: from a corpus to a bundle, from a clip to files."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.workflows.bundles import TrainedBundle, train_bundle
from emotion_mt.workflows.material import (
    VisualFeatures,
    find_split,
    open_corpus,
    open_features,
    write_features,
)
from emotion_mt.workflows.prediction import Prediction, predict_to_folder
from emotion_mt.workflows.run_bundles import (
    run_all_tables,
    train_bundles_for_tables,
)

__all__ = [
    "Prediction",
    "TrainedBundle",
    "VisualFeatures",
    "find_split",
    "open_corpus",
    "open_features",
    "predict_to_folder",
    "run_all_tables",
    "train_bundle",
    "train_bundles_for_tables",
    "write_features",
]
