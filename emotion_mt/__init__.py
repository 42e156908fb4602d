"""Emotions that films evoke in individual viewers (see README.md).

The names below are the public interface; import it as

    import emotion_mt as emt
"""

import os

from emotion_mt._startup import without_chatter

# TensorFlow reads this when it is imported; an own setting is respected.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_chatter():
    import tensorflow as tf

    # Looking for GPUs is what writes the last of it.
    tf.config.list_physical_devices()

from emotion_mt import paper
from emotion_mt._version import __version__
from emotion_mt.corpus import (
    Corpus,
    CorpusError,
    folds,
    inspect_corpus,
    load_corpus,
    simulate_corpus,
)
from emotion_mt.features import (
    FeatureConfig,
    extract_features,
    load_i3d,
    model_digest,
)
from emotion_mt.inference import (
    BundleError,
    Predictor,
    export,
    plot_timeline,
    save_bundle,
)
from emotion_mt.models import (
    EvokedEmotionModel,
    MaskedBinaryCrossentropy,
    make_tokenizer,
)
from emotion_mt.training import (
    FitResult,
    TrainingConfig,
    class_weights,
    fit_split,
    fit_tokenizer,
    make_dataset,
)

__all__ = [
    "BundleError",
    "Corpus",
    "CorpusError",
    "EvokedEmotionModel",
    "FeatureConfig",
    "FitResult",
    "MaskedBinaryCrossentropy",
    "Predictor",
    "TrainingConfig",
    "__version__",
    "class_weights",
    "export",
    "extract_features",
    "fit_split",
    "fit_tokenizer",
    "folds",
    "inspect_corpus",
    "load_corpus",
    "load_i3d",
    "make_dataset",
    "make_tokenizer",
    "model_digest",
    "paper",
    "plot_timeline",
    "save_bundle",
    "simulate_corpus",
]
