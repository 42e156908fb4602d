"""Films of many kinds against ffmpeg: the short form of benchmarks/films.py."""

import importlib
import pathlib

import numpy as np
import pytest

pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"

#: One of each container, codec, and kind of each.
NAMES = [
    *("mp4-h264", "mp4-hevc", "mp4-av1", "mkv-mpeg2", "mkv-theora", "mkv-ffv1"),
    *("avi-h264", "avi-mpeg4", "avi-dv", "mov-prores", "mov-mjpeg"),
    *("mpg-mpeg2", "ts-h264", "webm-vp9", "ogv-theora", "mp4-h264-interlaced"),
    *("ts-mpeg2-interlaced", "avi-dv-interlaced", "avi-mpeg4-interlaced"),
    *("mp4-h264-yuv422p", "mkv-h264-yuv422p10le", "mp4-hevc-yuv420p10le"),
    *("mkv-vp9-yuv420p10le", "mp4-h264-full_range", "mov-h264-rotated"),
    *("mkv-h264-variable_rate", "ts-h264-variable_rate", "mp4-h264-cut"),
    *("mkv-h264-cut", "ts-h264-cut", "mp4-h264-late_picture"),
    *("ts-h264-late_picture", "mkv-h264-sound_first", "ts-h264-sound_first"),
    *("mkv-h264-cover", "mp4-h264-two_streams", "mp4-h264-bt709"),
    "ts-h264-23.976",
]


@pytest.fixture(scope="module")
def grid():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("films")


@pytest.mark.parametrize("name", NAMES)
def test_windows_are_what_ffmpeg_shows(grid, tmp_path, name):
    kinds = {str(kind).replace(" ", "_"): kind for kind in grid.kinds()}
    kind = kinds[name]
    path = grid.make(kind, tmp_path)
    found = grid.differences(path, grid.film_stream(kind))
    assert len(found) >= 2
    np.testing.assert_array_less(found, grid.TOLERANCE)
    if name.endswith("h264"):
        # A film that is late by a frame would be noticed.
        late = grid.differences(path, grid.film_stream(kind), shift=1)
        np.testing.assert_array_less(grid.TOLERANCE, late)
