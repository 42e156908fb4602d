import codecs

import pytest

from emotion_mt.corpus import CorpusError
from emotion_mt.corpus.textfiles import read_text, split_lines

TEXT = "Café, naïve – “déjà vu”\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode("utf-8"), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_recognised(tmp_path, data, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert read_text(path) == (TEXT, encoding)


def test_latin_1_decodes_what_windows_does_not_define(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("é".encode("latin-1") + b"\x81")
    assert read_text(path) == ("é\x81", "latin-1")


def test_bytes_that_break_the_promise_of_their_mark_are_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"\xff\xfe\xfd")
    with pytest.raises(CorpusError, match=r"a\.txt: expected text in utf-8"):
        read_text(path)


def test_unreadable_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"gone\.txt: expected a readable"):
        read_text(tmp_path / "gone.txt")


def test_lines_end_at_cr_and_lf_only():
    assert split_lines("a\r\nb\rc\nd\r\r\ne\x0cf\u2028g") == [
        "a",
        "b",
        "c",
        "d",
        "e\x0cf\u2028g",
    ]
