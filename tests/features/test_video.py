import cv2
import numpy as np
import pytest

from emotion_mt.features import video as video_lib
from emotion_mt.features.video import (
    Video,
    VideoError,
    fingerprint,
    frames_on_screen,
    resize_frame,
)

RATES = {
    "23.976": 24000 / 1001,
    "24": 24.0,
    "25": 25.0,
    "29.97": 30000 / 1001,
    "30": 30.0,
    "50": 50.0,
}
CONTAINERS = [("avi", "MJPG"), ("mp4", "mp4v"), ("mkv", "FFV1")]


@pytest.mark.parametrize(("suffix", "codec"), CONTAINERS)
@pytest.mark.parametrize("rate", list(RATES))
def test_frames_by_timestamp_are_exact(tools, tmp_path, rate, suffix, codec):
    fps = RATES[rate]
    count = 130
    path = tools.write_film(tmp_path / f"f.{suffix}", count, fps, codec)
    with Video(path) as video:
        sampled = [
            (tick, tools.read_number(frame))
            for tick, frame in frames_on_screen(video, 25.0)
        ]
        assert video.frames == video.stated_frames == count
    # Frame i is on the screen from i/fps on, which Matroska keeps in whole
    # milliseconds.
    starts = np.arange(count) / fps
    if suffix == "mkv":
        starts = np.round(starts, 3)
    end = starts[-1] + 1 / fps
    instants = np.arange(0, end - 0.65e-3, 1 / 25)
    expected = [int(np.sum(starts <= t + 0.65e-3) - 1) for t in instants]
    assert sampled == list(enumerate(expected))
    assert abs(len(sampled) - count / fps * 25) <= 1


def test_native_rate_takes_every_frame(tools, tmp_path):
    path = tools.write_film(tmp_path / "f.avi", 40, 19.62)
    with Video(path) as video:
        ticks = [
            (tick, tools.read_number(frame))
            for tick, frame in frames_on_screen(video, None)
        ]
    assert ticks == [(i, i) for i in range(40)]


class Capture:
    """A film with given timestamps, in place of OpenCV's."""

    def __init__(self, stamps_ms, fps=25.0, stated=None):
        self.stamps_ms = stamps_ms
        self.values = {
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_FRAME_COUNT: stated or len(stamps_ms),
        }
        self.position = -1

    def isOpened(self):
        return True

    def release(self):
        pass

    def get(self, what):
        if what == cv2.CAP_PROP_POS_MSEC:
            return self.stamps_ms[self.position]
        return self.values[what]

    def read(self):
        if self.position + 1 >= len(self.stamps_ms):
            return False, None
        self.position += 1
        return True, np.full((2, 2, 3), self.position, np.uint8)


@pytest.fixture
def film_with(monkeypatch, tmp_path):
    def make(*arguments, **more):
        path = tmp_path / "film.avi"
        path.touch()
        capture = Capture(*arguments, **more)
        monkeypatch.setattr(cv2, "VideoCapture", lambda _: capture)
        return Video(path)

    return make


def numbers(video, fps=25.0):
    return [int(frame[0, 0, 0]) for _, frame in frames_on_screen(video, fps)]


def test_variable_frame_rate(film_with):
    # Three frames at 25 fps, one that stays for 200 ms, two at 50 fps.
    stamps = [0, 40, 80, 120, 320, 340]
    assert numbers(film_with(stamps)) == [0, 1, 2, 3, 3, 3, 3, 3, 4, 5]


def test_timestamps_count_from_the_first_frame(film_with):
    assert numbers(film_with([500, 540, 580])) == [0, 1, 2]


@pytest.mark.parametrize(
    "stamps",
    [
        [0] * 6,
        [0, 40, 80, 80, 80, 200],
        [0, 40, 80, 0, 0, 200],
        [0, float("nan"), 80, 120, 160, 200],
        [0, 40, 80, -1, 160, 200],
    ],
)
def test_missing_timestamps_follow_the_frame_rate(
    film_with, stamps, monkeypatch
):
    warnings = []
    monkeypatch.setattr(
        video_lib.logging, "warning", lambda text, *a: warnings.append(text % a)
    )
    video = film_with(stamps)
    assert [round(t, 3) for t, _ in video] == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    assert len(warnings) == 1
    assert "film.avi" in warnings[0]
    assert "of 6 frames have no timestamp" in warnings[0]


def test_no_file(tmp_path):
    message = r"none\.avi: expected a video file\. Received: no such file"
    with pytest.raises(VideoError, match=message):
        Video(tmp_path / "none.avi")
    with pytest.raises(VideoError, match=message):
        fingerprint(tmp_path / "none.avi")


def test_not_a_video(tmp_path):
    path = tmp_path / "text.avi"
    path.write_text("this is no video")
    with pytest.raises(
        VideoError, match=r"text\.avi: expected .* Received a file of 16 bytes"
    ):
        Video(path)


def test_no_frame_decodes(film_with):
    with pytest.raises(VideoError, match=r"with frames \(7 stated\)"):
        list(film_with([], stated=7))


@pytest.mark.parametrize("fps", [0.0, float("nan"), -1.0])
def test_no_frame_rate(film_with, fps):
    with pytest.raises(VideoError, match="states its frame rate"):
        film_with([0], fps=fps)


def test_fingerprint_sees_one_byte(tmp_path):
    path = tmp_path / "film.avi"
    path.write_bytes(b"a" * 1000)
    before = fingerprint(path)
    path.write_bytes(b"a" * 999 + b"b")
    assert before[0] == 1000
    assert fingerprint(path) != before


def gradient(height, width):
    """Red grows to the right, green downwards, blue is 7; BGR."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[..., 0] = 7
    frame[..., 1] = np.linspace(0, 255, height)[:, None]
    frame[..., 2] = np.linspace(0, 255, width)
    return frame


def bilinear(image, size):
    """Bilinear interpolation with half-pixel centres, in NumPy."""
    for axis in (0, 1):
        n = image.shape[axis]
        x = (np.arange(size[axis]) + 0.5) * n / size[axis] - 0.5
        low = np.clip(np.floor(x).astype(int), 0, n - 1)
        high = np.clip(low + 1, 0, n - 1)
        shape = [1, 1, 1]
        shape[axis] = -1
        t = np.clip(x - low, 0, 1).reshape(shape)
        image = np.take(image, low, axis) * (1 - t) + (
            np.take(image, high, axis) * t
        )
    return image


@pytest.mark.parametrize("shape", [(240, 320), (100, 60), (480, 854)])
def test_stretch_is_bilinear_and_rgb(shape):
    frame = gradient(*shape)
    received = resize_frame(frame, 224, "stretch")
    assert received.shape == (224, 224, 3)
    assert received.dtype == np.uint8
    expected = bilinear(frame.astype(float), (224, 224))[..., ::-1]
    np.testing.assert_allclose(received, expected, atol=1.01)


@pytest.mark.parametrize("shape", [(240, 320), (320, 240), (90, 400)])
def test_crop_keeps_the_aspect_and_the_centre(shape):
    frame = gradient(*shape)
    received = resize_frame(frame, 224, "crop")
    assert received.shape == (224, 224, 3)
    scale = 256 / min(shape)
    size = tuple(round(n * scale) for n in shape)
    top, left = ((n - 224) // 2 for n in size)
    whole = bilinear(frame.astype(float), size)[..., ::-1]
    expected = whole[top : top + 224, left : left + 224]
    np.testing.assert_allclose(received, expected, atol=1.01)


def test_real_clip_has_its_frames_and_rate(clip):
    with Video(clip) as video:
        times = [time_s for time_s, _ in video]
        assert (len(times), video.stated_frames) == (355, 355)
        assert video.fps == pytest.approx(19.62)
    np.testing.assert_allclose(times, np.arange(355) / 19.62, atol=1e-6)
