"""The timeline, read back from its SVG."""

import html
import json
import re

import pytest

from emotion_mt.demo.frames import FrameStrip
from emotion_mt.demo.plot import timeline
from emotion_mt.inference.timeline import line_styles


def lines(page):
    """Viewer to the numbers of its solid and faint path, as drawn."""
    found = re.findall(
        r'<g class="emt-line" data-viewer="([^"]*)" stroke="[^"]*" '
        r'stroke-width="[^"]*">'
        r'<path class="emt-gap" d="([^"]*)"/><path d="([^"]*)"',
        page,
    )
    return {html.unescape(v): (solid, faint) for v, faint, solid in found}


def test_levels_and_gaps(result):
    """From 0 to 8 s: a second is 125 units wide, and 0 is at the bottom."""
    solid, faint = lines(timeline(result))["Vavg"]
    touching = "M125.00 90.0L250.00 90.0L250.00 10.0L500.00 10.0"
    assert solid == touching + "M750.00 40.0L1000.00 40.0"
    assert faint == touching + "L750.00 40.0L1000.00 40.0"


def test_average_in_front(result):
    page = timeline(result)
    # The last that is drawn covers the others; nothing is known of Anna.
    assert list(lines(page)) == ["V1", "Vavg"]
    legend = re.findall(
        r'<input type=checkbox checked data-viewer="(.*?)"', page
    )
    assert legend == ["Vavg", "V1"]
    colour, _ = line_styles(["Vavg"])["Vavg"]
    assert f'data-viewer="Vavg" stroke="{colour}" stroke-width="3.6"' in page


def test_names_are_escaped(make_result):
    evil = '"><script>alert(1)</script>'
    page = timeline(make_result([(0, 1, evil)], {evil: [0.5]}))
    assert "<script" not in page
    assert list(lines(page)) == [evil]


def test_segments_for_the_script(result):
    found = re.search(r'data-segments="(.*?)"', timeline(result))[1]
    assert json.loads(html.unescape(found)) == [
        [1.0, 2.0],
        [2.0, 4.0],
        [6.0, 8.0],
        [60.0, 61.0],
    ]


def test_many_viewers_look_different(make_result):
    names = [f"V{i}" for i in range(20)]
    page = timeline(make_result([(0, 1, "")], {n: [0.5] for n in names}))
    looks = re.findall(
        r'stroke="(#\w+)" stroke-width="1.8"><path class="emt-gap" d="[^"]*"/>'
        r'<path d="[^"]*"(.*?)/>',
        page,
    )
    assert len(looks) == len(set(looks)) == 20


@pytest.mark.parametrize(
    ("end_s", "expected"),
    [
        (18, ["0:00", "0:05", "0:10", "0:15"]),
        (1, ["0:00"]),
        (1800, [f"{minutes}:00" for minutes in range(0, 30, 2)]),
    ],
)
def test_ticks(make_result, end_s, expected):
    page = timeline(make_result([(0, end_s, "")], {"V1": [0.5]}))
    axis = re.search(r'<div class="emt-x">(.*?)</div>', page)[1]
    assert re.findall(r">([^<]+)<", axis) == expected


def test_long_film_is_wide(make_result):
    film = FrameStrip((b"",), 1.0, 1800.0)
    page = timeline(make_result([(0, 1, "")], {"V1": [0.5]}, film))
    assert "min-width:1800px" in page


def test_simulated_is_marked(make_result, result):
    marked = timeline(make_result([(0, 1, "")], {"V1": [0.5]}, simulated=True))
    assert '<div class="emt-mark">SIMULATED</div>' in marked
    assert "SIMULATED" not in timeline(result)


def test_nothing_predicted(make_result):
    page = timeline(make_result([(0, 1, "a")], {"V1": [float("nan")]}))
    assert "no segment that could be predicted" in page
    assert "<svg" not in page
