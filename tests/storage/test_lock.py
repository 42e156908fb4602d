import os
import signal
import subprocess
import sys

import pytest

from emotion_mt.storage.lock import FolderLockedError, locked

#: A process that holds the folder in its first argument until it is killed.
HOLD = """
import pathlib, sys, time
from emotion_mt.storage.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_who_holds_the_folder(tmp_path, holder):
    expected = rf"process {holder.pid} on .* since 2.*--wait"
    with pytest.raises(FolderLockedError, match=expected), locked(tmp_path):
        pytest.fail("two at a time")


def test_a_dead_holder_blocks_nobody(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "."):
        pass


def test_waiting(tmp_path, holder):
    said = []

    def say(line):
        said.append(line)
        os.kill(holder.pid, signal.SIGTERM)

    with locked(tmp_path, wait=True, say=say):
        assert f"process {holder.pid} on" in said[0]


def test_a_folder_is_free_again(tmp_path):
    folder = tmp_path / "deep" / "run"
    for _ in range(2):
        with locked(folder):
            assert (folder / ".lock-holder").exists()
        assert not (folder / ".lock-holder").exists()
    with pytest.raises(ZeroDivisionError), locked(folder):
        _ = 1 / 0
    with locked(folder):
        pass
