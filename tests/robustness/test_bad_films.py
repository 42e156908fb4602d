"""Films that are odd or broken: decoded as documented, or refused by name."""

import wave

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt.features import FeatureConfig, VideoError
from emotion_mt.features.video import Video
from emotion_mt.features.windows import (
    count_windows,
    film_windows,
    segment_ticks,
)

many = settings(settings.get_profile("robustness"))


def windows(path, times=((0.0, 1.0),)):
    with Video(path) as video:
        return list(film_windows(video, times, 32, FeatureConfig()))


def grey(value, height=48, width=64):
    return np.full((height, width, 3), value, np.uint8)


def test_sound_and_headers_without_pictures_are_refused(tmp_path, write_film):
    sound, empty = tmp_path / "sound.avi", tmp_path / "empty.avi"
    with wave.open(str(sound), "wb") as opened:
        opened.setparams((1, 2, 8000, 0, "NONE", ""))
        opened.writeframes(bytes(16000))
    whole = write_film(tmp_path / "whole.avi", [grey(9)] * 3).read_bytes()
    empty.write_bytes(whole[: whole.index(b"movi") + 4])
    for path in (sound, empty):
        message = rf"{path.name}: expected .*[Rr]eceived"
        with pytest.raises(VideoError, match=message):
            windows(path)


def test_8k(tmp_path, write_film):
    left_half = grey(0, 4320, 7680)
    left_half[:, :3840] = 200
    path = write_film(tmp_path / "8k.avi", [left_half])
    ((_, window),) = windows(path, [(0.0, 0.04)])
    np.testing.assert_allclose(window[:, :, :15], 200, atol=4)
    np.testing.assert_allclose(window[:, :, 17:], 0, atol=4)


def test_size_that_changes_in_the_middle(tmp_path):
    # A stream of JPEG pictures; the later ones are four times as large.
    small, large = grey(50), grey(150, 96, 128)
    pictures = [cv2.imencode(".jpg", f)[1] for f in (small, large)]
    path = tmp_path / "changes.mjpeg"
    path.write_bytes(b"".join(p.tobytes() * 16 for p in pictures))
    found = windows(path, [(0.0, 0.64), (0.64, 1.28)])
    assert [index for index, _ in found] == [0, 1]
    for (_, window), value in zip(found, (50, 150), strict=True):
        np.testing.assert_allclose(window, value, atol=4)


def test_frames_that_are_damaged_do_not_crash(tmp_path, write_film):
    whole = write_film(tmp_path / "whole.avi", [*map(grey, range(50))])
    data = bytearray(whole.read_bytes())
    rng = np.random.default_rng(0)
    start = data.index(b"movi")
    for place in rng.integers(start, len(data), 400):
        data[place] = rng.integers(256)
    path = tmp_path / "damaged.avi"
    path.write_bytes(data)
    try:
        found = windows(path, [(0.0, 2.0)])
    except VideoError as error:
        message = str(error)
    else:
        assert all(w.shape == (16, 32, 32, 3) for _, w in found)
        message = str(path)
    assert str(path) in message


@many
@given(
    st.floats(0, 1e6, exclude_max=True),
    st.floats(1e-6, 1e4),
    st.sampled_from([24000 / 1001, 25.0, 29.97, 50.0, 1.0, 120.0]),
    st.integers(8, 32),
    st.integers(1, 16),
)
def test_windows_lie_in_their_segment(start_s, length_s, fps, size, stride):
    config = FeatureConfig(window_frames=size, stride_frames=stride)
    end_s = start_s + length_s
    if not start_s < end_s:
        return
    first, stop = segment_ticks((start_s, end_s), fps, size)
    assert first >= 0
    assert stop - first >= size
    windows = count_windows((start_s, end_s), fps, config)
    last = first + (windows - 1) * stride + size
    assert last <= stop < last + stride
    # Not widened: all ticks are on the screen during the segment.
    if stop - first > size:
        assert first / fps >= start_s - 1e-3
        assert (stop - 1) / fps < end_s + 1e-3
