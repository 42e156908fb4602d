import numpy as np
import pytest

from emotion_mt.corpus import CorpusError, load_corpus


def _problems(root, **kwargs):
    with pytest.raises(CorpusError) as caught:
        load_corpus(root, **kwargs)
    return caught.value.problems


def test_gaps_are_nan_and_the_average_is_over_those_who_rated(manifest):
    corpus = load_corpus(manifest.write())
    assert corpus.viewers == ("V1", "V2", "Vavg")
    np.testing.assert_array_equal(
        corpus.values,
        np.float32(
            [
                [0.5, -1, -0.25],
                [-0.25, np.nan, -0.25],
                [np.nan, 1, 1],
            ]
        ),
    )
    assert corpus.movies == ("A", "B")
    assert corpus.segments["segment_id"].tolist() == ["a1", "a2", "b1"]
    assert corpus.segments["end_s"].tolist() == [1.5, 3.0, 1.0]
    assert corpus.segments["text"].tolist() == ["Hello", "", "Bye"]
    assert corpus.segments["video"].tolist() == [None, None, None]
    assert (corpus.problems, corpus.notes) == ((), ())


def test_one_viewer_gets_no_average(manifest):
    root = manifest.write(annotations=["a1,Ann,0.5", "b1,Ann,1"])
    assert load_corpus(root).viewers == ("Ann",)


def test_an_average_of_their_own_is_kept_and_comes_last(manifest):
    rows = ["a1,Vavg,0.9", "a1,Zoe,0.1", "a1,Ann,-0.1"]
    corpus = load_corpus(manifest.write(annotations=rows), movies=["A"])
    assert corpus.viewers == ("Ann", "Zoe", "Vavg")
    np.testing.assert_allclose(corpus.values, [[-0.1, 0.1, 0.9]])


def test_viewers_are_in_natural_order(manifest):
    rows = [f"a1,{v},0" for v in ("V10", "b", "V2", "2", "10", "V2x")]
    corpus = load_corpus(manifest.write(annotations=rows), movies=["A"])
    assert corpus.viewers == ("2", "10", "V2", "V2x", "V10", "b", "Vavg")


def test_segments_that_nobody_rated_are_left_out(manifest):
    root = manifest.write(annotations=["a1,V1,1", "a2,V1,", "b1,V1,0"])
    corpus = load_corpus(root)
    assert corpus.segments["segment_id"].tolist() == ["a1", "b1"]
    assert corpus.left_out["segment_id"].tolist() == ["a2"]
    assert corpus.left_out["reason"].tolist() == ["no viewer rated it"]


def test_film_without_a_rating_is_a_problem(manifest):
    root = manifest.write(annotations=["a1,V1,1"])
    (problem,) = _problems(root)
    assert "own: B: expected segments in segments.csv with ratings" in problem
    assert load_corpus(root, on_problem="skip").movies == ("A",)
    assert load_corpus(root, movies=["A"]).problems == ()
    (problem,) = _problems(root, movies=["Z"])
    assert "Z: expected segments in" in problem


def test_quotes_blanks_further_columns_and_order_of_rows(manifest):
    header = "note,video,text,end_s,start_s,movie,segment_id"
    rows = [
        'x,,"Two, ""three""\nfour",9,8,A,late',
        "",
        "y,, One ,2 , 1,A,early",
    ]
    root = manifest.write(
        segments=rows,
        segments_header=header,
        annotations=["late,V1,0", "early,V1,1"],
    )
    corpus = load_corpus(root)
    assert corpus.segments["segment_id"].tolist() == ["early", "late"]
    assert corpus.segments["text"].tolist() == ["One", 'Two, "three" four']
    assert corpus.values.tolist() == [[1.0], [0.0]]
    assert corpus.notes[0].endswith("segments.csv: columns not used: note")


def test_excel_writes_a_byte_order_mark_and_crlf(manifest):
    root = manifest.write()
    for path in root.iterdir():
        text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
        path.write_bytes(text.encode("utf-8-sig"))
    assert load_corpus(root).movies == ("A", "B")


def test_other_encodings_are_guessed_and_noted_or_given(manifest):
    words = "Wróć, żółwiu, proszę cię!"
    rows = [f'a1,A,0,1,"{words}",']
    root = manifest.write(rows, ["a1,Żółw,1", "a1,Bob,-1"])
    for path in root.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").encode("cp1250"))
    corpus = load_corpus(root, encoding="cp1250")
    assert corpus.segments["text"].tolist() == [words]
    assert corpus.viewers[1] == "Żółw"
    assert not any("cp1250" in note for note in corpus.notes)


@pytest.mark.parametrize(
    "cell", ["films/a.mp4", "films\\a.mp4", "x/../films/a.mp4"]
)
def test_video_paths_are_relative_to_the_folder(manifest, cell):
    root = manifest.write(
        segments=[f"a1,A,0,1,,{cell}"], annotations=["a1,V,1"]
    )
    (root / "films").mkdir()
    (root / "films" / "a.mp4").write_bytes(b"x")
    corpus = load_corpus(root)
    assert corpus.segments["video"].tolist() == [str(root / "films/a.mp4")]
    assert corpus.sources["video"].tolist() == [str(root / "films/a.mp4")]


@pytest.mark.parametrize(
    "cell",
    [
        "../secret.mp4",
        "films/../../secret.mp4",
        "..\\secret.mp4",
        "/etc/passwd",
        "C:\\secret.mp4",
        "\\\\server\\share\\a.mp4",
        "..",
    ],
)
def test_video_paths_that_leave_the_folder_are_refused(
    manifest, tmp_path, cell
):
    (tmp_path / "secret.mp4").write_bytes(b"x")
    root = manifest.write(
        segments=[f"a1,A,0,1,,{cell}"], annotations=["a1,V,1"]
    )
    (problem,) = _problems(root)
    assert problem == (
        f"{root / 'segments.csv'}, line 2: expected a video path relative to "
        f"{root} and inside it. Received: {cell!r}"
    )


@pytest.mark.parametrize("exists", [False, True])
def test_missing_and_empty_videos_are_refused(manifest, exists):
    root = manifest.write(segments=["a1,A,0,1,,a.mp4"], annotations=["a1,V,1"])
    if exists:
        (root / "a.mp4").write_bytes(b"")
    received = "an empty file" if exists else "no such file"
    (problem,) = _problems(root)
    assert f"Received: 'a.mp4' ({received})" in problem


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",A,3,4,,", "expected a segment_id. Received: ''"),
        ("a3,,3,4,,", "expected a movie. Received: ''"),
        ("a3,A,x,4,,", "expected start_s in seconds, a number >= 0. "),
        ("a3,A,-1,4,,", "Received: '-1'"),
        ("a3,A,3,inf,,", "expected end_s in seconds, a number >= 0. "),
        ("a3,A,3,,,", "expected end_s in seconds"),
        ("a3,A,3,1_0,,", "Received: '1_0'"),
        ("a3,A,4,4,,", "expected end_s > start_s. Received: start_s=4, end_s"),
        ("a1,A,3,4,,", "Received 'a1', as in "),
        ("a3,A,3,4", "expected 6 fields. Received 4: 'a3,A,3,4'"),
    ],
)
def test_faulty_segments_are_refused(manifest, row, message):
    root = manifest.write(segments=(*manifest.SEGMENTS, row))
    (problem,) = _problems(root)
    assert problem.startswith(f"{root / 'segments.csv'}, line 5: expected ")
    assert message in problem


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("z9,V1,0", r"expected a segment_id of .*segments.csv"),
        ("a2,,0", "expected a viewer. Received: ''"),
        ("a2,mean,0", "expected a viewer with another name"),
        ("a2,V2,1.5", "expected a value in [-1, 1], or an empty field if"),
        ("a2,V2,NaN", "Received: 'NaN'"),
        ("a2,V2,good", "Received: 'good'"),
        ("a1,V1,0.5", "Received a second one of 'V1' for 'a1'; the first is"),
        ("a2,V2", "expected 3 fields. Received 2: 'a2,V2'"),
    ],
)
def test_faulty_ratings_are_refused(manifest, row, message):
    root = manifest.write(annotations=(*manifest.ANNOTATIONS, row))
    (problem,) = _problems(root)
    assert problem.startswith(f"{root / 'annotations.csv'}, line 6: expected ")
    assert message.replace(".*", f"{root}/") in problem


def test_all_problems_are_listed_and_skip_keeps_the_good_film(manifest):
    root = manifest.write(
        segments=(*manifest.SEGMENTS, "c1,C,2,1,,", "d1,D,0,1,,x.mp4"),
        annotations=(*manifest.ANNOTATIONS, "c1,V1,0", "b1,V1,7", "q,V1,0"),
    )
    problems = _problems(root)
    assert len(problems) == 4
    corpus = load_corpus(root, on_problem="skip")
    assert corpus.movies == ("A",)
    assert corpus.problems == problems
    # A problem of a film that was not asked for does not stop the others;
    # the unknown segment belongs to no film, so it stays.
    (problem,) = _problems(root, movies=["A"])
    assert "Received: 'q'" in problem


def test_id_used_in_two_films_spoils_both(manifest):
    root = manifest.write(segments=(*manifest.SEGMENTS, "a1,B,5,6,,"))
    assert "as in" in _problems(root)[0]
    with pytest.raises(CorpusError):
        load_corpus(root, on_problem="skip")


def test_missing_columns_of_both_files_are_reported(manifest):
    root = manifest.write(
        segments_header="segment_id;movie;start_s;end;text;video",
        annotations_header="segment_id,rater,value",
    )
    first, second = _problems(root, on_problem="skip")
    assert "segments.csv, line 1: expected the columns segment_id" in first
    assert "separated by commas, semicolons or tabs. Received: " in first
    assert first.endswith(
        "'segment_id;movie;start_s;end;text;video'; missing: end_s"
    )
    assert second.endswith(
        "Received: 'segment_id,rater,value'; missing: viewer"
    )


def test_column_named_twice_is_refused(manifest):
    root = manifest.write(annotations_header="segment_id,viewer,value,value")
    assert "more than once: value" in _problems(root)[0]


@pytest.mark.parametrize("name", ["segments.csv", "annotations.csv"])
def test_half_a_manifest_is_refused(manifest, name):
    root = manifest.write()
    (root / name).unlink()
    (problem,) = _problems(root)
    assert problem.startswith(f"{root / name}: expected a file with the col")


def test_empty_file_is_refused(manifest):
    root = manifest.write()
    (root / "annotations.csv").write_text("")
    (problem,) = _problems(root)
    assert "annotations.csv, line 1: expected the columns" in problem


def test_broken_quotes_are_refused(manifest):
    root = manifest.write(annotations=['a1,"V1,0.5'])
    (problem,) = _problems(root)
    assert "expected values separated by commas. Received: " in problem
