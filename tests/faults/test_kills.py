"""kill -9 at random moments of writing: the short version.

benchmarks/faults.py does the same to whole runs. Here, forked children write
with the real functions, which need no TensorFlow, as fast as they can, so a
kill costs milliseconds.
"""

import itertools
import multiprocessing
import os
import random
import signal
import time
from types import MappingProxyType

import numpy as np
import pytest

from emotion_mt.evaluation import records
from emotion_mt.features.store import FilmFile
from emotion_mt.features.video import Seen
from emotion_mt.storage import atomic
from emotion_mt.storage.folders import find_folder, replacing_folder

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

    key = MappingProxyType({"channels": 256})

    def stored(self, folder):
        film = FilmFile(folder, "BMI", self.key)
        film.read()
        return film

    def write(self, folder, n):
        segment = {(float(n), n + 1.0): np.full(256, n, np.float32)}
        film = self.stored(folder)
        film.add(segment, Seen())

    def newest(self, folder):
        stored = self.stored(folder).by_times
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
