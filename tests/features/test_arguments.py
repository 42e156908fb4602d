import pytest
import tensorflow as tf

from emotion_mt import paper
from emotion_mt.features import (
    FeatureConfig,
    HistogramConfig,
    build_i3d,
    load_i3d,
)


def test_defaults_are_the_papers():
    assert FeatureConfig().as_dict() == {
        "fps": paper.FPS,
        "window_frames": paper.WINDOW_FRAMES,
        "stride_frames": paper.WINDOW_STRIDE_FRAMES,
        "resize": "stretch",
    }


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (FeatureConfig, {"fps": 0}, "`fps` must be positive or None.*: 0"),
        (FeatureConfig, {"fps": float("nan")}, "`fps` must be .*: nan"),
        (FeatureConfig, {"window_frames": 7}, "`window_frames` must be .*: 7"),
        (FeatureConfig, {"stride_frames": 0}, "`stride_frames` must be .*: 0"),
        (FeatureConfig, {"resize": "pad"}, "`resize` must be one .*: 'pad'"),
        (HistogramConfig, {"frames": 7}, "`frames` must be at least 8.*: 7"),
        (HistogramConfig, {"short_side_px": 8}, "`short_side_px` must .*: 8"),
        (build_i3d, {"dtype": "int8"}, "`dtype` must be one of .*: 'int8'"),
        (build_i3d, {"image_size_px": 100}, "`image_size_px` must .*: 100"),
        (build_i3d, {"width": 0}, "`width` must be positive. Received: 0"),
        (load_i3d, {"weights": None, "dtype": "auto"}, "`dtype` must.*'auto'"),
        *(
            (load_i3d, {"weights": what}, f"`weights` must be .*: '{what}'")
            for what in ("/no/where", "kinetics", "a.npz", "a.tar.gz")
        ),
    ],
)
def test_bad_values(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)


@pytest.mark.skipif(
    bool(tf.config.list_physical_devices("GPU")), reason="a GPU is here"
)
def test_float16_needs_a_gpu():
    with pytest.raises(ValueError, match="'float16' needs a GPU"):
        load_i3d(None, dtype="float16")
