"""WebVTT: blocks, headers and time maps; automatic captions."""

import pytest

from emotion_mt.corpus import read_subtitles


def _read(tmp_path, content):
    path = tmp_path / "a.vtt"
    path.write_text(content)
    return read_subtitles(path)


def test_only_an_empty_line_ends_a_webvtt_cue(tmp_path):
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n \nsaid after a blank\n\n"
        "lost words\n\n00:03.000 --> 00:04.000\n\n"
        "name\n00:05.000 --> 00:06.50\nno line between\n7\n"
        "00:07.000 --> 00:08.000\nlast"
    )
    subtitles = _read(tmp_path, text)
    found = [(c.start_s, c.end_s, c.text) for c in subtitles.cues]
    assert found == [
        (1.0, 2.0, "said after a blank"),
        (3.0, 4.0, ""),
        (5.0, 6.5, "no line between"),
        (7.0, 8.0, "last"),
    ]
    (note,) = subtitles.notes
    assert note.endswith("line 7: ignored text without times: 'lost words'")


def test_times_inside_notes_and_headers_are_no_cues(tmp_path):
    text = (
        "WEBVTT from 00:00:01.000 --> 00:00:09.000\nLanguage: en\n\n"
        "NOTE\n00:01.000 --> 00:02.000\nout\n\n"
        "REGION\nid:a\n\n00:03.000 --> 00:04.000 region:a\nin\n"
    )
    subtitles = _read(tmp_path, text)
    assert [cue.text for cue in subtitles.usable] == ["in"]
    (problem,) = subtitles.problems
    assert problem.endswith("line 5: left out, comment, not a subtitle")


def test_time_maps_move_what_follows(tmp_path):
    def part(header, word):
        return f"WEBVTT\n{header}\n\n00:01.000 --> 00:02.000\n{word}\n\n"

    text = (
        part("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", "ten")
        + part("X-TIMESTAMP-MAP=LOCAL:00:00:01.000,MPEGTS:0", "before")
        + part("X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0", "here")
        + part("Kind: captions", "there")
        + part("X-TIMESTAMP-MAP=LOCAL:00:00:01.500,MPEGTS:0", "out")
    )
    subtitles = _read(tmp_path, text)
    starts = [(cue.text, cue.start_s) for cue in subtitles.cues]
    assert starts == [
        ("ten", 11.0),
        ("before", 0.0),
        ("here", 1.0),
        ("there", 1.0),
        ("out", -0.5),
    ]
    moved = [note.partition(": the time map ")[2] for note in subtitles.notes]
    assert moved == [
        "moves the cues that follow by +10.000 s",
        "moves the cues that follow by -1.000 s",
        "moves the cues that follow by -1.500 s",
    ]
    problem = "left out, cue begins before the movie"
    assert subtitles.problems[-1].endswith(problem)


# --- Automatic captions -------------------------------------------------------


def _vtt(*cues):
    blocks = [f"00:{a:06.3f} --> 00:{b:06.3f}\n{text}" for a, b, text in cues]
    return "\n\n".join(["WEBVTT", *blocks])


ROLLING = {
    "one line stays, a blink between": (
        ((1, 3, "a b"), (3, 3.01, "a b"), (3.01, 5, "a b\nc"), (5, 5.01, "c")),
        ["a b", "c"],
    ),
    "two lines stay": (
        ((1, 2, "a\nb\nc"), (2, 3, "b\nc\nd"), (3, 4, "c\nd\ne")),
        ["a b c", "d", "e"],
    ),
    "nothing is on the screen after a pause": (
        ((1, 2, "a"), (2, 3, "a\nb"), (3, 4, "b\nc"), (50, 51, "c\nd")),
        ["a", "b", "c", "c d"],
    ),
}


@pytest.mark.parametrize("kind", ROLLING)
def test_automatic_captions_are_said_once(tmp_path, kind):
    cues, expected = ROLLING[kind]
    subtitles = _read(tmp_path, _vtt(*cues))
    assert [cue.text for cue in subtitles.usable] == expected
    dropped = len(cues) - len(expected)
    assert (
        f"{dropped} of {len(cues)} cues say nothing new"
        in (subtitles.notes[-1])
    )
    assert len(subtitles.problems) == 1 + dropped


@pytest.mark.parametrize(
    "cues",
    [
        ((1, 2, "No!"), (2, 3, "No!"), (3, 4, "No!")),
        ((1, 2, "No!"), (2, 3, "No!\nYes!"), (3, 4, "a"), (4, 5, "b")),
        ((1, 2, "No!"), (2, 2.01, "No, no!"), (2.01, 3, "Never!")),
    ],
)
def test_words_that_people_repeat_stay(tmp_path, cues):
    subtitles = _read(tmp_path, _vtt(*cues))
    expected = [text.replace("\n", " ") for _, _, text in cues]
    assert [cue.text for cue in subtitles.usable] == expected
    assert subtitles.notes == ()
