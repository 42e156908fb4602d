"""What killed processes leave half written goes; what lives is left alone."""

import multiprocessing
import os
import types

import pytest

from emotion_mt.storage import atomic, claims
from emotion_mt.storage.folders import replacing_folder

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    # Python 3.12 warns of forks beside threads; the children use none.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


@pytest.fixture(params=["file", "folder"])
def target(request, tmp_path):
    """A file that is replaced, or a folder with a file."""
    path = tmp_path / "table2.md"
    if request.param == "file":
        return types.SimpleNamespace(
            replacing=lambda: atomic.replacing(path),
            text=lambda temporary=path: temporary,
        )
    return types.SimpleNamespace(
        replacing=lambda: replacing_folder(path, ("mark",), "mark"),
        text=lambda temporary=path: temporary / "mark",
    )


def write(target, text, begun=None, go_on=None):
    with target.replacing() as temporary:
        target.text(temporary).write_text(text)
        if begun:
            begun.set()
            go_on.wait()


@pytest.fixture
def start(target):
    """Starts processes that are in the middle of writing; kills them."""
    processes = []

    def start_one(text):
        begun, go_on = FORK.Event(), FORK.Event()
        how = (target, text, begun, go_on)
        process = FORK.Process(target=write, args=how)
        process.start()
        processes.append(process)
        assert begun.wait(60)
        return process, go_on

    yield start_one
    for process in processes:
        process.kill()
        process.join()


def kill(process):
    process.kill()
    process.join()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_next_write_removes_what_a_killed_one_left(target, start, tmp_path):
    # Also if there was nothing before.
    for text in ("first", "second"):
        for _ in range(3):
            kill(start("half")[0])
        assert len([n for n in names(tmp_path) if n.startswith(".")]) == 1
        write(target, text)
        assert names(tmp_path) == ["table2.md"]
        assert target.text().read_text() == text


def test_what_a_living_process_writes_stays(target, start, tmp_path):
    process, go_on = start("slow")
    kill(start("half")[0])
    write(target, "quick")
    assert target.text().read_text() == "quick"
    # One of the two that were half written is left, and is whole later.
    assert len(names(tmp_path)) == 2
    go_on.set()
    process.join(60)
    assert process.exitcode == 0
    assert target.text().read_text() == "slow"
    assert names(tmp_path) == ["table2.md"]


def test_what_others_put_there_stays(target, tmp_path):
    theirs = [
        ".table2.md-.tmp",
        ".table2.md-0123456.tmp",
        ".table2.md-mybackup.tmp",
        ".table3.md-01234567.tmp",
        "table2.md-01234567.tmp",
    ]
    for name in theirs:
        (tmp_path / name).mkdir()
    # Ours is a folder, not a file, and links are not followed.
    (tmp_path / ".table2.md-01234567.tmp").touch()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").touch()
    (tmp_path / ".table2.md-00000000.tmp").symlink_to(precious)
    write(target, "new")
    write(target, "newer")
    assert {*theirs, ".table2.md-01234567.tmp"} <= set(names(tmp_path))
    assert names(precious) == ["thesis"]


def test_locks_of_the_dead_block_nobody_and_go(tmp_path):
    """A process was killed before, and another after its file was there."""
    finished, running = tmp_path / "BMI.npz", tmp_path / "CHI.npz"
    for name in ("BMI", "CHI"):
        for lock in (f".{name}.npz.lock", f"{name}.npz.lock"):
            (tmp_path / lock).touch()
    (tmp_path / ".BMI.npz-01234567.tmp").mkdir()
    finished.touch()
    claim = claims.try_claim(running)
    assert claims.try_claim(running) is None
    # Who has claimed the work may write.
    with claims.writing(running), atomic.replacing(running) as temporary:
        temporary.touch()
        claims.tidy(tmp_path)
        # What is in use stays.
        in_use = [temporary.parent.name, ".CHI.npz.lock", "CHI.npz.lock"]
        assert names(tmp_path) == sorted([*in_use, "BMI.npz"])
    assert claims.try_claim(running) is None
    claim.release()
    assert names(tmp_path) == ["BMI.npz", "CHI.npz"]
    claims.tidy(tmp_path / "absent")
    assert names(tmp_path) == ["BMI.npz", "CHI.npz"]
