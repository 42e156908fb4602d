"""The timeline of a film, as a picture and as a page: made here only."""

from emotion_mt.evaluation.templating import SCRIPT
from emotion_mt.evaluation.timeline.page import (
    render_timeline,
    write_timeline_html,
)
from emotion_mt.evaluation.timeline.picture import draw_timeline, plot_timeline

__all__ = [
    "SCRIPT",
    "draw_timeline",
    "plot_timeline",
    "render_timeline",
    "write_timeline_html",
]
