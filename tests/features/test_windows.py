import numpy as np
import pytest

from emotion_mt.features import windows as windows_lib
from emotion_mt.features.config import FeatureConfig
from emotion_mt.features.video import Video, VideoError
from emotion_mt.features.windows import film_windows, plan_segment

CONFIG = FeatureConfig()


def starts_of(plan):
    """First ticks of the windows, by asking tick after tick."""
    return [
        tick - plan.size + 1
        for tick in range(plan.stop + 50)
        if plan.completes_window(tick)
    ]


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        (0.0, 0.64, [0]),
        (0.0, 0.92, [0]),
        (0.0, 0.96, [0, 8]),
        (0.0, 3.84, [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80]),
        # Ticks 2 (0.08 s) to 18.
        (0.05, 0.73, [2]),
        # Shorter than a window: ticks 100 to 109, widened to 97 to 112.
        (4.0, 4.4, [97]),
        # One tick, none at all, and at the start of the film.
        (4.0, 4.04, [92]),
        (4.01, 4.02, [93]),
        (0.0, 0.04, [0]),
        (0.1, 0.3, [0]),
    ],
)
def test_windows_of_a_segment(start_s, end_s, expected):
    plan = plan_segment(start_s, end_s, 25.0, CONFIG)
    assert starts_of(plan) == expected
    assert plan.windows == len(expected)


def test_eleven_windows_in_96_frames_at_any_rate():
    for fps in (19.62, 24000 / 1001, 25, 30000 / 1001, 50):
        plan = plan_segment(0.0, 96 / fps, fps, CONFIG)
        assert starts_of(plan) == list(range(0, 81, 8))


def test_other_window_and_stride():
    config = FeatureConfig(window_frames=8, stride_frames=3)
    assert starts_of(plan_segment(0, 0.6, 25.0, config)) == [0, 3, 6]


@pytest.mark.parametrize(
    "times", [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (0.0, np.inf), (np.nan, 1)]
)
def test_times_that_make_no_sense(times):
    with pytest.raises(ValueError, match="must have 0 <= start_s < end_s"):
        plan_segment(*times, 25.0, CONFIG)


def windows_of(tools, path, segments, config=CONFIG):
    """Numbers of the frames of all windows, by segment."""
    received = [[] for _ in segments]
    with Video(path) as video:
        for index, window in film_windows(video, segments, 96, config):
            assert window.shape == (config.window_frames, 96, 96, 3)
            assert window.dtype == np.uint8
            received[index].append([tools.read_number(f) for f in window])
        frames = video.frames
    return received, frames


@pytest.fixture(scope="module")
def film(tools, tmp_path_factory):
    """100 numbered frames, 4 seconds."""
    return tools.write_film(tmp_path_factory.mktemp("film") / "f.avi", 100)


def test_segments_that_overlap_touch_and_lie_in_any_order(tools, film):
    segments = [(2.0, 3.0), (0.0, 1.2), (1.2, 2.0), (0.4, 1.6), (2.0, 3.0)]
    received, _ = windows_of(tools, film, segments)
    for (start_s, end_s), windows in zip(segments, received, strict=True):
        first, stop = round(start_s * 25), round(end_s * 25)
        expected = [list(range(s, s + 16)) for s in range(first, stop - 15, 8)]
        assert windows == expected


def test_short_segments_are_widened_within_the_film(tools, film):
    segments = [(2.0, 2.2), (0.0, 0.2), (3.9, 4.0)]
    received, _ = windows_of(tools, film, segments)
    assert received == [
        [list(range(44, 60))],
        [list(range(16))],
        [list(range(84, 100))],
    ]


def test_decoding_stops_after_the_last_segment(tools, film):
    _, frames = windows_of(tools, film, [(0.0, 1.0)])
    assert frames <= 27


def test_a_long_gap_is_not_resized(tools, tmp_path, monkeypatch):
    path = tools.write_film(tmp_path / "long.avi", 600)
    resized = []
    resize = windows_lib.resize_frame

    def count(frame, size_px, mode):
        resized.append(tools.read_number(frame))
        return resize(frame, size_px, mode)

    monkeypatch.setattr(windows_lib, "resize_frame", count)
    received, _ = windows_of(tools, path, [(0.0, 0.64), (20.0, 20.64)])
    assert received == [[list(range(16))], [list(range(500, 516))]]
    assert len(resized) == len(set(resized)) <= 16 + 32


def test_each_frame_is_resized_once_at_other_rates(
    tools, tmp_path, monkeypatch
):
    path = tools.write_film(tmp_path / "slow.avi", 60, fps=10.0)
    resized = []
    resize = windows_lib.resize_frame

    def count(frame, size_px, mode):
        resized.append(tools.read_number(frame))
        return resize(frame, size_px, mode)

    monkeypatch.setattr(windows_lib, "resize_frame", count)
    received, _ = windows_of(tools, path, [(0.0, 6.0)])
    # Tick k shows frame floor(k/25 · 10).
    assert received[0][1] == [(k * 10) // 25 for k in range(8, 24)]
    assert resized == list(range(60))


def test_native_rate_counts_frames(tools, tmp_path):
    path = tools.write_film(tmp_path / "f.avi", 120, fps=19.62)
    config = FeatureConfig(fps=None)
    received, _ = windows_of(tools, path, [(0.0, 96 / 19.62)], config)
    assert received == [[list(range(s, s + 16)) for s in range(0, 81, 8)]]


def test_a_subtitle_may_overrun_the_film_a_little(tools, film):
    received, _ = windows_of(tools, film, [(3.0, 4.9), (3.9, 4.5)])
    assert received == [
        [list(range(75, 91)), list(range(83, 99))],
        [list(range(84, 100))],
    ]


@pytest.mark.parametrize("segment", [(3.0, 5.1), (4.0, 4.2), (100.0, 101.0)])
def test_a_segment_past_the_end_of_the_film(tools, film, segment):
    with pytest.raises(
        VideoError,
        match=rf"f\.avi: expected frames up to {segment[1]:.2f} s.*100 frames "
        r"at 25\.000 fps.*Received 100 frames, up to 4\.00 s; 1 segments",
    ):
        windows_of(tools, film, [(0.0, 1.0), segment])


def test_a_film_that_ends_early(tools, tmp_path):
    path = tmp_path / "cut.avi"
    tools.write_film(path, 200)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Video(path) as video:
        decoded = len(list(video))
        assert decoded < video.stated_frames == 200
    # The missing frames are within the tolerance for subtitles, but the file
    # states them.
    end_s = decoded / 25 + 0.5
    with pytest.raises(
        VideoError, match=rf"states 200 frames.*Received {decoded} frames"
    ):
        windows_of(tools, str(path), [(0.0, 1.0), (1.0, end_s)])
    # What does not reach the missing part is used.
    received, _ = windows_of(tools, str(path), [(0.0, 0.64)])
    assert received == [[list(range(16))]]


@pytest.mark.parametrize("count", [1, 5, 15])
def test_a_film_shorter_than_a_window(tools, tmp_path, count, monkeypatch):
    messages = []
    monkeypatch.setattr(
        windows_lib.logging,
        "warning",
        lambda text, *a: messages.append(text % a),
    )
    path = tools.write_film(tmp_path / "short.avi", count)
    received, _ = windows_of(tools, path, [(0.0, count / 25)])
    expected = [min(k, count - 1) for k in range(16)]
    assert received == [[expected]]
    assert f"film of {count} frames is shorter" in messages[0]


def test_random_segments_against_a_plain_computation(tools, tmp_path):
    """Every window of random segments, at a rate that is not the film's."""
    fps, count = 30.0, 240
    path = tools.write_film(tmp_path / "f.mp4", count, fps, "mp4v")
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 6, 12)
    lengths = rng.uniform(0.7, 2, 12)
    segments = list(zip(starts, starts + lengths, strict=True))
    received, _ = windows_of(tools, path, segments)
    shown = [min(int(k / 25 * fps + 1e-3 * fps), count - 1) for k in range(200)]
    for (start_s, end_s), windows in zip(segments, received, strict=True):
        ticks = [k for k in range(200) if start_s <= k / 25 < end_s]
        expected = [
            [shown[k] for k in ticks[i : i + 16]]
            for i in range(0, len(ticks) - 15, 8)
        ]
        assert windows == expected
