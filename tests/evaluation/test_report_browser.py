"""The report in a real browser, as a reader with a telephone sees it."""

import json
import re
import shutil
import subprocess

import pytest

BROWSER = shutil.which("chromium")

WIDTH_PX = 390

#: Runs at the end of the framed page and tells what it looks like.
PROBE = """<script>
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
</script></body>"""

FRAME = """<!doctype html><title>frame</title><pre id="found"></pre>
<script>addEventListener("message", event => {
  document.getElementById("found").textContent = JSON.stringify(event.data);
});</script>
<iframe src="probed.html" style="width:%dpx;height:800px;border:0"></iframe>"""

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser here (Debian: apt install chromium)"
)


def dump_dom(page, profile):
    """The page as the browser has it after loading."""
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        # As on a telephone, where they take no room.
        "--hide-scrollbars",
        "--virtual-time-budget=5000",
        f"--user-data-dir={profile}",
        "--dump-dom",
    )
    done = subprocess.run(
        [BROWSER, *flags, page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def probe(folder, profile):
    """Looks at the report in a frame as wide as a telephone."""
    content = (folder / "report.html").read_text()
    # Scripts are forbidden by the page's policy; the probe is one.
    allowed = re.sub(r"<meta http-equiv=\"Content-Security[^>]*>", "", content)
    assert allowed != content
    probed = allowed.replace("</body>", PROBE)
    (folder / "probed.html").write_text(probed)
    frame = folder / "frame.html"
    frame.write_text(FRAME % WIDTH_PX)
    found = re.search(
        r'<pre id="found">(.+?)</pre>', dump_dom(frame, profile), re.S
    )
    assert found, "the page did not load"
    return json.loads(found.group(1))


def test_report_on_a_telephone(tmp_path, hostile_report):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(hostile_report.folder / "report.html", folder)
    seen = probe(folder, tmp_path / "profile")
    assert seen["scroll"] <= seen["client"] == WIDTH_PX
    assert seen["wide"] >= 3
    assert seen["evil"] == ""
    assert len(seen["pictures"]) == 7
    assert all(seen["pictures"])
    assert seen["banner"] >= 32
    assert seen["text"] > 2000


def test_probe_notices_what_must_not_be(tmp_path, hostile_report):
    """A page that is too wide and runs a subtitle's script is found out."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.html").write_text(
        '<!doctype html><body><meta http-equiv="Content-Security-Policy">'
        '<p class="simulated"><strong>S</strong></p>'
        f"{hostile_report.text}"
        '<div style="width:900px">wide</div></body>'
    )
    seen = probe(folder, tmp_path / "profile")
    assert seen["scroll"] >= 900
    assert seen["evil"] == "1"
