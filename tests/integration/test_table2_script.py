"""experiments/table2.py as its user runs it: in a process of its own."""

import dataclasses
import inspect
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_mt import cli
from emotion_mt.cli import experiment_flags
from emotion_mt.cli.experiment_flags import training_from_flags

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "experiments" / "table2.py"


#: Networks that are compiled and fitted in a moment.
SMALL = {"embedding_dim": 4, "text_filters": 4, "multi_task_head_units": ()}
SMALL |= {"max_epochs": 5}
SMALL |= {f"{kind}_task_trunk_units": (8,) for kind in ("single", "multi")}


def small(values):
    """The configuration that flags ask for, with small networks."""
    return dataclasses.replace(training_from_flags(values), **SMALL)


#: Runs a script whose networks are small.
START = f"""
import dataclasses, runpy, sys
from emotion_mt.cli import experiment_flags
from emotion_mt.cli.experiment_flags import training_from_flags
SMALL = {SMALL}
{inspect.getsource(small)}
experiment_flags.training_from_flags = small
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def manifest(tmp_path):
    """A text corpus in CSV files: three films, two viewers, gaps, two folds."""
    segments = ["segment_id,movie,start_s,end_s,text,video"]
    ratings = ["segment_id,viewer,value"]
    for movie in ("one", "two", "three"):
        for i in range(8):
            mood = "good happy day" if i % 2 else "bad sad night"
            times = f"{3 * i},{3 * i + 2}"
            segments.append(f"{movie}-{i},{movie},{times},{mood},")
            ratings.append(f"{movie}-{i},Ann,{0.5 if i % 2 else -0.5}")
            if i % 3:
                ratings.append(f"{movie}-{i},Bob,{0.4 - 0.1 * i}")
    folds = ["fold,movie,part", "A,one,train", "A,two,validation"]
    folds += ["A,three,test", "B,two,train", "B,one,test"]
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "folds.csv").write_text("\n".join(folds))
    (folder / "segments.csv").write_text("\n".join(segments))
    (folder / "annotations.csv").write_text("\n".join(ratings))
    return folder


def outputs(folder):
    names = [f"table2.{suffix}" for suffix in ("md", "csv", "tex")]
    names.append("figures/accuracies-table-II.png")
    return {name: (folder / name).read_bytes() for name in names}


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
def test_killed_run_continues_to_the_same_table(
    manifest, tmp_path, scheduler, capsys, monkeypatch
):
    flags = [f"--corpus={manifest}", "--modalities=text"]
    out, whole = tmp_path / "killed", tmp_path / "whole"
    begun = [*flags, "--workers=1", f"--out={out}"]
    killed = subprocess.Popen(
        [sys.executable, "-c", START, str(SCRIPT), *begun],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(list(out.glob("jobs/[!.]*.json"))) >= 2, 240)
        tasks = Path(f"/proc/{killed.pid}/task/{killed.pid}/children")
        children = [int(child) for child in tasks.read_text().split()]
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    # No worker goes on alone.
    wait_for(lambda: not any(map(is_alive, children)), 20)
    assert not (out / "table2.md").exists()
    finished = {p.name for p in out.glob("jobs/[!.]*.json")}
    assert 2 <= len(finished) < 8

    # What the script calls, without the seconds of another import.
    monkeypatch.setattr(experiment_flags, "training_from_flags", small)
    flags.append(f"--scheduler={scheduler}")
    script = cli.table_command("II", "Table II.")
    assert cli.run(script, [*flags, f"--out={out}"]) == 0
    shown = capsys.readouterr().out
    assert f"{len(finished)} finished jobs were used again" in shown
    assert cli.run(script, [*flags, f"--out={whole}"]) == 0
    assert "Where the time went" in capsys.readouterr().out
    assert outputs(out) == outputs(whole)


def test_wrong_usage_is_explained(tmp_path, capsys, monkeypatch):
    """The rest is in tests/cli."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--corpus=/no/such/folder"])
    with pytest.raises(SystemExit, match="1"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "/no/such/folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
