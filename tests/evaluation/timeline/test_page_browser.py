"""The timeline in a real browser, as wide as a telephone."""

import numpy as np
import pandas as pd
import pytest

from emotion_mt.evaluation.timeline.page import write_timeline_html

EVIL = '<img src=x onerror="document.documentElement.dataset.evil=1">'

#: Runs at the end of the framed page: points, types, clicks, and tells.
PROBE = """
const read = () => ({
  time: document.querySelector(".time").textContent,
  text: document.querySelector("q").textContent,
  numbers: [...document.querySelectorAll(".values li:not(.off)")].map(
    item => item.innerText.trim().replace(/\\s+/g, " ")),
  marks: [...document.querySelectorAll(".mark")].map(mark => !mark.hidden),
});
addEventListener("load", () => {
  const seen = { first: read() };
  const plots = document.querySelectorAll(".plot");
  const box = plots[1].getBoundingClientRect();
  plots[1].dispatchEvent(new PointerEvent("pointerdown",
    { clientX: box.left + box.width * 42.5 / 90, clientY: box.top + 9 }));
  seen.touched = read();
  const key = name => document.querySelector(".chart").dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true }));
  key("ArrowLeft"); key("ArrowLeft");
  seen.left = read();
  key("End");
  seen.end = read();
  document.querySelectorAll("tbody tr")[3].click();
  seen.clicked = read();
  key("End");
  const button = document.querySelector('[data-toggle="0"]');
  button.click();
  seen.toggled = read();
  const line = document.querySelector('g[data-line="0"]');
  seen.hidden = getComputedStyle(line).display;
  button.click();
  seen.shown = getComputedStyle(line).display;
  seen.width = document.documentElement.scrollWidth;
  seen.evil = document.documentElement.dataset.evil || "";
  seen.stroke = [...document.querySelectorAll(
    ".plot g path:last-child")].slice(0, 2).map(
    path => getComputedStyle(path).strokeWidth);
  parent.postMessage(seen, "*");
});
"""


@pytest.fixture(scope="module")
def seen(seen_on_telephone, tmp_path_factory):
    """What the probe saw on a page of 150 s, a cue of 4 s every 5 s."""
    starts = np.arange(0, 150, 5.0)
    table = pd.DataFrame(
        {
            "start_s": starts,
            "end_s": starts + 4,
            "text": [f"{EVIL} {i}" for i in range(len(starts))],
            "V1_probability": starts / 200,
            "Vavg_probability": 1 - starts / 200,
            "Vavg_rating": 0.5,
        }
    )
    folder = tmp_path_factory.mktemp("page")
    page = write_timeline_html(table, folder / "a.html").read_text("utf-8")
    return seen_on_telephone(page, PROBE)


def test_the_first_segment_is_shown_at_first(seen):
    assert seen["first"]["time"] == "0:00.0–0:04.0"
    assert seen["first"]["numbers"] == [
        *("Vavg 1.00 pos.", "V1 0.00 neg."),
        *("rating +0.50", "answer right"),
    ]


def test_a_finger_finds_the_segment(seen):
    # 42.5 s into the second row, which begins at 90 s: the cue at 130 s.
    assert seen["touched"]["time"] == "2:10.0–2:14.0"
    assert seen["touched"]["text"] == f"{EVIL} 26"
    assert seen["touched"]["numbers"] == [
        *("Vavg 0.35 neg.", "V1 0.65 pos."),
        *("rating +0.50", "answer wrong"),
    ]
    assert seen["touched"]["marks"] == [False, True]


def test_keys_go_from_segment_to_segment(seen):
    assert seen["left"]["time"] == "2:00.0–2:04.0"
    assert seen["end"]["time"] == "2:25.0–2:29.0"


def test_a_line_of_the_table_leads_to_its_segment(seen):
    assert seen["clicked"]["time"] == "0:15.0–0:19.0"
    assert seen["clicked"]["marks"] == [True, False]


def test_the_legend_hides_and_shows(seen):
    assert seen["toggled"]["numbers"] == [
        *("Vavg 0.28 neg.", "rating +0.50", "answer wrong")
    ]
    assert seen["hidden"] == "none"
    assert seen["shown"] != "none"


def test_fits_a_telephone_and_runs_no_subtitle(seen):
    assert seen["width"] == 390
    assert seen["evil"] == ""
    first, average = (float(width[:-2]) for width in seen["stroke"])
    assert average == pytest.approx(2 * first)
