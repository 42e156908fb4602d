"""experiments/table2.py as its user runs it: in a process of its own."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "experiments" / "table2.py"


def command(*flags):
    return [sys.executable, str(SCRIPT), *map(str, flags)]


def run(*flags, cwd):
    return subprocess.run(
        command(*flags), cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """A text corpus as two CSV files: three films, two viewers, gaps."""
    folder = tmp_path_factory.mktemp("manifest")
    with open(folder / "segments.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["segment_id", "movie", "start_s", "end_s", "text", "video"]
        )
        for movie in ("one", "two", "three"):
            for i in range(8):
                mood = "good happy day" if i % 2 else "bad sad night"
                writer.writerow(
                    [f"{movie}-{i}", movie, 3 * i, 3 * i + 2, mood, ""]
                )
    with open(folder / "annotations.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["segment_id", "viewer", "value"])
        for movie in ("one", "two", "three"):
            for i in range(8):
                writer.writerow([f"{movie}-{i}", "Ann", 0.5 if i % 2 else -0.5])
                if i % 3:
                    writer.writerow([f"{movie}-{i}", "Bob", 0.4 - 0.1 * i])
    return folder


#: Full-size networks, and one worker: starting one takes longer than six jobs.
FLAGS = (
    "--modalities=text",
    "--max_epochs=2",
    "--l1=1e-5",
    "--workers=1",
)


def outputs(folder):
    return {
        name: (folder / name).read_bytes()
        for name in (
            "table2.md",
            "table2.csv",
            "table2.tex",
            "figures/accuracies-table-II.png",
        )
    }


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the script did not get there")
        time.sleep(0.05)


def is_alive(process_id):
    status = Path(f"/proc/{process_id}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc"
)
def test_killed_run_continues_to_the_same_table(manifest, tmp_path):
    flags = (f"--corpus={manifest}", *FLAGS)
    whole = run(*flags, f"--out={tmp_path / 'whole'}", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert "Where the time went" in whole.stdout

    out = tmp_path / "killed"
    killed = subprocess.Popen(
        command(*flags, f"--out={out}"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(list(out.glob("jobs/[!.]*.json"))) >= 2, 120)
        tasks = Path(f"/proc/{killed.pid}/task/{killed.pid}/children")
        children = [int(child) for child in tasks.read_text().split()]
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    # No worker goes on alone.
    wait_for(lambda: not any(map(is_alive, children)), 20)
    assert not (out / "table2.md").exists()
    finished = {p.name for p in out.glob("jobs/[!.]*.json")}
    assert 2 <= len(finished) < 12

    again = run(*flags, f"--out={out}", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"{len(finished)} finished jobs were used again" in again.stdout
    assert outputs(out) == outputs(tmp_path / "whole")


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (["--no_such_flag=1"], 2, "no_such_flag"),
        (["--corpus=/no/such/folder"], 1, "/no/such/folder"),
        (["--help"], 0, "--segments_per_movie"),
    ],
)
def test_wrong_usage_is_explained(flags, status, message, tmp_path):
    result = run(*flags, cwd=tmp_path)
    assert result.returncode == status
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
