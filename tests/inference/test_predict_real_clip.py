"""The real I3D on the real clip, where both can be had."""

import cv2
import numpy as np
import pytest

from emotion_mt.features import (
    FeatureConfig,
    WeightsError,
    load_i3d,
    model_digest,
)
from emotion_mt.inference import Predictor, plot_timeline, save_bundle
from emotion_mt.models import EvokedEmotionModel, make_tokenizer


@pytest.fixture(scope="module")
def i3d():
    try:
        return load_i3d()
    except WeightsError as error:
        pytest.skip(f"the I3D weights cannot be had: {error}")


def window(path, first):
    """16 frames of a film as they come, in [-1, 1]."""
    capture = cv2.VideoCapture(str(path))
    frames = [capture.read()[1] for _ in range(first + 16)][first:]
    capture.release()
    small = [cv2.resize(f, (224, 224))[..., ::-1] for f in frames]
    return np.stack(small).astype("float32") / 127.5 - 1


def test_clip_and_subtitles(shared, i3d, srt, tmp_path):
    clip = shared / "clips" / "v_GGSY1Qvo990.mp4"
    model = EvokedEmotionModel.multi_task(
        viewers=("V1", "V2", "Vavg"),
        vocabulary_size=5,
        trunk_units=(16,),
        head_units=(8,),
    )
    folder = save_bundle(
        tmp_path / "bundle",
        model,
        tokenizer=make_tokenizer(["you", "can", "lift"]),
        feature_config=FeatureConfig(fps=None),
        weights_digest=model_digest(i3d),
    )
    # Frames 64 to 79 at 19.62 fps; the clip is over at 18.09 s.
    subtitles = srt(
        ("03,262", "04,077", "You can lift it!"), ("59,000", "59,500", "Gone")
    )

    table = Predictor.load(folder, i3d=i3d).predict(clip, subtitles)

    mixed = i3d(window(clip, 64)[None]).numpy()
    inputs = {
        "tokens": np.array([[2, 3, 4, 1] + [0] * 14], "int32"),
        "visual": mixed.mean(axis=(1, 2, 3)),
    }
    columns = [f"{v}_probability" for v in model.viewers]
    np.testing.assert_allclose(
        table[columns].iloc[:1], model.predict(inputs, verbose=0), atol=1e-4
    )
    assert table[columns].iloc[1].isna().all()
    path = plot_timeline(table, tmp_path / "timeline.png")
    assert path.stat().st_size > 5000
