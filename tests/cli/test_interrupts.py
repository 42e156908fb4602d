"""Ctrl-C while a program imports: one line, status 130, at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_mt.cli.interrupts import STOPPED_MESSAGE

REPOSITORY = Path(__file__).resolve().parents[2]

# Also where the package is not installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}

PROGRAMS = {
    "emotion-mt": [
        "-c",
        "import sys; from emotion_mt.cli.main import main; sys.exit(main())",
        "tables",
    ],
    "script": [str(REPOSITORY / "experiments" / "tables.py")],
}


@pytest.fixture
def start(tmp_path):
    """Starts Python processes; none outlives the test."""
    processes = []

    def start_one(*arguments, **how):
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def loads_tensorflow(process):
    return "tensorflow" in Path(f"/proc/{process.pid}/maps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_while_tensorflow_is_imported(start, tmp_path):
    corpus = f"--corpus={tmp_path}"
    programs = [start(*command, corpus) for command in PROGRAMS.values()]
    for process in programs:
        end_s = time.monotonic() + 60
        while not loads_tensorflow(process):
            assert process.poll() is None
            assert time.monotonic() < end_s
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
        assert (process.returncode, output) == (130, "")
        assert error == f"{STOPPED_MESSAGE}\n"


def run(start, code, **how):
    process = start("-c", f"from emotion_mt import cli\n{code}", **how)
    output, error = process.communicate(timeout=60)
    return process.returncode, output, error


INTERRUPT = f"import os\nos.kill(os.getpid(), {int(signal.SIGINT)})\n"


def test_in_an_import_and_outside(start, tmp_path):
    (tmp_path / "slow.py").write_text(INTERRUPT)
    caught = "try:\n  import slow\nexcept BaseException:\n  pass"
    assert run(start, caught) == (130, "", f"{STOPPED_MESSAGE}\n")
    # TensorFlow's import has its stderr taken away.
    hidden = "import os\nos.close(2)\nimport slow"
    assert run(start, hidden) == (130, "", f"{STOPPED_MESSAGE}\n")
    outside = caught.replace("import slow", INTERRUPT.replace("\n", ";"))
    outside = outside.replace("BaseException", "KeyboardInterrupt")
    assert run(start, f"{outside}\nprint('on')") == (0, "on\n", "")


def test_who_ignores_it_goes_on(start, tmp_path):
    """As programs that a shell starts in the background."""
    (tmp_path / "slow.py").write_text(INTERRUPT)

    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    received = run(start, "import slow\nprint('on')", preexec_fn=ignore)
    assert received == (0, "on\n", "")


def test_a_library_in_a_thread_changes_nothing():
    before = signal.getsignal(signal.SIGINT)
    code = (
        "import signal, threading\n"
        "from functools import partial\n"
        "load = partial(__import__, 'emotion_mt.cli')\n"
        "thread = threading.Thread(target=load)\n"
        "thread.start(); thread.join()\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
    assert signal.getsignal(signal.SIGINT) is before
