"""Pictures of a film, checked by the grey of each of its seconds."""

import cv2
import numpy as np
import pytest

from emotion_mt.demo import frames
from emotion_mt.demo.frames import FrameStrip, read_frames
from emotion_mt.demo.messages import DemoError
from emotion_mt.features import VideoError


def grey(jpeg):
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (240, 480, 3)
    return float(picture.mean())


def test_frame_at_a_time(film):
    strip = read_frames(film, max_minutes=1)
    assert strip.fps == frames.MAX_FPS
    assert strip.end_s == pytest.approx(4.0)
    assert len(strip.jpegs) == 8
    for time_s, expected in (
        (0, 30),
        (0.99, 30),
        (1, 90),
        (2.5, 150),
        (3.99, 210),
        (4.0, 210),
    ):
        assert grey(strip.at(time_s)) == pytest.approx(expected, abs=6)


def test_outside_of_the_film():
    strip = FrameStrip((b"a", b"b"), 1.0, 2.0)
    assert strip.at(-0.1) is None
    assert strip.at(2.1) is None
    assert strip.at(float("nan")) is None
    assert strip.at(2.0) == b"b"


def test_fewer_frames_of_a_long_film(film, monkeypatch):
    monkeypatch.setattr(frames, "MAX_FRAMES", 4)
    strip = read_frames(film, max_minutes=1)
    assert strip.fps == pytest.approx(1.0)
    assert len(strip.jpegs) == 4
    assert grey(strip.at(3.2)) == pytest.approx(210, abs=6)


def test_too_long_by_what_it_states(film):
    with pytest.raises(
        DemoError,
        match=r"^my film\.avi: expected a film of at most 0\.05 minutes\. "
        r"Received at least 0\.0667 minutes$",
    ):
        read_frames(film, max_minutes=0.05)


def test_too_long_by_what_it_holds(film, monkeypatch):
    """A film that states no length, or too little, is found out."""
    monkeypatch.setattr(frames.Video, "stated_end_s", 0.0)
    with pytest.raises(DemoError, match=r"at most 0\.05 minutes"):
        read_frames(film, max_minutes=0.05)


def test_no_film(tmp_path):
    path = tmp_path / "no.mp4"
    path.write_bytes(b"no film")
    with pytest.raises(VideoError, match="expected a video"):
        read_frames(path, max_minutes=1)
