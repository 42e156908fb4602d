"""What killed processes leave half written goes; what lives is left alone."""

import multiprocessing
import os
import signal

import pytest

from emotion_mt.storage import atomic, claims
from emotion_mt.storage.folders import replacing_folder

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    # Python 3.12 warns of forks beside threads; the children use none.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


class File:
    """A file that is replaced."""

    def __init__(self, folder):
        self.path = folder / "table2.md"

    def replacing(self):
        return atomic.replacing(self.path)

    def write(self, temporary, text):
        temporary.write_text(text)

    def read(self):
        return self.path.read_text()


class Folder(File):
    """A folder that is replaced."""

    def replacing(self):
        return replacing_folder(self.path, ("mark",), "mark")

    def write(self, temporary, text):
        (temporary / "mark").write_text(text)

    def read(self):
        return (self.path / "mark").read_text()


@pytest.fixture(params=[File, Folder])
def target(request, tmp_path):
    return request.param(tmp_path)


def write(target, text):
    with target.replacing() as temporary:
        target.write(temporary, text)


def _write_slowly(target, text, begun, go_on):
    with target.replacing() as temporary:
        target.write(temporary, text)
        begun.set()
        go_on.wait()


@pytest.fixture
def start(target):
    """Starts processes that are in the middle of writing; kills them."""
    processes = []

    def start_one(text):
        begun, go_on = FORK.Event(), FORK.Event()
        process = FORK.Process(
            target=_write_slowly, args=(target, text, begun, go_on)
        )
        process.start()
        processes.append(process)
        assert begun.wait(60)
        return process, go_on

    yield start_one
    for process in processes:
        process.kill()
        process.join()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
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
        assert target.read() == text


def test_what_a_living_process_writes_stays(target, start, tmp_path):
    process, go_on = start("slow")
    kill(start("half")[0])
    write(target, "quick")
    assert target.read() == "quick"
    # One of the two that were half written is left, and is whole later.
    assert len(names(tmp_path)) == 2
    go_on.set()
    process.join(60)
    assert process.exitcode == 0
    assert target.read() == "slow"
    assert names(tmp_path) == ["table2.md"]


def test_files_of_others_stay(target, tmp_path):
    theirs = [
        ".table2.md-.tmp",
        ".table2.md-0123456.tmp",
        ".table2.md-01234567.tmp",
        ".table2.md-mybackup.tmp",
        ".table3.md-01234567.tmp",
        "table2.md-01234567.tmp",
    ]
    for name in theirs:
        (tmp_path / name).mkdir()
    # Ours is a folder.
    (tmp_path / theirs[2]).rmdir()
    (tmp_path / theirs[2]).touch()
    write(target, "new")
    write(target, "newer")
    assert names(tmp_path) == sorted([*theirs, "table2.md"])


def test_links_are_not_followed(target, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").touch()
    (tmp_path / ".table2.md-00000000.tmp").symlink_to(precious)
    write(target, "new")
    assert names(precious) == ["thesis"]


def test_locks_are_removed_and_those_of_the_dead_block_nobody(tmp_path):
    path = tmp_path / "BMI.npz"
    for lock in (".BMI.npz.lock", "BMI.npz.lock"):
        (tmp_path / lock).touch()
    claim = claims.try_claim(path)
    assert claims.try_claim(path) is None
    # Who has claimed the work may write.
    with claims.writing(path):
        path.touch()
    claim.release()
    assert names(tmp_path) == ["BMI.npz"]


def test_what_is_left_of_finished_work_is_tidied_up(tmp_path):
    """A process was killed after its file was there; nobody claims it again."""
    finished, running = tmp_path / "BMI.npz", tmp_path / "CHI.npz"
    for left in (".BMI.npz.lock", "BMI.npz.lock"):
        (tmp_path / left).touch()
    (tmp_path / ".BMI.npz-01234567.tmp").mkdir()
    finished.touch()
    claim = claims.try_claim(running)
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
