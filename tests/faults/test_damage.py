"""Full disks, read-only folders, and files that change behind our back."""

import errno
import random
import resource
import signal
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
from absl import logging

from emotion_mt.evaluation import records
from emotion_mt.features import FeatureConfig
from emotion_mt.features.store import FilmFile
from emotion_mt.features.video import Seen
from emotion_mt.storage.claims import try_claim
from emotion_mt.storage.folders import replacing_folder

KEY = {"channels": 64, "config": FeatureConfig().as_dict()}
STORED = {
    (float(n), n + 1.0): np.full(64, n + 0.5, np.float32) for n in range(8)
}
RECORD = {"format": records.FORMAT, "key": "k", "x": [0.25, None] * 20}


def read(folder):
    film = FilmFile(folder, "BMI", KEY)
    film.read()
    return film.by_times


def same(received, expected):
    return received.keys() == expected.keys() and all(
        np.array_equal(received[times], expected[times]) for times in expected
    )


def altered(content, generator, how):
    """The content with one bit flipped, or cut short."""
    if how == "cut":
        return content[: generator.randrange(len(content))]
    place = generator.randrange(len(content))
    flipped = content[place] ^ (1 << generator.randrange(8))
    return content[:place] + bytes([flipped]) + content[place + 1 :]


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_damaged_features_are_never_taken(tmp_path, how, monkeypatch):
    messages = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *args: messages.append(text % args)
    )
    generator = random.Random(how)
    film = FilmFile(tmp_path, "BMI", KEY)
    film.add(STORED, Seen())
    path = film.path
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        path.write_bytes(altered(whole, generator, how))
        received = read(tmp_path)
        # Bits that mean nothing (dates in the archive) may be flipped.
        assert received == {} or same(received, STORED)
        refused += received == {}
    assert refused == len(messages)
    assert all(str(path) in message for message in messages)
    assert refused == 300 if how == "cut" else refused > 200
    # It is computed again and stored over the damaged one.
    film.add(STORED, Seen())
    assert same(read(tmp_path), STORED)


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_damaged_result_files_are_never_taken(tmp_path, how):
    generator = random.Random(how)
    path = tmp_path / "job.json"
    records.write_record(path, RECORD)
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        path.write_bytes(altered(whole, generator, how))
        try:
            received = records.read_record(path)
        except ValueError as error:
            refused += str(path) in str(error)
            continue
        # Blanks and line ends may be cut or altered.
        assert received == RECORD
    assert refused > 250


def write_record(folder, many=True):
    content = {**RECORD, "y": [1] * 50_000} if many else RECORD
    records.write_record(folder / "job.json", content)


def write_features(folder, many=True):
    rows = {(n + 0.5, n + 1.0): np.full(64, n, np.float32) for n in range(1000)}
    FilmFile(folder, "BMI", KEY).add(rows if many else STORED, Seen())


def write_folder(folder, many=True):
    with replacing_folder(folder / "bundle", ("a",), "a") as temporary:
        (temporary / "a").write_bytes(bytes(200_000) if many else b"old")


WRITERS = [write_record, write_features, write_folder]


@contextmanager
def largest_file(size):
    """The system refuses to make files larger than this (bytes)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own; skips where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def remount(disk, options):
    command = ["mount", "-o", f"remount,{options}", str(disk)]
    subprocess.run(command, check=True)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def store_something(folder):
    """A small state of each kind that a failed write must not touch."""
    for write in WRITERS:
        write(folder, many=False)
    return contents(folder)


@pytest.mark.parametrize("write", WRITERS)
def test_file_too_large(tmp_path, write):
    before = store_something(tmp_path)
    with largest_file(100_000), pytest.raises(OSError, match=str(tmp_path)):
        write(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("write", WRITERS)
def test_disk_full(disk, write):
    before = store_something(disk)
    with pytest.raises(OSError, match="No space left") as caught:
        write(disk)
    assert caught.value.errno == errno.ENOSPC
    assert str(disk) in str(caught.value)
    # What was there is there, and nothing half written beside it.
    assert contents(disk) == before
    # With room again, the same call goes through.
    remount(disk, "size=4m")
    write(disk)
    assert contents(disk) != before


@pytest.mark.parametrize("write", WRITERS)
def test_read_only_folder(disk, write):
    before = store_something(disk)
    remount(disk, "ro")
    with pytest.raises(OSError, match="Read-only file system") as caught:
        write(disk)
    assert str(disk) in str(caught.value)
    with pytest.raises(OSError, match="Read-only file system"):
        try_claim(disk / "other.json")
    # What is finished can still be read.
    assert records.read_record(disk / "job.json") == RECORD
    assert same(read(disk), STORED)
    assert contents(disk) == before
