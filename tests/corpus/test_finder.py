"""Where COGNIMUSE's files are found, and which are taken."""

import pytest

from emotion_mt.corpus import load_corpus


def _place(writer, source, *parts):
    path = writer.root.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return source.rename(path)


def test_names_count_more_than_folders_and_the_nearest_folder_most(writer):
    writer.film("CRA", valences=(0.5,))
    writer.film("FNE", valences=(0.5,))
    _place(writer, writer.trace_path("CRA"), "GLA", "subj1_1_Crash.dat")
    _place(writer, writer.trace_path("FNE"), "GLA", "FNE", "subj1_1.dat")
    video = _place(writer, writer.video("FNE"), "GLA", "FNE", "video.mp4")
    first_word = _place(writer, writer.video("CRA"), "GLA", "CRA_cut.mkv")
    corpus = load_corpus(writer.root)
    assert corpus.movies == ("CRA", "FNE")
    assert corpus.sources["video"].tolist() == [str(first_word), str(video)]


def test_the_folder_itself_may_be_one_movie_in_capitals_or_not(writer):
    writer.film("BMI", valences=(0.5,))
    _place(writer, writer.trace_path("BMI"), "BMI", "emotion", "SUBJ1_1.DAT")
    _place(writer, writer.video("BMI"), "BMI", "VIDEO.MP4")
    corpus = load_corpus(writer.root / "BMI")
    assert (corpus.movies, corpus.viewers) == (("BMI",), ("V1",))
    assert corpus.sources["video"][0].endswith("VIDEO.MP4")


def test_the_surest_file_wins_with_a_note(writer):
    writer.film("BMI")
    for name in ("clip.mp4", "video.mp4"):
        (writer.root / "BMI" / name).write_bytes(b"x")
    (writer.root / "BMI" / "._BMI.avi").write_bytes(b"hidden")
    video = writer.video("BMI")
    (note,) = load_corpus(writer.root).notes
    assert note.startswith(f"BMI: video {video} is used; not used: ")
    assert "clip.mp4" in note
    assert "video.mp4" in note
    video.unlink()
    corpus = load_corpus(writer.root)
    assert corpus.sources["video"][0].endswith("video.mp4")
    assert set(corpus.segments["video"]) == {corpus.sources["video"][0]}


@pytest.mark.parametrize("same", [True, False])
def test_copies_count_once_and_others_are_a_problem(writer, problems_of, same):
    writer.film("BMI")
    trace, srt = writer.trace_path("BMI"), writer.subtitles("BMI")
    for path in (trace, srt):
        copy = writer.root / "copies" / path.name.replace("subtitle", "BMI")
        copy.parent.mkdir(exist_ok=True)
        text = path.read_text() if same else path.read_text().replace("0", "1")
        copy.write_text(text)
    # A subtitle file that is named after the movie is the surer one.
    srt.rename(srt.with_name("BMI.srt"))
    if same:
        corpus = load_corpus(writer.root)
        assert len(corpus) == 2
        assert sum("not used: " in note for note in corpus.notes) == 2
        return
    first, second = problems_of(writer.root)
    assert "expected one file per rater and pass. Received 2: " in first
    assert "expected one subtitle file. Received 2: " in second


def test_many_files_are_listed_in_part(writer, problems_of):
    writer.film("BMI")
    for i in range(9):
        (writer.root / "BMI" / f"clip{i}.mp4").write_bytes(b"x")
    (problem,) = problems_of(writer.root)
    assert "BMI: expected one video. Received 9" in problem
    assert "clip3.mp4 and 5 more" in problem
