"""Every kind of bad input, in both of COGNIMUSE's layouts and the manifest.

A kind is handled as documented or refused with file, expectation and what
was received; nothing ends in a traceback, and what is left out is counted.
"""

import os
import time

import pytest

from emotion_mt.corpus import CorpusError, inspect_corpus, load_corpus


def refused(films, file, *parts):
    """Loading is refused in one message that names `file`."""
    with pytest.raises(CorpusError) as caught:
        load_corpus(films.root)
    (problem,) = caught.value.problems
    assert str(file) in problem
    assert "expected" in problem
    assert "Received" in problem
    for part in parts:
        assert part in problem


def texts(films):
    return load_corpus(films.root).segments["text"].tolist()


def write_text(films, *lines):
    """Gives the film's two segments the text of one or two lines."""
    if films.layout == "manifest":
        rows = [(f"s{i}", 2 * i, 2 * i + 1, t) for i, t in enumerate(lines, 1)]
        films.write_segments(rows)
    else:
        blocks = [
            f"{i}\n00:00:0{2 * i},000 --> 00:00:0{2 * i + 1},000\n{t}\n"
            for i, t in enumerate(lines, 1)
        ]
        films.subtitles.write_text("\n".join(blocks), encoding="utf-8")


def text_file(films):
    return films.segments if films.layout == "manifest" else films.subtitles


# --- Texts -------------------------------------------------------------------


def test_mixed_encodings_are_read_and_noted(films):
    write_text(films, "Où", "one")
    path = text_file(films)
    path.write_bytes(path.read_bytes().replace(b"one", "é".encode("cp1252")))
    corpus = load_corpus(films.root)
    assert corpus.segments["text"].tolist() == ["Où", "\ufffd"]
    assert f"{path}, line " in corpus.notes[0]
    assert "broken in UTF-8, replaced by" in corpus.notes[0]


def test_what_cannot_be_seen_is_removed_and_other_scripts_stay(films):
    unseen = "a\x00b\x07 c\x1bd\ufeff\u200be \u202bשלום\u2067 x\u2069"
    write_text(films, unseen, "مرحبا بالعالم 😀 👨‍👩‍👧 é")
    assert texts(films) == ["ab cde שלום x", "مرحبا بالعالم 😀 👨‍👩‍👧 é"]


def test_very_long_text(films):
    write_text(films, "word " * 20000, "two")
    corpus = load_corpus(films.root)
    if films.layout == "manifest":
        # A field of a CSV file is what its writer says it is.
        assert len(corpus.segments["text"][0]) == 99999
        # Longer fields are none that Python reads.
        write_text(films, "x" * 140_000, "two")
        refused(films, films.segments, "line 2", "field larger than")
    else:
        assert corpus.segments["text"].tolist() == ["two"]
        assert corpus.left_out["reason"].tolist() == [
            "more than 5000 characters, no subtitle"
        ]


@pytest.mark.parametrize(
    "body",
    [
        "1:1:" + "1" * 100_000,
        "1:1:1 " + "1:1:1" * 20_000 + "x y",
        "<br" + " " * 100_000 + "x",
        "<" + " " * 100_000,
        "{" * 100_000,
        "{\\i1}" * 20_000,
        "x" + "\n" * 100_000,
        "&#" + "9" * 5000 + ";",
        "a\n\n" + "9" * 5000 + "\n",
    ],
    ids=lambda body: body[:8].encode("unicode_escape").decode(),
)
@pytest.mark.parametrize("head", ["", "\n" * 100_000])
def test_no_text_takes_long(cognimuse, body, head):
    # Each of these took more than 15 s, or a traceback, before.
    times = "00:00:01,000 --> 00:00:02,000\n"
    later = "\n\n00:00:03,000 --> 00:00:04,000\nTwo\n"
    cognimuse.subtitles.write_text(head + times + body + later)
    start = time.process_time()
    assert texts(cognimuse)[-1] == "Two"
    # Of this process alone, and with room for a slow machine.
    assert time.process_time() - start < 10


def test_ten_thousand_cues(films, inspect):
    if films.layout == "manifest":
        rows = [(f"s{i}", i / 2, i / 2 + 0.4, "x") for i in range(10_000)]
        films.write_segments(rows)
        ratings = "".join(f"s{i},V1,0.5\n" for i in range(21))
        films.annotations.write_text("segment_id,viewer,value\n" + ratings)
    else:
        cues = [
            f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}.{tenth} --> "
            f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}.{tenth + 4}\nx\n"
            for s in range(5000)
            for tenth in (0, 5)
        ]
        films.subtitles.write_text("\n".join(cues))
    status, content, _ = inspect(films)
    assert status == 0
    (film,) = content["films"]
    assert (film["found"], film["used"], film["left_out"]) == (10_000, 21, 9979)
    assert sum(row["segments"] for row in content["left_out"]) == 9979


def test_times_as_large_as_numbers_get(cognimuse):
    cognimuse.trace().write_text("-1e308 0 0\n1.5 0.5 0\n1e308 0 0\n")
    refused(cognimuse, cognimuse.trace(), "times up to 1e+308 in steps of")


# --- Files and folders -------------------------------------------------------

NAMES = ["a b.avi", 'it\'s "so".avi', "línea.avi", "电影.avi"]


@pytest.mark.parametrize("name", NAMES)
def test_names_with_blanks_quotes_and_other_scripts(films, name, inspect):
    path = films.root / name
    path.write_bytes(b"x")
    if films.layout == "manifest":
        cell = '"' + name.replace('"', '""') + '"'
        films.write_segments([("s1", 1, 2, ""), ("s2", 3, 4, "")], cell)
    else:
        (films.root / "BMI").mkdir(exist_ok=True)
        path = path.rename(films.root / "BMI" / name)
    status, content, errors = inspect(films)
    assert status == 0
    said = ("Reading videos: 1 of 1 videos (100%)", "")
    assert errors.partition(" after ")[0].strip() in said
    assert content["films"][0]["video"] == str(path)


@pytest.mark.parametrize("name", ["line\nbreak.avi", os.fsdecode(b"\xff.avi")])
def test_names_that_are_no_text_are_refused_in_one_line(
    cognimuse, name, inspect
):
    (cognimuse.root / "BMI").mkdir(exist_ok=True)
    (cognimuse.root / "BMI" / name).write_bytes(b"x")
    status, content, errors = inspect(cognimuse)
    assert (status, content) == (1, None)
    (line,) = errors.splitlines()
    assert "Received a file whose path is not plain text in UTF-8" in line
    assert ("\\n" if "\n" in name else "\\udcff") in line


def test_folder_whose_name_is_no_text(films, inspect):
    odd = films.root.with_name(os.fsdecode(b"odd\xff\nname"))
    films.root = films.root.rename(odd)
    status, content, _ = inspect(films)
    assert status == 0
    assert content["corpus"]["name"] == "odd\\udcff\\nname"


def test_links_are_followed_and_loops_end(films, inspect):
    (films.root / "again").symlink_to(films.root)
    (films.root / "BMI.vtt").symlink_to("BMI.vtt")
    if films.layout == "manifest":
        real = films.root / "real.avi"
        real.write_bytes(b"x")
        films.video.symlink_to(real)
        films.write_segments(
            [("s1", 1, 2, ""), ("s2", 3, 4, "")], films.video.name
        )
        assert load_corpus(films.root).segments["video"][0] == str(films.video)
    else:
        # Two subtitle files of one film, one of which leads nowhere.
        status, _, errors = inspect(films)
        assert status == 1
        assert "BMI.vtt" in errors


@pytest.mark.parametrize("kind", ["pipe", "folder", "nowhere"])
def test_what_is_no_file_is_refused(films, kind):
    if films.layout == "manifest":
        paths = [films.annotations]
    else:
        # A folder with the name of a video is a folder like others.
        paths = [films.trace(), films.subtitles]
        paths += [films.video] if kind != "folder" else []
    for path in paths:
        before = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("nowhere")
        # A folder is not taken for a file at all, so the file is missing.
        refused(films, path if kind != "folder" else films.root)
        path.rmdir() if kind == "folder" else path.unlink()
        if before is not None:
            path.write_bytes(before)


def test_folder_that_does_not_open_is_a_problem(cognimuse, monkeypatch):
    locked = cognimuse.root / "locked"
    locked.mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refused(cognimuse, locked, "Permission denied")
    # What can be read is reported nevertheless.
    inspection = inspect_corpus(cognimuse.root)
    assert inspection.corpus.movies == ("BMI",)
    assert len(inspection.problems) == 1


# --- The manifest's own ------------------------------------------------------


def test_video_behind_a_link_that_leads_out(manifest, tmp_path):
    outside = tmp_path / "outside.avi"
    outside.write_bytes(b"x")
    manifest.video.symlink_to(outside)
    rows = [("s1", 1, 2, ""), ("s2", 3, 4, "")]
    manifest.write_segments(rows, manifest.video.name)
    with pytest.raises(CorpusError, match="and inside it"):
        load_corpus(manifest.root)
    corpus = load_corpus(manifest.root, allow_outside=True)
    assert corpus.segments["video"][0] == str(manifest.video)
    manifest.write_segments(rows, "../outside.avi")
    with pytest.raises(CorpusError, match="and inside it"):
        load_corpus(manifest.root)
    corpus = load_corpus(manifest.root, allow_outside=True)
    assert os.path.samefile(corpus.segments["video"][0], outside)


@pytest.mark.parametrize("column", ["segment_id", "movie", "viewer"])
@pytest.mark.parametrize("name", ["9" * 5000, '"two\nlines"', "bell\x07"])
def test_names_that_no_file_can_have(manifest, column, name):
    row = {"segment_id": "s1", "movie": "BMI", "viewer": "V1", column: name}
    manifest.segments.write_text(
        "segment_id,movie,start_s,end_s,text,video\n"
        f"{row['segment_id']},{row['movie']},0,1,,\n"
    )
    manifest.annotations.write_text(
        f"segment_id,viewer,value\n{row['segment_id']},{row['viewer']},1\n"
    )
    with pytest.raises(CorpusError, match=f"expected a {column} ") as caught:
        load_corpus(manifest.root)
    problems = caught.value.problems
    assert all(p.isprintable() and len(p) < 1000 for p in problems)
