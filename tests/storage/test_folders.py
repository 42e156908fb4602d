import pytest

from emotion_mt.storage.folders import find_folder, replacing_folder

NAMES = ("mark", "other")


def write(folder, text="new"):
    with replacing_folder(folder, NAMES, "mark") as temporary:
        (temporary / "mark").write_text(text)


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


def test_replaces_as_a_whole(tmp_path):
    # Parents are made.
    write(tmp_path / "a" / "b")
    assert contents(tmp_path / "a" / "b") == ["mark"]
    assert contents(tmp_path / "a") == ["b"]
    folder = tmp_path / "a" / "c"
    # An empty one may be there.
    folder.mkdir()
    with replacing_folder(folder, NAMES, "mark") as temporary:
        (temporary / "mark").write_text("old")
        (temporary / "other").mkdir()
        (temporary / "other" / "deep").write_text("old")

    write(folder)

    assert contents(folder) == ["mark"]
    assert (folder / "mark").read_text() == "new"
    assert contents(tmp_path / "a") == ["b", "c"]


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


def test_an_interrupted_swap_is_survived(tmp_path, caplog):
    """As a process that is killed between the two renames leaves it."""
    folder = tmp_path / "b"
    write(folder, "old")
    folder.rename(tmp_path / ".b.old")

    found = find_folder(folder)

    assert (found / "mark").read_text() == "old"
    assert f"{folder}: absent" in caplog.text
    write(folder)
    # As one leaves it that is killed while it removes the old folder.
    (tmp_path / ".b.old" / "other").mkdir(parents=True)
    assert find_folder(folder) == folder
    write(folder, "newer")
    assert contents(tmp_path) == ["b"]


@pytest.mark.parametrize("names", [("mark", "thesis.doc"), ("other",)])
def test_what_others_put_there_stays(tmp_path, names):
    (tmp_path / "b").mkdir()
    for name in names:
        (tmp_path / "b" / name).write_text("precious")

    with pytest.raises(
        ValueError,
        match=r"b: expected a new or empty folder.*"
        rf"nothing but mark, other.*Received a folder with: {names[-1]}",
    ):
        write(tmp_path / "b")

    assert contents(tmp_path / "b") == sorted(names)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"file: expected a folder.*a file"):
        write(tmp_path / "file")
