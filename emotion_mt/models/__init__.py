"""Layers, losses, metrics and models: Keras and NumPy only, no files."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.

from emotion_mt.models.baseline import BaselineTextModel, BaselineVisualModel
from emotion_mt.models.evoked import DEFAULT_L1, EvokedEmotionModel
from emotion_mt.models.fuzzy import FuzzyConvolution
from emotion_mt.models.layers import FeatureNormalization
from emotion_mt.models.losses import MaskedBinaryCrossentropy, split_missing
from emotion_mt.models.metrics import (
    BalancedAccuracy,
    MeanAccuracy,
    ObservedCrossentropy,
    ViewerAccuracy,
    ViewerAUC,
)
from emotion_mt.models.optimizer import LazyAdam
from emotion_mt.models.tokenizer import (
    RESERVED_TOKENS,
    fit_tokenizer,
    make_tokenizer,
    tokenize,
)
from emotion_mt.models.viewer_model import MODALITIES, ViewerModel

__all__ = [
    "DEFAULT_L1",
    "MODALITIES",
    "RESERVED_TOKENS",
    "BalancedAccuracy",
    "BaselineTextModel",
    "BaselineVisualModel",
    "EvokedEmotionModel",
    "FeatureNormalization",
    "FuzzyConvolution",
    "LazyAdam",
    "MaskedBinaryCrossentropy",
    "MeanAccuracy",
    "ObservedCrossentropy",
    "ViewerAUC",
    "ViewerAccuracy",
    "ViewerModel",
    "fit_tokenizer",
    "make_tokenizer",
    "split_missing",
    "tokenize",
]
