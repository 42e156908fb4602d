"""Uploads are moved away, and gone afterwards."""

import os

import pytest

from emotion_mt.demo.messages import DemoError
from emotion_mt.demo.uploads import claimed


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "uploads"
    path.mkdir()
    return path


@pytest.fixture
def upload(folder):
    """Puts a file where Gradio would."""

    def put(name, content=b"x", parent="hash"):
        path = folder / parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return str(path)

    return put


def left(folder):
    return sorted(p.name for p in folder.rglob("*"))


def test_moved_and_deleted(folder, upload):
    video = upload("a 'b'.mp4", b"video", "1")
    subtitles = upload("a 'b'.mp4", b"text", "2")
    with claimed(video, subtitles, None, folder=folder) as paths:
        assert [p and p.name for p in paths] == ["a 'b'.mp4"] * 2 + [None]
        assert paths[0].read_bytes() == b"video"
        assert paths[1].read_bytes() == b"text"
        assert not os.path.exists(video)
    assert left(folder) == []


def test_deleted_after_an_error(folder, upload):
    with (
        pytest.raises(ZeroDivisionError),
        claimed(upload("a.srt"), folder=folder),
    ):
        raise ZeroDivisionError
    assert left(folder) == []


def test_what_others_uploaded_stays(folder, upload):
    mine = upload("a.srt")
    upload("b.srt")
    with claimed(mine, folder=folder):
        pass
    assert left(folder) == ["b.srt", "hash"]


def test_gone_meanwhile(folder, upload):
    """The one that is still there is deleted all the same."""
    video = upload("a.mp4", parent="1")
    with (
        pytest.raises(DemoError, match=r"^b\.srt: no longer here.*again$"),
        claimed(video, str(folder / "2" / "b.srt"), folder=folder),
    ):
        pytest.fail("must not come here")
    assert left(folder) == []


def test_refuses_what_is_no_upload(tmp_path, folder):
    """Neither by name nor through a link is another file deleted."""
    precious = tmp_path / "precious.txt"
    precious.write_text("keep")
    link = folder / "link.srt"
    link.symlink_to(precious)
    loop = folder / ".." / "precious.txt"
    for path in (precious, link, loop, folder):
        with (
            pytest.raises(DemoError, match="no longer here"),
            claimed(str(path), folder=folder),
        ):
            pytest.fail("must not come here")
    assert precious.read_text() == "keep"
