import pytest

from emotion_mt.inference import folders
from emotion_mt.inference.folders import replacing_folder

NAMES = ("mark", "other")


def write(folder, text="new"):
    with replacing_folder(folder, NAMES, "mark") as temporary:
        (temporary / "mark").write_text(text)


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


def test_makes_parents_and_leaves_nothing_beside(tmp_path):
    write(tmp_path / "a" / "b")

    assert contents(tmp_path / "a" / "b") == ["mark"]
    assert contents(tmp_path / "a") == ["b"]


def test_replaces_as_a_whole(tmp_path):
    folder = tmp_path / "b"
    with replacing_folder(folder, NAMES, "mark") as temporary:
        (temporary / "mark").write_text("old")
        (temporary / "other").mkdir()
        (temporary / "other" / "deep").write_text("old")

    write(folder)

    assert contents(folder) == ["mark"]
    assert (folder / "mark").read_text() == "new"
    assert contents(tmp_path) == ["b"]


def test_fills_an_empty_folder(tmp_path):
    (tmp_path / "b").mkdir()

    write(tmp_path / "b")

    assert contents(tmp_path / "b") == ["mark"]


def test_after_an_error_all_is_as_before(tmp_path):
    write(tmp_path / "b", "old")

    def fail(folder):
        with replacing_folder(folder, NAMES, "mark") as temporary:
            (temporary / "mark").write_text("half")
            raise KeyboardInterrupt

    for name in ("b", "c"):
        with pytest.raises(KeyboardInterrupt):
            fail(tmp_path / name)

    assert (tmp_path / "b" / "mark").read_text() == "old"
    assert contents(tmp_path) == ["b"]


def test_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path, monkeypatch
):
    folder = tmp_path / "b"
    write(folder, "old")
    rename = type(folder).rename

    def refuse(self, target):
        if self.name.startswith(".b-") and not self.name.endswith(".old"):
            raise OSError("no")
        return rename(self, target)

    # As where the system cannot exchange two folders in one step.
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    monkeypatch.setattr(type(folder), "rename", refuse)
    with pytest.raises(OSError, match="no"):
        write(folder)

    assert (folder / "mark").read_text() == "old"
    assert contents(tmp_path) == ["b"]


def test_keeps_what_others_put_there(tmp_path):
    write(tmp_path / "b", "old")
    (tmp_path / "b" / "thesis.doc").write_text("precious")

    with pytest.raises(
        ValueError,
        match=r"b: expected a new or empty folder.*"
        r"nothing but mark, other.*with: thesis\.doc",
    ):
        write(tmp_path / "b")

    assert (tmp_path / "b" / "mark").read_text() == "old"


def test_a_folder_without_the_mark_is_not_ours(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "other").write_text("")

    with pytest.raises(ValueError, match="Received a folder with: other"):
        write(tmp_path / "b")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "b").write_text("")

    with pytest.raises(ValueError, match=r"b: expected a folder.*a file"):
        write(tmp_path / "b")
