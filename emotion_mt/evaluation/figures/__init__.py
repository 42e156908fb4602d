"""Figures of the evaluation, legible in print and for the colour-blind."""

from emotion_mt.evaluation.figures.agreement import (
    draw_correlations,
    mean_correlations,
)
from emotion_mt.evaluation.figures.counts import draw_counts
from emotion_mt.evaluation.figures.curves import draw_curves
from emotion_mt.evaluation.figures.frames import read_frames
from emotion_mt.evaluation.figures.gallery import save_all
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_differences,
)
from emotion_mt.evaluation.figures.predictions import (
    Predictions,
    choose_predictions,
)
from emotion_mt.evaluation.figures.strips import draw_strip
from emotion_mt.evaluation.figures.style import Drawing, save
from emotion_mt.evaluation.figures.timeline import draw_timeline

__all__ = [
    "Drawing",
    "Predictions",
    "choose_predictions",
    "draw_accuracies",
    "draw_correlations",
    "draw_counts",
    "draw_curves",
    "draw_differences",
    "draw_strip",
    "draw_timeline",
    "mean_correlations",
    "read_frames",
    "save",
    "save_all",
]
