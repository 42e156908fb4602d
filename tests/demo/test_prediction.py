"""One prediction, as the page asks for it."""

import base64
import io
import re

import pandas as pd
import pytest

from emotion_mt.demo import Limits, prediction
from emotion_mt.demo.prediction import predict, without_paths

SRT = """1
00:00:00,500 --> 00:00:01,500
Good sea

2
00:00:02,000 --> 00:00:03,500
<script>sea</script>

3
00:00:09,000 --> 00:00:09,500
After the end
"""


@pytest.fixture
def srt(tmp_path):
    path = tmp_path / "my clip.srt"
    path.write_text(SRT)
    return path


def csv(page):
    """Name and content of the file behind the link."""
    name, content = re.search(
        r'download="(.*?)" href="data:text/csv;charset=utf-8;base64,(.*?)"',
        page,
    ).groups()
    return name, pd.read_csv(io.BytesIO(base64.b64decode(content)))


def test_both(make_predictor, film, srt, tmp_path):
    predictor = make_predictor("text", "visual", simulated=True)
    page = predict(predictor, film, srt, 2.5, Limits()).timeline(True)
    assert "my film.avi and my clip.srt: 3 segments predicted" in page
    name, table = csv(page)
    assert name == "my film_emotions_SIMULATED.csv"
    assert table.to_csv() == predictor.predict(film, srt).to_csv()
    # A picture for each segment, apart from the one after the end.
    assert page.count("data:image/jpeg") == 2
    assert "<li>my clip.srt, line 10: not predicted" in page
    assert str(tmp_path) not in page
    assert str(film.parent) not in page
    assert "<script" not in page
    assert "&lt;b&gt;Anna&lt;/b&gt;" in page


def test_text_alone(make_predictor, srt):
    page = predict(make_predictor("text"), None, srt, None, Limits())
    page = page.timeline()
    assert "my clip.srt: 3 segments predicted" in page
    assert csv(page)[0] == "my clip_emotions.csv"
    assert "<img" not in page


def test_video_alone_is_cut(make_predictor, film):
    clip = predict(make_predictor("visual"), film, None, 2.0, Limits())
    _, table = csv(clip.timeline())
    assert table["start_s"].tolist() == [0, 2]
    assert table["end_s"].tolist() == [2, 4]
    with pytest.raises(ValueError, match=r"at least 0\.1. Received: 0\.01"):
        predict(make_predictor("visual"), film, None, 0.01, Limits())


def test_nothing_can_be_predicted(make_predictor, film, tmp_path):
    late = tmp_path / "late.srt"
    late.write_text("1\n00:01:00,000 --> 00:01:01,000\nLate\n")
    with pytest.raises(ValueError, match=r"(no segment that|late\.srt|frame)"):
        predict(make_predictor("text", "visual"), film, late, None, Limits())


def test_limits(make_predictor, film, srt, monkeypatch):
    both = make_predictor("text", "visual")
    with pytest.raises(
        ValueError,
        match=r"^my film\.avi: expected a film of at most 0\.05 minutes\. "
        r"Received at least 0\.0667 minutes$",
    ):
        predict(both, film, srt, None, Limits(max_minutes=0.05))
    # A film that states no length, or too little, is found out.
    with monkeypatch.context() as patch:
        patch.setattr(prediction.Video, "stated_end_s", 0.0)
        with pytest.raises(ValueError, match=r"at most 0\.05 minutes"):
            predict(both, film, srt, None, Limits(max_minutes=0.05))
    monkeypatch.setattr(prediction, "MAX_SUBTITLES_MB", 1e-5)
    with pytest.raises(ValueError, match=r"^my clip\.srt: expected subtitles"):
        predict(both, film, srt, None, Limits())


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_limits_that_make_no_sense(value):
    for name in ("max_upload_mb", "max_minutes", "queue_size"):
        with pytest.raises(
            ValueError, match=rf"`{name}` must be a positive number. Received: "
        ):
            Limits(**{name: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/a/clip.mp4: no such file", "clip.mp4: no such file"),
        ("see '/home/x/y.srt', line 3", "see 'y.srt', line 3"),
        ("[Errno 2] No such file: '/tmp'", "[Errno 2] No such file: 'tmp'"),
        (r"C:\Users\me\clip.mp4: bad", "clip.mp4: bad"),
        ("folder /srv/data/ is full", "folder data is full"),
        # No paths.
        ("fps 24000/1001, 1/25 s, and/or", "fps 24000/1001, 1/25 s, and/or"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("<i>a</i> 00:00:01,000 --> 2", "<i>a</i> 00:00:01,000 --> 2"),
        ("", ""),
    ],
)
def test_paths_are_taken_out_of_messages(text, expected):
    assert without_paths(text) == expected


def test_paths_with_blanks_and_behind_links(tmp_path):
    folder = tmp_path / "job 1"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    path = tmp_path / "link" / "it's a clip (1).mp4"
    for form in (path, path.resolve()):
        message = f"{form}: expected a video. Received: {tmp_path}/b"
        assert without_paths(message, path) == (
            "it's a clip (1).mp4: expected a video. Received: b"
        )
