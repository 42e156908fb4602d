"""What the button does, without a browser."""

import logging
import re
import threading

import pytest

from emotion_mt.demo import Limits, job

gr = pytest.importorskip("gradio", reason="the extra `demo` is not installed")

from emotion_mt.demo import app  # noqa: E402  Needs Gradio.

pytestmark = [
    pytest.mark.usefixtures("leftovers"),
    # See `leftovers`.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

SRT = "1\n00:00:01,000 --> 00:00:02,000\nGood <i>sea</i>\n"


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    """Puts files where Gradio would."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))

    def put(name, content):
        path = folder / f"hash of {name}" / name
        path.parent.mkdir()
        path.write_bytes(content)
        return str(path)

    put.folder = folder
    return put


@pytest.fixture
def run(make_predictor):
    """Presses the button."""

    def press(*files, modalities=("text",), limits=None):
        predictor = make_predictor(*modalities)
        runner = app._runner(predictor, limits or Limits(), threading.Event())
        return runner(*files, None)

    return press


def said(outputs):
    return re.sub(r"<[^>]*>", "", outputs[0])


def test_result(run, uploads):
    outputs = run(None, uploads("my clip.srt", SRT.encode()))
    status, result, column, notes, moment, timeline, video, subtitles = outputs
    assert "my clip.srt: 1 segments predicted. The uploaded" in status
    assert result.texts == ["Good sea"]
    assert column.visible
    assert notes == ""
    assert "Good sea" in moment
    assert "<svg" in timeline
    assert "Download CSV" in timeline
    assert video is subtitles is None
    assert list(uploads.folder.iterdir()) == []


def test_broken_files(run, uploads, film):
    video = uploads("it's a film.mp4", b"nothing")
    subtitles = uploads("clip.srt", SRT.encode())
    outputs = run(video, subtitles, modalities=("text", "visual"))
    assert said(outputs).startswith(
        "it&#x27;s a film.mp4: expected a video that OpenCV"
    )
    assert "emt-error" in outputs[0]
    assert outputs[1] is None
    assert not outputs[2].visible
    assert list(uploads.folder.iterdir()) == []
    outputs = run(None, uploads("bad.srt", b"no cue"))
    assert said(outputs).startswith("bad.srt: expected at least one cue")
    assert list(uploads.folder.iterdir()) == []


def test_what_is_chosen_stays_until_all_is_there(run, uploads):
    subtitles = uploads("clip.srt", SRT.encode())
    outputs = run(None, subtitles, modalities=("text", "visual"))
    assert said(outputs).startswith("Please choose a video: ")
    assert outputs[-2:] == [gr.skip()] * 2
    assert len(list(uploads.folder.iterdir())) == 1


def test_upload_is_gone(run, uploads):
    outputs = run(None, str(uploads.folder / "x" / "clip.srt"))
    assert said(outputs) == (
        "clip.srt: no longer here, since uploads are deleted after use. "
        "Please choose again"
    )


def test_unexpected_error(run, uploads, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr(job, "run", fail)
    with caplog.at_level(logging.ERROR):
        outputs = run(None, uploads("clip.srt", SRT.encode()))
    assert said(outputs).startswith("The prediction failed for a reason")
    assert "secret" not in outputs[0]
    assert "/secret/path" in caplog.text
    assert list(uploads.folder.iterdir()) == []


def test_disk_is_full(run, uploads, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device", "/secret/path/a")

    monkeypatch.setattr(job, "run", fail)
    outputs = run(None, uploads("clip.srt", SRT.encode()))
    assert said(outputs) == "[Errno 28] No space left on device: &#x27;a&#x27;"


def test_moment(run, uploads, result):
    def event(time, row):
        return gr.EventData(None, {"time": time, "row": row})

    assert "Good sea" in app._moment(result, event(1.5, 0))
    assert "0:02 to 0:04" in app._moment(result, event(0, 1))
    # Row -1: the script found none. What is beyond all rows is looked for.
    assert "between two segments" in app._moment(result, event(5, -1))
    assert "Good sea" in app._moment(result, event(1.5, 99))
    assert "between two" in app._moment(result, event(float("nan"), -1))
    assert "no longer here" in app._moment(None, event(1.5, 0))


@pytest.mark.parametrize(
    ("modalities", "shown"),
    [
        (("text",), {"video": False, "subtitles": True}),
        (("visual",), {"video": True, "subtitles": True}),
        (("text", "visual"), {"video": True, "subtitles": True}),
    ],
)
def test_fields_and_queue(make_predictor, modalities, shown):
    page = app.build_app(make_predictor(*modalities), Limits(queue_size=3))
    fields = {b.elem_id: b for b in page.blocks.values() if b.elem_id}
    assert {name: fields[name].visible for name in shown} == shown
    assert page._queue.max_size == 3
    assert page.analytics_enabled is False
    limits = {f.name: f.concurrency_limit for f in page.fns.values()}
    assert limits["run"] == 1
