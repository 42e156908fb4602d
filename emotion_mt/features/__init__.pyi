from .config import FeatureConfig as FeatureConfig
from .container import VideoError as VideoError
from .extraction import (
    Extraction as Extraction,
    ExtractionReport as ExtractionReport,
    extract as extract,
    extract_features as extract_features,
)
from .histograms import (
    HistogramConfig as HistogramConfig,
    extract_histograms as extract_histograms,
)
from .i3d import build_i3d as build_i3d
from .sources import load_i3d as load_i3d
from .weights import (
    WeightsError as WeightsError,
    model_digest as model_digest,
)

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
