"""A clip and ratings of it to a bundle that knows one viewer more."""

import numpy as np
import pytest

from emotion_mt.inference import Predictor, load_bundle
from emotion_mt.inference.rated_clip import add_rated_viewer
from emotion_mt.models import BaselineTextModel

WORDS = ["good", "don't", "ship", "straße", "run", "sea"]


@pytest.fixture
def subtitles(srt):
    """Twelve cues of two words."""
    return srt(
        *(
            (f"{4 * i:02}.000", f"{4 * i + 3:02}.000", f"{WORDS[i % 6]} {word}")
            for i, word in enumerate(2 * WORDS)
        )
    )


@pytest.fixture
def rate(tmp_path):
    """Writes ratings of some cues, 1 or -1 each."""

    def rate(*rated):
        path = tmp_path / "my.csv"
        lines = [f"{4 * i},{4 * i + 3},{value}" for i, value in rated]
        path.write_text("\n".join(["start_s,end_s,value", *lines]))
        return path

    return rate


SIDES = [(i, 1 if i % 3 else -1) for i in range(10)]


def test_bundle_answers_for_the_viewer_too(saved, subtitles, rate, tmp_path):
    bundle = saved(("text",))
    added = add_rated_viewer(
        tmp_path / "mine",
        bundle,
        rate(*SIDES),
        name="Ann",
        subtitles=subtitles,
        progress=False,
    )
    assert (added.fit.positive, added.fit.negative) == (6, 4)
    assert added.problems == ()
    before = Predictor.load(bundle).predict(None, subtitles)
    after = Predictor.load(tmp_path / "mine").predict(None, subtitles)
    assert after.attrs["viewers"] == [*before.attrs["viewers"], "Ann"]
    # The others answer to the bit as before.
    assert after[list(before)].equals(before)
    known = before.filter(like="_probability").to_numpy()
    np.testing.assert_allclose(
        after["Ann_probability"], added.fit.probabilities(known), atol=1e-5
    )
    told = added.render()
    assert "Ann: rests on 10 rated segments, 6 positive, 4" in told
    assert "10 ratings are few" in told
    assert added.to_json()["positive"] == 6


def test_what_cannot_be_used_is_named(saved, subtitles, rate, tmp_path):
    bundle = saved(("text", "visual"))
    network_free = saved(("text",), "other")
    ratings = rate(*SIDES, (30, 1), (31, -1))
    added = add_rated_viewer(
        tmp_path / "mine", network_free, ratings, subtitles=subtitles
    )
    (problem,) = added.problems
    assert "line 12, " in problem
    assert "line 13: no segment of the clip there" in problem
    with pytest.raises(ValueError, match=r"Received 1 ratings, none of a segm"):
        add_rated_viewer(
            tmp_path / "x", network_free, rate((40, 1)), subtitles=subtitles
        )
    with pytest.raises(ValueError, match="`video` must be given"):
        add_rated_viewer(tmp_path / "x", bundle, ratings, subtitles=subtitles)
    baseline = saved(("text",), "b", model=BaselineTextModel(("V1",), 8, 9))
    with pytest.raises(ValueError, match=r"an EvokedEmotionModel.*BaselineT"):
        add_rated_viewer(tmp_path / "x", baseline, ratings, subtitles=subtitles)
    assert not (tmp_path / "x").exists()


def test_names(saved, subtitles, rate, tmp_path):
    bundle = saved(("text",))
    with pytest.raises(ValueError, match=r"`name` must not be that of a vie"):
        add_rated_viewer(
            tmp_path / "x", bundle, rate(*SIDES), name="V1", subtitles=subtitles
        )
    # One who was added before is replaced, in the same folder too.
    for ratings in (SIDES, SIDES[:6]):
        add_rated_viewer(bundle, bundle, rate(*ratings), subtitles=subtitles)
    assert dict(load_bundle(bundle).model.added) == {"You": [4, 2]}
