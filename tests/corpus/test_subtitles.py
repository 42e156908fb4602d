import pysubs2
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


def _read(tmp_path, content, name="a.srt"):
    path = tmp_path / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return read_subtitles(path)


def _texts(subtitles):
    return [cue.text for cue in subtitles.cues]


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


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_encodings_and_line_ends_do_not_matter(tmp_path, encoding, line_end):
    text = SRT.replace("Get in.", "Où ça?").replace("\n", line_end)
    subtitles = _read(tmp_path, text.encode(encoding))
    assert _texts(subtitles) == ["Où ça? Hurry.", "R&B & AT&T again"]


def test_fallback_encoding_is_noted(tmp_path):
    subtitles = _read(tmp_path, SRT.replace("in", "ç").encode("latin-1"))
    (note,) = subtitles.notes
    assert "a.srt: not UTF-8, read as cp1252" in note


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
    text = (
        f"1\n00:00:01,000 --> 00:00:02,000\n{body}\n\n"
        f"2\n00:00:03,000 --> 00:00:04,000\n{body}\n"
    )
    assert _texts(_read(tmp_path, text)) == [expected, expected]


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


def test_empty_cues_without_numbers_are_empty(tmp_path):
    text = "00:00:01,000 --> 00:00:02,000\n\n00:00:03,000 --> 00:00:04,000\nB\n"
    assert _texts(_read(tmp_path, text)) == ["", "B"]


def test_cues_that_do_not_end_after_their_start_are_left_out(tmp_path):
    text = (
        "1\n00:00:05,000 --> 00:00:04,000\nA\n\n"
        "2\n00:00:06,000 --> 00:00:06,000\nB\n\n"
        "3\n00:00:07,000 --> 00:00:08,000\nC\n"
    )
    subtitles = _read(tmp_path, text)
    reason = "cue does not end after its start"
    assert [cue.left_out for cue in subtitles.cues] == [reason, reason, ""]
    assert [cue.text for cue in subtitles.usable] == ["C"]
    assert subtitles.cues[0].start_s == 5.0


def test_usable_cues_are_in_order_of_time(tmp_path):
    text = (
        "1\n00:00:05,000 --> 00:00:06,000\nlate\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\nearly\n"
    )
    subtitles = _read(tmp_path, text)
    assert _texts(subtitles) == ["late", "early"]
    assert [cue.number for cue in subtitles.usable] == [2, 1]


def test_text_before_the_first_cue_is_noted(tmp_path):
    subtitles = _read(tmp_path, "Made by me\n\n" + SRT)
    assert "ignored text before the first cue: 'Made by me'" in " ".join(
        subtitles.notes
    )
    assert len(subtitles.cues) == 2


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
    subtitles = _read(tmp_path, text, "a.ass")
    assert subtitles.format == format_
    assert [cue.left_out for cue in subtitles.cues] == [
        "comment line, not a subtitle",
        "",
        "drawing, no text",
        "",
        "cue does not end after its start",
    ]
    first, second = subtitles.usable
    assert (first.start_s, first.end_s, first.line) == (1.0, 2.5, 11)
    assert first.text == "One two, three"
    assert second.text == "Text here"


def test_ass_without_styles_is_still_ass(tmp_path):
    start = ASS.index("[V4+")
    text = ASS[:start] + ASS[ASS.index("[Events]") :]
    assert _read(tmp_path, text).usable[0].text == "One two, three"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"expected subtitles .* Received an empty file"),
        ("\ufeff\r\n \n", r"expected subtitles .* Received an empty file"),
        (
            "no subtitles\nat all\n",
            r"expected at least one cue such as '00:00:01,000 --> "
            r"00:00:02,500'\. Received no cue; .* 'no subtitles'",
        ),
        ("WEBVTT\n", r"expected at least one cue such as '00:00:01\.000"),
        ("[Script Info]\n[Events]\n", r"at least one cue such as 'Dialogue:"),
        (
            SRT.replace("00:00:01,000 -->", "00:00:1x,000 -->"),
            r", line 2: expected a cue such as .* Received: '00:00:1x,000 -->",
        ),
        (
            SRT.replace("-->", "->"),
            r", line 2: expected a cue .* \(and 1 more such lines\)",
        ),
        (SRT.replace("01:02:03,004", "101:02:03,004"), r", line 7: .*'101:02"),
        (SRT.replace("01:02:03,004", "01:62:03,004"), r", line 7: .*'01:62"),
        (SRT.replace("00:00:01,000", "-0:00:01,000"), r", line 2: .*'-0:00"),
        (SRT.replace("00:00:01,000", "00:00:01"), r", line 2: .*'00:00:01 -"),
        # pysubs2 would read these hundredths as milliseconds.
        (VTT.replace("00:02.000", "00:02.50"), r", line 8: .*00:02\.50"),
        (
            ASS.replace("0:00:01.00,0:00:02.50", "0:00:01.00,soon"),
            r", line 11: expected a cue such as 'Dialogue: .*soon",
        ),
        (
            ASS + "Dialogue: 0,0:00:08.00,0:00:09.00\n",
            r", line 15: expected a cue such as 'Dialogue: ",
        ),
        (
            ASS.replace("Start, End", "End, Start"),
            r", line 9: expected the event fields layer, start, end.* "
            r"Received: layer, end, start",
        ),
    ],
)
def test_malformed_subtitles_are_refused(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message) as caught:
        _read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "a.srt"))


def test_binary_file_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"a\.srt: expected at least one"):
        _read(tmp_path, bytes(range(128, 256)) * 20)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"gone\.srt: expected a readable"):
        read_subtitles(tmp_path / "gone.srt")


@pytest.mark.parametrize("failure", ["raises", "loses a cue"])
def test_a_surprise_from_pysubs2_is_an_error(tmp_path, monkeypatch, failure):
    def from_string(text, format_):
        if failure == "raises":
            raise ValueError("no idea")
        return [pysubs2.SSAEvent()]

    monkeypatch.setattr(pysubs2.SSAFile, "from_string", from_string)
    message = "no idea" if failure == "raises" else "expected 2 cues.* 1 from"
    with pytest.raises(CorpusError, match=message):
        _read(tmp_path, SRT)
