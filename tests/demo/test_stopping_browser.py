"""Predictions that are cancelled, or that outlive the server."""

import os
import threading
import time
from pathlib import Path

import pytest

from emotion_mt import _progress
from emotion_mt.demo import Limits, serving
from emotion_mt.inference import Predictor

pytestmark = [
    pytest.mark.usefixtures("leftovers"),
    # See `leftovers`.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def bundle(make_predictor):
    pytest.importorskip("gradio", reason="the extra `demo` is not installed")
    return make_predictor("text", "visual", simulated=True).bundle


@pytest.fixture(scope="module")
def srt(tmp_path_factory):
    path = tmp_path_factory.mktemp("subtitles") / "my clip.srt"
    path.write_text("1\n00:00:00,500 --> 00:00:01,500\nGood sea\n")
    return path


class EndlessPredictor(Predictor):
    """Shows its progress for a minute, or until it is stopped."""

    started = threading.Event()
    ended = threading.Event()

    def predict(self, *args, **kwargs):
        self.started.set()
        try:
            with _progress.progress("I3D", 600, " windows", shown=False) as bar:
                for _ in range(600):
                    time.sleep(0.1)
                    bar.update(1)
        finally:
            self.ended.set()


@pytest.fixture
def endless(bundle, network):
    EndlessPredictor.started.clear()
    EndlessPredictor.ended.clear()
    return EndlessPredictor(bundle, network)


def test_server_ends_in_the_middle(browser, choose, endless, film, srt):
    """Ctrl-C need not wait for the film to end, nor for open pages."""
    with serving(endless, port=None) as url:
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        page = browser.new_page()
        page.goto(url)
        choose(page, video=film, subtitles=srt)
        page.click("#run", no_wait_after=True)
        page.get_by_text("I3D").wait_for()
        assert endless.started.is_set()
        start = time.monotonic()
    assert endless.ended.wait(3)
    assert time.monotonic() - start < 5
    assert not [p for p in folder.rglob("*") if p.is_file()]
    page.close()


def test_cancel_and_a_full_queue(browser, choose, endless, film, srt):
    """Cancelling stops the visitor's own prediction, and no other's."""
    limits = Limits(queue_size=1, max_upload_mb=1)
    with serving(endless, port=None, limits=limits) as url:
        pages = [browser.new_page() for _ in range(3)]
        first, waits, refused = pages
        toast = refused.locator("[data-testid=toast-text]")
        for page, answer in (
            (first, first.get_by_text("I3D")),
            (waits, waits.locator("#result").get_by_text("queue")),
            (refused, toast),
        ):
            page.goto(url)
            choose(page, video=film, subtitles=srt)
            page.click("#run", no_wait_after=True)
            answer.wait_for()
        assert "busy" in toast.inner_text()
        # What was chosen stays chosen.
        assert refused.locator(".file-preview").count() == 2
        # One that only waits can be cancelled too, and one that does not
        # even wait cancels nothing.
        waits.click("#cancel")
        refused.click("#cancel")
        waits.wait_for_timeout(500)
        assert "queue" not in waits.inner_text("#result")
        assert not endless.ended.wait(1)
        first.click("#cancel")
        assert endless.ended.wait(3)
        first.get_by_text("The prediction was cancelled.").wait_for()
        assert first.locator(".file-preview").count() == 0
        for page in pages:
            page.close()


@pytest.fixture
def lingering(bundle, network):
    """Takes two seconds to notice that it is stopped."""

    class Lingering(Predictor):
        def predict(self, *args, **kwargs):
            with _progress.progress("I3D", 60, " windows", shown=False) as bar:
                for _ in range(60):
                    time.sleep(2)
                    bar.update(1)

    return Lingering(bundle, network)


def test_cancelling_is_told_however_late_the_server_is(
    browser, choose, lingering, film, srt
):
    """Gradio's "Error" for the end of a cancelled run does not stay."""
    import httpx

    held = []

    def answer_first(route):
        held.append(route.request)
        route.fulfill(json={"success": True})

    with serving(lingering, port=None) as url:
        page = browser.new_page()
        page.route("**/gradio_api/cancel", answer_first)
        page.goto(url)
        choose(page, video=film, subtitles=srt)
        page.click("#run", no_wait_after=True)
        page.get_by_text("I3D").wait_for()
        page.click("#cancel")
        said = page.get_by_text("The prediction was cancelled.")
        said.wait_for()
        (request,) = held
        httpx.post(request.url, json=request.post_data_json, trust_env=False)
        page.wait_for_timeout(1500)
        assert said.is_visible()
        page.close()
