import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, windows
from emotion_mt.features.video import Video

CONFIG = FeatureConfig()


def windows_of(tools, path, segments, config=CONFIG):
    """Numbers of the frames of all windows, by segment."""
    received = [[] for _ in segments]
    with Video(path) as video:
        for index, window in windows.film_windows(video, segments, 96, config):
            assert window.shape == (config.window_frames, 96, 96, 3)
            assert window.dtype == np.uint8
            received[index].append([tools.read_number(f) for f in window])
        problems = windows.problems(path, video.seen, segments)
        frames = video.frames
    return received, frames, problems


def runs(starts, size=16):
    return [list(range(start, start + size)) for start in starts]


@pytest.fixture(scope="module")
def film(tools, tmp_path_factory):
    """100 numbered frames, 4 seconds."""
    return tools.write_film(tmp_path_factory.mktemp("film") / "f.avi", 100)


#: Segments to the first frames of their windows.
STARTS = {
    (0.0, 0.64): [0],
    (0.0, 0.92): [0],
    (0.0, 0.96): [0, 8],
    (0.0, 3.84): range(0, 81, 8),
    # Ticks 2 (0.08 s) to 18.
    (0.05, 0.73): [2],
    # Shorter than a window: ticks 50 to 59, widened to 47 to 62.
    (2.0, 2.4): [47],
    # One tick, none at all, at the start and at the end of the film.
    (2.0, 2.04): [42],
    (2.01, 2.02): [43],
    (0.0, 0.04): [0],
    (0.1, 0.3): [0],
    (3.9, 4.0): [84],
    (3.97, 3.99): [84],
    # It may overrun a little, as subtitles do.
    (3.0, 4.9): [75, 83],
    (3.9, 4.5): [84],
}


def test_windows_of_segments_in_any_order(tools, film):
    received, _, problems = windows_of(tools, film, [*STARTS, (2.0, 2.4)])
    assert received == [*map(runs, STARTS.values()), runs([47])]
    assert problems == []
    # What is beside a segment does not matter.
    for segment, starts in STARTS.items():
        assert windows_of(tools, film, [segment])[0] == [runs(starts)]


def test_other_window_and_stride(tools, film):
    config = FeatureConfig(window_frames=8, stride_frames=3)
    (received,), _, _ = windows_of(tools, film, [(0, 0.6)], config)
    assert received == runs([0, 3, 6], size=8)


def test_decoding_stops_after_the_last_segment(tools, film):
    _, frames, _ = windows_of(tools, film, [(0.0, 1.0)])
    assert frames <= 27


@pytest.mark.parametrize(
    ("fps", "segments", "most"),
    [
        # A long gap is not resized.
        (25.0, [(0.0, 0.64), (20.0, 20.64)], 16 + 35),
        # Each frame is resized once, at another rate too.
        (10.0, [(0.0, 6.0)], 60),
    ],
)
def test_what_is_resized(tools, tmp_path, monkeypatch, fps, segments, most):
    path = tools.write_film(tmp_path / "f.avi", 600, fps)
    resized = []
    resize = windows.resize_frame

    def count(frame, *arguments):
        resized.append(frame)
        return resize(frame, *arguments)

    monkeypatch.setattr(windows, "resize_frame", count)
    received, _, _ = windows_of(tools, path, segments)
    # Tick k shows frame floor(k/25 · fps).
    first = round(segments[-1][0] * 25)
    shown = [k * round(fps) // 25 for k in range(first, first + 16)]
    assert received[-1][0] == shown
    assert len(resized) == len(set(map(id, resized))) <= most


def test_native_frames_are_those_of_the_file(tools, tmp_path):
    config = FeatureConfig(fps=None)
    path = tools.write_film(tmp_path / "f.avi", 120, fps=19.62)
    segments = [(0.0, 96 / 19.62), (64 / 19.62, 80 / 19.62), (5.0, 5.2)]
    received, _, _ = windows_of(tools, path, segments, config)
    # 5.0 s to 5.2 s: frames 99 to 102, widened about their middle.
    assert received == [runs(range(0, 81, 8)), runs([64]), runs([93])]
    # They go by their own timestamps, here 10 of 40 ms and 30 of 100 ms.
    stamps = [*range(0, 400, 40), *range(400, 3400, 100)]
    path = tools.write_stamped(tmp_path / "vfr.mkv", stamps)
    config = FeatureConfig(fps=None, window_frames=8)
    (received,), _, _ = windows_of(tools, path, [(0.38, 2.0)], config)
    assert received == runs([10, 18], size=8)


def test_segments_past_the_end_of_the_film(tools, film):
    segments = [(0.0, 1.0), (3.0, 5.1), (4.0, 4.2), (100.0, 101.0)]
    received, _, problems = windows_of(tools, film, segments)
    # They have what there is of them.
    assert received == [runs([0, 8]), runs([75, 83]), [], []]
    (problem,) = problems
    assert f"{film}: expected frames up to 101.00 s" in problem
    assert "Received 100 frames, up to 4.00 s; 3 segments reach" in problem


def test_a_film_that_ends_early(tools, tmp_path):
    path = tmp_path / "cut.avi"
    tools.write_film(path, 200)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Video(path) as video:
        decoded = len(list(video))
    assert decoded < 110
    # What is missing is within the tolerance for subtitles, but the file
    # states that there is more.
    segments = [(0.0, 1.0), (1.0, decoded / 25 + 0.5)]
    _, _, problems = windows_of(tools, path, segments)
    assert f"Received {decoded} frames" in problems[-1]
    received, _, problems = windows_of(tools, path, [(0.0, 0.64)])
    assert (received, problems) == ([runs([0])], [])


@pytest.mark.parametrize("count", [1, 5, 15])
def test_a_film_shorter_than_a_window(tools, tmp_path, count, caplog):
    path = tools.write_film(tmp_path / "short.avi", count)
    received, _, _ = windows_of(tools, path, [(0.0, count / 25)])
    assert received == [[[min(k, count - 1) for k in range(16)]]]
    assert f"{count} frames before" in caplog.text


def test_a_hole_in_the_film(tools, tmp_path):
    """Frames 0 to 49 at 0 to 2 s, 50 to 99 at 1002 to 1004 s."""
    stamps = [40 * n + 1_000_000 * (n >= 50) for n in range(100)]
    path = tools.write_stamped(tmp_path / "jump.ts", stamps)
    starts = {
        (0.0, 0.96): [0, 8],
        (1.0, 3.0): [25, 33],  # into the hole
        (1.9, 2.0): [34],  # short, at its edge
        (500.0, 500.5): [],  # in it
        (1001.8, 1002.8): [50],  # out of it
        (1002.0, 1002.1): [50],  # short, at its end
        (1.0, 1003.0): [25, 33, 50, 58],  # over it
        (1003.0, 1003.64): [75],
    }
    received, _, problems = windows_of(tools, path, [*starts])
    assert received == [*map(runs, starts.values())]
    said = "2 segments lie in the time without frames from 2.00 to 1002.00"
    assert said in problems[1]


def test_random_segments_against_a_plain_computation(tools, tmp_path):
    """Every window of random segments, at a rate that is not the film's."""
    fps, count = 30.0, 240
    path = tools.write_film(tmp_path / "f.mp4", count, fps, "mp4v")
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 6, 12)
    lengths = rng.uniform(0.7, 2, 12)
    segments = list(zip(starts, starts + lengths, strict=True))
    received, _, _ = windows_of(tools, path, segments)
    shown = [min(int(k / 25 * fps + 1e-3 * fps), count - 1) for k in range(200)]
    for (start_s, end_s), found in zip(segments, received, strict=True):
        ticks = [k for k in range(200) if start_s <= k / 25 < end_s]
        expected = [
            [shown[k] for k in ticks[i : i + 16]]
            for i in range(0, len(ticks) - 15, 8)
        ]
        assert found == expected
