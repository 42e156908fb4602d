import pytest

from emotion_mt.inference import Predictor

TEXT, VISUAL, BOTH = ("text",), ("visual",), ("text", "visual")


@pytest.fixture(scope="module")
def predictors(templates):
    return {kind: Predictor.load(folder) for kind, folder in templates.items()}


@pytest.mark.parametrize(
    ("modalities", "video", "subtitles", "message"),
    [
        (
            TEXT,
            "a.mp4",
            "a.srt",
            r"`video` cannot be used: the bundle \S*text has the modalities "
            r"\('text',\) and takes subtitles alone. Received: `video` and "
            r"`subtitles`. A bundle with modalities \('visual',\) \(takes a "
            r"video, with or without subtitles\) or \('text', 'visual'\) "
            r"\(takes a video together with its subtitles\) would do\.$",
        ),
        (TEXT, "a.mp4", None, r"`subtitles` must be given: .*\('visual',\)"),
        (VISUAL, None, "a.srt", r"`video` must be given: .*\('text',\)"),
        (BOTH, "a.mp4", None, r"`subtitles` must be given: .*\('visual',\)"),
        (BOTH, None, "a.srt", r"`video` must be given: .*`subtitles`.*'text'"),
        (TEXT, None, None, r"`subtitles` must.*Received: neither\.$"),
        (VISUAL, None, None, r"`video` must.*Received: neither\.$"),
        (BOTH, None, None, r"Received: neither\.$"),
    ],
)
def test_says_what_is_taken_and_what_would_do(
    predictors, modalities, video, subtitles, message
):
    with pytest.raises(ValueError, match=message):
        predictors[modalities].predict(video, subtitles)


@pytest.mark.parametrize("length", [0, 0.01, -1.0, float("nan"), float("inf")])
def test_impossible_lengths(predictors, length):
    with pytest.raises(ValueError, match=rf"`segment_s` must .*: {length}"):
        predictors[VISUAL].predict("a.mp4", segment_s=length)


def test_a_length_and_subtitles(predictors):
    with pytest.raises(
        ValueError, match=r"`segment_s` may be given without `subtitles`.*: 2"
    ):
        predictors[VISUAL].predict("a.mp4", "a.srt", segment_s=2.0)
