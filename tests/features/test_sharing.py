"""Several runs on one store: no film is done twice, none is lost."""

import collections
import multiprocessing
import os
import pathlib
import signal
import time

import numpy as np
import pytest

from emotion_mt.features import (
    extract,
    extract_histograms,
    histograms,
    store as store_module,
)
from emotion_mt.storage import claims

NAMES = ("A", "B", "C", "D")


@pytest.fixture(scope="module")
def corpus(tools, tmp_path_factory):
    """Four films of one second, two segments each."""
    folder = tmp_path_factory.mktemp("films")
    rows = []
    for number, name in enumerate(NAMES):
        frames = [
            np.full((48, 64, 3), 40 * number + i, "u1") for i in range(25)
        ]
        path = tools.write_film(folder / f"{name}.avi", frames, codec="FFV1")
        rows += [(name, 0.0, 0.7, path), (name, 0.2, 1.0, path)]
    return tools.make_corpus(rows)


@pytest.fixture(scope="module")
def expected(corpus, network, tmp_path_factory):
    return extract(corpus, network, tmp_path_factory.mktemp("store"))


@pytest.fixture(autouse=True)
def short_wait(monkeypatch):
    monkeypatch.setattr(store_module, "POLL_S", 0.01)


def run(corpus, network, folder):
    return extract(corpus, network, folder, progress=False)


def films_of(folder):
    return sorted(path.name[0] for path in folder.iterdir())


def _work_slowly(corpus, folder, log, go_on):
    """A run whose histograms are the number of the film and say so in a log.

    Nothing is computed in a forked process: threads do not survive a fork.
    """

    def compute(video, segments, update, config):
        name = pathlib.Path(video.path).stem
        with open(log, "a") as file:
            file.write(f"{name}\n")
        while not go_on.exists():
            time.sleep(0.01)
        size = config.frames * len(histograms.CHANNELS) * histograms.BINS
        return np.full((len(segments), size), NAMES.index(name), np.float32)

    histograms.film_histograms = compute
    extract_histograms(corpus, folder, progress=False)


def wait_for_films(log, count):
    """Waits until so many films were begun."""
    end_s = time.monotonic() + 60
    while not log.exists() or len(log.read_text().split()) < count:
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_two_processes_share_the_films(corpus, tmp_path, killed):
    """One of them is killed in its first film, or not."""
    context = multiprocessing.get_context("fork")
    folder, log = tmp_path / "together", tmp_path / "log"
    # An event of multiprocessing does not survive a process that waits for it.
    go_on = tmp_path / "go on"
    first, second = (
        context.Process(target=_work_slowly, args=(corpus, folder, log, go_on))
        for _ in range(2)
    )
    first.start()
    wait_for_films(log, 1)
    second.start()
    wait_for_films(log, 2)
    if killed:
        os.kill(first.pid, signal.SIGKILL)
        first.join()
    go_on.touch()
    for process in (first, second):
        process.join(120)
    assert first.exitcode == (-signal.SIGKILL if killed else 0)
    assert second.exitcode == 0
    begun = collections.Counter(log.read_text().split())
    # The film of the dead run is taken over; no other is done twice.
    assert begun == {n: 1 + (killed and n == "A") for n in NAMES}
    assert films_of(folder) == list(NAMES)
    received = extract_histograms(corpus, folder, progress=False)
    assert received.min(axis=(1, 2, 3)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert received.max(axis=(1, 2, 3)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_what_another_run_has_done_is_taken(
    corpus, network, expected, tmp_path, monkeypatch
):
    """The other one ends, with half of A done, after three looks at each."""
    run(corpus, network, tmp_path / "full")
    folder, asked = tmp_path / "store", []
    full = (tmp_path / "full").iterdir()
    held = [claims.try_claim(folder / path.name) for path in full]
    half = corpus.replace(
        segments=corpus.segments.iloc[:1], values=corpus.values[:1]
    )

    def finish(path):
        asked.append(path)
        if len(asked) == 3 * len(held):
            for claim in held:
                claim.release()
            run(half, network, folder)
        return try_claim(path)

    try_claim = claims.try_claim
    monkeypatch.setattr(claims, "try_claim", finish)
    result = run(corpus, network, folder)
    np.testing.assert_array_equal(result.features, expected.features)
    report = result.report
    assert (report.segments_stored, report.segments_computed) == (1, 7)
    assert films_of(folder) == list(NAMES)


@pytest.mark.parametrize("how", ["removed", "replaced", "altered"])
def test_a_feature_file_that_changes_between_steps(
    corpus, network, expected, tmp_path, warnings, how
):
    """What was read is used on; the next step notices and computes anew."""
    first = run(corpus, network, tmp_path)
    a, b, *_ = sorted(tmp_path.iterdir())
    if how == "removed":
        a.unlink()
    elif how == "replaced":
        a.write_bytes(b.read_bytes())
    else:
        # A whole file, all checksums right, but other features.
        with np.load(a) as archive:
            arrays = dict(archive)
        np.savez(a, **{**arrays, "features": arrays["features"] + 1})
    np.testing.assert_array_equal(first.features, expected.features)
    second = run(corpus, network, tmp_path)
    np.testing.assert_array_equal(second.features, expected.features)
    assert second.report.segments_stored == 6
    assert second.report.segments_computed == 2
    assert all(str(a) in message for message in warnings)
    assert bool(warnings) == (how != "removed")
    assert run(corpus, network, tmp_path).report.segments_computed == 0


def test_a_store_that_cannot_be_written_is_named(corpus, network, tmp_path):
    (tmp_path / "store").touch()
    with pytest.raises(OSError, match="store"):
        run(corpus, network, tmp_path / "store")
