"""One prediction, as the page asks for it."""

import numpy as np
import pandas as pd
import pytest

from emotion_mt.demo import Limits, job
from emotion_mt.demo.frames import FrameStrip
from emotion_mt.demo.messages import DemoError
from emotion_mt.features import VideoError

SRT = """1
00:00:00,500 --> 00:00:01,500
Good sea

2
00:00:02,000 --> 00:00:03,500
sea

3
00:00:09,000 --> 00:00:09,500
After the end
"""


@pytest.fixture
def srt(tmp_path):
    path = tmp_path / "my clip.srt"
    path.write_text(SRT)
    return path


def test_both(make_predictor, film, srt, tmp_path):
    predictor = make_predictor("text", "visual", simulated=True)
    found = job.run(predictor, film, srt, 2.5, Limits())
    pd.testing.assert_frame_equal(found.table, predictor.predict(film, srt))
    assert found.names == ("my film.avi", "my clip.srt")
    assert found.viewers == ("Vavg", "V1", "<b>Anna</b>")
    assert found.simulated
    assert len(found.frames.jpegs) == 8
    assert any(n.startswith("my clip.srt, line 10: not") for n in found.notes)
    assert not any("/" in note for note in found.notes)


def test_text_alone(make_predictor, srt):
    predictor = make_predictor("text")
    found = job.run(predictor, None, srt, None, Limits())
    assert found.frames is None
    assert len(found.table) == 3
    assert found.notes == ()
    assert not found.simulated


def test_video_alone_is_cut(make_predictor, film):
    found = job.run(make_predictor("visual"), film, None, 2.0, Limits())
    np.testing.assert_allclose(found.starts_s, [0, 2])
    np.testing.assert_allclose(found.ends_s, [2, 4])
    assert found.texts == ["", ""]
    with pytest.raises(DemoError, match=r"at least 0\.5 s. Received: 0\.1"):
        job.run(make_predictor("visual"), film, None, 0.1, Limits())


@pytest.mark.parametrize(
    ("modalities", "given", "message"),
    [
        (("text",), (), "choose a subtitle file: this model looks at subt"),
        (("visual",), ("subtitles",), "choose a video: this .* at pictures"),
        (("text", "visual"), (), "choose a video and a subtitle file: "),
        (("text", "visual"), ("video",), "choose a subtitle file: "),
        (("text", "visual"), ("subtitles",), "choose a video: "),
    ],
)
def test_something_is_missing(make_predictor, modalities, given, message):
    files = {"video": None, "subtitles": None} | dict.fromkeys(given, "x")
    with pytest.raises(DemoError, match=message):
        job.check_given(make_predictor(*modalities), **files)


def test_sizes(make_predictor, film, srt, monkeypatch):
    predictor = make_predictor("text", "visual")
    with pytest.raises(
        DemoError,
        match=r"^my film\.avi: expected a file of at most 0\.001 MB\. "
        r"Received 0\.\d MB$",
    ):
        job.run(predictor, film, srt, None, Limits(max_upload_mb=1e-3))
    monkeypatch.setattr(job, "MAX_SUBTITLES_MB", 1e-5)
    with pytest.raises(DemoError, match=r"^my clip\.srt: expected a file of"):
        job.run(predictor, film, srt, None, Limits())


def test_length(make_predictor, film):
    with pytest.raises(DemoError, match=r"at most 0\.01 minutes"):
        job.run(
            make_predictor("visual"), film, None, 2, Limits(max_minutes=0.01)
        )


def test_broken_film(make_predictor, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(VideoError, match="expected a video that OpenCV"):
        job.run(make_predictor("visual"), path, None, 2, Limits())


def test_average_first():
    assert job.average_first(("B", "A", "Vavg")) == ("Vavg", "B", "A")
    assert job.average_first(("B", "A")) == ("B", "A")


def test_row_at(make_result):
    found = make_result(
        [(0, 4, "a"), (1, 2, "b"), (5, 6, "c")], {"V1": [0.1, 0.2, 0.3]}
    )
    times = (0, 0.9, 1, 1.9, 2, 3.9, 4, 5, 6)
    expected = [0, 0, 1, 1, 0, 0, None, 2, None]
    assert [found.row_at(t) for t in times] == expected


def test_span(make_result):
    nan = float("nan")
    cues = [(10, 11, ""), (12, 14, ""), (90, 91, "")]
    late = make_result(cues, {"V1": [0.1, 0.2, nan]})
    assert late.span_s == (10, 14)
    film = FrameStrip((b"",), 1.0, 20.0)
    assert make_result(cues, {"V1": [0.1, nan, nan]}, film).span_s == (0, 20)
    soon = make_result([(1, 2, ""), (2, 9, "")], {"V1": [0.1, 0.2]})
    assert soon.span_s == (0, 9)
    np.testing.assert_array_equal(late.known, [True, True, False])
