"""Headers that lie about a film's length: believed only if it is true."""

import struct
import time

import cv2
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, VideoError
from emotion_mt.inference.film import cut_film

CONFIG = FeatureConfig()
FRAMES = 50


@pytest.fixture
def write(tmp_path, write_film):
    """Writes two seconds that get lighter."""
    shades = [np.full((48, 64, 3), 4 * i, np.uint8) for i in range(FRAMES)]
    return lambda name, codec: write_film(tmp_path / name, shades, codec)


@pytest.fixture(params=[("MJPG", "avi"), ("XVID", "avi"), ("mp4v", "mp4")])
def film(request, write):
    codec, suffix = request.param
    return write(f"film.{suffix}", codec)


def state(path, frames):
    """Makes the header state another number of frames."""
    data = bytearray(path.read_bytes())
    if path.suffix == ".avi":
        struct.pack_into("<I", data, data.index(b"avih") + 24, frames)
        struct.pack_into("<I", data, data.index(b"strh") + 40, frames)
    else:
        struct.pack_into(">I", data, data.index(b"stts") + 12, frames)
    path.write_bytes(data)
    received = cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)
    assert received == frames


@pytest.mark.parametrize("stated", [FRAMES, 1, 51, 10**9])
def test_a_wrong_header_changes_nothing(film, stated):
    state(film, stated)
    start_s = time.process_time()
    times = cut_film(film, 1.0, CONFIG)
    # At the stated length it would take minutes and gigabytes.
    assert time.process_time() - start_s < 5
    np.testing.assert_allclose(times, [(0, 1), (1, 2)])


def test_a_frame_rate_that_lies(write):
    path = write("slow.avi", "MJPG")
    data = bytearray(path.read_bytes())
    # Units per second and per frame: a frame lasts 130 years.
    struct.pack_into("<II", data, data.index(b"strh") + 28, 2**32 - 1, 1)
    path.write_bytes(data)
    # With None, the film is decoded to find its end.
    for config in (CONFIG, FeatureConfig(fps=None)):
        with pytest.raises(VideoError, match=r"slow\.avi: exp.*1e\+06 s\."):
            cut_film(path, 2.5, config)
        state(path, FRAMES - 1)
