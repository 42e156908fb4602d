"""Worker processes cost seconds to start, so few tests do much each."""

import dataclasses
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from absl import logging

from emotion_mt.corpus import folds
from emotion_mt.evaluation import pools, records, runner, scheduling
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, Job
from emotion_mt.evaluation.runner import describe, run_jobs
from emotion_mt.training import TrainingConfig

TINY = TrainingConfig(
    modalities=("text",),
    max_epochs=2,
    patience=1,
    l1=(1e-5,),
    embedding_dim=4,
    text_filters=4,
    max_vocabulary=32,
    single_task_trunk_units=(8,),
    multi_task_trunk_units=(8,),
    multi_task_head_units=(4,),
)


@pytest.fixture
def corpus(small_corpus):
    """V2 rated nothing in the training films: its ST cannot be fitted."""
    values = small_corpus.values.copy()
    values[:, small_corpus.column("V2")] = np.nan
    return small_corpus.replace(values=values)


@pytest.fixture
def jobs(small_corpus):
    """MT and three ST jobs on the first fold (film A is the test film)."""
    split = folds(small_corpus.movies)[0]
    viewers = small_corpus.viewers
    return [
        Job(MULTI_TASK, viewers, split, 0, TINY),
        *(Job(SINGLE_TASK, (viewer,), split, 0, TINY) for viewer in viewers),
    ]


def trapped(job, spring):
    """The same job; a process that receives it calls `spring` first."""

    # A local class travels by value, so workers need not import this file.
    class Trap(int):
        def __deepcopy__(self, _):
            return self

        def __reduce__(self):
            return spring, (int(self),)

    return dataclasses.replace(job, seed=Trap(job.seed))


def contents(folder):
    """Result files without the seconds, which differ from run to run."""
    found = {}
    for path in sorted(folder.iterdir()):
        record = records.read_record(path)
        record["fit"].pop("seconds")
        found[path.name] = record
    return found


#: Result files of two runs at once, and what the runs returned.
_done = {}


@pytest.fixture
def two_runs(tmp_path_factory, jobs, corpus):
    """The jobs done by two runs on one folder, with one worker each."""
    if not _done:
        folder = tmp_path_factory.mktemp("jobs")
        outcomes, lines = [], []

        def start():
            outcomes.append(
                run_jobs(
                    jobs, corpus, {}, folder, workers=1, report=lines.append
                )
            )

        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _done.update(folder=folder, outcomes=outcomes, lines=lines)
        _done["contents"] = contents(folder)
    return _done


def test_two_runs_share_the_jobs(two_runs, jobs):
    first, second = two_runs["outcomes"]
    # Three jobs can be done. What one run did is what the other found, so
    # none was done twice.
    assert first.reused + second.reused == 3
    # Whichever ended first, the order of records is that of the jobs.
    expected = [job.name for job in jobs if job.viewers != ("V2",)]
    for outcome in (first, second):
        assert [record["name"] for record in outcome.records] == expected
        # An error of the fit leaves the others alone.
        assert [f.job.viewers for f in outcome.failures] == [("V2",)]
        assert "ValueError: The training movies" in outcome.failures[0].message
    assert len(two_runs["lines"]) == 6
    # Nothing but results is left: no lock, nothing half written.
    assert all(n.endswith(".json") for n in os.listdir(two_runs["folder"]))
    assert len(two_runs["contents"]) == 3


def test_record_holds_what_a_table_needs(two_runs, corpus):
    record = two_runs["outcomes"][0].records[0]
    rows = corpus.rows(("A",))
    assert record["digests"] == {
        "corpus": corpus.digest(),
        "features": "none",
        "weights": "none",
    }
    assert record["segment_id"] == [f"A-{i}" for i in range(10)]
    for column, viewer in enumerate(corpus.viewers):
        np.testing.assert_array_equal(
            np.array(record["viewers"][viewer]["label"], float),
            corpus.labels[rows, column],
        )
        probabilities = np.array(
            record["viewers"][viewer]["probability"], float
        )
        if viewer != "V2":
            assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert record["viewers"]["V2"]["score"]["accuracy"] is None
    frame = records.as_frame([record])
    assert list(frame["viewer"].unique()) == list(corpus.viewers)
    assert "MT-text-F1-all-seed0: V1 " in describe(record)


def test_same_bits_after_a_death_with_two_workers(
    two_runs, tmp_path, jobs, corpus, caplog
):
    marker = tmp_path / "died"

    def die_once(seed):
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return seed

    # A lock that a killed run left, and half of a file.
    folder = tmp_path / "jobs"
    folder.mkdir()
    name = min(two_runs["contents"])
    (folder / f".{name}.lock").touch()
    (folder / f".{name[:-5]}-abcdefgh.tmp.json").write_text("{")

    first, *rest = [job for job in jobs if job.viewers != ("V2",)]
    logging.set_verbosity(logging.WARNING)
    outcome = run_jobs(
        [trapped(first, die_once), *rest], corpus, {}, folder, workers=2
    )
    assert marker.exists()
    assert "the worker process died" in caplog.text
    assert "SIGKILL" in caplog.text
    assert "Trying again (1 of 2)" in caplog.text
    assert not outcome.failures
    assert outcome.reused == 0
    assert contents(folder) == two_runs["contents"]


def test_hanging_job_is_reported_beside_the_rest(
    two_runs, tmp_path, jobs, corpus, monkeypatch
):
    def hang(seed):
        time.sleep(600)
        return seed

    # What is finished is used; a file that was cut short is not.
    mt, _, _, last = jobs
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name in two_runs["contents"]:
        text = (two_runs["folder"] / name).read_text()
        half = text[:100] if "-Vavg-" in name else text
        (folder / name).write_text(half)
    monkeypatch.setattr(scheduling, "EXTRA_TRIES", 0)
    outcome = run_jobs(
        [mt, trapped(last, hang)],
        corpus,
        {},
        folder,
        workers=1,
        job_timeout_s=0.5,
    )
    assert [r["name"] for r in outcome.records] == [mt.name]
    assert outcome.reused == 1
    (failure,) = outcome.failures
    assert failure.job == last
    assert failure.message == "took longer than 0.5 s; tried 1 times"
    # Its claim is given up.
    assert not list(folder.glob(".*"))


def test_dask_cluster_with_a_killed_worker(two_runs, tmp_path, jobs, corpus):
    distributed = pytest.importorskip(
        "distributed", reason="needs the extra `dask`"
    )
    killed = []

    def kill_a_busy_worker(_):
        busy = [
            address
            for address, worker in cluster.scheduler.workers.items()
            if worker.processing
        ]
        for nanny in cluster.workers.values():
            if not killed and nanny.worker_address in busy:
                killed.append(nanny.pid)
                os.kill(nanny.pid, signal.SIGKILL)

    todo = [job for job in jobs if job.viewers != ("V2",)]
    folder = tmp_path / "jobs"
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        outcome = run_jobs(
            todo,
            corpus,
            {},
            folder,
            scheduler=cluster.scheduler_address,
            report=kill_a_busy_worker,
        )
    assert killed
    assert not outcome.failures
    assert contents(folder) == two_runs["contents"]


def test_dask_workers_have_one_thread(tmp_path, jobs, corpus):
    distributed = pytest.importorskip(
        "distributed", reason="needs the extra `dask`"
    )
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            dashboard_address=None,
        ) as cluster,
        pytest.raises(ValueError, match=r"one thread each .* --nthreads=1"),
    ):
        run_jobs(
            jobs,
            corpus,
            {},
            tmp_path,
            scheduler=cluster.scheduler.address,
        )


def test_dask_workers_have_the_same_versions(jobs, small_corpus):
    side = runner.worker_side
    shared = dataclasses.replace(
        side.make_input(small_corpus, {}, "none"), versions={"keras": "0.1"}
    )
    side.keep_input("run", shared)
    with pytest.raises(RuntimeError, match=r"Expected .*'keras': '0\.1'"):
        side.fit_job_on_cluster("run", jobs[0], "key", 1.0)
    side.drop_input("run")
    with pytest.raises(RuntimeError, match="outside a prepared worker"):
        side.fit_job("run", jobs[0], "key")


def test_without_the_extra_the_error_names_it(
    tmp_path, jobs, corpus, monkeypatch
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(
        sys.modules, "emotion_mt.evaluation.cluster", raising=False
    )
    with pytest.raises(ImportError, match=r"'emotion_mt\[dask\]'"):
        run_jobs(jobs, corpus, {}, tmp_path, scheduler="tcp://127.0.0.1:1")


def _worker_processes():
    """Worker processes that this process has started and that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(
                (folder / "stat").read_text().rsplit(")")[1].split()[1]
            )
            command = (folder / "cmdline").read_text()
        except OSError:  # Ended in the meantime.
            continue
        if parent == os.getpid() and "popen_loky" in command:
            found.append(command)
    return found


@pytest.fixture
def ctrl_c():
    """Ctrl-C as usual; a process started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_what_must_not_be_cut_in_two():
    # The system may hand the signal to this thread, which has no mask.
    finish = threading.Event()
    other = threading.Thread(target=finish.wait)
    other.start()
    done = []

    def press():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        done.append(True)

    with pytest.raises(KeyboardInterrupt), pools._without_interrupts():
        press()
    finish.set()
    other.join()
    assert done == [True]
    # Afterwards it is as it was.
    with pytest.raises(KeyboardInterrupt):
        press()
    assert done == [True]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="no /proc here")
def test_ctrl_c_ends_soon_and_leaves_no_process(tmp_path, jobs, corpus):
    pressed_s = []

    def press():
        # They import TensorFlow for seconds before a job could end.
        while len(_worker_processes()) < 2:
            time.sleep(0.01)
        pressed_s.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, corpus, {}, tmp_path, workers=2)
    assert time.monotonic() - pressed_s[0] < 5
    assert not _worker_processes()
    assert not os.listdir(tmp_path)


def test_bad_arguments_are_refused(tmp_path, jobs, small_corpus):
    with pytest.raises(ValueError, match="`workers` must be at least 1"):
        run_jobs(jobs, small_corpus, {}, tmp_path, workers=0)
    with pytest.raises(ValueError, match=r"positive\. Received: 0"):
        run_jobs(jobs, small_corpus, {}, tmp_path, job_timeout_s=0)
    with pytest.raises(ValueError, match="cannot be given with `scheduler`"):
        run_jobs(
            jobs, small_corpus, {}, tmp_path, workers=1, scheduler="tcp://x"
        )
    visual = dataclasses.replace(TINY, modalities=("visual",))
    visual = [dataclasses.replace(job, config=visual) for job in jobs]
    with pytest.raises(ValueError, match=r"`features` must hold 'i3d' for MT"):
        run_jobs(visual, small_corpus, {"histograms": None}, tmp_path)


def test_the_time_left_counts_what_is_left(
    two_runs, jobs, corpus, tmp_path, monkeypatch
):
    class Stopped(Exception):
        pass

    def stop(*_, **options):
        raise Stopped(options["initial"], options["effort"])

    monkeypatch.setattr(runner._progress, "progress", stop)
    with pytest.raises(Stopped) as seen:
        run_jobs(jobs, corpus, {}, tmp_path)
    assert seen.value.args == (0, 14.0)
    # There, only the job of V2 has no record.
    with pytest.raises(Stopped) as seen:
        run_jobs(jobs, corpus, {}, two_runs["folder"])
    assert seen.value.args == (3, 2.0)


def test_only_its_own_features_decide_a_key(small_corpus, jobs, tmp_path):
    both = dataclasses.replace(
        jobs[0],
        config=dataclasses.replace(TINY, modalities=("text", "visual")),
    )

    def keys(i3d, histograms):
        shared = runner.worker_side.make_input(
            small_corpus, {"i3d": i3d, "histograms": histograms}, "w"
        )
        tasks = runner._tasks([jobs[0], both], shared, tmp_path)
        return [task.key for task in tasks]

    i3d = np.zeros((40, 1024), np.float32)
    histograms = np.zeros((40, 2, 7, 32), np.float32)
    text, visual = keys(i3d, histograms)
    assert keys(i3d, histograms + 1) == [text, visual]
    assert keys(i3d + 1, histograms)[0] == text
    assert keys(i3d + 1, histograms)[1] != visual
