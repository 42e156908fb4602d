"""The timeline: one line per viewer as SVG, everything escaped."""

from __future__ import annotations

import html
import json

import numpy as np

from emotion_mt import paper
from emotion_mt._clock import clock, round_times
from emotion_mt.demo.job import Result
from emotion_mt.inference.timeline import drawn_viewers, line_styles, steps
from emotion_mt.inference.timeline_html import svg_path

#: A long film is wider than the page and scrolls.
MIN_PX_PER_MINUTE = 60

#: The SVG's own units; it is stretched to the size of the plot.
_WIDTH = 1000.0
_HEIGHT = 100.0

#: Width of a line in pixels, and of the average's.
_LINE_PX = 1.8
_AVERAGE_PX = 3.6

#: Share of the width below which a gap cannot be seen.
_INVISIBLE = 1 / 2000

#: Beyond this share of the width a time would not fit below the plot.
_LAST_TICK = 0.96


def timeline(result: Result) -> str:
    """Draws the probability of "positive" over time.

    A line is level in each segment and faint between them; nothing is
    smoothed. The average is drawn last, hence in front, and is the first of
    the legend. page.js moves the cursor.

    Args:
        result: The prediction.

    Returns:
        HTML with the SVG, its axes and the legend.
    """
    if not result.known.any():
        return (
            '<div class="emt-message emt-info">There is no segment that could '
            "be predicted.</div>"
        )
    start_s, end_s = result.span_s
    # The average comes last here.
    styles = line_styles(drawn_viewers(result.table))
    lines = "".join(
        _line(result, viewer, *style) for viewer, style in styles.items()
    )
    legend = "".join(
        _legend(viewer, *styles[viewer])
        for viewer in result.viewers
        if viewer in styles
    )
    least_px = (end_s - start_s) / 60 * MIN_PX_PER_MINUTE
    times = np.stack([result.starts_s, result.ends_s], axis=1)
    segments = json.dumps(times.round(3).tolist())
    mark = '<div class="emt-mark">SIMULATED</div>' if result.simulated else ""
    return (
        f'<div class="emt-timeline"><div class="emt-legend">{legend}</div>'
        '<div class="emt-frame"><div class="emt-y"><span>1</span>'
        "<span>0.5</span><span>0</span></div>"
        f'<div class="emt-wide"><div style="min-width:{least_px:.0f}px">'
        f'<div class="emt-plot" tabindex=0 role="slider" '
        'aria-label="Time in the film" '
        f'aria-valuemin="{start_s:.1f}" aria-valuemax="{end_s:.1f}" '
        f'aria-valuenow="{start_s:.1f}" data-start="{start_s}" '
        f'data-end="{end_s}" data-segments="{html.escape(segments)}">{mark}'
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" '
        'aria-hidden="true"><path class="emt-half" d="M0 50H1000"/>'
        f'{lines}</svg><div class="emt-cursor"><span></span></div></div>'
        f'<div class="emt-x">{_ticks(start_s, end_s)}</div></div></div></div>'
        '<p class="emt-help">Point at the timeline to see a moment, click or '
        "tap to stay there; the arrow keys go from segment to segment. A long "
        "film scrolls sideways.</p></div>"
    )


def _line(
    result: Result, viewer: str, colour: str, dashes: tuple[float, ...]
) -> str:
    """One viewer's line, and fainter what joins it over gaps."""
    start_s, end_s = result.span_s
    length_s = end_s - start_s
    table = result.table.sort_values("start_s", kind="stable")
    x, y = steps(table, viewer, length_s * _INVISIBLE)
    x, y = (x - start_s) / length_s * _WIDTH, (1 - y) * _HEIGHT
    known = np.isfinite(y)
    return (
        f'<g class="emt-line" data-viewer="{html.escape(viewer)}" '
        f'{_stroke(viewer, colour)}><path class="emt-gap" '
        f'd="{svg_path(x[known], y[known])}"/>'
        f'<path d="{svg_path(x, y)}"{_dashes(viewer, dashes)}/></g>'
    )


def _legend(viewer: str, colour: str, dashes: tuple[float, ...]) -> str:
    name = html.escape(viewer)
    return (
        f'<label><input type=checkbox checked data-viewer="{name}">'
        f'<svg width=26 height=8 aria-hidden="true"><path d="M0 4H26" '
        f"{_stroke(viewer, colour)}{_dashes(viewer, dashes)}/></svg>"
        f"{name}</label>"
    )


def _width_px(viewer: str) -> float:
    return _AVERAGE_PX if viewer == paper.AVERAGE else _LINE_PX


def _stroke(viewer: str, colour: str) -> str:
    return f'stroke="{colour}" stroke-width="{_width_px(viewer):g}"'


def _dashes(viewer: str, dashes: tuple[float, ...]) -> str:
    """Attribute for dashes that are given in widths of the line."""
    if not dashes:
        return ""
    lengths = " ".join(f"{length * _width_px(viewer):g}" for length in dashes)
    return f' stroke-dasharray="{lengths}"'


def _ticks(start_s: float, end_s: float) -> str:
    """Times below the plot, few enough for a telephone."""
    length_s = end_s - start_s
    wanted = max(6.0, length_s / 60 * MIN_PX_PER_MINUTE / 90)
    ticks = []
    for time_s in round_times(start_s, end_s, wanted):
        share = (time_s - start_s) / length_s
        if share > _LAST_TICK:
            break
        ticks.append(
            f'<span style="left:{100 * share:.2f}%">{clock(time_s)}</span>'
        )
    return "".join(ticks)
