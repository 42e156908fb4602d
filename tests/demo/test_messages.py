"""Messages without the paths of the server."""

import pytest

from emotion_mt.demo.messages import without_paths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/a/clip.mp4: no such file", "clip.mp4: no such file"),
        ("see '/home/x/y.srt', line 3", "see 'y.srt', line 3"),
        ("[Errno 2] No such file: '/tmp'", "[Errno 2] No such file: 'tmp'"),
        (r"C:\Users\me\clip.mp4: bad", "clip.mp4: bad"),
        ("folder /srv/data/ is full", "folder data is full"),
        # No paths.
        ("fps 24000/1001, 1/25 s, and/or", "fps 24000/1001, 1/25 s, and/or"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("<i>a</i> 00:00:01,000 --> 2", "<i>a</i> 00:00:01,000 --> 2"),
        ("", ""),
    ],
)
def test_paths(text, expected):
    assert without_paths(text) == expected


def test_names_with_blanks_and_quotes(tmp_path):
    folder = tmp_path / "job 1"
    folder.mkdir()
    path = folder / "it's a clip (1).mp4"
    message = f"{path}: expected a video. Received: {tmp_path}/b"
    assert (
        without_paths(message, [folder])
        == "it's a clip (1).mp4: expected a video. Received: b"
    )


def test_folder_behind_a_link(tmp_path):
    folder = tmp_path / "real folder"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert without_paths(f"{folder / 'a b.srt'}: bad", [link]) == "a b.srt: bad"


def test_inner_folder_goes_first(tmp_path):
    inner = tmp_path / "in ner"
    text = f"{inner / 'a.srt'}: bad"
    assert without_paths(text, [tmp_path, inner]) == "a.srt: bad"
