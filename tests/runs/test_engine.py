"""Worker processes cost seconds to start, so few tests do much each."""

import contextlib
import dataclasses
import os
import signal
import threading
import time

import dask
import distributed
import numpy as np
import psutil
import pytest

from emotion_mt.corpus import folds
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, Job
from emotion_mt.runs.engine import run_jobs
from emotion_mt.runs.worker import JobInput


@pytest.fixture
def corpus(small_corpus):
    """V2 rated nothing in the training films: its ST cannot be fitted."""
    values = small_corpus.values.copy()
    values[:, small_corpus.column("V2")] = np.nan
    return small_corpus.replace(values=values)


@pytest.fixture
def shared(corpus):
    return JobInput(corpus, {})


@pytest.fixture
def jobs(small_corpus, text_training):
    """MT and three ST jobs on the first fold (film A is the test film)."""
    how = (folds(small_corpus.movies)[0], 0, text_training)
    viewers = small_corpus.viewers
    single = [Job(SINGLE_TASK, (viewer,), *how) for viewer in viewers]
    return [Job(MULTI_TASK, viewers, *how), *single]


def trapped(job, spring):
    """The same job; a process that fits it calls `spring` first."""

    # A local class travels by value, so workers need not import this file.
    class Trap(int):
        def __deepcopy__(self, _):
            return int.__add__(self, 0)

        def __int__(self):
            spring()
            return int.__add__(self, 0)

    return dataclasses.replace(job, seed=Trap(job.seed))


def contents(folder):
    """Result files without the seconds, which differ from run to run."""
    found = {}
    for path in sorted(folder.iterdir()):
        record = records.read_record(path)
        record["fit"].pop("seconds")
        found[path.name] = record
    return found


@contextlib.contextmanager
def cluster_of(**how):
    """A cluster of somebody else's, which tries a lost job once again."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(dashboard_address=None, **how) as cluster,
    ):
        yield cluster.scheduler.address


_done = {}


@pytest.fixture
def one_worker(tmp_path_factory, jobs, shared):
    """The jobs done by one worker: folder, outcome, lines, contents."""
    if not _done:
        folder, lines = tmp_path_factory.mktemp("jobs"), []
        _done["outcome"] = run_jobs(
            jobs, shared, folder, workers=1, report=lines.append
        )
        _done.update(folder=folder, lines=lines, contents=contents(folder))
    return _done


def test_what_fails_stands_beside_the_rest(one_worker, jobs):
    outcome = one_worker["outcome"]
    expected = [job.name for job in jobs if job.viewers != ("V2",)]
    assert [record["name"] for record in outcome.records] == expected
    ((failed, message),) = outcome.failures.items()
    assert failed.viewers == ("V2",)
    assert "ValueError: The training movies" in message
    assert outcome.reused == 0
    assert len(one_worker["lines"]) == 3
    assert any("MT-text-F1-all-seed0: V1 " in x for x in one_worker["lines"])
    # Nothing but results is left.
    assert all(n.endswith(".json") for n in os.listdir(one_worker["folder"]))


def kill_one_that_starts():
    """Kills the first worker process that this process starts from now on."""
    this = psutil.Process()
    before = set(this.children())
    while True:
        for child in set(this.children()) - before:
            with contextlib.suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    return child.kill()
        time.sleep(0.01)


def test_same_bits_after_deaths_with_two_workers(
    one_worker, tmp_path, jobs, shared
):
    """One dies while it starts, one with a job."""
    early = threading.Thread(target=kill_one_that_starts, daemon=True)
    marker = tmp_path / "died"

    def die_once():
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    first, *rest = [job for job in jobs if job.viewers != ("V2",)]
    todo, folder = [trapped(first, die_once), *rest], tmp_path / "jobs"
    early.start()
    outcome = run_jobs(todo, shared, folder, workers=2)
    assert marker.exists()
    assert not early.is_alive()
    assert not outcome.failures
    assert outcome.reused == 0
    assert contents(folder) == one_worker["contents"]


def test_what_cannot_be_saved_is_reported(one_worker, tmp_path, jobs, shared):
    log = tmp_path / "tries"

    def told(what):
        def spring():
            with open(log, "a") as file:
                file.write(f"{what} {os.getpid()}\n")
            if what == "hang":
                time.sleep(600)
            elif what == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                raise MemoryError("no room")

        return spring

    # What is finished is used; a file that was cut short is not.
    mt, one, _, last = jobs
    two, three = (dataclasses.replace(one, seed=seed) for seed in (1, 2))
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name in one_worker["contents"]:
        text = (one_worker["folder"] / name).read_text()
        cut = text if name.startswith("MT") else text[:100]
        (folder / name).write_text(cut)
    bad = {one: "killed", two: "memory"}
    todo = [mt, *(trapped(job, told(what)) for job, what in bad.items()), last]
    with cluster_of(n_workers=2, threads_per_worker=1) as address:
        outcome = run_jobs(todo, shared, folder, scheduler=address)
        # A limit that others on a busy machine would not keep.
        hanging, how = [trapped(three, told("hang"))], {"job_timeout_s": 3.0}
        late = run_jobs(hanging, shared, folder, scheduler=address, **how)
    assert [r["name"] for r in outcome.records] == [mt.name, last.name]
    assert outcome.reused == 1
    killed, memory = outcome.failures.values()
    assert "worker process died, or took longer than 3600 s" in killed
    assert "tried 2 times" in killed
    assert "ran out of memory (MemoryError: no room)" in memory
    (message,) = late.failures.values()
    assert "worker process died, or took longer than 3 s" in message
    tries = [line.split()[0] for line in log.read_text().splitlines()]
    # The cluster tries what was lost once again, and blames nobody else;
    # what ran out of memory is tried twice again.
    assert sorted(tries) == ["hang"] * 2 + ["killed"] * 2 + ["memory"] * 3
    # The neighbour's result is that of a run of its own.
    name = last.file_name(shared.key_of(last))
    (folder / one.file_name(shared.key_of(one))).unlink()
    assert contents(folder)[name] == one_worker["contents"][name]


@pytest.mark.parametrize("threads", [1, 2])
def test_workers_have_one_thread_and_the_same_versions(
    tmp_path, jobs, shared, threads
):
    shared.versions = {"keras": "0.1"}
    how = {"n_workers": 1, "threads_per_worker": threads, "processes": False}
    with cluster_of(**how) as address:
        if threads > 1:
            expected = r"one thread each .* --nthreads=1"
            with pytest.raises(ValueError, match=expected):
                run_jobs(jobs, shared, tmp_path, scheduler=address)
            return
        outcome = run_jobs(jobs[:1], shared, tmp_path, scheduler=address)
    (message,) = outcome.failures.values()
    assert "Expected a worker with {'keras': '0.1'}" in message


@pytest.fixture
def ctrl_c():
    """Ctrl-C as usual; a process started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_soon_and_leaves_no_process(tmp_path, jobs, shared):
    pressed_s, before = [], set(psutil.Process().children())

    def hang():
        (tmp_path / "begun").touch()
        time.sleep(600)

    def press():
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        pressed_s.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    folder = tmp_path / "jobs"
    with pytest.raises(KeyboardInterrupt):
        run_jobs([trapped(jobs[0], hang)], shared, folder, workers=1)
    assert time.monotonic() - pressed_s[0] < 5
    new = set(psutil.Process().children()) - before
    assert not [c for c in new if "spawn_main" in " ".join(c.cmdline())]
    assert not folder.exists()


def with_config(job, **changes):
    config = dataclasses.replace(job.config, **changes)
    return dataclasses.replace(job, config=config)


def test_bad_arguments_are_refused(tmp_path, jobs, shared, monkeypatch):
    with pytest.raises(ValueError, match="`workers` must be at least 1"):
        run_jobs(jobs, shared, tmp_path, workers=0)
    with pytest.raises(ValueError, match="cannot be given with `scheduler`"):
        run_jobs(jobs, shared, tmp_path, workers=1, scheduler="tcp://x")
    visual = with_config(jobs[0], modalities=("visual",))
    with pytest.raises(ValueError, match=r"`features` must hold 'i3d' for MT"):
        run_jobs([visual], shared, tmp_path)
    monkeypatch.setattr("emotion_mt.runs.engine.WAIT_FOR_WORKERS_S", 0.5)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        run_jobs(jobs, shared, tmp_path, scheduler="tcp://127.0.0.1:9")


def test_workers_that_never_start(tmp_path, jobs, shared, monkeypatch):
    tries = []

    def fail(**_):
        tries.append(1)
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", fail)
    with pytest.raises(RuntimeError, match=r"that start; .* Nanny failed"):
        run_jobs(jobs, shared, tmp_path, workers=1)
    assert len(tries) == 3


def test_only_its_own_features_decide_a_key(small_corpus, jobs):
    both = with_config(jobs[0], modalities=("text", "visual"))

    def keys(i3d, histograms):
        features = {"i3d": i3d, "histograms": histograms}
        shared = JobInput(small_corpus, features, "w")
        return [shared.key_of(jobs[0]), shared.key_of(both)]

    i3d = np.zeros((40, 1024), np.float32)
    histograms = np.zeros((40, 2, 7, 32), np.float32)
    text, visual = keys(i3d, histograms)
    assert keys(i3d, histograms + 1) == [text, visual]
    assert keys(i3d + 1, histograms)[0] == text
    assert keys(i3d + 1, histograms)[1] != visual
