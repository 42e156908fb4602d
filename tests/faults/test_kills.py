"""kill -9 at random moments of writing: the short version.

benchmarks/faults.py does the same to whole runs. Here, forked children write
with the real functions, which need no TensorFlow, as fast as they can, so a
kill costs milliseconds.
"""

import itertools
import json
import multiprocessing
import os
import random
import signal
import time

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import atomic
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.pools import Ended, Task
from emotion_mt.evaluation.scheduling import Schedule
from emotion_mt.features import FeatureConfig
from emotion_mt.features.store import FeatureStore, FilmKey
from emotion_mt.inference.folders import find_folder, replacing_folder
from emotion_mt.training import TrainingConfig

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    # Python 3.12 warns of forks beside threads; the children use none.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

#: Kills per kind of file.
KILLS = 15

#: Seconds after which what did not come is taken to never come.
MOST_S = 60

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


class ResultFile:
    """Result files of jobs."""

    def write(self, folder, n):
        content = {"format": records.FORMAT, "key": str(n), "x": [n] * 2000}
        records.write_record(folder / "job.json", content)

    def newest(self, folder):
        record = records.read_record(folder / "job.json")
        assert record["x"] == [int(record["key"])] * 2000
        return int(record["key"])


class TableFile:
    """Tables and reports."""

    def write(self, folder, n):
        atomic.write_text(folder / "table2.md", f"{n:08d}\n" * 2000)

    def newest(self, folder):
        lines = (folder / "table2.md").read_text().splitlines()
        assert len(lines) == 2000
        assert len(set(lines)) == 1
        return int(lines[0])


class FeatureFile:
    """Features of a film that grow segment by segment."""

    key = FilmKey("a", 1, "b", "float32", 256, 224, FeatureConfig().as_dict())

    def write(self, folder, n):
        segment = {(float(n), n + 1.0): np.full(256, n, np.float32)}
        FeatureStore(folder).add("BMI", self.key, segment)

    def newest(self, folder):
        stored = FeatureStore(folder).read("BMI", self.key)
        numbers = sorted(int(start) for start, _ in stored)
        # Not one that was there before is lost.
        assert numbers == list(range(len(numbers)))
        for (start, _), feature in stored.items():
            np.testing.assert_array_equal(feature, np.float32(start))
        return numbers[-1]


class BundleFolder:
    """Folders of several files that belong together."""

    names = ("bundle.json", "model", "card")

    def write(self, folder, n):
        with replacing_folder(
            folder / "bundle", self.names, self.names[0]
        ) as temporary:
            for name in self.names:
                (temporary / name).write_text(f"{n}\n" * 500)

    def newest(self, folder):
        bundle = find_folder(folder / "bundle")
        assert {path.name for path in bundle.iterdir()} == set(self.names)
        lines = {
            line
            for name in self.names
            for line in (bundle / name).read_text().split()
        }
        assert len(lines) == 1
        return int(lines.pop())


def _write_on(writer, folder, start, written):
    for n in itertools.count(start):
        writer.write(folder, n)
        written.value = n


def _wait_for(condition):
    """Waits for what must come, however slow the machine is."""
    end_s = time.monotonic() + MOST_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.001)


def _kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    "writer", [ResultFile(), TableFile(), FeatureFile(), BundleFolder()]
)
def test_files_are_whole_and_nothing_is_lost(tmp_path, writer):
    generator = random.Random(0)
    writer.write(tmp_path, 0)
    newest = 0
    for _ in range(KILLS):
        written = FORK.Value("q", newest, lock=False)
        process = FORK.Process(
            target=_write_on, args=(writer, tmp_path, newest + 1, written)
        )
        process.start()
        before = newest
        # It must have come to writing, or the kill would test nothing.
        _wait_for(lambda: written.value > before)  # noqa: B023
        time.sleep(generator.uniform(0, 0.01))
        assert _kill(process)
        newest = writer.newest(tmp_path)
        # The last may have been there a moment before it was counted.
        assert newest in (written.value, written.value + 1)


class QuickPool:
    """Does each task at once, and keeps a log that survives kills."""

    def __init__(self, log):
        self._log = log
        self._task = None

    def _note(self, what, task):
        line = f"{what} {task.key} {os.getpid()}\n".encode()
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line)
        os.close(handle)

    def free(self):
        return int(self._task is None)

    def busy(self):
        return int(self._task is not None)

    def rank(self, task):
        return 0

    def start(self, task):
        # Nobody starts what is finished.
        self._note("again" if task.path.exists() else "start", task)
        self._task = task

    def wait(self, timeout_s):
        if self._task is None:
            time.sleep(0.002)
            return []
        time.sleep(0.001)
        task, self._task = self._task, None
        return [Ended(task, record=_record(task))]


def _record(task):
    return {"format": records.FORMAT, "key": task.key, "x": [0.5] * 2000}


def _tasks(folder, count):
    split = paper.Split("F1", ("A",), ("B",), ("C",))
    return [
        Task(
            Job("ST", (f"V{n}",), split, 0, TrainingConfig()),
            f"key{n}",
            folder / f"job{n}.json",
        )
        for n in range(count)
    ]


def _work(folder, log, count):
    schedule = Schedule(_tasks(folder, count), QuickPool(log))
    for _ in schedule.rounds():
        pass


@pytest.mark.parametrize("runs", [1, 2, 4])
def test_killed_runs_are_taken_over(tmp_path, runs):
    generator = random.Random(runs)
    folder, log = tmp_path / "jobs", tmp_path / "log"
    kills = count = 0

    def start():
        process = FORK.Process(target=_work, args=(folder, log, count))
        process.start()
        return process

    # More jobs until there were enough kills, whichever is faster here.
    while kills < 10:
        count += 60
        alive = [start() for _ in range(runs)]
        # Some are killed and replaced while the others go on.
        while kills < 10 and alive[0].is_alive():
            time.sleep(generator.uniform(0, 0.02))
            kills += _kill(alive.pop(0))
            alive.append(start())
        for process in alive:
            process.join(MOST_S)
            assert process.exitcode == 0

    for task in _tasks(folder, count):
        assert records.read_record(task.path) == _record(task)
    assert {p.name for p in folder.iterdir()} == {
        f"job{n}.json" for n in range(count)
    }
    lines = [line.split() for line in log.read_text().splitlines()]
    assert {what for what, _, _ in lines} == {"start"}
    # A job is started again only after a kill.
    assert count <= len(lines) <= count + kills


def test_log_of_a_killed_writer_is_valid_json(tmp_path):
    # The strictest reader of all: every state that a reader sees is whole.
    path = tmp_path / "config.json"
    atomic.write_json(path, {"n": 0})
    process = FORK.Process(target=_write_json_on, args=(path,))
    process.start()
    seen = set()

    def several_seen():
        content = json.loads(path.read_text())
        assert content == {"n": content["n"], "x": [content["n"]] * 500} or (
            content == {"n": 0}
        )
        seen.add(content["n"])
        return len(seen) > 50

    _wait_for(several_seen)
    assert _kill(process)


def _write_json_on(path):
    for n in itertools.count(1):
        atomic.write_json(path, {"n": n, "x": [n] * 500})
