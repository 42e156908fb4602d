import numpy as np
import pytest

from emotion_mt.corpus import load_corpus


def test_segment_means_per_viewer_and_their_average(writer):
    # Samples at 1.0, 1.5, 2.0 s and at 3.0, 3.5, 4.0 s.
    writer.subtitles("BMI")
    writer.trace("BMI", lambda t: t / 10, subject=1, arousal=0.5)
    writer.trace("BMI", lambda t: -t / 5, subject=2)
    corpus = load_corpus(writer.root)
    assert corpus.viewers == ("V1", "V2", "Vavg")
    assert corpus.values.dtype == np.float32
    expected = [[0.15, -0.3, -0.075], [0.35, -0.7, -0.175]]
    np.testing.assert_allclose(corpus.values, expected, atol=1e-7)
    assert corpus.labels.tolist() == [[1, 0, 0], [1, 0, 0]]
    assert corpus.segments["segment_id"].tolist() == ["BMI_0001", "BMI_0002"]
    assert corpus.segments["text"].tolist() == ["One", "Two"]
    assert corpus.segments["video"].tolist() == [None, None]
    assert (corpus.name, corpus.simulated) == ("films", False)
    assert (corpus.problems, corpus.ceiling) == ((), None)
    arousal = load_corpus(writer.root, dimension="arousal")
    assert arousal.values[:, 0].tolist() == [0.5, 0.5]
    assert arousal.dimension == "arousal"


def test_passes_of_a_viewer_are_averaged_also_where_one_is_shorter(writer):
    writer.subtitles("BMI")
    writer.trace("BMI", 0.8, take=1)
    writer.trace("BMI", -0.2, take=2, end_s=2.5)
    # The average weighs viewers alike, however often they rated.
    writer.trace("BMI", -0.5, subject=10, end_s=2.5)
    corpus = load_corpus(writer.root)
    assert corpus.viewers == ("V1", "V10", "Vavg")
    expected = [[0.3, -0.5, -0.1], [0.8, np.nan, 0.8]]
    np.testing.assert_allclose(corpus.values, expected, atol=1e-7)
    assert corpus.sources["traces"].tolist() == [3]
    assert corpus.sources["rated_until_s"].tolist() == [5.0]
    assert corpus.left_out.empty


def test_intended_is_one_expert_without_average(writer):
    writer.film("BMI")
    for take, valence in enumerate((0.6, -0.2, -0.1), 1):
        writer.intended("BMI", valence, take=take)
    corpus = load_corpus(writer.root, annotation="intended")
    assert (corpus.viewers, corpus.annotation) == (("Expert",), "intended")
    np.testing.assert_allclose(corpus.values, [[0.1], [0.1]], rtol=1e-6)


def test_segments_without_samples_are_left_out_with_the_reason(writer):
    cues = (
        (1.1, 1.3, "between two samples"),
        (3.0, 4.0, "used"),
        (4.8, 9.0, "runs past the end"),
        (4.0, 3.5, "backwards"),
        (6.0, 7.0, "past the end"),
    )
    writer.film("BMI", cues=cues)
    corpus = load_corpus(writer.root)
    assert corpus.segments["text"].tolist() == ["used", "runs past the end"]
    left_out = corpus.left_out[["segment_id", "movie", "start_s", "reason"]]
    assert left_out.values.tolist() == [
        ["BMI_0004", "BMI", 4.0, "cue does not end after its start"],
        ["BMI_0001", "BMI", 1.1, "no trace has a sample in it"],
        ["BMI_0005", "BMI", 6.0, "past the end of the traces (5.00 s)"],
    ]


def test_segments_are_in_order_of_time_within_the_papers_order(writer):
    writer.film("LOR", cues=((3, 4, "b"), (1, 2, "a")))
    writer.film("ABE")
    writer.film("CHI")
    corpus = load_corpus(writer.root)
    assert corpus.movies == ("CHI", "LOR", "ABE")
    lor = corpus.segments[corpus.segments["movie"] == "LOR"]
    assert lor["text"].tolist() == ["a", "b"]
    assert lor["segment_id"].tolist() == ["LOR_0002", "LOR_0001"]
    assert corpus.segments.index.tolist() == list(range(6))


def test_all_problems_are_listed_and_skip_keeps_the_good_films(
    writer, problems_of
):
    for film in ("BMI", "CHI", "CRA", "DEP", "FNE", "LOR"):
        writer.film(film)
    writer.trace_path("BMI", 1).write_text("0 x 0\n")
    writer.trace_path("BMI", 2).write_text("0 2 0\n")
    writer.subtitles("CHI").write_text("")
    writer.subtitles("CRA").unlink()
    writer.video("DEP", content=b"")
    writer.subtitles("LOR", ((100, 101, "late"), (2, 1, "backwards")))
    problems = problems_of(writer.root)
    expected = [
        "subj1_1_BeautifulMind.dat, line 1: expected 3",
        "subj2_1_BeautifulMind.dat, line 1: expected valence",
        "subtitle.srt: expected subtitles",
        "CRA: expected a subtitle file, such as CRA.srt or CRA/text/subtitle",
        "DEP.avi: expected a video. Received an empty file",
        "with 2 cues, none of which can be used",
    ]
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem
    corpus = load_corpus(writer.root, on_problem="skip")
    assert (corpus.movies, corpus.problems) == (("FNE",), problems)


def test_traces_that_are_missing_or_of_no_film_are_problems(
    writer, problems_of
):
    writer.film("BMI", valences=())
    writer.intended("BMI", 0.5)
    writer.subtitles("CHI")
    for subject in (1, 2):
        path = writer.trace_path("BMI").with_name(f"subj{subject}_1_Matrix.dat")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0 0 0\n")
    (writer.root / "intended_1.dat").write_text("0 0 0\n")
    problems = problems_of(writer.root)
    for part in (
        "BMI: expected experienced traces, such as subj1_1_BeautifulMind.dat. "
        "Received only 1 of the other annotation ('intended')",
        "CHI: expected experienced traces, such as subj1_1_Chicago.dat. "
        "Received none",
        "subj1_1_Matrix.dat: expected the name of a known movie",
        "Received 'Matrix' (in 2 trace files)",
        "Received none in file and folders",
    ):
        assert sum(part in problem for problem in problems) == 1
    assert len(problems) == 4
    corpus = load_corpus(writer.root, annotation="intended", movies=["BMI"])
    assert corpus.movies == ("BMI",)


def test_what_stops_nothing_is_noted(writer, problems_of):
    writer.film("BMI")
    # A film beyond the paper's, without subtitles.
    writer.trace("ABE", 0.5)
    (writer.root / "holiday.mp4").write_bytes(b"x")
    corpus = load_corpus(writer.root)
    assert corpus.movies == ("BMI",)
    unknown, unused = corpus.notes
    assert "1 subtitle or video files belong to no known movie" in unknown
    assert "holiday.mp4" in unknown
    assert unused.startswith("ABE: not used; no subtitle file")
    (problem,) = problems_of(writer.root, movies=["BMI", "ABE"])
    assert "ABE: expected a subtitle file" in problem


def test_films_can_be_chosen(writer, problems_of):
    for film in ("BMI", "CHI", "CRA"):
        writer.film(film)
    writer.trace_path("CHI", 1).write_text("broken\n")
    corpus = load_corpus(writer.root, movies=("CRA", "BMI"))
    assert corpus.movies == ("CRA", "BMI")
    with pytest.raises(ValueError, match=r"`movies` must be among .*'XYZ'"):
        load_corpus(writer.root, movies=("BMI", "XYZ"))
    problem = problems_of(writer.root, movies=("LOR",))[0]
    assert "LOR: expected experienced traces" in problem


# --- Traces that do not fit the subtitles -------------------------------------

LONG = tuple((10.0 * i, 10.0 * i + 2, f"cue {i}") for i in range(60))


def _trace_in(path, unit, step_s, until_s):
    times = np.arange(0, until_s, step_s)
    path.write_text("".join(f"{t * unit:.6f} 0.5 0\n" for t in times))


@pytest.mark.parametrize(
    ("unit", "steps_s", "looks_like"),
    [
        (1000, (0.04, 1), "milliseconds or frames"),
        (25, (0.04,), "milliseconds or frames"),
        (1 / 60, (0.04, 1), "minutes"),
        (1, (0.04, 1, 20), None),
    ],
)
def test_times_in_another_unit_are_refused(
    writer, problems_of, unit, steps_s, looks_like
):
    writer.film("BMI", valences=(0.5,), cues=LONG)
    path = writer.trace_path("BMI")
    for step_s in steps_s:
        _trace_in(path, unit, step_s, 600)
        if looks_like is None:
            assert load_corpus(writer.root).movies == ("BMI",)
            continue
        problem = problems_of(writer.root)[0]
        assert problem.startswith(f"{path}: expected times in seconds, as thos")
        assert "subtitles, which end at 592.00 s" in problem
        assert problem.endswith(f"which look like {looks_like}")


def test_a_trace_that_covers_less_than_half_of_the_cues_is_named(writer):
    writer.film("BMI", valences=(0.5, -0.5), cues=LONG)
    _trace_in(writer.trace_path("BMI", 1), 1, 0.04, 600)
    path = writer.trace_path("BMI", 2)
    _trace_in(path, 1, 0.04, 285)
    corpus = load_corpus(writer.root)
    assert len(corpus) == 60
    said = f"{path}: covers 29 of 60 cues, from 0.00 to 284.96 s"
    assert corpus.notes == (said,)


def test_traces_as_tables_on_another_scale(writer, problems_of):
    writer.film("BMI", valences=(0.5,), cues=((1, 2, "a"), (3, 4, "b")))
    path = writer.trace_path("BMI")
    path = path.rename(path.with_suffix(".csv"))
    path.write_text("Time;Valence\n1,5;7\n3,5;5\n")
    corpus = load_corpus(writer.root, scale=(1, 9))
    assert corpus.values.tolist() == [[0.5], [0.0]]
    (problem,) = problems_of(writer.root, dimension="arousal", scale=(1, 9))
    assert problem == f"{path}: expected a column arousal. Received none"


def test_bad_cues_of_a_movie_are_noted_with_their_line(writer):
    writer.film("BMI")
    path = writer.subtitles("BMI")
    path.write_text(path.read_text().replace("00:00:01,000", "00:00:61,000"))
    corpus = load_corpus(writer.root)
    assert corpus.segments["text"].tolist() == ["Two"]
    assert corpus.left_out["reason"].tolist() == ["its times cannot be read"]
    (note,) = corpus.notes
    assert note.startswith(f"{path}, line 2: left out, expected a cue such as")


def test_encoding_is_for_files_that_are_not_unicode(writer):
    for movie in ("BMI", "CHI", "CRA"):
        writer.film(movie)
    words = "Žluťoučký kůň"
    for movie, encoding in (("BMI", "cp1250"), ("CHI", "utf-8")):
        path = writer.subtitles(movie)
        text = path.read_text().replace("One", words)
        path.write_bytes(text.encode(encoding))
    corpus = load_corpus(writer.root, encoding="cp1250")
    texts = [words, "Two", words, "Two", "One", "Two"]
    assert corpus.segments["text"].tolist() == texts
    assert corpus.sources["encoding"].tolist() == ["cp1250", "utf-8", "cp1250"]
    assert corpus.notes == ()
