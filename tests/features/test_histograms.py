import cv2
import numpy as np
import pytest

from emotion_mt.features import HistogramConfig, extract_histograms, histograms
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


def test_channels_equal_the_reference(tools):
    frame = cv2.resize(tools.blobs(1)[0], (15, 12))
    # Grey, and a step from black to white.
    frame[8:] = 127
    frame[8:, :4], frame[8:, 4:8] = 0, 255
    np.testing.assert_allclose(
        histograms.channel_values(frame), reference_channels(frame), atol=2e-3
    )


@pytest.mark.parametrize("angle", histograms.ORIENTATIONS_DEG)
def test_gratings(angle):
    values = histograms.channel_values(grating(angle))[:4, 2:-2, 2:-2]
    energies = (values**4).mean(axis=(1, 2))
    own = histograms.ORIENTATIONS_DEG.index(angle)
    # By the cosine's square: 1 at its own angle, half beside it, 0 across.
    expected = np.roll([1.0, 0.5, 0.0, 0.5], own)
    np.testing.assert_allclose(energies / energies[own], expected, atol=0.1)


def test_histograms_count_pixels(tools):
    frame = tools.blobs(1)[0]
    frame[:8] = 255  # The last bin has its upper end.
    received = histograms.frame_histograms(frame)
    assert received.shape == (7, 32)
    assert received.dtype == np.float32
    values = histograms.channel_values(frame)
    for row, channel in zip(received, values, strict=True):
        counts, _ = np.histogram(channel, bins=32, range=(0, 1))
        np.testing.assert_allclose(row, counts / channel.size, atol=1e-6)
    np.testing.assert_allclose(received.sum(axis=1), 1, atol=1e-6)


def test_large_frames_are_reduced(tools):
    large = cv2.resize(tools.blobs(1)[0], (640, 480))
    small = cv2.resize(large, (64, 48), interpolation=cv2.INTER_AREA)
    expected = histograms.frame_histograms(small)
    for frame, side in ((large, 48), (small, 48), (small, 480)):
        received = histograms.frame_histograms(frame, side)
        np.testing.assert_array_equal(received, expected)


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


def test_a_hole_in_the_film(tools, tmp_path):
    """Frames 0 to 49 at 0 to 2 s, 50 to 99 at 1002 to 1004 s."""
    stamps = [40 * n + 1_000_000 * (n >= 50) for n in range(100)]
    frames = [np.full((48, 64, 3), 2 * n, np.uint8) for n in range(100)]
    path = tools.write_stamped(
        tmp_path / "f.ts", stamps, "libx264", frames, gop=1
    )
    segments = [(1.52, 2.48), (500.0, 501.0), (1001.52, 1002.48)]
    corpus = tools.make_corpus([("F", *times, path) for times in segments])
    received = extract(corpus, tmp_path / "s")
    grey = received[:, :, 6].argmax(axis=-1)
    shown = [grey[i] for i in (0, 2)]
    # The last frame stands for the time after it, the next one for that before.
    expected = [(39, 42, 45, 48, 49, 49, 49, 49), (50,) * 4 + (50, 53, 56, 59)]
    for received_bins, numbers in zip(shown, expected, strict=True):
        bins = [2 * n / 255 * 32 for n in numbers]
        np.testing.assert_allclose(received_bins, bins, atol=1.3)
    assert np.isnan(received[1]).all()


def test_what_makes_histograms_stale(tools, films, tmp_path, monkeypatch):
    corpus = tools.make_corpus([("A", 0.0, 1.6, films["A"])])
    before = extract(corpus, tmp_path)
    config = HistogramConfig(frames=8, short_side_px=20)
    assert not np.array_equal(extract(corpus, tmp_path, config=config), before)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    monkeypatch.setattr(histograms, "_VERSION", 99)
    np.testing.assert_array_equal(extract(corpus, tmp_path), before)
    assert len(list(tmp_path.glob("*.npz"))) == 3


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
