import logging

import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus import CorpusError
from emotion_mt.features import VideoError, model_digest
from emotion_mt.inference import BundleError, Predictor, load_bundle, predictor
from emotion_mt.inference.film import film_features
from emotion_mt.models import tokenize

VIEWERS = ("V1", "anna b.", "Vavg")
PROBABILITIES = [f"{viewer}_probability" for viewer in VIEWERS]
LABELS = [f"{viewer}_label" for viewer in VIEWERS]
COLUMNS = [
    *("start_s", "end_s", "text"),
    *("V1_probability", "V1_label"),
    *("anna b._probability", "anna b._label"),
    *("Vavg_probability", "Vavg_label"),
]
CUES = (
    ("00,400", "01,200", "<i>Good</i> ship,\ndon't run!"),
    ("00,000", "00,400", "Sea"),
)


@pytest.fixture
def no_download(monkeypatch):
    """Fails if an I3D is loaded."""

    def load(*_, **__):
        raise AssertionError("an I3D was loaded")

    monkeypatch.setattr(predictor, "load_i3d", load)


def features_of(film, bundle, i3d, times):
    return film_features(film, times, i3d, bundle.feature_config, False)[0]


def labels_of(probabilities):
    return np.where(probabilities > 0.5, "positive", "negative").tolist()


def test_text_alone(saved, srt, build_model, tokenizer, no_download):
    model = build_model(("text",))
    texts = ["Sea", "Good ship, don't run!"]
    tokens = tokenize(tokenizer, texts)
    expected = model.predict({"tokens": tokens}, verbose=0)

    table = Predictor.load(saved(("text",), model=model)).predict(
        subtitles=srt(*CUES)
    )

    assert list(table) == COLUMNS
    assert table["start_s"].tolist() == [0.0, 0.4]
    assert table["end_s"].tolist() == [0.4, 1.2]
    assert table["text"].tolist() == texts
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    assert table[LABELS].to_numpy().tolist() == labels_of(expected)
    assert table.attrs == {
        "viewers": list(VIEWERS),
        "modalities": ["text"],
        "simulated": False,
        "problems": [],
        # "Sea", and "Good ship, don't run" of which WORDS lacks none.
        "known_words": [int((tokens > 1).sum()), int((tokens > 0).sum())],
    }


def test_what_was_guessed_and_words_that_are_unknown_are_told(saved, srt):
    path = srt(
        ("00,000", "00,400", "Wróć, żółwiu, proszę cię!"),
        ("00,40x", "01,000", "good"),
        ("01,000", "02,000", "sea"),
    )
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1250"))
    predict = Predictor.load(saved(("text",))).predict
    table = predict(subtitles=path)
    assert table["text"].tolist() == ["Wróć, żółwiu, proszę cię!", "sea"]
    assert table.attrs["known_words"] == [1, 5]
    guessed, bad, unknown = table.attrs["problems"]
    assert guessed == f"{path}: not UTF-8, read as cp1250 (guessed)"
    assert bad.startswith(f"{path}, line 6: left out, expected a cue such as")
    assert unknown.startswith("The model knows 1 of 5 words of the subtitles")
    given = predict(subtitles=path, encoding="cp1250")
    pd.testing.assert_frame_equal(given, table)
    assert given.attrs["problems"] == [bad, unknown]


def test_video_and_subtitles(saved, srt, film, network, tokenizer):
    folder = saved(("text", "visual"))
    bundle = load_bundle(folder)
    inputs = {
        "tokens": tokenize(tokenizer, ["Sea", "Good ship, don't run!"]),
        "visual": features_of(film, bundle, network, [(0.0, 0.4), (0.4, 1.2)]),
    }
    expected = bundle.model.predict(inputs, verbose=0)

    table = Predictor.load(folder, i3d=network).predict(film, srt(*CUES))

    assert list(table) == COLUMNS
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    assert table.attrs["problems"] == []


def test_video_alone_is_cut(saved, film, network):
    folder = saved(("visual",))
    bundle = load_bundle(folder)
    times = [(0.0, 0.75), (0.75, 1.5), (1.5, 2.0)]
    visual = features_of(film, bundle, network, times)
    expected = bundle.model.predict({"visual": visual}, verbose=0)

    predict = Predictor.load(folder, i3d=network).predict
    table = predict(film, segment_s=0.75)

    np.testing.assert_allclose(table[["start_s", "end_s"]], times)
    assert table["text"].tolist() == ["", "", ""]
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    # The film is shorter than the default, 2.5 s.
    np.testing.assert_allclose(predict(film)[["start_s", "end_s"]], [(0, 2)])


def test_a_visual_model_takes_subtitles_for_their_times(
    saved, srt, film, network
):
    predict = Predictor.load(saved(("visual",)), i3d=network).predict

    table = predict(film, srt(*CUES))
    other = predict(film, srt(*[(*c[:2], "other words") for c in CUES]))

    assert table["text"].tolist() == ["Sea", "Good ship, don't run!"]
    np.testing.assert_array_equal(table[PROBABILITIES], other[PROBABILITIES])


def test_bad_cues_do_not_lose_the_others(saved, srt, film, network, caplog):
    good = srt(*CUES, name="good.srt")
    bad = srt(
        ("01,000", "00,900", "ends before it starts"),
        *CUES,
        ("30,000", "31,000", "past the end"),
    )
    predict = Predictor.load(saved(("text", "visual")), i3d=network).predict
    expected = predict(film, good)

    with caplog.at_level(logging.WARNING):
        table = predict(film, bad)

    pd.testing.assert_frame_equal(table.iloc[:2], expected)
    assert len(table) == 3
    assert table["text"][2] == "past the end"
    assert table[PROBABILITIES].iloc[2].isna().all()
    assert table[LABELS].iloc[2].tolist() == [None, None, None]
    left_out, film_ends, unpredicted = table.attrs["problems"]
    assert left_out == (
        f"{bad}, line 2: left out, cue does not end after its start"
    )
    assert "film.avi: expected frames up to 31.00 s" in film_ends
    assert unpredicted == (
        f"{bad}, line 15: not predicted, the film has no frames at 30.00 s"
    )
    for problem in table.attrs["problems"]:
        assert problem in caplog.text


def test_untrained_viewers_are_not_predicted(saved, srt, make_network):
    folder = saved(
        ("text",),
        untrained_viewers=("anna b.",),
        training={"corpus": {"simulated": True}},
    )

    # It does not mind an I3D, whatever it is.
    i3d = make_network(features=65)
    table = Predictor.load(folder, i3d=i3d).predict(subtitles=srt(*CUES))

    assert table["anna b._probability"].isna().all()
    assert table["anna b._label"].tolist() == [None, None]
    others = [p for p in PROBABILITIES if not p.startswith("anna")]
    assert table[others].notna().all(axis=None)
    assert table.attrs["simulated"]


def test_the_i3d_is_loaded_at_the_first_video(
    saved, srt, film, network, monkeypatch
):
    calls = []

    def load(**kwargs):
        calls.append(kwargs)
        return network

    monkeypatch.setattr(predictor, "load_i3d", load)
    loaded = Predictor.load(saved(("visual",)))
    assert calls == []

    first = loaded.predict(film, segment_s=1.0)
    second = loaded.predict(film, segment_s=1.0)

    # Its defaults, so that it computes in float32 on every machine.
    assert calls == [{}]
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("given", [True, False])
def test_another_i3d_is_refused(
    saved, film, network, make_network, monkeypatch, given
):
    other = make_network(seed=4)
    folder = saved(("visual",))
    monkeypatch.setattr(predictor, "load_i3d", lambda **_: other)

    with pytest.raises(
        BundleError,
        match=rf"the bundle {folder}: expected the I3D that made the training "
        rf"features, weights digest {model_digest(network)}. Received an I3D "
        rf"with {model_digest(other)}",
    ):
        Predictor.load(folder, i3d=other if given else None).predict(film)


def test_an_unknown_digest_needs_an_i3d(
    saved, film, network, make_network, no_download
):
    folder = saved(("visual",), weights_digest=None)

    with pytest.raises(
        BundleError,
        match=r"expected the digest of the I3D.*without `weights_digest`.*give",
    ):
        Predictor.load(folder).predict(film)

    assert len(Predictor.load(folder, i3d=network).predict(film)) == 1
    with pytest.raises(
        BundleError, match=r"an I3D with 64 features.*output shape \(None"
    ):
        Predictor.load(folder, i3d=make_network(features=65))


def test_unusable_files_are_named(saved, srt, film, tmp_path, no_download):
    text = Predictor.load(saved(("text",), "text"))
    visual = Predictor.load(saved(("visual",), "visual"))
    backwards = srt(("02,000", "01,000", "a"), name="backwards.srt")
    absent = tmp_path / "absent"

    expected = r"backwards\.srt: expected at least one cue.*1, all left out: cu"
    with pytest.raises(ValueError, match=expected):
        text.predict(subtitles=backwards)
    with pytest.raises(CorpusError, match="absent: "):
        text.predict(subtitles=absent)
    for arguments in ((absent,), (absent, srt(*CUES))):
        # Before the I3D is loaded.
        with pytest.raises(VideoError, match=r"absent: .*no such file"):
            visual.predict(*arguments)
    with pytest.raises(VideoError, match=r"clip\.srt: expected a video"):
        visual.predict(srt(*CUES))
