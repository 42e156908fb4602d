import pytest

from emotion_mt import paper
from emotion_mt.features import FeatureConfig


def test_defaults_are_the_papers():
    assert FeatureConfig().as_dict() == {
        "fps": paper.FPS,
        "window_frames": paper.WINDOW_FRAMES,
        "stride_frames": paper.WINDOW_STRIDE_FRAMES,
        "resize": "stretch",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fps": 0}, "`fps` must be positive or None. Received: 0"),
        ({"fps": float("nan")}, "`fps` must be .* Received: nan"),
        ({"window_frames": 7}, "`window_frames` must be .* Received: 7"),
        ({"stride_frames": 0}, "`stride_frames` must be .* Received: 0"),
        ({"resize": "pad"}, "`resize` must be one of .* Received: 'pad'"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureConfig(**arguments)
