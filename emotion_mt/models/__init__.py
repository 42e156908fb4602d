"""Layers, losses, metrics and models. Knows nothing of files."""

import emotion_mt._tensorflow  # noqa: F401  Quietly, and first.
from emotion_mt.models.baseline import (
    ARRANGEMENTS,
    BaselineTextModel,
    BaselineVisualModel,
)
from emotion_mt.models.evoked import DEFAULT_L1, EvokedEmotionModel
from emotion_mt.models.fuzzy import FuzzyConvolution, GaussianMembership
from emotion_mt.models.losses import MaskedBinaryCrossentropy
from emotion_mt.models.masking import split_missing
from emotion_mt.models.metrics import ObservedCrossentropy, ViewerAccuracy
from emotion_mt.models.regularizers import AdjustableL1
from emotion_mt.models.seeding import stream_seed
from emotion_mt.models.standardization import Standardization
from emotion_mt.models.tokenizer import (
    RESERVED_TOKENS,
    make_tokenizer,
    standardize_text,
    tokenize,
)
from emotion_mt.models.viewer_model import MODALITIES, ViewerModel

__all__ = [
    "ARRANGEMENTS",
    "DEFAULT_L1",
    "MODALITIES",
    "RESERVED_TOKENS",
    "AdjustableL1",
    "BaselineTextModel",
    "BaselineVisualModel",
    "EvokedEmotionModel",
    "FuzzyConvolution",
    "GaussianMembership",
    "MaskedBinaryCrossentropy",
    "ObservedCrossentropy",
    "Standardization",
    "ViewerAccuracy",
    "ViewerModel",
    "make_tokenizer",
    "split_missing",
    "standardize_text",
    "stream_seed",
    "tokenize",
]
