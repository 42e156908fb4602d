"""Predictions that leave something out; the rest is in tests/cli."""

import pandas as pd
import pytest

from emotion_mt.inference import save_bundle
from emotion_mt.inference.prediction import predict_to_folder
from emotion_mt.models import EvokedEmotionModel, make_tokenizer


@pytest.fixture
def predict(tmp_path):
    """Predicts two cues with a bundle whose `untrained` viewers are silent."""

    def predict(untrained):
        model = EvokedEmotionModel(
            viewers=("V1", "V2"),
            modalities=("text",),
            vocabulary_size=4,
            trunk_units=(4,),
            head_units=(3,),
            embedding_dim=4,
            text_filters=3,
            text_widths=(2,),
        )
        bundle = save_bundle(
            tmp_path / "b",
            model,
            tokenizer=make_tokenizer(["good", "bad"]),
            untrained_viewers=untrained,
        )
        (tmp_path / "clip.srt").write_text(
            "1\n00:00:01,000 --> 00:00:02,000\nGood\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nBad, =1+1\n"
        )
        return predict_to_folder(
            tmp_path / "out", bundle, subtitles=tmp_path / "clip.srt"
        )

    return predict


def test_silent_viewers_are_null(predict):
    prediction = predict(["V2"])
    for segment in prediction.to_json()["segments"]:
        assert segment["viewers"]["V2"] is None
        assert 0 < segment["viewers"]["V1"]["probability"] < 1
    assert "V2      –" in prediction.render()
    assert "SIMULATED" not in prediction.render()
    page = prediction.files["html"].read_text("utf-8")
    assert "<h1>clip</h1>" in page
    table = pd.read_csv(prediction.files["csv"])
    assert table["text"].tolist() == ["Good", "Bad, =1+1"]


def test_nothing_predicted_nothing_drawn(predict):
    prediction = predict(["V1", "V2"])
    assert list(prediction.files) == ["csv"]
    assert prediction.files["csv"].is_file()
