import os
import subprocess
import sys

import pytest

import emotion_mt
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


LAZY = """
import os, sys, emotion_mt, emotion_mt.corpus
assert not {"tensorflow", "keras"} & set(sys.modules)
assert set(emotion_mt.__all__) <= set(dir(emotion_mt))
# The rooms that need no other one that imports Keras come first.
for name in ("load_i3d", *emotion_mt.__all__):
    getattr(emotion_mt, name)
assert emotion_mt.models.EvokedEmotionModel is emotion_mt.EvokedEmotionModel
assert "tensorflow" in sys.modules
print(os.environ["TF_FORCE_GPU_ALLOW_GROWTH"])
"""


GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"


@pytest.mark.parametrize("own", [None, "false"])
def test_import_is_quick_silent_and_leaves_memory_of_a_gpu(own):
    """It takes all of that only where it is told to."""
    environment = {k: v for k, v in os.environ.items() if k != GROWTH}
    if own is not None:
        environment[GROWTH] = own
    result = subprocess.run(
        [sys.executable, "-c", LAZY],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert result.stderr == ""
    assert result.stdout.strip() == (own or "true")


def test_unknown_names_are_no_attributes():
    with pytest.raises(AttributeError, match="attribute no_such_name"):
        emotion_mt.no_such_name  # noqa: B018
