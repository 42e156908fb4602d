"""The page in a real browser, as its users see it."""

import itertools
import os
import shutil
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from emotion_mt.demo import Limits, serving
from emotion_mt.inference import Predictor, load_bundle

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

EVIL = (
    "&lt;script&gt;document.title='evil'&lt;/script&gt;"
    "&lt;img src=x onerror=\"document.title='evil'\"&gt;"
)

SRT = f"""1
00:00:00,500 --> 00:00:01,500
Good sea

2
00:00:02,000 --> 00:00:03,000
{EVIL} <script>document.title='evil'</script>

3
00:00:03,000 --> 00:00:03,900
The end
"""

pytestmark = [
    pytest.mark.usefixtures("leftovers"),
    # See `leftovers`.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


class SlowPredictor(Predictor):
    """Counts how many predictions run at the same time."""

    lock = threading.Lock()
    running = 0
    most = 0
    jobs = 0

    def predict(self, *args, **kwargs):
        cls = type(self)
        with cls.lock:
            cls.jobs += 1
            cls.running += 1
            cls.most = max(cls.most, cls.running)
        try:
            time.sleep(0.3)
            return super().predict(*args, **kwargs)
        finally:
            with cls.lock:
                cls.running -= 1


@pytest.fixture(scope="module")
def predictor(make_predictor, network):
    bundle = make_predictor("text", "visual", simulated=True).bundle
    return SlowPredictor(bundle, network)


@pytest.fixture(scope="module")
def address(predictor):
    pytest.importorskip("gradio", reason="the extra `demo` is not installed")
    with serving(predictor, port=None, limits=Limits(max_minutes=0.1)) as url:
        yield url


@pytest.fixture
def visit(browser, address):
    """Opens the page, and sees to it that it asks nobody else."""
    contexts, requests, errors = [], [], []

    def visit(viewport):
        context = browser.new_context(viewport=viewport)
        contexts.append(context)
        context.set_default_timeout(20_000)
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#run")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []
    assert requests
    own = (address, "data:", "blob:")
    assert [url for url in requests if not url.startswith(own)] == []


@pytest.fixture(scope="module")
def srt(tmp_path_factory):
    path = tmp_path_factory.mktemp("subtitles") / "my clip.srt"
    path.write_text(SRT)
    return path


@pytest.fixture
def predict(choose):
    """Uploads files, presses the button, and returns what the page says."""

    def predict(page, **files):
        choose(page, **files)
        page.click("#run")
        page.wait_for_selector("#result :is(.emt-done, .emt-error)")
        return page.inner_text("#result .emt-message")

    return predict


def uploaded():
    """Names of the films and subtitles in the server's folder."""
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    # Models that visitors have saved stay for a while.
    return [
        p.name
        for p in folder.rglob("*")
        if p.is_file() and p.stat().st_size and p.suffix != ".zip"
    ]


def test_upload_and_result(visit, predict, film, srt, predictor, tmp_path):
    page = visit(DESKTOP)
    title = page.title()
    assert "my film.avi and my clip.srt: 3 segments predicted" in predict(
        page, video=film, subtitles=srt
    )
    assert uploaded() == []
    # All viewers, and the first segment with its picture.
    assert page.locator("g[data-line]").count() == 3
    panel = page.locator(".panel")
    panel.get_by_text("Good sea").wait_for()
    assert "0:00.5–0:01.5" in panel.inner_text()
    assert panel.locator(".number").count() == 3
    picture = panel.locator(".picture")
    assert picture.evaluate("image => image.naturalWidth") == 240

    # What is under the pointer: a moment that is in the last segment.
    plot = page.locator(".plot")
    plot.scroll_into_view_if_needed()
    area = plot.bounding_box()
    first = picture.get_attribute("src")
    page.mouse.move(area["x"] + area["width"] * 0.9, area["y"] + 60)
    panel.get_by_text("The end").wait_for()
    assert picture.get_attribute("src") != first
    # The arrow keys and the table lead to segments too.
    page.locator(".chart").focus()
    page.keyboard.press("ArrowLeft")
    panel.get_by_text("document.title").wait_for()
    assert "<script>document.title='evil'</script><img" in panel.inner_text()
    page.click("text=The same as a table")
    page.click("tbody tr:nth-child(1)")
    panel.get_by_text("Good sea").wait_for()

    # Lines can be hidden.
    line = page.locator("g[data-line='0']")
    page.click(".legend button:has-text('V1')")
    assert line.evaluate("line => getComputedStyle(line).display") == "none"

    with page.expect_download() as download:
        page.click("a.emt-csv")
    name = download.value.suggested_filename
    assert name == "my film_emotions_SIMULATED.csv"
    download.value.save_as(tmp_path / name)
    found = pd.read_csv(tmp_path / name)
    expected = predictor.predict(film, srt)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    # No cue and no name ran a script.
    assert page.title() == title
    assert page.locator("#result script, #result [onerror]").count() == 0


#: Eight cues of half a second.
MANY = "\n".join(
    f"{2 * at_s + tenth // 5 + 1}\n"
    f"00:00:0{at_s},{tenth}00 --> 00:00:0{at_s},{tenth + 4}99\n{EVIL}\n"
    for at_s, tenth in itertools.product(range(4), (0, 5))
)


def answer(page, button):
    """Says something of a segment, and waits until another one is asked."""
    asked = page.inner_text(".emt-asked")
    page.click(f"#{button}")
    page.wait_for_function(
        "asked => document.querySelector('.emt-asked').innerText != asked",
        arg=asked,
    )


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_rating_segments(visit, predict, film, srt, tmp_path, screen):
    """After five ratings there is a line "You", which follows the next one."""
    page = visit(screen)
    title = page.title()
    many = srt.with_name("many.srt")
    many.write_text(MANY)
    assert not page.is_visible("#rating")
    predict(page, video=film, subtitles=many)
    # The moment in the middle, with its picture and its words.
    page.wait_for_selector(".emt-asked img")
    assert "document.title='evil'" in page.inner_text(".emt-asked blockquote")
    assert not page.is_visible("#save")
    # What the visitor has hidden stays hidden.
    page.click(".legend button:has-text('V1')")
    for button in ("good", "bad", "skip", "good", "bad"):
        answer(page, button)
    assert page.locator("g[data-line]").count() == 3
    answer(page, "good")
    page.get_by_text("rests on 5 ratings, 3 good and 2 bad").wait_for()
    assert page.locator("g[data-line]").count() == 4
    you = page.locator(".legend button", has_text="You")
    line = page.locator(f"g[data-line='{you.get_attribute('data-toggle')}']")
    before = line.inner_html()
    answer(page, "bad")
    page.get_by_text("rests on 6 ratings, 3 good and 3 bad").wait_for()
    assert line.inner_html() != before
    # The timeline answers as before: pictures, table, legend.
    one = page.locator(".legend button", has_text="V1")
    assert one.get_attribute("aria-pressed") == "false"
    one.click()
    assert one.get_attribute("aria-pressed") == "true"
    page.click("text=The same as a table")
    page.click("tbody tr:nth-child(2)")
    picture = page.locator(".panel .picture")
    assert picture.evaluate("image => image.naturalWidth") == 240

    for link, name in (
        ("text=Download ratings", "my film_ratings.csv"),
        ("#model a", "my film_with_you_SIMULATED.zip"),
    ):
        if link == "#model a":
            page.click("#save")
        with page.expect_download() as download:
            page.click(link)
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    ratings = pd.read_csv(tmp_path / "my film_ratings.csv")
    assert sorted(ratings["value"]) == [-1, -1, -1, 1, 1, 1]
    shutil.unpack_archive(tmp_path / "my film_with_you_SIMULATED.zip", tmp_path)
    bundle = load_bundle(tmp_path / "my film_with_you_SIMULATED")
    assert dict(bundle.model.added) == {"You": [3, 3]}

    page.click("#undo")
    page.get_by_text("rests on 5 ratings").wait_for()
    assert not page.is_visible("#model")
    for button in ("skip", "skip"):
        answer(page, button)
    page.get_by_text("You have been asked about all 8 segments").wait_for()
    assert not page.is_visible("#good")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= screen["width"]
    assert page.title() == title
    assert page.locator("#rating script, #rating [onerror]").count() == 0

    # Another clip begins anew, and its timeline answers.
    predict(page, video=film, subtitles=srt)
    page.get_by_text("at least 5 segments; this one has 3").wait_for()
    assert page.locator("g[data-line]").count() == 3
    one.click()
    assert one.get_attribute("aria-pressed") == "false"


def check_telephone(page):
    """Nothing is wider than the screen, and SIMULATED is large."""
    page.click("text=The same as a table")
    page.click("text=About the model")
    page.get_by_text("How to load it").wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert page.is_visible(".plot")
    size = page.evaluate(
        "parseFloat(getComputedStyle("
        "document.querySelector('.emt-simulated strong')).fontSize)"
    )
    assert size >= 32
    assert "says nothing about real viewers" in page.inner_text("body")


def test_one_at_a_time_and_telephone(visit, choose, film, srt):
    """Two visitors press the button; the second waits for the first."""
    before = SlowPredictor.jobs
    SlowPredictor.most = 0
    pages = [visit(DESKTOP), visit(PHONE)]
    copies = [film.with_name("one.avi"), film.with_name("two.avi")]
    for page, copy in zip(pages, copies, strict=True):
        # Other content: Gradio keeps equal uploads in one place.
        copy.write_bytes(film.read_bytes() + copy.name.encode())
        cues = srt.with_name(f"{copy.stem}.srt")
        cues.write_text(SRT.replace("Good sea", copy.stem))
        choose(page, video=copy, subtitles=cues)
    for page in pages:
        page.click("#run", no_wait_after=True)
    for page, copy in zip(pages, copies, strict=True):
        page.wait_for_selector("#result .emt-done")
        assert copy.name in page.inner_text("#result")
    assert SlowPredictor.jobs == before + 2
    assert SlowPredictor.most == 1
    assert uploaded() == []
    check_telephone(pages[1])


def test_browser_would_refuse_other_servers(browser, address):
    """What keeps the page from asking others, whatever it may hold."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#run")
    blocked = page.evaluate(
        """() => new Promise(done => {
          document.addEventListener(
            "securitypolicyviolation", event => done(event.blockedURI));
          new Image().src = "http://192.0.2.1/spy.png";
          setTimeout(() => done("nothing"), 3000);
        })"""
    )
    context.close()
    assert blocked == "http://192.0.2.1/spy.png"
