"""COGNIMUSE's real subtitles and intended traces, where they are present."""

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import folds, inspect_corpus

#: Share of positive segments, counted once with another program.
POSITIVE_SHARE = {
    **{"BMI": 0.035, "CHI": 1.000, "CRA": 0.000, "DEP": 0.606},
    **{"FNE": 0.839, "GLA": 0.788, "LOR": 0.183},
}


@pytest.fixture(scope="module")
def inspection(shared):
    return inspect_corpus(shared / "cognimuse", annotation="intended")


def test_known_figures(inspection):
    corpus = inspection.corpus
    assert corpus.viewers == ("Expert",)
    assert inspection.films["found"].sum() == 2696
    assert len(corpus) == 2693
    assert folds(corpus.movies) == paper.FOLDS
    films = inspection.films.set_index("movie")
    assert films["positive_share"].round(3).to_dict() == POSITIVE_SHARE
    assert (inspection.problems, inspection.notes) == ((), ())


def test_texts_are_clean_and_what_is_left_out_lies_past_the_end(inspection):
    texts = inspection.corpus.segments["text"]
    assert texts[0] == "Get in. Hurry."
    assert not texts.str.contains(r"[<>{}\r\n\\]|  ").any()
    assert not texts.str.fullmatch(r"\d+").any()
    assert (texts.str.len() > 0).all()
    left_out = inspection.corpus.left_out
    assert left_out["movie"].tolist() == ["DEP"] * 3
    assert (left_out["start_s"] > 1800.88).all()
    assert set(left_out["reason"]) == {"past the end of the traces (1800.88 s)"}


def test_means_equal_a_plain_loop(inspection, shared):
    corpus = inspection.corpus
    path = shared / "cognimuse" / "DEP" / "emotion" / "intended_1.dat"
    lines = path.read_text().splitlines()
    rows = [[float(x) for x in line.split()] for line in lines]
    time_s, valence = np.array(rows)[:, 0], np.array(rows)[:, 1]
    segments = corpus.segments.iloc[corpus.rows(["DEP"])]
    expected = [
        valence[(time_s >= start) & (time_s <= end)].mean()
        for start, end in zip(
            segments["start_s"], segments["end_s"], strict=True
        )
    ]
    values = corpus.values[corpus.rows(["DEP"]), 0]
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_no_viewers_are_invented(shared, problems_of):
    problems = problems_of(shared / "cognimuse", annotation="experienced")
    assert len(problems) == 7
    assert all("only 1 of the other annotation" in p for p in problems)
