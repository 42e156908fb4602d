import logging

import cv2
import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus import CorpusError
from emotion_mt.features import FeatureConfig, VideoError, model_digest
from emotion_mt.inference import BundleError, Predictor, load_bundle, predictor
from emotion_mt.inference.film import cut_film, film_features
from emotion_mt.inference.prediction import predict_to_folder
from emotion_mt.models import tokenize

TEXT, VISUAL, BOTH = ("text",), ("visual",), ("text", "visual")
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
TEXTS = ["Sea", "Good ship, don't run!"]
TIMES = [(0.0, 0.4), (0.4, 1.2)]
CONFIG = FeatureConfig(window_frames=10, stride_frames=5)


@pytest.fixture
def no_download(monkeypatch):
    """Fails if an I3D is loaded."""

    def load(*_, **__):
        raise AssertionError("an I3D was loaded")

    monkeypatch.setattr(predictor, "load_i3d", load)


def features_of(film, i3d, times):
    return film_features(film, times, i3d, CONFIG, False)[0]


# The film


def expected_feature(i3d, path, first, stop):
    """Windows of ticks first … stop - 1, one by one."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (found := capture.read())[0]:
        small = cv2.resize(found[1], (32, 32), interpolation=cv2.INTER_LINEAR)
        frames.append(small[..., ::-1])
    pooled = []
    for start in range(first, stop - 9, 5):
        window = np.stack(frames[start : start + 10]).astype("float32")
        mixed = i3d(window[None] / 127.5 - 1).numpy()[0]
        pooled.append(mixed.reshape(-1, mixed.shape[-1]).mean(axis=0))
    return np.max(pooled, axis=0)


def test_features_are_those_of_the_windows(film, network):
    """Segments past the end do not lose the others."""
    times = [(7.0, 9.0), (0.4, 1.2), (0.0, 0.4), (0.4, 1.2), (1.2, 9.0)]
    features, problems = film_features(film, times, network, CONFIG, False)
    assert "Received 50 frames, up to 2.00 s" in problems[0]
    assert np.isnan(features[0]).all()
    expected = [
        expected_feature(network, film, first, stop)
        # The last segment ends with the film.
        for first, stop in ((10, 30), (0, 10), (10, 30), (30, 50))
    ]
    np.testing.assert_allclose(features[1:], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("segment_s", "fps", "starts"),
    [
        (0.5, 25, [0, 0.5, 1, 1.5]),
        # A rest of 0.5 s is a segment, one of 0.2 s is less than a window.
        (0.75, 25, [0, 0.75, 1.5]),
        (0.6, 25, [0, 0.6, 1.2]),
        (5.0, 25, [0]),
        (2.0, 25, [0]),
        # Every frame as it comes.
        (1.0, None, [0, 1]),
    ],
)
def test_cut_film(film, segment_s, fps, starts):
    config = FeatureConfig(fps=fps, window_frames=10, stride_frames=5)
    times = cut_film(film, segment_s, config)
    expected = [*zip(starts, [*starts[1:], 2], strict=True)]
    np.testing.assert_allclose(times, expected)


# What is predicted


def test_text_alone(saved, srt, build_model, tokenizer, no_download):
    model = build_model(TEXT)
    tokens = tokenize(tokenizer, TEXTS)
    expected = model.predict({"tokens": tokens}, verbose=0)

    table = Predictor.load(saved(TEXT, model=model)).predict(
        subtitles=srt(*CUES)
    )

    assert list(table) == COLUMNS
    np.testing.assert_array_equal(table[["start_s", "end_s"]], TIMES)
    assert table["text"].tolist() == TEXTS
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    answers = np.where(expected > 0.5, "positive", "negative")
    np.testing.assert_array_equal(table[LABELS], answers)
    assert table.attrs == {
        "viewers": list(VIEWERS),
        "modalities": ["text"],
        "simulated": False,
        "problems": [],
        # "Sea", and "Good ship, don't run" of which the model lacks none.
        "known_words": [int((tokens > 1).sum()), int((tokens > 0).sum())],
    }


def test_what_was_guessed_and_words_that_are_unknown_are_told(saved, srt):
    path = srt(
        ("00,000", "00,400", "Wróć, żółwiu, proszę cię!"),
        ("00,40x", "01,000", "good"),
        ("01,000", "02,000", "sea"),
    )
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1250"))
    predict = Predictor.load(saved(TEXT)).predict
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


def test_video_and_subtitles(saved, srt, film, network, tokenizer, caplog):
    """Bad cues do not lose the others."""
    folder = saved(BOTH)
    inputs = {
        "tokens": tokenize(tokenizer, TEXTS),
        "visual": features_of(film, network, TIMES),
    }
    expected = load_bundle(folder).model.predict(inputs, verbose=0)
    predict = Predictor.load(folder, i3d=network).predict
    table = predict(film, srt(*CUES))
    assert list(table) == COLUMNS
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    assert table.attrs["problems"] == []

    bad = srt(
        ("01,000", "00,900", "ends before it starts"),
        *CUES,
        ("30,000", "31,000", "past the end"),
    )
    with caplog.at_level(logging.WARNING):
        found = predict(film, bad)
    pd.testing.assert_frame_equal(found.iloc[:2], table)
    assert found["text"].tolist() == [*TEXTS, "past the end"]
    assert found[PROBABILITIES].iloc[2].isna().all()
    assert found[LABELS].iloc[2].tolist() == [None, None, None]
    left_out, film_ends, unpredicted = found.attrs["problems"]
    assert left_out == (
        f"{bad}, line 2: left out, cue does not end after its start"
    )
    assert "film.avi: expected frames up to 31.00 s" in film_ends
    assert unpredicted == (
        f"{bad}, line 15: not predicted, the film has no frames at 30.00 s"
    )
    for problem in found.attrs["problems"]:
        assert problem in caplog.text


def test_video_alone_is_cut_or_has_the_times_of_subtitles(
    saved, srt, film, network
):
    folder = saved(VISUAL)
    times = [(0.0, 0.75), (0.75, 1.5), (1.5, 2.0)]
    visual = features_of(film, network, times)
    expected = load_bundle(folder).model.predict({"visual": visual}, verbose=0)

    predict = Predictor.load(folder, i3d=network).predict
    table = predict(film, segment_s=0.75)

    np.testing.assert_allclose(table[["start_s", "end_s"]], times)
    assert table["text"].tolist() == ["", "", ""]
    np.testing.assert_array_equal(table[PROBABILITIES], expected)
    # The film is shorter than the default, 2.5 s.
    np.testing.assert_allclose(predict(film)[["start_s", "end_s"]], [(0, 2)])

    table = predict(film, srt(*CUES))
    assert table["text"].tolist() == TEXTS
    other = predict(film, srt(*[(*c[:2], "other words") for c in CUES]))
    np.testing.assert_array_equal(table[PROBABILITIES], other[PROBABILITIES])


def test_untrained_viewers_are_not_predicted(saved, srt, make_network):
    folder = saved(
        TEXT,
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


def test_files_of_a_prediction_in_which_viewers_are_silent(
    saved, srt, tmp_path
):
    """The rest is in tests/cli."""

    def predict(*untrained):
        bundle = saved(TEXT, untrained_viewers=untrained)
        cues = srt(("01,000", "02,000", "Good"), ("03,000", "04,000", "Bad,=1"))
        return predict_to_folder(tmp_path / "out", bundle, subtitles=cues)

    prediction = predict("anna b.")
    for segment in prediction.to_json()["segments"]:
        assert segment["viewers"]["anna b."] is None
        assert 0 < segment["viewers"]["V1"]["probability"] < 1
    assert "anna b. –" in " ".join(prediction.render().split())
    assert "SIMULATED" not in prediction.render()
    assert "<h1>clip</h1>" in prediction.files["html"].read_text("utf-8")
    table = pd.read_csv(prediction.files["csv"])
    assert table["text"].tolist() == ["Good", "Bad,=1"]
    # Nothing predicted, nothing drawn.
    prediction = predict(*VIEWERS)
    assert list(prediction.files) == ["csv"]
    assert prediction.files["csv"].is_file()


# The I3D


def test_the_i3d_is_loaded_at_the_first_video(
    saved, film, network, make_network, monkeypatch
):
    calls, folder = [], saved(VISUAL)

    def load(**kwargs):
        calls.append(kwargs)
        return network

    monkeypatch.setattr(predictor, "load_i3d", load)
    loaded = Predictor.load(folder)
    assert calls == []
    first = loaded.predict(film, segment_s=1.0)
    second = loaded.predict(film, segment_s=1.0)
    # Its defaults, so that it computes in float32 on every machine.
    assert calls == [{}]
    pd.testing.assert_frame_equal(first, second)

    other = make_network(seed=4)
    monkeypatch.setattr(predictor, "load_i3d", lambda **_: other)
    message = (
        rf"the bundle {folder}: expected the I3D that made the training "
        rf"features, weights digest {model_digest(network)}. Received an I3D "
        rf"with {model_digest(other)}"
    )
    for given in (other, None):
        with pytest.raises(BundleError, match=message):
            Predictor.load(folder, i3d=given).predict(film)


def test_an_unknown_digest_needs_an_i3d(
    saved, film, network, make_network, no_download
):
    folder = saved(VISUAL, weights_digest=None)
    message = r"expected the digest of the I3D.*without `weights_digest`.*give"
    with pytest.raises(BundleError, match=message):
        Predictor.load(folder).predict(film)
    assert len(Predictor.load(folder, i3d=network).predict(film)) == 1
    message = r"an I3D with 64 features.*output shape \(None"
    with pytest.raises(BundleError, match=message):
        Predictor.load(folder, i3d=make_network(features=65))


# What cannot be used


def test_unusable_files_are_named(
    saved, srt, film, network, tmp_path, no_download
):
    text = Predictor.load(saved(TEXT, "text"))
    visual = Predictor.load(saved(VISUAL, "visual"))
    backwards = srt(("02,000", "01,000", "a"), name="backwards.srt")
    late, absent = srt(("08,000", "09,000", "a")), tmp_path / "absent"
    expected = r"backwards\.srt: expected at least one cue.*1, all left out: cu"
    with pytest.raises(ValueError, match=expected):
        text.predict(subtitles=backwards)
    with pytest.raises(CorpusError, match="absent: "):
        text.predict(subtitles=absent)
    for arguments in ((absent,), (absent, late)):
        # Before the I3D is loaded.
        with pytest.raises(VideoError, match=r"absent: .*no such file"):
            visual.predict(*arguments)
    with pytest.raises(VideoError, match=r"clip\.srt: expected a video"):
        visual.predict(late)
    visual = Predictor.load(visual.bundle.folder, i3d=network)
    with pytest.raises(VideoError, match=r"film\.avi: expected frames up to 9"):
        visual.predict(film, late)


@pytest.fixture(scope="module")
def predictors(templates):
    return {kind: Predictor.load(folder) for kind, folder in templates.items()}


LENGTHS = (0, 0.01, -1.0, float("nan"), float("inf"))


@pytest.mark.parametrize(
    ("modalities", "arguments", "message"),
    [
        (
            TEXT,
            ("a.mp4", "a.srt"),
            r"`video` cannot be used: the bundle \S*text has the modalities "
            r"\('text',\) and takes subtitles alone. Received: `video` and "
            r"`subtitles`. A bundle with modalities \('visual',\) \(takes a "
            r"video, with or without subtitles\) or \('text', 'visual'\) "
            r"\(takes a video together with its subtitles\) would do\.$",
        ),
        (TEXT, ("a.mp4",), r"`subtitles` must be given: .*\('visual',\)"),
        (VISUAL, (None, "a.srt"), r"`video` must be given: .*\('text',\)"),
        (BOTH, ("a.mp4",), r"`subtitles` must be given: .*\('visual',\)"),
        (BOTH, (None, "a"), r"`video` must be given: .*`subtitles`.*'text'"),
        *((m, (), r"Received: neither\.$") for m in (TEXT, VISUAL, BOTH)),
        *(
            (VISUAL, ("a.mp4", None, x), rf"`segment_s` must .*: {x}")
            for x in LENGTHS
        ),
        (
            VISUAL,
            ("a.mp4", "a.srt", 2.0),
            r"`segment_s` may be given without `subtitles`.*: 2",
        ),
    ],
)
def test_says_what_is_taken_and_what_would_do(
    predictors, modalities, arguments, message
):
    with pytest.raises(ValueError, match=message):
        predictors[modalities].predict(*arguments)
