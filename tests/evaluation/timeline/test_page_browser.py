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
    item => item.innerText.trim().replace(/\\s+/g, " ")).join(", "),
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


def test_a_page_on_a_telephone(seen_on_telephone, tmp_path):
    """150 s, a cue of 4 s every 5 s."""
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
    page = write_timeline_html(table, tmp_path / "a.html").read_text("utf-8")
    seen = seen_on_telephone(page, PROBE)
    rating = "rating +0.50, answer"
    first, touched = seen["first"], seen["touched"]
    assert first["time"] == "0:00.0–0:04.0"
    assert first["numbers"] == f"Vavg 1.00 pos., V1 0.00 neg., {rating} right"
    # A finger 42.5 s into the second row, from 90 s on: the cue at 130 s.
    assert touched["time"] == "2:10.0–2:14.0"
    assert touched["text"] == f"{EVIL} 26"
    assert touched["numbers"] == f"Vavg 0.35 neg., V1 0.65 pos., {rating} wrong"
    assert touched["marks"] == [False, True]
    # Keys go from segment to segment, a line of the table leads to its own.
    assert seen["left"]["time"] == "2:00.0–2:04.0"
    assert seen["end"]["time"] == "2:25.0–2:29.0"
    assert seen["clicked"]["time"] == "0:15.0–0:19.0"
    assert seen["clicked"]["marks"] == [True, False]
    # The legend hides and shows.
    assert seen["toggled"]["numbers"] == f"Vavg 0.28 neg., {rating} wrong"
    assert seen["hidden"] == "none"
    assert seen["shown"] != "none"
    # It fits, and runs no subtitle.
    assert seen["width"] == 390
    assert seen["evil"] == ""
    thin, average = (float(width[:-2]) for width in seen["stroke"])
    assert average == pytest.approx(2 * thin)
