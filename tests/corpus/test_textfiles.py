"""Encodings and line ends, of readers of any file."""

import codecs

import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt.corpus import CorpusError
from emotion_mt.corpus.textfiles import plain_line, read_text

REPEATABLE = settings(max_examples=60, derandomize=True, deadline=None)

# ruff: noqa: E501
#: Three lines of everyday speech in each language, and how it is often saved.
SPEECH = {
    "Greek": ("cp1253", "Πού ήσουν χθες;\nΣε έψαχνα παντού.\nΈλα μέσα τώρα."),
    "Russian": ("cp1251", "Где ты был вчера?\nЯ ждал тебя.\nПойдём домой."),
    "Russian, KOI8": ("koi8_r", "Где ты был вчера?\nЯ ждал.\nПойдём домой."),
    "Ukrainian": ("cp1251", "Де ти був учора?\nЯ чекав на тебе.\nХодімо їсти."),
    "Polish": ("cp1250", "Gdzie byłeś?\nCzekałam całą noc.\nWracajmy już, proszę."),
    "Czech": ("cp1250", "Kde jsi byl?\nČekala jsem celou noc.\nPojď už domů."),
    "Hungarian": ("cp1250", "Hol voltál?\nEgész éjjel vártam rád.\nGyere már haza, kérlek, őrült."),
    "French": ("cp1252", "Où étais-tu hier soir ?\nJe t'ai attendu très longtemps.\nÇa va, rentrons à la maison, j'ai déjà préparé le dîner."),
    "German": ("cp1252", "Wo wärst du lieber?\nIch weiß es nicht.\nSchöne Grüße zu Hause."),
    "Spanish": ("cp1252", "¿Dónde estabas ayer?\nTe esperé toda la mañana.\nVámonos, niño, por favor."),
    "Hebrew": ("cp1255", "איפה היית אתמול?\nחיכיתי לך.\nבוא הביתה."),
    "Arabic": ("cp1256", "أين كنت أمس؟\nانتظرتك طويلا.\nهيا إلى البيت."),
    "Thai": ("cp874", "เมื่อวานคุณอยู่ที่ไหน\nฉันรอคุณ\nกลับบ้านกันเถอะ"),
    "Japanese": ("shift_jis", "昨日どこにいたの\nずっと待っていた\nもう帰ろう"),
    "Japanese, mail": ("iso2022_jp", "昨日どこにいたの\nずっと待っていた"),
    "Chinese": ("gb18030", "你昨天在哪里\n我一直在等你\n我们回家吧"),
    "Chinese, Taiwan": ("big5", "你昨天在哪裡\n我一直在等你\n我們回家吧"),
    "Korean": ("euc_kr", "어제 어디 있었어\n계속 기다렸어\n이제 집에 가자"),
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Writes bytes and returns the path."""

    def write(data):
        path = tmp_path / "a.txt"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("language", SPEECH)
def test_legacy_encodings_give_the_right_letters_and_are_noted(write, language):
    encoding, text = SPEECH[language]
    path = write(text.encode(encoding))
    found = read_text(path)
    assert found.text == text
    (note,) = found.notes
    assert note == f"{path}: not UTF-8, read as {found.encoding} (guessed)"
    assert read_text(path, encoding).text == text
    assert read_text(path, encoding).notes == ()


UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("given_encoding", [None, "cp1250"])
def test_unicode_comes_before_any_guess_or_wish(
    write, encoding, given_encoding
):
    text = "Café, naïve – “déjà vu”\nand plain words, so that many bytes are 0"
    found = read_text(write(text.encode(encoding)), given_encoding)
    assert found.text == text
    assert found.encoding == encoding.removesuffix("-sig")
    assert found.notes == ()


@REPEATABLE
@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_what_is_written_in_unicode_comes_back(
    tmp_path_factory, text, encoding
):
    # Without a mark nobody can tell many zero characters from UTF-16.
    text = text.replace("\0", "").replace("\x1b", "").removeprefix("\ufeff")
    text = "".join(c for c in text if not "\ud800" <= c <= "\udfff")
    path = tmp_path_factory.getbasetemp() / "written.txt"
    path.write_bytes(text.encode(encoding))
    found = read_text(path)
    assert (found.text, found.notes) == (text, ())


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("broken", [b"\xc3", b"\xff", b"\xe2\x80"])
def test_a_broken_byte_costs_one_character(write, mark, broken):
    path = write(mark + "Voilà l'été.\n".encode() + broken + b" reste.\n")
    found = read_text(path)
    assert found.text == "Voilà l'été.\n\ufffd reste.\n"
    assert found.encoding == "utf-8"
    (note,) = found.notes
    assert note.startswith(f"{path}, line 2: 1 character(s) broken in UTF-8")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Hello there\nMy name is Kieślowski, nothing else.", "cp1250"),
        ("Seni seviyorum, çok güzel.\nBugün işe gitmeyeceğim.", "cp1254"),
    ],
)
def test_what_may_be_either_is_asked_for(write, text, encoding):
    path = write(text.encode(encoding))
    with pytest.raises(CorpusError, match="Received what may be") as caught:
        read_text(path)
    line = next(line for line in text.splitlines() if not line.isascii())
    assert f"{encoding} ({line!r})" in str(caught.value)
    assert "--encoding=" in str(caught.value)
    assert read_text(path, encoding).text == text


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (codecs.BOM_UTF8 + b"\xff\xfe\xfd", None, "expected text in utf-8"),
        (b"\xff\xfea", None, "expected text in utf-16"),
        (b"\x81 caf\xe9", "cp1252", "expected text in cp1252"),
        (bytes(range(128, 256)) * 20, None, "expected UTF-8, or text whose"),
        (b"abc", "hex", "expected text in hex"),
    ],
)
def test_bytes_that_are_no_text_are_refused(write, data, encoding, message):
    path = write(data)
    with pytest.raises(CorpusError, match=message) as caught:
        read_text(path, encoding)
    assert str(caught.value).startswith(str(path))


def test_unknown_encoding_and_unreadable_files_are_named(write, tmp_path):
    with pytest.raises(ValueError, match=r"`encoding` must be .*'klingon'"):
        read_text(write(b"x"), "klingon")
    for path in (tmp_path / "gone.txt", tmp_path):
        with pytest.raises(CorpusError, match=f"{path}: expected a readable"):
            read_text(path)


def test_lines_end_at_cr_and_lf_only_and_show_what_is_there(write):
    found = read_text(write("a\r\nb\rc\nd\r\r\ne\x0cf\u2028g".encode()))
    assert found.lines == ["a", "b", "c", "d", "e\x0cf\u2028g"]
    assert plain_line("Zoe\u0308 \u200bis\n\there\x07 \u202bok\u2069") == (
        "Zo\u00eb is here ok"
    )
    assert plain_line("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧"
