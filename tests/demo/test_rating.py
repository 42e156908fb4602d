"""What a visitor says of segments, without a browser."""

import base64
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus.ratings import read_ratings, values_of_segments
from emotion_mt.demo import Limits
from emotion_mt.demo.prediction import predict
from emotion_mt.inference import Predictor


@pytest.fixture
def make_clip(make_predictor, tmp_path):
    """Predicts subtitles with so many cues of a second each."""

    def make(count, **options):
        path = tmp_path / "my clip.srt"
        words = ("good", "sea <b>x</b>", "good good", "other")
        path.write_text(
            "\n".join(
                f"{i + 1}\n00:00:{2 * i:02},000 --> 00:00:{2 * i + 1:02},000\n"
                f"{words[i % 4]} {i}\n"
                for i in range(count)
            )
        )
        predictor = make_predictor("text", **options)
        return predict(predictor, None, path, None, Limits())

    return make


def rate(clip, *values):
    for value in values:
        clip = clip.answer(value)
    return clip


def test_segments_that_are_asked_lie_far_apart(make_clip):
    clip = make_clip(9)
    asked = []
    while clip.asked is not None:
        asked.append(clip.asked)
        clip = clip.answer(np.nan)
    # The middle, the ends, between them; each once.
    assert asked[0] == 4
    assert sorted(asked[1:3]) == [0, 8]
    assert sorted(asked[3:5]) == [2, 6]
    assert sorted(asked) == list(range(9))
    assert "You have been asked about all 9 segments" in clip.panel()
    assert clip.answer(1.0) is clip


def test_you_come_after_five_ratings_and_follow_each(make_clip):
    clip = rate(make_clip(12), 1.0, -1.0, np.nan, 1.0, -1.0)
    assert "Ratings: 4. From 5 on" in clip.panel()
    assert ">You<" not in clip.timeline()
    clip = rate(clip, -1.0)
    assert "rests on 5 ratings, 2 good and 3 bad. 5 ratings" in clip.panel()
    assert clip.timeline() != clip.answer(1.0).timeline()
    assert ">You<" in clip.timeline()
    assert "rests on 6 ratings, 3 good" in clip.answer(1.0).panel()
    # Undone, it is as before.
    back = clip.answer(1.0).back()
    assert back.fit == clip.fit
    assert back.asked == clip.asked
    assert clip.back().back().asked == rate(make_clip(12), 1, -1, 1, 1).asked


def test_one_sided_ratings_are_told(make_clip):
    clip = rate(make_clip(12), *(6 * [1.0]))
    assert "All 6 ratings are positive" in clip.panel()


def test_too_few_segments_and_untold_segments(make_clip):
    assert "at least 5 segments; this one has 4" in make_clip(4).panel()


def test_words_are_escaped(make_clip, make_predictor, tmp_path):
    path = tmp_path / "evil.srt"
    evil = "&lt;script&gt;x&lt;/script&gt;"
    path.write_text(
        "\n".join(
            f"{i + 1}\n00:00:{2 * i:02},000 --> 00:00:{2 * i + 1:02},000\n"
            f"{evil}\n"
            for i in range(6)
        )
    )
    clip = predict(make_predictor("text"), None, path, None, Limits())
    panel = rate(clip, *(5 * [1.0])).panel()
    assert evil in panel
    assert "<script" not in panel


def test_ratings_are_what_the_command_line_reads(make_clip, tmp_path):
    clip = rate(make_clip(12), 1.0, -1.0, np.nan, 1.0, -1.0, -1.0)
    name, content = re.search(
        r'download="(.*?)" href="data:text/csv;charset=utf-8;base64,(.*?)"',
        clip.panel(),
    ).groups()
    assert name == "my clip_ratings.csv"
    path = tmp_path / name
    path.write_bytes(base64.b64decode(content))
    table = clip.table
    values, lost = values_of_segments(
        read_ratings(path, "You"), table["start_s"], table["end_s"]
    )
    assert not lost.any()
    expected = pd.Series(dict(clip.answers)).reindex(table.index)
    np.testing.assert_array_equal(values, expected)


def test_saved_model_answers_as_the_page_does(make_clip, tmp_path):
    clip = rate(make_clip(12, simulated=True), 1.0, -1.0, 1.0, -1.0, 1.0)
    path = clip.save(str(tmp_path))
    assert path.endswith("my clip_with_you_SIMULATED.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out" / "my clip_with_you_SIMULATED"
    after = Predictor.load(folder).predict(None, tmp_path / "my clip.srt")
    known = clip.table.filter(like="_probability").to_numpy()
    np.testing.assert_allclose(
        after["You_probability"], clip.fit.probabilities(known), atol=1e-5
    )
    # Where it is served again, the line is that of the new ratings.
    assert "You" in after.attrs["added"]
