import numpy as np
import pytest

from emotion_mt.corpus import inspect_corpus, summarize


@pytest.fixture
def inspection(writer):
    cues = ((1, 2, "a"), (3, 4.5, "b"), (6, 7, "late"), (8, 9, "later"))
    writer.film("BMI", cues=cues)
    writer.film("CHI", valences=(0.5,))
    writer.film("CRA")
    writer.trace_path("CRA").write_text("0 2 0\n")
    writer.video("BMI")
    return inspect_corpus(writer.root)


def test_counts_per_viewer_and_film(inspection):
    rows = inspection.counts.iloc[:, :5].values.tolist()
    assert rows == [
        ["BMI", "V1", 2, 0, 0],
        ["BMI", "V2", 0, 2, 0],
        ["BMI", "Vavg", 0, 2, 0],
        ["CHI", "V1", 2, 0, 0],
        ["CHI", "V2", 0, 0, 2],
        ["CHI", "Vavg", 2, 0, 0],
    ]
    shares = inspection.counts["positive_share"].to_numpy()
    np.testing.assert_array_equal(shares, [1, 0, 0, 1, np.nan, 1])


def test_films_and_what_was_left_out(inspection):
    films = inspection.films.set_index("movie")
    assert films.loc["BMI", ["found", "used", "left_out"]].tolist() == [4, 2, 2]
    assert films.loc["BMI", "used_s"] == 2.5
    assert films["rated_until_s"].tolist() == [5.0, 5.0]
    assert films["traces"].tolist() == [2, 1]
    assert films["positive_share"].tolist() == [0.0, 1.0]
    assert films.loc["BMI", "video"].endswith("BMI.avi")
    assert films.loc["CHI", "video"] is None
    assert inspection.left_out.values.tolist() == [
        ["BMI", "past the end of the traces (5.00 s)", 2]
    ]


def test_rendered_text_says_it_all(inspection):
    text = inspection.render()
    words = [line.split() for line in text.splitlines()]
    assert "2 movies, 6 segments found, 4 used, 2 left out" in text
    assert "V1, V2, Vavg" in text
    assert ["BMI", "2/0", "0/2", "0/2"] in words
    assert ["CHI", "2/0", "0/0/2", "2/0"] in words
    assert ["all", "4/0", "0/2/2", "2/2"] in words
    assert "BMI: 2 × past the end of the traces" in text
    assert "Without a video:\n  - CHI" in text
    assert "subj1_1_Crash.dat, line 1" in text
    assert "CHI: no trace of V2" in text
    assert "SIMULATED" not in text


def test_any_corpus_can_be_summed_up(small_corpus):
    inspection = summarize(small_corpus.replace(simulated=True))
    rows = inspection.counts.set_index(["movie", "viewer"])
    assert rows.loc[("D", "V2"), "missing"] == 10
    for movie in small_corpus.movies:
        labels = small_corpus.labels[small_corpus.rows([movie])]
        for column, viewer in enumerate(small_corpus.viewers):
            counts = rows.loc[(movie, viewer)]
            assert counts["positive"] == np.nansum(labels[:, column])
            assert counts["missing"] == np.isnan(labels[:, column]).sum()
    assert inspection.films["used"].tolist() == [10] * 4
    assert inspection.left_out.empty
    assert "Corpus small (SIMULATED)" in inspection.render()


def test_one_column_and_videos_everywhere(manifest):
    root = manifest.write(
        segments=["a1,A,0,1,,a.mp4", "a2,A,1,2,,a.mp4"],
        annotations=["a1,Ann,1", "a2,Ann,0"],
    )
    (root / "a.mp4").write_bytes(b"x")
    text = inspect_corpus(root).render()
    assert "1 column of ratings: Ann" in text
    assert "Without a video" not in text
    assert "Left out" not in text
