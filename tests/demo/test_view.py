"""Pieces of the page: what they say, and that they escape."""

import base64
import io
import re

import pandas as pd
import pytest

from emotion_mt.demo import Limits, view
from emotion_mt.demo.frames import FrameStrip


def text_of(html):
    return re.sub(r"<[^>]*>", " ", html)


def test_message_is_escaped_and_announced():
    html = view.message("<img src=x>", "error")
    assert "&lt;img src=x&gt;" in html
    assert 'role="alert"' in html
    assert 'role="status"' in view.message("ready")


@pytest.mark.parametrize(
    ("viewers", "expected"),
    [
        (("V1", "V2", "Vavg"), "to 2 viewers and their average, from its"),
        (("V1",), "to 1 viewer, from its subtitles"),
        (("Vavg",), "to the average, from its subtitles"),
    ],
)
def test_header(make_predictor, viewers, expected):
    bundle = make_predictor("text", viewers=viewers).bundle
    html = view.header(bundle)
    assert expected in html
    assert "SIMULATED" not in html


def test_simulated_is_large(make_predictor):
    bundle = make_predictor("text", simulated=True).bundle
    assert "<strong>SIMULATED</strong>" in view.header(bundle)


def test_rules():
    html = view.rules(Limits(max_upload_mb=12, max_minutes=7.5))
    assert "at most 12 MB, films of at most 7.5 minutes" in html


def test_model_card(make_predictor):
    scores = {
        "V1": {"observed": 10, "accuracy": 0.5, "balanced_accuracy": None},
        "<b>Anna</b>": {"observed": 9, "accuracy": 0.7},
        "Vavg": {"observed": 10, "accuracy": 0.8},
    }
    bundle = make_predictor("text", simulated=True, scores=scores).bundle
    html = view.model_card(bundle)
    text = " ".join(text_of(html).split())
    assert "<b>Anna" not in html
    assert "<i>" not in html
    assert "Viewers Vavg, V1, &lt;b&gt;Anna&lt;/b&gt; Looks at text" in text
    assert "Corpus &lt;i&gt;films&lt;/i&gt; (simulated)" in text
    assert "Trained on BMI Held out CRA, DEP" in text
    assert "accuracy 80.0% for Vavg, 60.0% (mean of 2 viewers)" in text
    assert "viewer observed accuracy balanced accuracy Vavg 10 0.800 – " in text
    # The whole card is there, as text.
    assert "# Evoked emotion of film viewers: multi-task" in text


def test_model_card_that_states_nothing(make_predictor):
    bundle = make_predictor("visual", viewers=("V1",)).bundle
    text = " ".join(text_of(view.model_card(bundle)).split())
    assert "Ratings not stated" in text
    assert "Held-out accuracy not stated" in text
    scores = {"V1": {"accuracy": 0.7}}
    bundle = make_predictor("text", viewers=("V1",), scores=scores).bundle
    assert "70.0% (one viewer)" in view.model_card(bundle)


def test_notes(make_result):
    cue = [(0, 1, "")], {"V1": [0.5]}
    assert view.notes(make_result(*cue)) == ""
    many = tuple(f"note <{i}>" for i in range(view.MAX_NOTES + 3))
    html = view.notes(make_result(*cue, notes=many))
    assert html.count("<li>") == view.MAX_NOTES + 1
    assert "note &lt;0&gt;" in html
    assert "and 3 more" in html


def test_moment(result):
    html = view.moment(result, 2.5)
    assert "0:02 to 0:04" in html
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<b>Anna" not in html
    assert "<img" not in html
    values = re.findall(r"<output>(.*?)</output>", html)
    assert values == ["0.90", "0.75", "–"]
    assert "width:90.0%" in html
    assert html.index("Vavg") < html.index(">V1<")


def test_moment_between_segments(result):
    html = view.moment(result, 5)
    assert "0:05, between two segments" in html
    assert re.findall(r"<output>(.*?)</output>", html) == ["–"] * 3


def test_moment_of_a_row_under_another(make_result):
    found = make_result([(0, 9, "long"), (1, 2, "short")], {"V1": [0.1, 0.2]})
    assert "short" in view.moment(found, 1.5)
    assert "long" in view.moment(found, 1.5, row=0)


def test_moment_with_a_frame(make_result):
    film = FrameStrip((b"one", b"two"), 1.0, 2.0)
    found = make_result([(0, 9, "a")], {"V1": [0.5]}, film)
    two = base64.b64encode(b"two").decode()
    assert f"data:image/jpeg;base64,{two}" in view.moment(found, 1.5)
    assert "The film has no frame here" in view.moment(found, 8)
    # Exactly 0.5 is "negative", as in the predictor's labels.
    assert "emt-negative" in view.moment(found, 1.5)


def test_table(result):
    html = view.table(result)
    assert html.count("data-row=") == 4
    assert "<script" not in html
    heads = re.findall(r"<th scope=col>(.*?)</th>", html)
    anna = "&lt;b&gt;Anna&lt;/b&gt;"
    assert heads == ["Start", "End", "Text", "Vavg", "V1", anna]
    rows = re.findall(r"<tr data-row.*?</tr>", html)
    script = "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert " ".join(text_of(rows[1]).split()) == (
        f"0:02 0:04 {script} 0.90 0.75 –"
    )
    assert "first" not in html


def test_long_table(make_result, monkeypatch):
    monkeypatch.setattr(view, "MAX_TABLE_ROWS", 3)
    cues = [(i, i + 1, str(i)) for i in range(5)]
    html = view.table(make_result(cues, {"V1": [0.5] * 5}))
    assert html.count("data-row=") == 3
    assert "the first 3 segments; the CSV file holds all 5." in html


def test_csv_holds_the_table(result):
    found = re.search(
        r'download="(.*?)" href="data:text/csv;charset=utf-8;base64,(.*?)"',
        view.table(result),
    )
    assert found[1] == "clip_emotions.csv"
    content = base64.b64decode(found[2])
    read = pd.read_csv(io.BytesIO(content), keep_default_na=False)
    assert list(read) == list(result.table)
    assert list(read["text"]) == result.texts
    assert list(read["Vavg_probability"]) == ["0.1", "0.9", "0.6", ""]


def test_csv_of_a_simulated_model(make_result):
    found = make_result(
        [(0, 1, "")], {"V1": [0.5]}, simulated=True, names=('a".mp4', "b.srt")
    )
    assert view.csv_name(found) == 'a"_emotions_SIMULATED.csv'
    assert 'download="a&quot;_emotions_SIMULATED.csv"' in view.table(found)
