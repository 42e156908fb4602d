import base64
import hashlib
import html
import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from emotion_mt.inference import write_timeline_html
from emotion_mt.inference.timeline import COLOURS
from emotion_mt.inference.timeline_html import render_timeline_html

EVIL = "</script><script>alert(1)</script> <b>&amp;"


@pytest.fixture
def predictions():
    table = pd.DataFrame(
        {
            "start_s": [10.0, 2.0, 6.0],
            "end_s": [12.0, 4.0, 10.0],
            "text": ["third", EVIL, "second"],
            "V1_probability": [0.75, 0.2, 0.5],
            "V1_label": ["positive", "negative", "negative"],
            "Vavg_probability": [math.nan, 1.0, 0.0],
            "Vavg_label": [None, "positive", "negative"],
            "V2_probability": [math.nan] * 3,
            "V2_label": [None] * 3,
        }
    )
    table.attrs.update(viewers=["V1", "Vavg", "V2"], simulated=False)
    return table


def film(minutes):
    """A cue of 3 s every 5 s."""
    starts = np.arange(0, 60 * minutes, 5.0)
    return pd.DataFrame(
        {
            "start_s": starts,
            "end_s": starts + 3,
            "V1_probability": np.linspace(0, 1, len(starts)),
        }
    )


def data(page):
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found.group(1))


def rows(page):
    pattern = r'data-start="([\d.]+)" data-length="([\d.]+)"'
    return [tuple(map(float, row)) for row in re.findall(pattern, page)]


def test_segments_are_in_order_of_time_with_all_probabilities(predictions):
    # Drawn viewers, the average last.
    assert data(render_timeline_html(predictions)) == [
        {"start": 2.0, "end": 4.0, "text": EVIL, "p": [0.2, 1.0]},
        {"start": 6.0, "end": 10.0, "text": "second", "p": [0.5, 0.0]},
        {"start": 10.0, "end": 12.0, "text": "third", "p": [0.75, None]},
    ]


def test_lines_are_level_and_broken_where_there_is_nothing(predictions):
    page = render_timeline_html(predictions)
    paths = re.findall(r'<path stroke-width[^>]* d="([^"]*)"', page)
    # x in seconds from 0, y in percent from above; 6 to 12 s touch.
    assert paths == [
        "M2.00 80.0L4.00 80.0M6.00 50.0L10.00 50.0L10.00 25.0L12.00 25.0",
        "M2.00 0.0L4.00 0.0M6.00 100.0L10.00 100.0",
    ]
    colours = re.findall(r'<g data-line="\d" stroke="(#?\w+)"', page)
    assert colours == [COLOURS[0], "black"]
    assert rows(page) == [(0.0, 12.0)]


def test_text_is_never_markup(predictions):
    predictions.attrs["problems"] = ["<i>a.srt</i>: <script>x</script>"]
    page = render_timeline_html(predictions, "<script>title</script>")
    assert "<script>alert" not in page
    assert "<script>title" not in page
    assert "<script>x" not in page
    assert html.escape(EVIL, quote=False) in page
    assert page.count("<script") == 2


def test_page_needs_nothing_and_runs_its_own_script_alone(predictions):
    page = render_timeline_html(predictions)
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)
    policy = re.search(r'Security-Policy" content="([^"]+)"', page).group(1)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    assert f"script-src 'sha256-{digest.decode()}'" in html.unescape(policy)
    assert "default-src 'none'" in html.unescape(policy)


def test_legend_has_the_average_first_and_no_silent_viewer(predictions):
    page = render_timeline_html(predictions)
    assert re.findall(r'data-toggle="(\d)">', page) == ["1", "0"]
    assert "not trained for them: V2." in page
    assert "the average in front" in page
    assert "the average in front" not in render_timeline_html(film(1))


def test_simulated_is_said(predictions):
    assert "SIMULATED" not in render_timeline_html(predictions)
    predictions.attrs["simulated"] = True
    page = render_timeline_html(predictions, "Crash")
    assert "<title>SIMULATED: Crash</title>" in page
    assert "<strong>SIMULATED DATA</strong>" in page


def test_table_has_what_the_picture_shows(predictions):
    page = render_timeline_html(predictions)
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL).group(1)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", body)
    assert cells[5:] == [
        *("0:06", "0:10", "second", "0.00", "0.50"),
        *("0:10", "0:12", "third", "–", "0.75"),
    ]


@pytest.mark.parametrize(
    ("minutes", "count", "length_s"),
    [(2, 1, 118), (30, 15, 120), (120, 40, 180)],
)
def test_a_film_is_wrapped_into_rows(minutes, count, length_s):
    found = rows(render_timeline_html(film(minutes)))
    assert len(found) == count
    assert {length for _, length in found} == {length_s}
    assert [start for start, _ in found] == [i * length_s for i in range(count)]


def test_a_segment_across_rows_is_in_both():
    table = pd.DataFrame(
        {
            "start_s": [0.0, 115.0],
            "end_s": [1.0, 200.0],
            "V1_probability": [0.1, 0.9],
        }
    )
    page = render_timeline_html(table)
    paths = re.findall(r'<path stroke-width[^>]* d="([^"]*)"', page)
    assert paths == [
        "M0.00 90.0L1.00 90.0M115.00 10.0L200.00 10.0",
        "M-5.00 10.0L80.00 10.0",
    ]


def test_a_table_that_was_read_from_a_file(predictions, tmp_path):
    predictions.loc[0, "text"] = ""
    predictions.to_csv(tmp_path / "p.csv", index=False)
    again = pd.read_csv(tmp_path / "p.csv")
    path = write_timeline_html(again, tmp_path / "deep" / "t.html", "T")
    page = path.read_text("utf-8")
    assert data(page) == data(render_timeline_html(predictions, "T"))


def test_same_table_same_file(predictions):
    first = render_timeline_html(predictions)
    assert render_timeline_html(predictions.copy()) == first


def test_wrong_arguments(predictions, tmp_path):
    with pytest.raises(
        ValueError, match=r"must end in \.html. Received: .*png"
    ):
        write_timeline_html(predictions, tmp_path / "t.png")
    with pytest.raises(ValueError, match="at least one probability"):
        render_timeline_html(
            predictions[["start_s", "end_s", "V2_probability"]]
        )
    with pytest.raises(ValueError, match="start_s, end_s"):
        render_timeline_html(predictions.drop(columns="start_s"))
    assert not list(tmp_path.iterdir())
