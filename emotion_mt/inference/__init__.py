"""Saved bundles and predictions for new clips."""

import emotion_mt._backend  # noqa: F401  Quietly, and first.

from emotion_mt.evaluation.timeline.page import write_timeline_html
from emotion_mt.evaluation.timeline.picture import draw_timeline, plot_timeline
from emotion_mt.inference.bundle import Bundle, load_bundle, save_bundle
from emotion_mt.inference.errors import BundleError
from emotion_mt.inference.new_viewer import (
    ViewerFit,
    add_viewer,
    fit_viewer,
    with_viewer,
)
from emotion_mt.inference.predictor import DEFAULT_SEGMENT_S, Predictor
from emotion_mt.inference.saved_model import export

__all__ = [
    "DEFAULT_SEGMENT_S",
    "Bundle",
    "BundleError",
    "Predictor",
    "ViewerFit",
    "add_viewer",
    "draw_timeline",
    "export",
    "fit_viewer",
    "load_bundle",
    "plot_timeline",
    "save_bundle",
    "with_viewer",
    "write_timeline_html",
]
