"""Full disks, read-only folders, and files that change behind our back."""

import errno
import os
import random
import resource
import signal
import subprocess
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from absl import logging

from emotion_mt.evaluation import records
from emotion_mt.features import FeatureConfig
from emotion_mt.features.container import VideoError, fingerprint
from emotion_mt.features.store import FilmFile
from emotion_mt.features.video import Seen
from emotion_mt.storage import atomic
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


def write_record(folder):
    records.write_record(folder / "job.json", {**RECORD, "y": [1] * 50_000})


def write_features(folder):
    many = {(n + 0.5, n + 1.0): np.full(64, n, np.float32) for n in range(1000)}
    FilmFile(folder, "BMI", KEY).add(many, Seen())


def write_folder(folder):
    with replacing_folder(folder / "bundle", ("a",), "a") as temporary:
        (temporary / "a").write_bytes(bytes(200_000))


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


@contextmanager
def mounted(folder, options):
    """A small file system of its own; skips where that is not allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def store_something(folder):
    """A small state of each kind that a failed write must not touch."""
    records.write_record(folder / "job.json", RECORD)
    FilmFile(folder, "BMI", KEY).add(STORED, Seen())
    with replacing_folder(folder / "bundle", ("a",), "a") as temporary:
        (temporary / "a").write_text("old")
    return contents(folder)


@pytest.mark.parametrize("write", WRITERS)
def test_file_too_large(tmp_path, write):
    before = store_something(tmp_path)
    with largest_file(100_000), pytest.raises(OSError, match=str(tmp_path)):
        write(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("write", WRITERS)
def test_disk_full(tmp_path, write):
    with mounted(tmp_path / "disk", "size=160k") as disk:
        before = store_something(disk)
        with pytest.raises(OSError, match="No space left") as caught:
            write(disk)
        assert caught.value.errno == errno.ENOSPC
        assert str(disk) in str(caught.value)
        # What was there is there, and nothing half written beside it.
        assert contents(disk) == before
        # With room again, the same call goes through.
        command = ["mount", "-o", "remount,size=4m", str(disk)]
        subprocess.run(command, check=True)
        write(disk)
        assert contents(disk) != before


@pytest.mark.parametrize("write", WRITERS)
def test_read_only_folder(tmp_path, write):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        before = store_something(disk)
        command = ["mount", "-o", "remount,ro", str(disk)]
        subprocess.run(command, check=True)
        with pytest.raises(OSError, match="Read-only file system") as caught:
            write(disk)
        assert str(disk) in str(caught.value)
        with pytest.raises(OSError, match="Read-only file system"):
            try_claim(disk / "other.json")
        # What is finished can still be read.
        assert records.read_record(disk / "job.json") == RECORD
        assert same(read(disk), STORED)
        assert contents(disk) == before


def test_error_of_a_full_disk_names_the_file(tmp_path):
    def fill():
        with atomic.replacing(tmp_path / "table2.md"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left .*table2\.md"):
        fill()
    assert not list(tmp_path.iterdir())


def write_film(path, shade):
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), codec, 25.0, (64, 48))
    for number in range(32):
        writer.write(np.full((48, 64, 3), shade + number, np.uint8))
    writer.release()


def test_a_film_that_is_replaced_or_gone(tmp_path):
    """Its digest is in the key: old features are not those of a new film."""
    film = tmp_path / "film.avi"
    write_film(film, 10)
    first = fingerprint(str(film))
    write_film(film, 90)
    assert fingerprint(str(film)) != first
    film.unlink()
    with pytest.raises(VideoError, match=r"film\.avi"):
        fingerprint(str(film))
