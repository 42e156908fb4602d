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

KEY = {"channels": 256}
NAMES = ("bundle.json", "model", "card")


# Each writes its n-th version; what reads it returns n, if it is whole.


def write_result(folder, n):
    content = {"format": records.FORMAT, "key": str(n), "x": [n] * 2000}
    records.write_record(folder / "job.json", content)


def read_result(folder):
    record = records.read_record(folder / "job.json")
    assert record["x"] == [int(record["key"])] * 2000
    return int(record["key"])


def write_table(folder, n):
    atomic.write_text(folder / "table2.md", f"{n:08d}\n" * 2000)


def read_table(folder):
    lines = (folder / "table2.md").read_text().splitlines()
    assert len(lines) == 2000
    assert len(set(lines)) == 1
    return int(lines[0])


def stored_features(folder):
    film = FilmFile(folder, "BMI", KEY)
    film.read()
    return film


def write_features(folder, n):
    """They grow, segment by segment."""
    segment = {(float(n), n + 1.0): np.full(256, n, np.float32)}
    stored_features(folder).add(segment, Seen())


def read_features(folder):
    stored = stored_features(folder).by_times
    numbers = sorted(int(start) for start, _ in stored)
    # Not one that was there before is lost.
    assert numbers == list(range(len(numbers)))
    for (start, _), feature in stored.items():
        np.testing.assert_array_equal(feature, np.float32(start))
    return numbers[-1]


def write_bundle(folder, n):
    with replacing_folder(folder / "bundle", NAMES, NAMES[0]) as temporary:
        for name in NAMES:
            (temporary / name).write_text(f"{n}\n" * 500)


def read_bundle(folder):
    bundle = find_folder(folder / "bundle")
    assert {path.name for path in bundle.iterdir()} == set(NAMES)
    texts = [(bundle / name).read_text() for name in NAMES]
    (number,) = {line for text in texts for line in text.split()}
    return int(number)


def write_on(write, folder, start, written):
    for n in itertools.count(start):
        write(folder, n)
        written.value = n


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (write_result, read_result),
        (write_table, read_table),
        (write_features, read_features),
        (write_bundle, read_bundle),
    ],
)
def test_files_are_whole_and_nothing_is_lost(tmp_path, write, read):
    generator = random.Random(0)
    write(tmp_path, 0)
    newest = 0
    for _ in range(KILLS):
        written = FORK.Value("q", newest, lock=False)
        how = (write, tmp_path, newest + 1, written)
        process = FORK.Process(target=write_on, args=how)
        process.start()
        # It must have come to writing, or the kill would test nothing.
        end_s = time.monotonic() + MOST_S
        while written.value == newest:
            assert time.monotonic() < end_s
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.01))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        newest = read(tmp_path)
        # The last may have been there a moment before it was counted.
        assert newest in (written.value, written.value + 1)
