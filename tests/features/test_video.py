import math
import pathlib
import shutil

import cv2
import numpy as np
import pytest

from emotion_mt.features import VideoError
from emotion_mt.features.frames import resize_frame
from emotion_mt.features.video import Hole, Video, on_screen


def numbers(tools, video, fps=25.0):
    """Number of the frame at each tick; None for a hole."""
    *items, last = on_screen(video, fps)
    assert last == Hole(video.end_s, math.inf)
    return [
        None if isinstance(item, Hole) else tools.read_number(item[2].bgr())
        for item in items
    ]


@pytest.mark.parametrize(
    ("suffix", "codec"), [("avi", "MJPG"), ("mp4", "mp4v"), ("mkv", "FFV1")]
)
@pytest.mark.parametrize("fps", [24000 / 1001, 25.0, 30000 / 1001, 50.0])
def test_frames_by_timestamp_are_exact(tools, tmp_path, fps, suffix, codec):
    count = 130
    path = tools.write_film(tmp_path / f"f.{suffix}", count, fps, codec)
    with Video(path) as video:
        sampled = numbers(tools, video)
        assert video.frames == count
        assert video.seen.problems == []
    # Frame i is on the screen from i/fps on, which Matroska keeps in whole
    # milliseconds.
    starts = np.arange(count) / fps
    if suffix == "mkv":
        starts = np.round(starts, 3)
    end = starts[-1] + 1 / fps
    instants = np.arange(0, end - 0.65e-3, 1 / 25)
    expected = [int(np.sum(starts <= t + 0.65e-3) - 1) for t in instants]
    assert sampled == expected


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
def test_time_0_is_the_start_of_the_container(tools, tmp_path, suffix):
    """The sound begins 400 ms before the frames, wherever the stamps start."""
    stamps = list(range(9400, 10400, 40))
    sound = tuple(range(9000, 10400, 40))
    path = tools.write_stamped(
        tmp_path / f"f.{suffix}", stamps, "libx264", sound=sound
    )
    with Video(path) as video:
        times = [time_s for time_s, _ in video]
        assert video.holes == []
    # The first frame of sound is delayed by its encoder.
    late_s = 0.4 if suffix != "mp4" else times[0]
    np.testing.assert_allclose(times, late_s + np.arange(25) / 25, atol=0.021)


def test_a_late_picture_is_a_hole(tools, tmp_path):
    stamps, sound = list(range(3000, 4000, 40)), tuple(range(0, 4000, 40))
    path = tools.write_stamped(
        tmp_path / "f.mkv", stamps, "libx264", sound=sound
    )
    with Video(path) as video:
        assert numbers(tools, video) == [None, *range(25)]
        assert video.holes == [Hole(0.0, pytest.approx(3.0, abs=0.03))]
        assert "no frames from 0.00 to 3.0" in video.seen.problems[0]


JUMP = [40 * n + 30_000 * (n >= 25) for n in range(50)]


@pytest.mark.parametrize(
    ("suffix", "sound", "hole"),
    [
        # Broadcasts that jump; not if the sound goes on.
        ("ts", (), True),
        ("ts", tuple(range(0, 32_000, 40)), False),
        # Stamps that somebody set, unless the sound jumps too.
        ("mkv", (), False),
        ("mp4", (), False),
        ("mkv", tuple(range(0, 32_000, 40)), False),
        (
            "mkv",
            tuple(range(0, 1000, 40)) + tuple(range(31_000, 32_000, 40)),
            1,
        ),
    ],
)
def test_a_slide_is_no_hole(tools, tmp_path, suffix, sound, hole):
    path = tools.write_stamped(
        tmp_path / f"f.{suffix}", JUMP, "libx264", sound=sound
    )
    for read in (lambda v: list(v), lambda v: v.scan()):
        with Video(path) as video:
            read(video)
            assert bool(video.holes) == bool(hole)
            assert video.end_s == pytest.approx(32.0, abs=0.1)
    with Video(path) as video:
        shown = numbers(tools, video)
    assert (None in shown) == bool(hole)
    assert len(shown) == pytest.approx(51 if hole else 800, abs=3)


def test_stamps_that_jump_back(tools, tmp_path):
    """Two recordings, one after the other."""
    parts = []
    for start in (100_000, 0):
        stamps = list(range(start, start + 1000, 40))
        part = tools.write_stamped(tmp_path / f"{start}.ts", stamps)
        parts.append(pathlib.Path(part).read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    for read in (lambda v: list(v), lambda v: v.scan()):
        with Video(path) as video:
            read(video)
            assert video.end_s == pytest.approx(2.0, abs=0.1)
            assert "timestamps jump back by 10" in video.seen.problems[0]


def test_frames_that_follow_their_predecessor(tmp_path):
    # A stream of JPEG pictures has no timestamps.
    picture = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    path = tmp_path / "film.mjpeg"
    path.write_bytes(picture * 10)
    with Video(path) as video:
        times = [time_s for time_s, _ in video]
    np.testing.assert_allclose(times, np.arange(10) / 25, atol=1e-6)


def test_single_frames(tools, tmp_path):
    stamps = [40 * n + 1_000_000 * (n >= 50) for n in range(100)]
    path = tools.write_stamped(tmp_path / "f.mkv", stamps)
    with Video(path) as video:
        for time_s, number in ((0, 0), (1.99, 49), (1003.0, 75), (0.41, 10)):
            shown = video.at(time_s).bgr()
            assert tools.read_number(shown) == number
        for time_s in (500.0, 1004.1):
            assert video.at(time_s) is None
    late = tools.write_stamped(tmp_path / "l.mkv", [400, 440], sound=(0, 40))
    with Video(late) as video:
        assert tools.read_number(video.at(0.1).bgr()) == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.avi", None, "Received: no such file"),
        ("text.avi", "this is no video", "Received a file of 16 bytes"),
        (
            "list.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nf.ts\n"
            "#EXT-X-ENDLIST\n",
            r"a list of other files \(hls\)",
        ),
        ("list.avi", "ffconcat version 1.0\nfile f.ts\n", r"files \(concat\)"),
    ],
)
def test_not_a_video(tools, tmp_path, name, content, message):
    tools.write_stamped(tmp_path / "f.ts", list(range(0, 1000, 40)))
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(VideoError, match=f"{name}: expected .*{message}"):
        Video(path)


def test_a_codec_that_nobody_knows_is_named(tools, tmp_path):
    path = tmp_path / "f.avi"
    tools.write_film(path, 30, codec="XVID")
    path.write_bytes(path.read_bytes().replace(b"XVID", b"XYZ9"))
    with pytest.raises(VideoError, match=r"XYZ9.*Convert it .* ffmpeg -i FILE"):
        Video(path)


def test_packets_that_give_no_frame(tools, tmp_path):
    path = tmp_path / "f.mkv"
    tools.write_stamped(path, [40 * n for n in range(60)], "libx264")
    content = bytearray(path.read_bytes())
    # What follows the first cluster's header.
    start = content.index(b"\x1f\x43\xb6\x75") + 60
    content[start:] = bytes(len(content) - start)
    path.write_bytes(content)
    with (
        Video(path) as video,
        pytest.raises(VideoError, match=r"f\.mkv: .* not one of which could"),
    ):
        list(video)


def test_packets_in_the_middle_that_give_no_frame(tools, tmp_path, monkeypatch):
    """A hole, not a frame that stays, although the sound goes on."""
    path = tmp_path / "f.mkv"
    sound = tuple(range(0, 60_000, 40))
    stamps = list(range(0, 60_000, 200))
    tools.write_stamped(path, stamps, "libx264", sound=sound)
    decode = Video._decode

    def fail(self, packet):
        return (f for f in decode(self, packet) if not 20_000 < f.pts < 40_000)

    monkeypatch.setattr(Video, "_decode", fail)
    with Video(path) as video:
        shown = numbers(tools, video)
        assert "no frames from 20.04 to 40.0" in video.seen.problems[0]
    assert shown.count(None) == 1


def still(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *(("mpeg4", "avi"), ("libx265", "ts"), ("libx264", "mp4")),
        *(("libvpx-vp9", "webm"), ("mjpeg", "mkv"), ("ffv1", "mkv")),
    ],
)
@pytest.mark.parametrize("gop", [1, 12])
@pytest.mark.parametrize("flat", [False, True])
def test_a_film_of_one_picture_is_believed(
    tools, tmp_path, codec, suffix, flat, gop
):
    picture = np.full((48, 64, 3), 90, np.uint8) if flat else still()
    path = tools.write_stamped(
        tmp_path / f"f.{suffix}",
        [40 * n for n in range(60)],
        codec,
        [picture] * 60,
        gop=gop,
    )
    with Video(path) as video:
        assert len(list(video)) == 60
        assert video.seen.problems == []


def test_alike_frames_of_different_packets_are_not_believed(
    tools, tmp_path, monkeypatch
):
    """A decoder that gives its first frame again and again."""
    frames = [still(n) for n in range(40)]
    path = tools.write_stamped(
        tmp_path / "f.mkv", [40 * n for n in range(40)], "mpeg4", frames
    )
    decode = Video._decode
    first = []

    def stale(self, packet):
        for frame in decode(self, packet):
            if not first:
                first.append(frame.to_ndarray())
            again = type(frame).from_ndarray(first[0], "yuv420p")
            again.pts = frame.pts
            yield again

    monkeypatch.setattr(Video, "_decode", stale)
    for read in (lambda v: list(v), lambda v: v.scan()):
        with (
            Video(path) as video,
            pytest.raises(VideoError, match="Received 40 that are all alike"),
        ):
            read(video)


class Picture:
    """A frame of an array."""

    def __init__(self, array):
        self.array = array

    def bgr(self):
        return self.array


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


@pytest.mark.parametrize("mode", ["stretch", "crop"])
@pytest.mark.parametrize(
    "shape", [(240, 320), (100, 60), (480, 854), (320, 240), (90, 400)]
)
def test_frames_are_resized(shape, mode):
    """Bilinear and RGB; cropped, it keeps the aspect and the centre."""
    frame = gradient(*shape)
    received = resize_frame(Picture(frame), 224, mode)
    assert received.shape == (224, 224, 3)
    assert received.dtype == np.uint8
    size = (224, 224)
    if mode == "crop":
        size = tuple(round(n * 256 / min(shape)) for n in shape)
    top, left = ((n - 224) // 2 for n in size)
    whole = bilinear(frame.astype(float), size)[..., ::-1]
    expected = whole[top : top + 224, left : left + 224]
    np.testing.assert_allclose(received, expected, atol=1.01)


@pytest.mark.parametrize(
    ("name", "frames", "end_s"),
    [
        ("interlaced.mp4", 100, 4.0),
        ("av1.mp4", 150, 6.0),
        ("colon.mp4", 250, 10.0),
        ("cover_first.mkv", 250, 10.0),
        ("cut_by_stream_copy.mp4", 227, 9.08),
        ("timestamps_jump.ts", 250, 1006.0),
    ],
)
@pytest.mark.parametrize("called", ["Part 1: the end", "-50 %d %s", "电影 é"])
def test_cases_under_any_name(shared, tmp_path, name, frames, end_s, called):
    path = tmp_path / f"{called}.{name.rpartition('.')[2]}"
    shutil.copy(shared / "cases" / "videos" / name, path)
    with Video(path) as video:
        pictures = [frame.bgr() for _, frame in video]
        assert len(pictures) == frames
        assert video.end_s == pytest.approx(end_s)
        assert video.seen.tolerance_s == 1.0
        # Some of the cases have pairs of equal frames.
        different = {picture.tobytes() for picture in pictures}
        assert len(different) >= (100 if name[0] == "i" else frames // 2)
        jumps = [Hole(pytest.approx(4.0), pytest.approx(1000.0))]
        assert video.holes == (jumps if name[0] == "t" else [])
    with Video(path) as video:
        video.scan()
        assert video.end_s == pytest.approx(end_s)
