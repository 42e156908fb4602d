"""The report in a real browser, as a reader with a telephone sees it."""

#: Runs at the end of the framed page and tells what it looks like.
PROBE = """
addEventListener("load", () => parent.postMessage({
  scroll: document.documentElement.scrollWidth,
  client: document.documentElement.clientWidth,
  evil: document.documentElement.dataset.evil || "",
  pictures: [...document.images].map(i => i.complete && i.naturalWidth),
  wide: [...document.querySelectorAll(".scroll")].filter(
    box => box.scrollWidth > box.clientWidth).length,
  banner: parseFloat(getComputedStyle(
    document.querySelector(".simulated strong")).fontSize),
  text: document.body.innerText.length,
}, "*"));
"""


def test_report_on_a_telephone(hostile_report, seen_on_telephone):
    page = (hostile_report.folder / "report.html").read_text()
    seen = seen_on_telephone(page, PROBE)
    assert seen["scroll"] <= seen["client"] == 390
    assert seen["wide"] >= 3
    assert seen["evil"] == ""
    # The seventh is the timeline.
    assert len(seen["pictures"]) == 6
    assert all(seen["pictures"])
    assert seen["banner"] >= 32
    assert seen["text"] > 2000


def test_probe_notices_what_must_not_be(hostile_report, seen_on_telephone):
    """A page that is too wide and runs a subtitle's script is found out."""
    page = (
        '<!doctype html><body><meta http-equiv="Content-Security-Policy">'
        '<p class="simulated"><strong>S</strong></p>'
        f"{hostile_report.text}"
        '<div style="width:900px">wide</div></body>'
    )
    seen = seen_on_telephone(page, PROBE)
    assert seen["scroll"] >= 900
    assert seen["evil"] == "1"
