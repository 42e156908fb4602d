"""One viewer's ratings of one movie, and which segments they belong to."""

import numpy as np
import pytest

from emotion_mt.corpus import CorpusError
from emotion_mt.corpus.ratings import read_ratings, values_of_segments


@pytest.fixture
def read(tmp_path):
    def read(text, viewer="You", **options):
        path = tmp_path / "my.csv"
        if text is not None:
            path.write_text(text, encoding="utf-8", newline="")
        return read_ratings(path, viewer, **options)

    return read


def rows(table):
    return table[["start_s", "end_s", "value"]].to_numpy().tolist()


@pytest.mark.parametrize(
    "text",
    [
        "start_s,end_s,value\n0,2.5,-0.5\n3,4,1\n",
        # As spreadsheets write it: a byte order mark, decimal commas, another
        # order of the columns, blank lines.
        "\ufeffValue;Start_s;End_s\r\n-0,5;0;2,5\r\n\r\n1;3;4\r\n",
        "sep=\t\nstart_s\tend_s\tvalue\n0\t2,5\t-0.5\n3\t4\t1\n",
        # An empty value is no rating.
        "start_s,end_s,value\n0,2.5,-0.5\n2.5,3,\n3,4,1\n",
    ],
)
def test_tables(read, text):
    assert rows(read(text)) == [[0, 2.5, -0.5], [3, 4, 1]]


def test_other_scale_and_unused_columns(read):
    table = read(
        "start_s,end_s,value,mood\n0,1,1,a\n1,2,5,b\n2,3,9,c\n", scale=(1, 9)
    )
    assert table["value"].tolist() == [-1, 0, 1]
    assert any("not used: mood" in note for note in table.attrs["notes"])


def test_all_that_is_wrong_is_told_at_once(read):
    with pytest.raises(CorpusError) as raised:
        read(
            "start_s,end_s,value\n0,1,good\n2,1,1\n3,4,1.5\nx,5,0\n5,6,0.5\n"
            "6,7\n"
        )
    for line, said in (
        (2, "a value in [-1, 1], or an empty field (for another scale: "),
        (2, "Received: 'good'"),
        (3, "end_s > start_s. Received: start_s=2, end_s=1"),
        (4, "Received: '1.5'"),
        (5, "start_s in seconds, a number >= 0. Received: 'x'"),
        (7, "3 fields. Received 2"),
    ):
        assert any(
            f"line {line}: expected" in problem and said in problem
            for problem in raised.value.problems
        ), said
    assert len(raised.value.problems) == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start_s,end_s,value\n0,1,\n", "at least one rating. Received none"),
        ("segment_id,value\na,1\n", "expected the columns start_s, end_s, val"),
        ("", "expected the columns start_s"),
        (None, "Received: no such file"),
    ],
)
def test_no_ratings(read, text, said):
    with pytest.raises(CorpusError) as raised:
        read(text)
    assert said in str(raised.value)


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "segments.csv").write_text(
        "segment_id,movie,start_s,end_s,text,video\n"
        "a,Sea,0,2,,\nb,Sea,2,4,,\nc,Sea,5,6,,\nd,Land,0,1,,\n"
    )

    def write(*ratings):
        (tmp_path / "annotations.csv").write_text(
            "\n".join(["segment_id,viewer,value", *ratings])
        )
        return tmp_path

    return write


def test_folder_of_one_viewer(manifest):
    folder = manifest("a,Ann,-1", "c,Ann,0.25")
    segments = folder / "segments.csv"
    segments.write_text(segments.read_text().replace("d,Land,0,1,,\n", ""))
    assert rows(read_ratings(folder, "You")) == [[0, 2, -1], [5, 6, 0.25]]
    # Of several, the one of this name.
    manifest("a,Ann,-1", "c,Bob,0.25")
    assert rows(read_ratings(folder, "Bob")) == [[5, 6, 0.25]]
    with pytest.raises(CorpusError, match=r"is called 'You'.*viewers Ann, Bob"):
        read_ratings(folder, "You")


def test_folder_of_two_movies(manifest):
    with pytest.raises(CorpusError, match=r"one movie.*the movies Sea, Land"):
        read_ratings(manifest("a,Ann,-1", "d,Ann,1"), "Ann")


def test_values_are_means_weighted_by_time(read):
    ratings = read(
        "start_s,end_s,value\n"
        "0,1,1\n1,2.5,-1\n"  # within the first segment
        "2.9,5.2,0.5\n"  # the second one, written down by hand
        "5,30,-0.25\n"  # spans the third and the fourth
        "40,41,1\n"  # none
    )
    values, lost = values_of_segments(ratings, [0, 3, 5.2, 20], [2.5, 5, 8, 24])
    expected = [(1 - 1.5) / 2.5, 0.5, -0.25, -0.25]
    np.testing.assert_allclose(values, expected)
    assert lost.tolist() == [False, False, False, False, True]


def test_segment_that_a_rating_hardly_touches_is_not_rated(read):
    ratings = read("start_s,end_s,value\n2,4.1,1\n")
    values, lost = values_of_segments(ratings, [2, 4], [4, 7])
    assert values[0] == 1
    assert np.isnan(values[1])
    assert not lost.any()
