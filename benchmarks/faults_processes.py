"""Starts, watches and ends the processes of benchmarks/faults.py (Linux)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Protocol

#: Seconds until every process of a killed run must be gone.
GONE_S = 5.0

_SCRIPT = Path(__file__).with_name("faults.py")


class Started(Protocol):
    """A process that leads a group, as `subprocess.Popen` describes it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Returns its exit status, None while it runs."""

    def wait(self) -> int:
        """Waits for its end; returns its exit status."""

    def kill(self) -> None:
        """Kills it."""


class Forked:
    """A copy of this process that has imported everything already.

    Nothing may have been computed with TensorFlow here.
    """

    def __init__(self, child: str, folder: Path, workers: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _be(child, folder, workers)

    def poll(self) -> int | None:
        """Returns its exit status, None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """Waits for its end; returns its exit status."""
        status = self._wait(0)
        assert status is not None
        return status

    def _wait(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        """Kills it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _be(child: str, folder: Path, workers: int) -> None:
    """Does a child's work in this process and ends it."""
    from faults_children import CHILDREN

    status = 1
    try:
        os.setsid()
        with log_of(child, folder).open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        CHILDREN[child](folder, workers)
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    except BaseException:  # noqa: BLE001  Goes to the log.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def log_of(child: str, folder: Path) -> Path:
    """Returns the file that a child's output goes to."""
    return folder / f"{child}.log"


def start_script(child: str, folder: Path, workers: int) -> Started:
    """Starts a child as a user starts a script: imports and all."""
    command = [sys.executable, str(_SCRIPT), f"--child={child}"]
    command += [f"--folder={folder}", f"--workers={workers}"]
    with log_of(child, folder).open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True
        )


def group(leader: int) -> list[int]:
    """Living processes of a group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:  # It ended in the meantime.
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def workers_of(leader: int) -> list[int]:
    """Living worker processes of a run."""
    return [process for process in group(leader) if _is_worker(process)]


def _is_worker(process: int) -> bool:
    try:
        return "popen_loky" in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:  # It ended in the meantime.
        return False


def gone(leader: int) -> bool:
    """Waits until no process of a group lives; kills what stays too long."""
    end_s = time.monotonic() + GONE_S
    while group(leader):
        if time.monotonic() > end_s:
            os.killpg(leader, signal.SIGKILL)
            return False
        time.sleep(0.02)
    return True


def _state(folder: Path) -> dict[str, int]:
    """All finished files and when they were written, for noticing new ones."""
    found = {}
    for path in (folder / "work").rglob("[!.]*"):
        try:
            if path.is_file():
                found[str(path)] = path.stat().st_mtime_ns
        except OSError:  # Replaced at this moment.
            continue
    return found


def wait_for_library(process: Started, name: str) -> None:
    """Returns when the process has begun to load a library, or ended."""
    maps = Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and name not in maps.read_text():
        time.sleep(0.01)


def wait_for_news(process: Started, folder: Path) -> None:
    """Returns when the process has written something, or ended."""
    before = _state(folder)
    while process.poll() is None and _state(folder) == before:
        time.sleep(0.01)
