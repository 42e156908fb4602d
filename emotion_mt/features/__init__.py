"""Videos to vectors: decoding, windows, the I3D, the feature store."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.
from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.extraction import (
    Extraction,
    ExtractionReport,
    extract,
    extract_features,
)
from emotion_mt.features.histograms import (
    HistogramConfig,
    extract_histograms,
)
from emotion_mt.features.i3d import build_i3d
from emotion_mt.features.sources import load_i3d
from emotion_mt.features.video import VideoError
from emotion_mt.features.weights import WeightsError, model_digest

__all__ = [
    "Extraction",
    "ExtractionReport",
    "FeatureConfig",
    "HistogramConfig",
    "VideoError",
    "WeightsError",
    "build_i3d",
    "extract",
    "extract_features",
    "extract_histograms",
    "load_i3d",
    "model_digest",
]
