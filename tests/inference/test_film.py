import os

import cv2
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, VideoError
from emotion_mt.inference.film import cut_film, film_features

CONFIG = FeatureConfig(window_frames=10, stride_frames=5)


def expected_feature(i3d, path, first, stop):
    """Windows of ticks first … stop - 1, one by one."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        decoded, frame = capture.read()
        if not decoded:
            break
        small = cv2.resize(frame, (32, 32), interpolation=cv2.INTER_LINEAR)
        frames.append(small[..., ::-1])
    pooled = []
    for start in range(first, stop - 9, 5):
        window = np.stack(frames[start : start + 10]).astype("float32")
        mixed = i3d(window[None] / 127.5 - 1).numpy()[0]
        pooled.append(mixed.reshape(-1, mixed.shape[-1]).mean(axis=0))
    return np.max(pooled, axis=0)


def test_features_are_those_of_the_windows(film, network):
    times = [(0.4, 1.2), (0.0, 0.4), (0.4, 1.2)]

    features, problems = film_features(
        film, times, network, CONFIG, progress=False
    )

    assert problems == []
    expected = [
        expected_feature(network, film, first, stop)
        for first, stop in ((10, 30), (0, 10), (10, 30))
    ]
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_segments_past_the_end_do_not_lose_the_others(film, network):
    inside, across, after = (0.0, 0.4), (1.2, 9.0), (7.0, 9.0)

    features, problems = film_features(
        film, [after, inside, across], network, CONFIG, progress=False
    )

    found = np.isfinite(features).all(axis=1)
    assert found.tolist() == [False, True, True]
    assert "Received 50 frames, up to 2.00 s" in problems[0]
    # Ticks 30 … 49: it ends with the film.
    np.testing.assert_allclose(
        features[2],
        expected_feature(network, film, 30, 50),
        rtol=1e-4,
        atol=1e-5,
    )


def test_nothing_within_the_film_is_an_error(film, network):
    with pytest.raises(VideoError, match=r"film\.avi: expected frames up to 9"):
        film_features(film, [(8.0, 9.0)], network, CONFIG, progress=False)


@pytest.fixture
def broken_film(film, tmp_path):
    """A film that states 50 frames and holds about 30."""
    path = tmp_path / "broken.avi"
    path.write_bytes(film.read_bytes())
    os.truncate(path, film.stat().st_size * 6 // 10)
    return path


def test_a_film_that_breaks_off(broken_film, network):
    times = [(0.0, 0.4), (0.4, 0.8), (1.6, 2.0)]

    features, problems = film_features(
        broken_film, times, network, CONFIG, progress=False
    )

    found = np.isfinite(features).all(axis=1)
    assert found.tolist() == [True, True, False]
    assert "broken.avi: expected frames up to 2.00 s" in problems[-1]


@pytest.mark.parametrize(
    ("segment_s", "expected"),
    [
        (0.5, [(0, 0.5), (0.5, 1), (1, 1.5), (1.5, 2)]),
        # A rest of 0.5 s is a segment, one of 0.2 s is less than a window.
        (0.75, [(0, 0.75), (0.75, 1.5), (1.5, 2)]),
        (0.6, [(0, 0.6), (0.6, 1.2), (1.2, 2)]),
        (5.0, [(0, 2)]),
        (2.0, [(0, 2)]),
    ],
)
def test_cut_film(film, segment_s, expected):
    times = cut_film(film, segment_s, CONFIG)

    np.testing.assert_allclose(times, expected)


def test_every_frame_as_it_comes(film):
    config = FeatureConfig(fps=None, window_frames=10)

    np.testing.assert_allclose(cut_film(film, 1.0, config), [(0, 1), (1, 2)])
