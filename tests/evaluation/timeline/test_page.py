"""The page, read back from its HTML."""

import base64
import hashlib
import html
import math
import re

import numpy as np
import pandas as pd
import pytest

from emotion_mt.evaluation.timeline.lines import COLOURS
from emotion_mt.evaluation.timeline.page import (
    render_timeline,
    write_timeline_html,
)

EVIL = "</script><script>alert(1)</script> <b>&amp;"


@pytest.fixture
def predictions(make_table):
    """Not in order of time; V2 is silent."""
    table = make_table(
        [(10.0, 12.0), (2.0, 4.0), (6.0, 10.0)],
        V1=[0.75, 0.2, 0.5],
        Vavg=[math.nan, 1.0, 0.0],
        V2=[math.nan] * 3,
    )
    return table.assign(text=["third", EVIL, "second"])


def cells(page):
    """Texts of the table's body, a list per line."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    return [
        [html.unescape(c) for c in re.findall(r"<td[^>]*>(.*?)</td>", line)]
        for line in body.strip().splitlines()
    ]


def solid(page):
    """What is drawn of each line, apart from its gaps."""
    return re.findall(r'"/><path stroke=[^>]* d="([^"]*)"', page)


def rows(page):
    pattern = r'data-start="([\d.]+)" data-length="([\d.]+)"'
    return [tuple(map(float, row)) for row in re.findall(pattern, page)]


def test_table_is_in_order_of_time_with_all_probabilities(predictions):
    # The average first.
    assert cells(render_timeline(predictions)) == [
        ["0:02", "0:04", EVIL, "1.00", "0.20"],
        ["0:06", "0:10", "second", "0.00", "0.50"],
        ["0:10", "0:12", "third", "–", "0.75"],
    ]


def test_lines_are_level_and_broken_where_there_is_nothing(predictions):
    page = render_timeline(predictions)
    # x in seconds from 0, y in percent from above.
    assert solid(page) == [
        "M2.00 80.0H4.00M6.00 50.0H10.00M10.00 25.0H12.00",
        "M2.00 0.0H4.00M6.00 100.0H10.00",
    ]
    faint = re.findall(r'class="faint" d="([^"]*)"', page)
    assert faint[1] == "M2.00 0.0H4.00L6.00 100.0H10.00"
    colours = re.findall(r'<g data-line="\d" stroke="(#?\w+)"', page)
    assert colours == [COLOURS[0], "black"]
    assert rows(page) == [(0.0, 12.0)]


def test_page_needs_nothing_and_runs_its_own_script_alone(
    predictions, tmp_path
):
    predictions.attrs["problems"] = ["<i>a.srt</i>: <script>x</script>"]
    path = write_timeline_html(
        predictions, tmp_path / "deep" / "a.html", "<script>title</script>"
    )
    page = path.read_text("utf-8")
    assert html.escape(EVIL, quote=False) in page
    assert html.escape("<i>a.srt</i>", quote=False) in page
    assert page.count("<script") == 1
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)
    policy = re.search(r'Security-Policy" content="([^"]+)"', page).group(1)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    assert f"script-src 'sha256-{digest.decode()}'" in html.unescape(policy)
    assert "default-src 'none'" in html.unescape(policy)


def test_the_same_table_makes_the_same_file(predictions, tmp_path):
    """Also where it was read from a file; simulated data are called so."""
    first = write_timeline_html(predictions, tmp_path / "a.html")
    page = first.read_text("utf-8")
    predictions.to_csv(tmp_path / "p.csv", index=False)
    table = pd.read_csv(tmp_path / "p.csv")
    table.attrs = predictions.attrs
    again = write_timeline_html(table, tmp_path / "b.html")
    assert again.read_text("utf-8") == page
    assert "SIMULATED" not in page
    table.attrs["simulated"] = True
    write_timeline_html(table, tmp_path / "b.html", "Crash")
    page = again.read_text("utf-8")
    assert "<strong>SIMULATED DATA</strong>" in page
    assert "<title>SIMULATED: Crash</title>" in page


def test_legend_has_the_average_first_and_no_silent_viewer(predictions):
    page = render_timeline(predictions)
    assert re.findall(r'data-toggle="(\d)">', page) == ["1", "0"]
    assert "not trained for them: V2." in page
    assert "the average in front" in page
    alone = predictions.drop(columns="Vavg_probability")
    assert "the average in front" not in render_timeline(alone)


def test_an_added_viewer_comes_second_and_stands_out(make_table):
    table = make_table([(0.0, 2.0)], V1=[0.2], V2=[0.3], You=[0.9], Vavg=[0.5])
    plain = render_timeline(table)
    table.attrs["added"] = ["You"]
    page = render_timeline(table)
    legend = re.findall(r"</svg>\s*([^<]+)</button>", page)
    assert [name.strip() for name in legend] == ["Vavg", "You", "V1", "V2"]
    widths = [float(w) for w in re.findall(r'stroke-width="([\d.]+)"', page)]
    assert max(widths) > max(
        float(w) for w in re.findall(r'stroke-width="([\d.]+)"', plain)
    )


def test_ratings_and_whether_answers_are_right(rated):
    page = render_timeline(rated)
    assert [line[3:] for line in cells(page)] == [
        ["0.90", "+0.50", "right"],
        ["0.80", "-1.00", "wrong"],
        ["0.70", "–", "not rated"],
        ["–", "+0.50", ""],
    ]
    for said in ("right: 1", "wrong: 1", "not rated: 1"):
        assert said in page
    # Bars from the middle up and down, over what was predicted.
    assert 'class="positive" d="M0.00 50V25.0H2.00V50Z' in page
    assert 'class="negative" d="M2.00 50V100.0H4.00V50Z"' in page


def test_pictures_belong_to_their_segments(predictions):
    page = render_timeline(predictions, [b"third", None, b"second"])
    found = re.findall(r"base64,([^\"]*)\"", page)
    assert [base64.b64decode(p) for p in found] == [b"second", b"third"]
    assert re.search(r"second.*c2Vjb25k.*\n.*third.*dGhpcmQ=", page)


@pytest.mark.parametrize(
    ("minutes", "count", "length_s"),
    [(2, 1, 118), (30, 15, 120), (120, 40, 180)],
)
def test_a_film_is_wrapped_into_rows(make_table, minutes, count, length_s):
    """A cue of 3 s every 5 s."""
    starts = np.arange(0, 60 * minutes, 5.0)
    times = list(zip(starts, starts + 3, strict=True))
    table = make_table(times, V1=np.linspace(0, 1, len(starts)))
    found = rows(render_timeline(table))
    assert len(found) == count
    assert {length for _, length in found} == {length_s}
    assert [start for start, _ in found] == [i * length_s for i in range(count)]


def test_a_segment_across_rows_is_in_both(make_table):
    table = make_table([(0.0, 1.0), (115.0, 200.0)], V1=[0.1, 0.9])
    assert solid(render_timeline(table)) == [
        "M0.00 90.0H1.00M115.00 10.0H200.00",
        "M-5.00 10.0H80.00",
    ]


def test_wrong_arguments(predictions, tmp_path):
    expected = r"must end in \.html. Received: .*png"
    with pytest.raises(ValueError, match=expected):
        write_timeline_html(predictions, tmp_path / "t.png")
    with pytest.raises(ValueError, match="at least one probability"):
        render_timeline(predictions[["start_s", "end_s", "V2_probability"]])
    with pytest.raises(ValueError, match="start_s, end_s"):
        render_timeline(predictions.drop(columns="start_s"))
    assert not list(tmp_path.iterdir())
