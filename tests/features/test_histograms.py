import colorsys
import shutil

import cv2
import numpy as np
import pytest

from emotion_mt.features import (
    HistogramConfig,
    VideoError,
    extract_histograms,
    histograms,
)
from emotion_mt.features.video import Video

CONFIG = HistogramConfig(frames=8)


def grating(angle_deg, size=96, period=12):
    """uint8 BGR lines in a direction, counter-clockwise from horizontal."""
    rows, columns = np.mgrid[:size, :size]
    angle = np.radians(angle_deg)
    # y points up in the picture; rows count downwards.
    across = -np.sin(angle) * columns + np.cos(angle) * -rows
    wave = 127.5 + 100 * np.sin(2 * np.pi * across / period)
    return np.repeat(wave.round().astype(np.uint8)[..., None], 3, axis=-1)


def noise(count, seed=0, shape=(48, 64)):
    """Frames of colourful blobs."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 6, 8, 3), np.uint8)
    return [cv2.resize(frame, shape[::-1]) for frame in coarse]


def reference_channels(frame):
    """The channels of a frame, pixel by pixel, by the textbook's formulas."""
    height, width, _ = frame.shape
    rgb = frame[..., ::-1].astype("float64") / 255
    intensity = rgb.mean(axis=-1)
    padded = np.pad(intensity, 1, mode="reflect")
    values = np.zeros((7, height, width))
    for y in range(height):
        for x in range(width):
            near = padded[y : y + 3, x : x + 3]
            dx = np.dot([3, 10, 3], near[:, 2] - near[:, 0]) / 16
            dy = np.dot([3, 10, 3], near[2] - near[0]) / 16
            # Across lines at 0, 45, 90, 135 degrees.
            answers = [dy, (dx + dy) / 2**0.5, dx, (dx - dy) / 2**0.5]
            values[:4, y, x] = np.sqrt(np.minimum(np.abs(answers), 1))
            red, green, blue = rgb[y, x]
            grey = red == green == blue
            if not grey:
                # Gonzalez and Woods: hue is an angle by its cosine.
                top = ((red - green) + (red - blue)) / 2
                root = (red - green) ** 2 + (red - blue) * (green - blue)
                angle = np.arccos(np.clip(top / root**0.5, -1, 1))
                turn = 2 * np.pi - angle if blue > green else angle
                values[4, y, x] = turn / (2 * np.pi)
            if intensity[y, x] > 0:
                values[5, y, x] = 1 - rgb[y, x].min() / intensity[y, x]
    values[6] = intensity
    return values


class TestChannels:
    def test_equal_the_reference(self):
        frame = noise(1, shape=(12, 15))[0]
        np.testing.assert_allclose(
            histograms.channel_values(frame),
            reference_channels(frame),
            atol=2e-3,
        )

    @pytest.mark.parametrize("angle", histograms.ORIENTATIONS_DEG)
    def test_gratings(self, angle):
        values = histograms.channel_values(grating(angle))[:4, 2:-2, 2:-2]
        energies = (values**4).mean(axis=(1, 2))
        own = histograms.ORIENTATIONS_DEG.index(angle)
        # By the cosine's square: 1 at its own angle, half beside it, 0 across.
        expected = np.roll([1.0, 0.5, 0.0, 0.5], own)
        np.testing.assert_allclose(energies / energies[own], expected, atol=0.1)

    @pytest.mark.parametrize(
        ("hue", "saturation"), [(0.0, 1.0), (1 / 3, 1.0), (2 / 3, 1.0)]
    )
    def test_pure_colours(self, hue, saturation):
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
        frame = np.full((4, 4, 3), (blue, green, red)) * 255
        values = histograms.channel_values(frame.astype(np.uint8))
        np.testing.assert_allclose(values[:4], 0)
        np.testing.assert_allclose(values[4], hue, atol=1e-3)
        np.testing.assert_allclose(values[5], 1)
        np.testing.assert_allclose(values[6], 1 / 3, atol=1e-6)

    @pytest.mark.parametrize("level", [0, 127, 255])
    def test_grey(self, level):
        frame = np.full((4, 4, 3), level, np.uint8)
        values = histograms.channel_values(frame)
        np.testing.assert_allclose(values[:6], 0, atol=1e-6)
        np.testing.assert_allclose(values[6], level / 255, atol=1e-6)

    def test_a_step_from_black_to_white(self):
        frame = np.zeros((8, 8, 3), np.uint8)
        frame[:, 4:] = 255
        values = histograms.channel_values(frame)[:4]
        # The line is vertical.
        np.testing.assert_allclose(values[2, :, 3:5], 1, atol=1e-6)
        np.testing.assert_allclose(values[0], 0, atol=1e-6)


class TestHistograms:
    def test_count_pixels(self):
        frame = noise(1)[0]
        received = histograms.frame_histograms(frame)
        assert received.shape == (7, 32)
        assert received.dtype == np.float32
        values = histograms.channel_values(frame)
        for row, channel in zip(received, values, strict=True):
            counts, _ = np.histogram(channel, bins=32, range=(0, 1))
            np.testing.assert_allclose(row, counts / channel.size, atol=1e-6)
        np.testing.assert_allclose(received.sum(axis=1), 1, atol=1e-6)

    def test_the_last_bin_has_its_upper_end(self):
        frame = np.full((4, 4, 3), 255, np.uint8)
        assert histograms.frame_histograms(frame)[6, 31] == 1

    def test_large_frames_are_reduced(self):
        large = cv2.resize(noise(1)[0], (640, 480))
        small = cv2.resize(large, (64, 48), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(
            histograms.frame_histograms(large, 48),
            histograms.frame_histograms(small),
        )
        np.testing.assert_array_equal(
            histograms.frame_histograms(small, 48),
            histograms.frame_histograms(small, 480),
        )


@pytest.fixture(scope="module")
def films(tools, tmp_path_factory):
    """Two films of blobs, 4 s and 3 s, without loss."""
    folder = tmp_path_factory.mktemp("films")
    return {
        name: tools.write_film(
            folder / f"{name}.avi", noise(count, seed), codec="FFV1"
        )
        for name, count, seed in (("A", 100, 1), ("B", 75, 2))
    }


@pytest.fixture(scope="module")
def corpus(tools, films):
    """Segments that overlap, are short, have no video, repeat or run over."""
    a, b = films["A"], films["B"]
    return tools.make_corpus(
        [
            ("A", 1.0, 2.6, a),
            ("A", 0.0, 1.6, a),
            ("C", 0.0, 1.0, None),
            ("B", 1.0, 1.08, b),
            ("B", 1.0, 1.08, b),
            ("B", 2.2, 3.5, b),
            ("A", 1.0, 1.32, a),
            ("B", 7.0, 8.0, b),
        ]
    )


def extract(corpus, folder, **more):
    return extract_histograms(
        corpus, folder, progress=False, **{"config": CONFIG, **more}
    )


def decoded(path):
    with Video(path) as video:
        return [frame.bgr() for _, frame in video]


def test_equal_a_plain_computation(corpus, films, tmp_path):
    received = extract(corpus, tmp_path)
    assert received.shape == (8, 8, 7, 32)
    assert received.dtype == np.float32
    assert np.isnan(received[[2, 7]]).all()
    a, b = decoded(films["A"]), decoded(films["B"])
    # 40 ticks in parts of 5, the middle of each; 2 ticks, widened to 8.
    chosen = {
        0: [a[25 + t] for t in (2, 7, 12, 17, 22, 27, 32, 37)],
        1: [a[t] for t in (2, 7, 12, 17, 22, 27, 32, 37)],
        3: [b[t] for t in range(22, 30)],
        4: [b[t] for t in range(22, 30)],
        # 8 ticks: each one.
        6: [a[t] for t in range(25, 33)],
        # 33 ticks from 55 on; the film's last frame is 74.
        5: [b[min(t, 74)] for t in (57, 61, 65, 69, 73, 77, 81, 85)],
    }
    for row, frames in chosen.items():
        for received_frame, frame in zip(received[row], frames, strict=True):
            np.testing.assert_array_equal(
                received_frame, histograms.frame_histograms(frame)
            )


def test_the_second_time_nothing_is_decoded(corpus, tmp_path, monkeypatch):
    first = extract(corpus, tmp_path)

    def refuse(*_, **__):
        raise AssertionError("a film was decoded again")

    monkeypatch.setattr(histograms, "film_histograms", refuse)
    np.testing.assert_array_equal(extract(corpus, tmp_path), first)


@pytest.mark.parametrize("change", ["config", "version", "video"])
def test_what_makes_histograms_stale(
    tools, films, tmp_path, monkeypatch, change
):
    path = tmp_path / "film.avi"
    shutil.copy(films["A"], path)
    corpus = tools.make_corpus([("A", 0.0, 1.6, str(path))])
    folder = tmp_path / "store"
    before = extract(corpus, folder)
    more = {}
    if change == "config":
        more["config"] = HistogramConfig(frames=8, short_side_px=20)
    elif change == "version":
        monkeypatch.setattr(histograms, "_VERSION", 99)
    else:
        shutil.copy(films["B"], path)
    after = extract(corpus, folder, **more)
    assert len(list(folder.glob("*.npz"))) == 2
    assert np.array_equal(after, before) == (change == "version")


def test_a_stopped_run_keeps_finished_films(corpus, tmp_path, monkeypatch):
    expected = extract(corpus, tmp_path / "other")
    compute = histograms.film_histograms
    opened = []

    def stop_in_second_film(video, *arguments, **more):
        opened.append(video.path[-5:])
        if len(opened) == 2:
            raise KeyboardInterrupt
        return compute(video, *arguments, **more)

    monkeypatch.setattr(histograms, "film_histograms", stop_in_second_film)
    with pytest.raises(KeyboardInterrupt):
        extract(corpus, tmp_path)
    np.testing.assert_array_equal(extract(corpus, tmp_path), expected)
    assert opened == ["A.avi", "B.avi", "B.avi"]


def test_bad_films_are_listed_and_the_others_kept(tools, films, tmp_path):
    text = tmp_path / "text.avi"
    text.write_text("no film")
    store = tmp_path / "store"
    good = [("A", 0.0, 1.6, films["A"]), ("B", 0.0, 1.0, films["B"])]
    bad = [
        ("TXT", 0.0, 1.0, str(text)),
        ("GONE", 0.0, 1.0, str(tmp_path / "gone.avi")),
    ]
    with pytest.raises(VideoError) as caught:
        extract(tools.make_corpus([*bad, *good]), store)
    message = str(caught.value)
    assert "text.avi: expected a video that FFmpeg" in message
    assert "gone.avi: expected a video file" in message
    assert f"all other films are in {store}" in message
    assert len(list(store.glob("*.npz"))) == 2
    assert np.isfinite(extract(tools.make_corpus(good), store)).all()


def test_no_videos_at_all(tools, tmp_path):
    received = extract(tools.make_corpus([("A", 0.0, 1.0, None)]), tmp_path)
    assert received.shape == (1, 8, 7, 32)
    assert np.isnan(received).all()


def test_default_store_and_progress(
    tools, films, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(tmp_path))
    corpus = tools.make_corpus([("A", 0.0, 1.0, films["A"])])
    assert extract_histograms(corpus).shape == (1, 16, 7, 32)
    assert "Histograms: 1 of 1 segments (100%)" in capsys.readouterr().err
    assert len(list((tmp_path / "histograms").glob("A-*.npz"))) == 1
    extract_histograms(corpus)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": 7}, "`frames` must be at least 8. Received: 7"),
        ({"short_side_px": 8}, "`short_side_px` must be at least 16"),
    ],
)
def test_impossible_configs(change, message):
    with pytest.raises(ValueError, match=message):
        HistogramConfig(**change)


def test_a_real_clip(tools, clip, tmp_path):
    corpus = tools.make_corpus(
        [("CLIP", 0.0, 4.0, str(clip)), ("CLIP", 9.5, 14.0, str(clip))]
    )
    received = extract_histograms(corpus, tmp_path, progress=False)
    assert received.shape == (2, 16, 7, 32)
    np.testing.assert_allclose(received.sum(axis=-1), 1, atol=1e-5)
    # Frames that follow each other resemble each other more than others do.
    step = np.abs(np.diff(received, axis=1)).mean()
    assert step < np.abs(received[0] - received[1]).mean()
