import numpy as np
import pytest

from emotion_mt.corpus import load_corpus


def test_gaps_are_nan_and_the_average_is_over_those_who_rated(manifest):
    corpus = load_corpus(manifest.write())
    assert corpus.viewers == ("V1", "V2", "Vavg")
    expected = [[0.5, -1, -0.25], [-0.25, np.nan, -0.25], [np.nan, 1, 1]]
    np.testing.assert_array_equal(corpus.values, np.float32(expected))
    assert corpus.movies == ("A", "B")
    assert corpus.segments["segment_id"].tolist() == ["a1", "a2", "b1"]
    assert corpus.segments["end_s"].tolist() == [1.5, 3.0, 1.0]
    assert corpus.segments["text"].tolist() == ["Hello", "", "Bye"]
    assert corpus.segments["video"].tolist() == [None, None, None]
    assert (corpus.problems, corpus.notes) == ((), ())


@pytest.mark.parametrize(
    ("given", "viewers"),
    [
        (["Ann"], ("Ann",)),
        (["Vavg", "Zoe", "Ann"], ("Ann", "Zoe", "Vavg")),
        (
            ["V10", "b", "V2", "2", "10", "V2x"],
            ("2", "10", "V2", "V2x", "V10", "b", "Vavg"),
        ),
    ],
)
def test_viewers_are_in_natural_order_and_an_average_last(
    manifest, given, viewers
):
    rows = [f"a1,{viewer},0.{i}" for i, viewer in enumerate(given)]
    corpus = load_corpus(manifest.write(annotations=rows), movies=["A"])
    assert corpus.viewers == viewers
    for i, viewer in enumerate(given):
        # An average of their own is kept.
        value = corpus.values[0, corpus.column(viewer)]
        assert value == pytest.approx(i / 10)


def test_what_nobody_rated_is_left_out(manifest, problems_of):
    root = manifest.write(annotations=["a1,V1,1", "a2,V1,"])
    corpus = load_corpus(root, movies=["A"])
    assert corpus.segments["segment_id"].tolist() == ["a1"]
    assert corpus.left_out["segment_id"].tolist() == ["a2"]
    assert corpus.left_out["reason"].tolist() == ["no viewer rated it"]
    (problem,) = problems_of(root)
    assert "own: B: expected segments in segments.csv with ratings" in problem
    assert load_corpus(root, on_problem="skip").movies == ("A",)
    (problem,) = problems_of(root, movies=["Z"])
    assert "Z: expected segments in" in problem


def test_quotes_blanks_further_columns_and_order_of_rows(manifest):
    rows = [
        'x,,"Two, ""three""\nfour",9,8,A,late',
        "",
        "y,, One ,2 , 1,A,early",
    ]
    root = manifest.write(
        segments=rows,
        segments_header="note,video,text,end_s,start_s,movie,segment_id",
        annotations=["late,V1,0", "early,V1,1"],
    )
    corpus = load_corpus(root)
    assert corpus.segments["segment_id"].tolist() == ["early", "late"]
    assert corpus.segments["text"].tolist() == ["One", 'Two, "three" four']
    assert corpus.values.tolist() == [[1.0], [0.0]]
    assert corpus.notes[0].endswith("segments.csv: columns not used: note")


def test_another_encoding_is_given(manifest):
    words = "Wróć, żółwiu, proszę cię!"
    rows = [f'a1,A,0,1,"{words}",']
    root = manifest.write(rows, ["a1,Żółw,1", "a1,Bob,-1"])
    for path in root.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").encode("cp1250"))
    corpus = load_corpus(root, encoding="cp1250")
    assert corpus.segments["text"].tolist() == [words]
    assert corpus.viewers[1] == "Żółw"
    assert not any("cp1250" in note for note in corpus.notes)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("told", ["", "sep="])
def test_separators_decimal_commas_and_line_ends(
    manifest, separator, line_end, told
):
    root = manifest.write(
        segments=["007,01,0.5,1.5,Hello,", "a2,01,2,3.25,,"],
        annotations=["007,V1,0.5", "a2,V1,-.25", "007,010,-1e-1"],
    )
    for path in root.iterdir():
        text = path.read_text().replace(",", separator)
        if separator != ",":
            text = text.replace("0.", "0,").replace("1.", "1,")
            text = text.replace(".25", ",25")
        first = f"{told}{separator}\n" if told else ""
        written = (first + text).replace("\n", line_end)
        path.write_bytes(written.encode("utf-8-sig"))
    corpus = load_corpus(root)
    assert corpus.segments["segment_id"].tolist() == ["007", "a2"]
    assert corpus.movies == ("01",)
    assert corpus.segments["end_s"].tolist() == [1.5, 3.25]
    assert corpus.viewers == ("010", "V1", "Vavg")
    np.testing.assert_array_equal(
        corpus.values[:, :2], np.float32([[-0.1, 0.5], [np.nan, -0.25]])
    )
    named = ["semicolons" in n or "tabs" in n for n in corpus.notes]
    assert sum(named) == (0 if separator == "," else 2)


def test_names_typed_in_two_ways_are_one(manifest):
    root = manifest.write(
        segments=["é1,Amélie,0,1,café,", "a2,Ame\u0301lie,1,2,cafe\u0301,"],
        annotations=["e\u03011,Zoë,0.5", "a2,Zoe\u0308,-0.5"],
    )
    corpus = load_corpus(root)
    assert (corpus.movies, corpus.viewers) == (("Amélie",), ("Zoë",))
    assert corpus.values.tolist() == [[0.5], [-0.5]]
    assert set(corpus.segments["text"]) == {"café"}


@pytest.mark.parametrize(
    ("low", "high", "values", "expected"),
    [
        (0, 1, ("0", "0.5", "1"), [-1, 0, 1]),
        (1, 9, ("1", "5", "8"), [-1, 0, 0.75]),
        (-3, 3, ("-3", "0", "1.5"), [-1, 0, 0.5]),
        (0.1, 0.7, ("0.1", "0.4", "0.7"), [-1, 0, 1]),
    ],
)
def test_a_scale_is_mapped_with_its_middle_at_zero(
    manifest, problems_of, low, high, values, expected
):
    pairs = zip(("a1", "a2", "b1"), values, strict=True)
    root = manifest.write(annotations=[f"{i},Ann,{v}" for i, v in pairs])
    corpus = load_corpus(root, scale=(low, high))
    assert corpus.values[:, 0].tolist() == expected
    assert corpus.labels[1, 0] == 0
    manifest.write(annotations=[f"a1,Ann,{high + 1}"])
    (problem,) = problems_of(root, scale=(low, high), movies=["A"])
    assert f"expected a value in [{low:g}, {high:g}]" in problem


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("0.2", "0.8", "0"), "no value below 0 of Ann, all lie between 0 and"),
        (("-0.2", "-1", "0"), "no value above 0 of Ann, all lie between -1 an"),
        (("-0.2", "0.1", "0"), None),
    ],
)
def test_viewers_on_one_side_of_zero_are_noted(manifest, values, words):
    pairs = zip(("a1", "a2", "b1"), values, strict=True)
    root = manifest.write(annotations=[f"{i},Ann,{v}" for i, v in pairs])
    found = [words in n and "--scale=" in n for n in load_corpus(root).notes]
    assert found == ([True] if words else [])


def test_values_off_the_scale_are_one_problem_per_movie(manifest, problems_of):
    rows = ["a1,V1,2", "a2,V1,7", "a1,V2,5", "b1,V1,0.5"]
    root = manifest.write(annotations=rows)
    (problem,) = problems_of(root)
    assert problem == (
        f"{root / 'annotations.csv'}, line 2: expected a value in [-1, 1], or "
        "an empty field if the viewer did not rate (for another scale: "
        "--scale=LOW,HIGH). Received: '2' (and 2 more such rows of A)"
    )
    assert load_corpus(root, on_problem="skip").movies == ("B",)


def test_a_viewer_with_three_ratings_takes_part_and_is_named(manifest):
    segments = [f"{m}{i},{m},{i},{i + 1},x," for m in "AB" for i in range(60)]
    rows = [f"{m}{i},Ann,{(-1) ** i}" for m in "AB" for i in range(60)]
    rows += ["A0,Eve,1", "A1,Eve,-1", "A2,Eve,1"]
    corpus = load_corpus(manifest.write(segments, rows))
    assert corpus.viewers == ("Ann", "Eve", "Vavg")
    assert np.isfinite(corpus.values[:, 1]).sum() == 3
    (note,) = corpus.notes
    assert "fewer than 10 ratings of Eve; they take part like all" in note


@pytest.mark.parametrize(
    "cell", ["films/a.mp4", "films\\a.mp4", "x/../films/a.mp4"]
)
def test_video_paths_are_relative_to_the_folder(manifest, cell):
    root = manifest.write([*manifest.SEGMENTS, f"c1,C,0,1,,{cell}"])
    (root / "films").mkdir()
    (root / "films" / "a.mp4").write_bytes(b"x")
    with (root / "annotations.csv").open("a") as file:
        file.write("c1,V1,1\n")
    corpus = load_corpus(root)
    # Movies without a video stay, for the text.
    video = (None, str(root / "films/a.mp4"))
    assert corpus.segments["video"].tolist() == [None, None, *video]
    assert corpus.sources["video"].tolist() == [None, *video]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        *((cell, "") for cell in ("../secret.mp4", "films/../../secret.mp4")),
        *((cell, "") for cell in ("..\\secret.mp4", "..", "/etc/passwd")),
        *(
            (cell, "")
            for cell in ("C:\\secret.mp4", "\\\\server\\share\\a.mp4")
        ),
        # A link that leads out, and what no system takes.
        *(("loop.avi", ""), ("x" * 5000, "File name too long")),
        ("a\0b", "without control characters"),
    ],
)
def test_video_paths_that_leave_the_folder_are_refused(
    manifest, problems_of, cell, said
):
    (manifest.root.parent / "secret.mp4").write_bytes(b"x")
    (manifest.root / "loop.avi").symlink_to("../outside/loop.avi")
    root = manifest.write([f"a1,A,0,1,,{cell}"], ["a1,V,1"])
    (problem,) = problems_of(root)
    assert len(problem) < 1000
    assert said in problem
    if not said:
        assert problem == (
            f"{root / 'segments.csv'}, line 2: expected a video path relative "
            f"to {root} and inside it. Received: {cell!r}"
        )


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("segments", ",A,3,4,,", "expected a segment_id. Received: ''"),
        ("segments", "a3,,3,4,,", "expected a movie. Received: ''"),
        ("segments", "a3,A,x,4,,", "expected start_s in seconds, a number >="),
        ("segments", "a3,A,-1,4,,", "Received: '-1'"),
        ("segments", "a3,A,3,inf,,", "expected end_s in seconds, a number >= "),
        ("segments", "a3,A,3,2e6,,", "end_s in seconds, at most 1e+06. Rec"),
        ("segments", "a3,A,3,,,", "expected end_s in seconds"),
        ("segments", "a3,A,3,1_0,,", "Received: '1_0'"),
        ("segments", "a3,A,4,4,,", "expected end_s > start_s. Received: star"),
        ("segments", "a1,A,3,4,,", "Received 'a1', as in "),
        ("segments", "a3,A,3,4", "expected 6 fields. Received 4: 'a3,A,3,4'"),
        ("segments", "a3,A,3,4,,a.mp4", "Received: 'a.mp4' (no such file)"),
        ("segments", "a3,A,3,4,,b.mp4", "Received: 'b.mp4' (an empty file)"),
        ("segments", 'a3,A,3,4,"x,', "expected values separated by commas. "),
        ("annotations", "z9,V1,0", "expected a segment_id of {}/segments.csv"),
        ("annotations", "a2,,0", "expected a viewer. Received: ''"),
        ("annotations", "a2,mean,0", "expected a viewer with another name"),
        ("annotations", "a2,V2,1.5", "expected a value in [-1, 1], or an emp"),
        ("annotations", "a2,V2,NaN", "Received: 'NaN'"),
        ("annotations", "a2,V2,good", "Received: 'good'"),
        ("annotations", 'a2,V2,"0,4"', "Received: '0,4'"),
        ("annotations", 'a2,V2,"1,234,5"', "Received: '1,234,5'"),
        ("annotations", "a1,V1,0.5", "a second one of 'V1' for 'a1'; the fir"),
        ("annotations", "a2,V2", "expected 3 fields. Received 2: 'a2,V2'"),
    ],
)
def test_faulty_rows_are_refused(manifest, problems_of, file, row, message):
    root = manifest.write()
    (root / "b.mp4").write_bytes(b"")
    path = root / f"{file}.csv"
    text = path.read_text()
    path.write_text(f"{text}{row}\n")
    problem = problems_of(root)[0]
    line = text.count("\n") + 1
    assert problem.startswith(f"{path}, line {line}: expected ")
    assert message.format(root) in problem


def test_all_problems_are_listed_and_skip_keeps_the_good_film(
    manifest, problems_of
):
    root = manifest.write(
        segments=(*manifest.SEGMENTS, "c1,C,2,1,,", "d1,D,0,1,,x.mp4"),
        annotations=(*manifest.ANNOTATIONS, "c1,V1,0", "b1,V1,7", "q,V1,0"),
    )
    problems = problems_of(root)
    assert len(problems) == 4
    corpus = load_corpus(root, on_problem="skip")
    assert (corpus.movies, corpus.problems) == (("A",), problems)
    # A problem of a film that was not asked for does not stop the others;
    # the unknown segment belongs to no film, so it stays.
    (problem,) = problems_of(root, movies=["A"])
    assert "Received: 'q'" in problem
    # An id in two films spoils both.
    manifest.write((*manifest.SEGMENTS, "a1,B,5,6,,"))
    assert "as in" in problems_of(root, on_problem="skip")[0]


def test_files_and_columns_that_are_missing_are_reported(manifest, problems_of):
    root = manifest.write(
        segments_header="segment_id;movie;start_s;end;text;video",
        annotations_header="segment_id,rater,value,value",
    )
    first, second = problems_of(root, on_problem="skip")
    assert "segments.csv, line 1: expected the columns segment_id" in first
    assert "separated by commas, semicolons or tabs. Received: " in first
    assert first.endswith(
        "'segment_id;movie;start_s;end;text;video'; missing: end_s"
    )
    assert second.endswith("missing: viewer; more than once: value")
    (root / "segments.csv").unlink()
    (root / "annotations.csv").write_text("")
    first, second = problems_of(root)
    assert first.startswith(f"{root / 'segments.csv'}: expected a file with th")
    assert "annotations.csv, line 1: expected the columns" in second


CASES = {
    "slider_0_to_1": ({"scale": (0, 1)}, [-0.6, 0.6]),
    "scale_1_to_9": ({"scale": (1, 9)}, [-0.75, 0.5]),
    "semicolons_decimal_commas": ({}, [-0.4, 0.4]),
    "accents_typed_two_ways": ({}, [-0.4, 0.4]),
}


@pytest.mark.parametrize("name", CASES)
def test_cases_that_went_wrong_for_others(shared, problems_of, name):
    folder = shared / "cases" / "manifests" / name
    if not folder.is_dir():
        pytest.skip("the cases (../shared/cases) are absent")
    options, first = CASES[name]
    if name == "slider_0_to_1":
        (note,) = load_corpus(folder).notes
        assert "no value below 0 of Ann, Bob" in note
    elif options:
        assert all("--scale=LOW,HIGH" in p for p in problems_of(folder))
    corpus = load_corpus(folder, **options)
    assert len(corpus.viewers) == 3
    assert np.isfinite(corpus.values).all()
    assert len(corpus) == 18
    for column in corpus.values.T:
        np.testing.assert_allclose(column[:2], first, rtol=1e-6)
    if name == "accents_typed_two_ways":
        assert corpus.viewers == ("Bob", "Zoë", "Vavg")
