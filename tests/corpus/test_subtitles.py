import math

import pytest

from emotion_mt.corpus import CorpusError, read_subtitles

SRT = """\
1
00:00:01,000 --> 00:00:02,500
<i>Get in.</i>
Hurry.

2
01:02:03,004 --> 01:02:04,5
{\\an8}R&B &amp; AT&T<br/>again

"""


def _read(tmp_path, content):
    path = tmp_path / "a.srt"
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return read_subtitles(path)


def _texts(subtitles):
    return [cue.text for cue in subtitles.cues]


def _srt(*cues):
    """SubRip of cues (start in s, end in s, text)."""
    blocks = (
        f"{i}\n00:00:{a:02d},000 --> 00:00:{b:02d},000\n{text}\n"
        for i, (a, b, text) in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def test_times_and_plain_text_of_subrip(tmp_path):
    subtitles = _read(tmp_path, SRT)
    first, second = subtitles.cues
    assert (first.number, first.line) == (1, 2)
    assert (first.start_s, first.end_s) == (1.0, 2.5)
    assert first.text == "Get in. Hurry."
    assert (second.number, second.line) == (2, 7)
    assert (second.start_s, second.end_s) == (3723.004, 3724.5)
    assert second.text == "R&B & AT&T again"
    assert (subtitles.format, subtitles.encoding) == ("srt", "utf-8")
    assert subtitles.notes == ()
    assert subtitles.usable == subtitles.cues


def test_markup_is_removed(tmp_path):
    text = (
        '1\n0:00:01,0 --> 0:00:02,0 X1:100 X2:200\n<font color="red">A</font>'
        "<b>b</b> <c.yellow.bg>\u200bC</c>\u00a0d  &#233;&nbsp;&lt;x&gt;\n"
    )
    assert _texts(_read(tmp_path, text)) == ["Ab C d é <x>"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("He has\n42", "He has 42"),
        ("1917", "1917"),
        ("Two\n\nparagraphs", "Two paragraphs"),
        ("at 00:00:01,000 or 00:00:02,000", "at 00:00:01,000 or 00:00:02,000"),
        ("", ""),
    ],
)
def test_text_that_looks_like_structure_is_kept(tmp_path, body, expected):
    subtitles = _read(tmp_path, _srt((1, 2, body), (3, 4, body)))
    assert _texts(subtitles) == [expected, expected]


@pytest.mark.parametrize(
    "text",
    [
        # No numbers at all; a number that is text stands before a blank line.
        "00:00:01,000 --> 00:00:02,000\n42\n\n"
        "00:00:03,000 --> 00:00:04,000\nB\n",
        # Blank lines everywhere.
        "1\n\n00:00:01,000 --> 00:00:02,000\n\n42\n\n2\n\n"
        "00:00:03,000 --> 00:00:04,000\n\nB\n",
        # Numbers that are not consecutive.
        "7\n00:00:01,000 --> 00:00:02,000\n42\n\n9\n"
        "00:00:03,000 --> 00:00:04,000\nB\n",
        # No blank lines at all.
        "1\n00:00:01,000 --> 00:00:02,000\n42\n2\n"
        "00:00:03,000 --> 00:00:04,000\nB",
    ],
)
def test_cue_numbers_are_told_from_text(tmp_path, text):
    assert _texts(_read(tmp_path, text)) == ["42", "B"]


def test_usable_cues_are_in_order_of_time_and_end_after_their_start(tmp_path):
    cues = ((5, 4, "A"), (6, 6, "B"), (7, 8, "late"), (1, 2, "early"))
    subtitles = _read(tmp_path, "Made by me\n\n" + _srt(*cues))
    reason = "cue does not end after its start"
    assert [cue.left_out for cue in subtitles.cues] == [reason, reason, "", ""]
    assert _texts(subtitles) == ["A", "B", "late", "early"]
    assert [cue.number for cue in subtitles.usable] == [4, 3]
    assert subtitles.cues[0].start_s == 5.0
    (note,) = subtitles.notes
    assert "ignored text before the first cue: 'Made by me'" in note


VTT = """\
WEBVTT - some title
Kind: captions

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.000 align:start position:0%
<v Bob>Hi</v> <00:00:01.200><c>there</c> <00:00:01.500>you

NOTE not to be read

2
01:00:03.250 --> 01:00:04.000
- Second
- line

NOTE
nor this
"""


def test_webvtt_names_notes_styles_and_karaoke_are_no_text(tmp_path):
    # The name says SubRip; content decides.
    subtitles = _read(tmp_path, VTT)
    assert subtitles.format == "vtt"
    assert _texts(subtitles) == ["Hi there you", "- Second - line"]
    times = [(cue.start_s, cue.end_s) for cue in subtitles.cues]
    assert times == [(1.0, 2.0), (3603.25, 3604.0)]


ASS = """\
[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,not a size

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,by me
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}One{\\i0}\\Ntwo, three
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}
Dialogue: x,0:00:05.00,0:00:06.00,Default,,,0,0,,{\\p1}m 0 0{\\p0}Text\\hhere
Dialogue: 0,0:00:07.00,0:00:07.00,Default,,0,0,0,,never
"""


@pytest.mark.parametrize("format_", ["ass", "ssa"])
def test_ass_overrides_comments_and_drawings(tmp_path, format_):
    text = ASS
    if format_ == "ssa":
        text = text.replace("V4+", "V4").replace("Layer", "Marked")
    subtitles = _read(tmp_path, text)
    assert subtitles.format == format_
    assert [cue.left_out for cue in subtitles.cues] == [
        "comment, not a subtitle",
        "",
        "drawing, no text",
        "",
        "cue does not end after its start",
    ]
    first, second = subtitles.usable
    assert (first.start_s, first.end_s, first.line) == (1.0, 2.5, 11)
    assert first.text == "One two, three"
    assert second.text == "Text here"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected subtitles .* Received an empty file"),
        ("\ufeff\r\n \n", "expected subtitles .* Received an empty file"),
        ("Hi there\n\n", r"a cue such as '00:.*'\. Received no cue; .*'Hi the"),
        ("WEBVTT\n", r"expected a cue such as '00:00:01\.000"),
        ("[Script Info]\n[Events]\n", r"a cue such as 'Dialogue:"),
        (SRT.replace("-->", "->"), r", line 2: .* \(and 1 more such lines\)"),
        (
            ASS.replace("Start, End", "Begin, End"),
            r", line 9: expected the event fields Start, End and, as the last, "
            r"Text\. Received: layer, begin, end",
        ),
        (
            VTT.replace("Kind: captions", "X-TIMESTAMP-MAP=LOCAL:0,MPEGTS:x"),
            r", line 2: expected a time map such as 'X-TIMESTAMP-MAP=LOCAL:",
        ),
        (bytes(range(128, 256)) * 20, "expected UTF-8, or text"),
    ],
)
def test_files_without_a_usable_cue_are_refused(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message) as caught:
        _read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "a.srt"))


BAD_TIMES = [
    "00:00:1x,000 --> 00:00:02,000",
    "00:00:01,0000 --> 00:00:02,5000",
    "-00:00:02,000 --> 00:00:01,000",
    "00:00:59,000 --> 00:00:60,000",
    "00:61:00,000 --> 00:62:00,000",
    "1000:00:00,000 --> 1000:00:01,000",
    "00:00:01 --> 00:00:02",
    "00:00:01,000 -> 00:00:02,000",
    "00:00:01,000 00:00:02,000",
    "soon --> later",
    "-->",
]


@pytest.mark.parametrize("times", BAD_TIMES)
@pytest.mark.parametrize("place", [0, 2])
def test_a_bad_cue_is_left_out_and_listed_with_its_line(tmp_path, times, place):
    good = [
        ("00:00:04,000 --> 00:00:05,000", "one"),
        ("00:00:06,000 --> 00:00:07,000", "two"),
    ]
    cues = [*good[:place], (times, "bad words"), *good[place:]]
    text = "\n".join(f"{i}\n{t}\n{w}\n" for i, (t, w) in enumerate(cues, 1))
    subtitles = _read(tmp_path, text)
    assert [cue.text for cue in subtitles.usable] == ["one", "two"]
    bad = subtitles.cues[place]
    assert (bad.left_out, bad.line) == (
        "its times cannot be read",
        4 * place + 2,
    )
    assert math.isnan(bad.start_s)
    (problem,) = subtitles.problems
    assert problem == (
        f"{tmp_path / 'a.srt'}, line {bad.line}: left out, expected a cue such "
        f"as '00:00:01,000 --> 00:00:02,500'. Received: {times!r}"
    )


def test_bad_events_of_ass_are_left_out_too(tmp_path):
    text = ASS.replace("0:00:01.00,0:00:02.50", "0:00:01.00,soon")
    text += "Dialogue: 0,0:00:08.00,0:00:09.00\n"
    subtitles = _read(tmp_path, text)
    assert [cue.text for cue in subtitles.usable] == ["Text here"]
    lines = [note.partition(" left out")[0] for note in subtitles.notes]
    assert lines == [f"{tmp_path / 'a.srt'}, line {n}:" for n in (11, 15)]


# --- The shared cases ---------------------------------------------------------
# ruff: noqa: E501
#: What is read of a file, and what is said of it.
CASES = {
    "rolling_captions.vtt": (
        "the boat was late|and nobody cared|I hate waiting",
        "2 of 5 cues say nothing new",
    ),
    "utf8_one_bad_byte.srt": (
        "Voilà l'été.|\ufffd(a va bien.|C'est fini.",
        "line 7: 1 character",
    ),
    **{
        f"{language}.srt": (text, f"read as {encoding}")
        for language, encoding, text in (
            ("greek_cp1253", "cp1253", "Σ' αγαπώ πολύ.|Δεν θέλω να περιμένω.|Τι ωραία μέρα!"),
            ("russian_cp1251", "cp1251", "Я тебя люблю.|Не хочу ждать.|Какой день!"),
            ("japanese_shift_jis", "cp932", "愛している|待ちたくない|いい天気だ"),
            ("chinese_gbk", "gb18030", "我爱你|我不想等|天气真好"),
            ("polish_cp1250", "cp1250", "Kocham cię.|Nie chcę czekać, żółw.|Ładny dzień!"),
        )
    },
    **{
        f"one_bad_cue_{kind}.srt": (
            "|".join(f"line {n}" for n in range(2, 30)),
            "line 2: left out, expected a cue such as",
        )
        for kind in ("four_digits", "negative", "sixty_seconds")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cases_that_went_wrong_for_others(shared, name):
    folder = shared / "cases" / "subtitles"
    if not folder.is_dir():
        pytest.skip("the cases (../shared/cases) are absent")
    expected, note = CASES[name]
    subtitles = read_subtitles(folder / name)
    assert "|".join(cue.text for cue in subtitles.usable) == expected
    assert note in subtitles.problems[0]
