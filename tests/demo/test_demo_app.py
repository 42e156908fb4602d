"""What the button does, without a browser."""

import logging
import types

import pytest

from emotion_mt.demo import Limits

gr = pytest.importorskip("gradio", reason="the extra `demo` is not installed")

from emotion_mt.demo.app import Runs, build_app  # noqa: E402  Needs Gradio.

pytestmark = [
    pytest.mark.usefixtures("leftovers"),
    # See `leftovers`.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

SRT = "1\n00:00:01,000 --> 00:00:02,000\nGood <i>sea</i>\n"


@pytest.fixture
def uploads(tmp_path):
    """Puts files where Gradio would."""
    folder = tmp_path / "uploads"
    folder.mkdir()

    def put(name, content):
        path = folder / f"hash of {name}" / name
        path.parent.mkdir()
        path.write_bytes(content)
        return str(path)

    put.files = lambda: [p.name for p in folder.rglob("*") if p.is_file()]
    return put


@pytest.fixture
def run(make_predictor):
    """Presses the button."""

    def press(*files, modalities=("text",), predict=None):
        predictor = make_predictor(*modalities)
        if predict is not None:
            predictor.predict = predict
        request = types.SimpleNamespace(session_hash="a visitor")
        return Runs(predictor, Limits()).run(*files, None, request)

    return press


def test_uploads_are_used_and_deleted(run, uploads):
    page, *fields = run(None, uploads("my clip.srt", SRT.encode()))
    assert "my clip.srt: 1 segments predicted" in page
    assert "Good sea" in page
    assert fields[:2] == [None, None]
    assert uploads.files() == []


def test_broken_files_are_named_without_their_folder(run, uploads):
    video = uploads("it's <a> film.mp4", b"nothing")
    subtitles = uploads("clip.srt", SRT.encode())
    page, *fields = run(video, subtitles, modalities=("text", "visual"))
    said = "it&#39;s &lt;a&gt; film.mp4: expected a video that"
    assert page.startswith(
        f'<div class="emt-message emt-error" role="alert">{said}'
    )
    # Nor is there a clip to rate.
    assert fields[:4] == [None, None, None, ""]
    page, *_ = run(None, uploads("bad.srt", b"no cue"))
    assert ">bad.srt: expected a cue such as" in page
    assert uploads.files() == []


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        (("text",), "choose a subtitle file: this model looks at subtitles."),
        (("visual",), "choose a video: this model looks at pictures."),
        (("text", "visual"), "choose a video and a subtitle file: this "),
    ],
)
def test_what_is_missing(run, modalities, message):
    page, *fields = run(None, None, modalities=modalities)
    assert message in page
    # What is chosen stays chosen.
    assert fields == 5 * [gr.skip()]


def test_upload_is_gone(run, tmp_path):
    page, *_ = run(None, str(tmp_path / "clip.srt"))
    assert ">clip.srt: no longer here, since uploads are deleted" in page


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("/secret/path"), "failed for a reason that is not"),
        (OSError(28, "No space left", "/secret/a"), "No space left: &#39;a"),
    ],
)
def test_other_errors_tell_no_path(run, uploads, caplog, error, said):
    def fail(*_, **__):
        raise error

    upload = uploads("clip.srt", SRT.encode())
    with caplog.at_level(logging.WARNING):
        page, *_ = run(None, upload, predict=fail)
    assert said in page
    assert "secret" not in page
    assert "/secret/" in caplog.text
    assert uploads.files() == []


@pytest.mark.parametrize(
    ("modalities", "shown"),
    [
        (("text",), {"video": False, "subtitles": True}),
        (("visual",), {"video": True, "subtitles": True}),
        (("text", "visual"), {"video": True, "subtitles": True}),
    ],
)
def test_fields_and_queue(make_predictor, modalities, shown):
    runs = Runs(make_predictor(*modalities), Limits(queue_size=3))
    page = build_app(runs)
    fields = {b.elem_id: b for b in page.blocks.values() if b.elem_id}
    assert {name: fields[name].visible for name in shown} == shown
    assert page._queue.max_size == 3
    assert page.analytics_enabled is False
    limits = {f.name: f.concurrency_limit for f in page.fns.values()}
    assert limits["run"] == 1


@pytest.mark.parametrize(
    ("viewers", "expected"),
    [
        (("V1", "V2", "Vavg"), "to 2 viewers and their average, from its"),
        (("V1",), "to 1 viewer, from its subtitles"),
        (("Vavg",), "to the average, from its subtitles"),
    ],
)
def test_header(make_predictor, viewers, expected):
    page = build_app(Runs(make_predictor("text", viewers=viewers), Limits()))
    assert expected in str(page.get_config_file())
