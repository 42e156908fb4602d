import numpy as np
import pytest

from emotion_mt.evaluation.figures.frames import read_frames
from emotion_mt.features.video import Video


def test_frames_are_those_on_the_screen(film):
    times_s = [0.0, 1.0, 3.52, 0.4, 5.9]
    levels = [frame.mean() for frame in read_frames(film, times_s)]
    np.testing.assert_allclose(levels, [25 * t // 1 for t in times_s], atol=1.5)
    assert read_frames(film, [1.0])[0].shape == (36, 64, 3)


def test_frames_that_are_not_there_are_none(tmp_path, film):
    assert read_frames(film, [2.0, 600.0])[1] is None
    assert read_frames(tmp_path / "no.avi", [0.0, 1.0]) == [None, None]
    broken = tmp_path / "broken.avi"
    broken.write_bytes(b"not a film")
    assert read_frames(broken, [0.0]) == [None]


@pytest.mark.parametrize("time_s", [0.0, 4.2, 11.7])
def test_real_clip_gives_the_frame_that_decoding_in_order_gives(shared, time_s):
    path = shared / "clips" / "v_GGSY1Qvo990.mp4"
    with Video(path) as video:
        shown = [frame for stamp_s, frame in video if stamp_s <= time_s + 1e-3]
    expected = shown[-1].bgr()[..., ::-1]
    (found,) = read_frames(path, [time_s])
    np.testing.assert_array_equal(found, expected)
