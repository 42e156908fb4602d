import pytest

from emotion_mt.corpus.finder import find_files, pick_media, pick_traces


def _touch(root, *names, content=""):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def _names(files, root):
    return [file.path.relative_to(root).as_posix() for file in files]


def test_released_layout_is_found(tmp_path):
    experienced = "Emotion Annotation/experienced"
    _touch(
        tmp_path,
        f"{experienced}/subj1_1_BeautifulMind.dat",
        f"{experienced}/subj12_2_BeautifulMind.dat",
        f"{experienced}/subj1_1_LOTRReturn.dat",
        "Emotion Annotation/intended/intended_3_LOTRReturn.dat",
        "Data/2002BMI/BMI.avi",
        "Data/2002BMI/BMI.srt",
        "Data/2004LOR/LOR.AVI",
    )
    found = find_files(tmp_path)
    assert found.films == ("BMI", "LOR")
    traces = [(t.film, t.annotation, t.subject, t.take) for t in found.traces]
    assert traces == [
        ("BMI", "experienced", 1, 1),
        ("BMI", "experienced", 12, 2),
        ("LOR", "experienced", 1, 1),
        ("LOR", "intended", 0, 3),
    ]
    assert [v.film for v in found.videos] == ["BMI", "LOR"]
    assert _names(found.subtitles, tmp_path) == ["Data/2002BMI/BMI.srt"]


def test_layout_with_a_folder_per_film_is_found(tmp_path):
    _touch(
        tmp_path,
        "BMI/emotion/intended_1.dat",
        "BMI/emotion/subj2_1.dat",
        "BMI/text/subtitle.srt",
        "BMI/video.mp4",
    )
    found = find_files(tmp_path)
    assert found.films == ("BMI",)
    assert [(t.annotation, t.subject) for t in found.traces] == [
        ("experienced", 2),
        ("intended", 0),
    ]
    assert [f.rank for f in (*found.subtitles, *found.videos)] == [1, 1]


def test_the_folder_itself_may_be_one_film(tmp_path):
    _touch(tmp_path, "BMI/emotion/intended_1.dat", "BMI/video.mp4")
    found = find_files(tmp_path / "BMI")
    assert [t.film for t in found.traces] == ["BMI"]
    assert [v.film for v in found.videos] == ["BMI"]


def test_a_name_counts_more_than_a_folder_and_the_nearest_folder_most(
    tmp_path,
):
    _touch(tmp_path, "GLA/subj1_1_Crash.dat", "GLA/FNE/video.mp4")
    found = find_files(tmp_path)
    assert [t.film for t in found.traces] == ["CRA"]
    assert [v.film for v in found.videos] == ["FNE"]


def test_unknown_names_are_reported(tmp_path):
    _touch(
        tmp_path,
        "subj1_1_Matrix.dat",
        "subj2_1_Matrix.dat",
        "intended_1.dat",
        "notes.dat",
        "holiday.mp4",
    )
    found = find_files(tmp_path)
    assert found.films == ()
    assert {k: len(v) for k, v in found.unknown_traces.items()} == {
        "Matrix": 2,
        "": 1,
    }
    assert [p.name for p in found.unknown_media] == ["holiday.mp4"]


def test_hidden_files_are_passed_over_and_links_followed_once(tmp_path):
    _touch(tmp_path / "disk", "BMI/BMI.avi")
    root = tmp_path / "films"
    _touch(root, "._BMI.avi", ".trash/BMI.avi")
    (root / "Data").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(root)
    assert _names(find_files(root).videos, root) == ["Data/BMI/BMI.avi"]


def test_the_file_named_after_the_film_wins_with_a_note(tmp_path):
    _touch(tmp_path, "BMI/clip.mp4", "BMI/video.mp4", "BMI/BMI.mkv")
    found = find_files(tmp_path)
    path, problems, notes = pick_media(found.videos, "video", False)
    assert path == tmp_path / "BMI" / "BMI.mkv"
    assert problems == []
    assert "clip.mp4" in notes[0]
    assert "video.mp4" in notes[0]


def test_the_first_word_of_a_name_may_be_the_film(tmp_path):
    _touch(tmp_path, "BMI.en.srt", "GLA/BMI_cut.mp4", "GLA/Rat race.mp4")
    found = find_files(tmp_path)
    assert [f.film for f in found.subtitles] == ["BMI"]
    assert [(f.film, f.rank) for f in found.videos] == [("BMI", 2), ("GLA", 2)]


def test_two_equally_good_files_are_a_problem(tmp_path):
    _touch(tmp_path, "BMI/BMI.mp4", "BMI/BMI.avi")
    found = find_files(tmp_path)
    path, problems, _ = pick_media(found.videos, "video", same_is_fine=False)
    assert path is None
    assert "BMI: expected one video. Received 2: " in problems[0]


def test_copies_of_subtitles_are_one_file(tmp_path):
    _touch(tmp_path, "a/BMI.srt", "b/BMI.srt", content="same")
    found = find_files(tmp_path).subtitles
    path, problems, notes = pick_media(found, "subtitle file", True)
    assert (path, problems) == (tmp_path / "a" / "BMI.srt", [])
    assert str(tmp_path / "b" / "BMI.srt") in notes[0]
    _touch(tmp_path, "b/BMI.srt", content="else")
    path, problems, _ = pick_media(found, "subtitle file", True)
    assert path is None
    assert "expected one subtitle file" in problems[0]


def test_nothing_to_pick_from_is_no_problem():
    assert pick_media([], "video", same_is_fine=False) == (None, [], [])


@pytest.mark.parametrize("content", ["same", "else"])
def test_copies_of_a_trace_count_once(tmp_path, content):
    name = "subj1_1_Crash.dat"
    _touch(tmp_path, f"a/{name}", f"b/{name}", content="same")
    _touch(tmp_path, f"c/{name}", content=content)
    used, problems, notes = pick_traces(find_files(tmp_path).traces)
    assert [trace.path.parent.name for trace in used] == ["a"]
    if content == "same":
        assert problems == []
        assert "is used once" in notes[0]
    else:
        assert "Received 3 that differ" in problems[0]


def test_many_files_are_listed_in_part(tmp_path):
    _touch(tmp_path, *(f"BMI/clip{i}.mp4" for i in range(9)))
    found = find_files(tmp_path)
    _, problems, _ = pick_media(found.videos, "video", same_is_fine=False)
    assert "clip3.mp4 and 5 more" in problems[0]
