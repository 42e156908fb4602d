"""Manifests as spreadsheets and people make them."""

import numpy as np
import pytest

from emotion_mt.corpus import CorpusError, load_corpus


def _problems(root, **kwargs):
    with pytest.raises(CorpusError) as caught:
        load_corpus(root, **kwargs)
    return caught.value.problems


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


@pytest.mark.parametrize("cell", ["0,4", "1.234,5", "1,234,5"])
def test_a_comma_in_a_number_is_no_decimal_comma_between_commas(manifest, cell):
    (problem,) = _problems(
        manifest.write(annotations=[f'a1,V1,"{cell}"', "b1,V1,0"])
    )
    assert problem.endswith(f"Received: {cell!r}")


def test_names_typed_in_two_ways_are_one(manifest):
    root = manifest.write(
        segments=["é1,Amélie,0,1,café,", "a2,Ame\u0301lie,1,2,cafe\u0301,"],
        annotations=["e\u03011,Zoë,0.5", "a2,Zoe\u0308,-0.5"],
    )
    corpus = load_corpus(root)
    assert corpus.movies == ("Amélie",)
    assert corpus.viewers == ("Zoë",)
    assert corpus.values.tolist() == [[0.5], [-0.5]]
    assert set(corpus.segments["text"]) == {"café"}


def test_a_scale_is_mapped_with_its_middle_at_zero(manifest):
    for low, high, values, expected in (
        (0, 1, ("0", "0.5", "1"), [-1, 0, 1]),
        (1, 9, ("1", "5", "8"), [-1, 0, 0.75]),
        (-3, 3, ("-3", "0", "1.5"), [-1, 0, 0.5]),
        (0.1, 0.7, ("0.1", "0.4", "0.7"), [-1, 0, 1]),
    ):
        manifest.root.mkdir(exist_ok=True)
        ids = ("a1", "a2", "b1")
        rows = [f"{i},Ann,{v}" for i, v in zip(ids, values, strict=True)]
        corpus = load_corpus(
            manifest.write(annotations=rows), scale=(low, high)
        )
        assert corpus.values[:, 0].tolist() == expected
        assert corpus.labels[1, 0] == 0
        root = manifest.write(annotations=[f"a1,Ann,{high + 1}"])
        (problem,) = _problems(root, scale=(low, high), movies=["A"])
        assert f"expected a value in [{low:g}, {high:g}]" in problem
    for scale in ((1, 1), (2, 1), (0, float("inf"))):
        with pytest.raises(ValueError, match="`scale` must be two finite"):
            load_corpus(manifest.root, scale=scale)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("0.2", "0.8", "0"), "no value below 0 of Ann, all lie between 0 and"),
        (
            ("-0.2", "-1", "0"),
            "no value above 0 of Ann, all lie between -1 and",
        ),
        (("-0.2", "0.1", "0"), None),
    ],
)
def test_viewers_on_one_side_of_zero_are_noted(manifest, values, words):
    rows = [
        f"{i},Ann,{v}" for i, v in zip(("a1", "a2", "b1"), values, strict=True)
    ]
    notes = load_corpus(manifest.write(annotations=rows)).notes
    assert [words in note and "--scale=LOW,HIGH" in note for note in notes] == (
        [True] if words else []
    )


def test_values_off_the_scale_are_one_problem_per_movie(manifest):
    rows = ["a1,V1,2", "a2,V1,7", "a1,V2,5", "b1,V1,0.5"]
    root = manifest.write(annotations=rows)
    (problem,) = _problems(root)
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


def test_movies_without_a_video_stay_for_the_text(manifest):
    root = manifest.write(
        segments=["a1,A,0,1,Hi,a.mp4", "a2,A,1,2,Ho,", "b1,B,0,1,Bye,"]
    )
    (root / "a.mp4").write_bytes(b"x")
    corpus = load_corpus(root)
    assert corpus.segments["video"].notna().tolist() == [True, False, False]
    assert len(corpus) == 3


CASES = {
    "slider_0_to_1": ({"scale": (0, 1)}, [-0.6, 0.6]),
    "scale_1_to_9": ({"scale": (1, 9)}, [-0.75, 0.5]),
    "semicolons_decimal_commas": ({}, [-0.4, 0.4]),
    "accents_typed_two_ways": ({}, [-0.4, 0.4]),
}


@pytest.mark.parametrize("name", CASES)
def test_cases_that_went_wrong_for_others(shared, name):
    folder = shared / "cases" / "manifests" / name
    if not folder.is_dir():
        pytest.skip("the cases (../shared/cases) are absent")
    options, first = CASES[name]
    if name == "slider_0_to_1":
        (note,) = load_corpus(folder).notes
        assert "no value below 0 of Ann, Bob" in note
    elif options:
        assert all("--scale=LOW,HIGH" in p for p in _problems(folder))
    corpus = load_corpus(folder, **options)
    assert len(corpus.viewers) == 3
    assert np.isfinite(corpus.values).all(axis=0).tolist() == [True] * 3
    assert len(corpus) == 18
    for column in corpus.values.T:
        np.testing.assert_allclose(column[:2], first, rtol=1e-6)
    if name == "accents_typed_two_ways":
        assert corpus.viewers == ("Bob", "Zoë", "Vavg")
