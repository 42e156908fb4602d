"""Predictions that leave something out; the rest is in tests/cli."""

import pandas as pd
import pytest

from emotion_mt.inference.prediction import predict_to_folder


@pytest.fixture
def predict(saved, srt, tmp_path):
    """Predicts two cues with a bundle whose `untrained` viewers are silent."""

    def predict(*untrained):
        bundle = saved(("text",), untrained_viewers=untrained)
        cues = srt(("01,000", "02,000", "Good"), ("03,000", "04,000", "Bad,=1"))
        return predict_to_folder(tmp_path / "out", bundle, subtitles=cues)

    return predict


def test_silent_viewers_are_null(predict):
    prediction = predict("anna b.")
    for segment in prediction.to_json()["segments"]:
        assert segment["viewers"]["anna b."] is None
        assert 0 < segment["viewers"]["V1"]["probability"] < 1
    assert "anna b. –" in " ".join(prediction.render().split())
    assert "SIMULATED" not in prediction.render()
    page = prediction.files["html"].read_text("utf-8")
    assert "<h1>clip</h1>" in page
    table = pd.read_csv(prediction.files["csv"])
    assert table["text"].tolist() == ["Good", "Bad,=1"]


def test_nothing_predicted_nothing_drawn(predict):
    prediction = predict("V1", "anna b.", "Vavg")
    assert list(prediction.files) == ["csv"]
    assert prediction.files["csv"].is_file()
