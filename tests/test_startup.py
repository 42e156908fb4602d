import os
import subprocess
import sys

import pytest

from emotion_mt._startup import without_chatter

CHATTER = (
    b"WARNING: All log messages before absl::InitializeLog() is called\n"
    b"I0000 00:00:1795.8 273 port.cc:153] oneDNN custom operations are on.\n"
    b"E0000 00:00:1795.8 273 cuda_platform.cc:52] failed call to cuInit\n"
)


def test_only_known_lines_are_dropped(capfd):
    with without_chatter():
        os.write(2, CHATTER + b"E0000 00:00:1 2 other.cc:1] real trouble\n")
        print("from Python", file=sys.stderr)
    print("after", file=sys.stderr)
    error = capfd.readouterr().err
    assert "real trouble" in error
    assert "from Python" in error
    assert "after" in error
    assert "oneDNN" not in error
    assert "cuInit" not in error


def _fail_inside():
    with without_chatter():
        os.write(2, b"before the error\n")
        raise ImportError("no such thing")


def test_errors_pass_and_stderr_comes_back(capfd):
    with pytest.raises(ImportError, match="no such thing"):
        _fail_inside()
    os.write(2, b"after the error\n")
    assert capfd.readouterr().err == "before the error\nafter the error\n"


def test_import_is_silent():
    result = subprocess.run(
        [sys.executable, "-c", "import emotion_mt"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
