"""Layers, losses, metrics and models. Knows nothing of files."""

from emotion_mt.models.evoked import (
    DEFAULT_L1,
    MODALITIES,
    EvokedEmotionModel,
)
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

__all__ = [
    "DEFAULT_L1",
    "MODALITIES",
    "RESERVED_TOKENS",
    "AdjustableL1",
    "EvokedEmotionModel",
    "MaskedBinaryCrossentropy",
    "ObservedCrossentropy",
    "Standardization",
    "ViewerAccuracy",
    "make_tokenizer",
    "split_missing",
    "standardize_text",
    "stream_seed",
    "tokenize",
]
