"""Workers that run out of memory, are killed, or stop: real processes.

They fit nothing and import no TensorFlow, so that one costs half a second;
benchmarks/faults.py does the same to the workers of a whole run.
"""

import collections
import os
import pathlib
import resource
import signal
import sys
import time

import pytest
from absl import logging

from emotion_mt.evaluation import records, workers
from emotion_mt.evaluation.pools import LocalPool, Task, ran_out_of_memory
from emotion_mt.evaluation.scheduling import EXTRA_TRIES, Schedule

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux's /proc and signals"
)


def make_tasks(folder, *names):
    """Tasks that travel to a worker by value: it need not know this file."""

    class Job:
        architecture = "ST"
        viewers = ("V1",)

        class config:
            modalities = ("text",)

        def __init__(self, name):
            self.name = name

        def __str__(self):
            return self.name

    return [Task(Job(n), f"key {n}", folder / f"{n}.json") for n in names]


def make_fit(log, group=None):
    """What workers do instead of fitting; notes job and process in `log`.

    `group` is a control group with little memory, for the job "eaten".
    """
    format_ = records.FORMAT

    def fit(token, job, key, *_):
        with open(log, "a") as file:
            file.write(f"{job.name} {os.getpid()}\n")
        if job.name == "greedy":
            with open("/proc/self/statm") as file:
                used = int(file.read().split()[0]) * resource.getpagesize()
            # Whatever this process needs beyond 64 MB more is not there.
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**26,) * 2)
            return {"x": len(bytearray(2**30))}
        if job.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.name == "eaten":
            with open(f"{group}/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))
            return {"x": len(bytearray(2**30))}
        if job.name == "stopped" and not os.path.exists(f"{log}.stopped"):
            with open(f"{log}.stopped", "w") as file:
                file.write(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
        return {"format": format_, "key": key}

    return fit


@pytest.fixture
def small_group():
    """A control group whose processes may take 64 MB more than they have.

    Whoever takes more is killed by the kernel, as when the machine's memory
    is used up.
    """
    name = f"emotion_mt_{os.getpid()}"
    for root, limit in (
        (pathlib.Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (pathlib.Path("/sys/fs/cgroup"), "memory.max"),
    ):
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if not (group / limit).exists():
                continue
            (group / limit).write_text(str(2**26))
            swap = group / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
            yield group
            return
        finally:
            group.rmdir()
    pytest.skip("needs root and control groups of memory that are writable")


def kills_by_kernel(group):
    """How often the kernel killed for lack of memory in a control group."""
    (count,) = (
        int(line.split()[1])
        for name in ("memory.oom_control", "memory.events")
        if (group / name).exists()
        for line in (group / name).read_text().splitlines()
        if line.startswith("oom_kill ")
    )
    return count


def starts(log):
    """Processes in which each job was started, by name."""
    found = collections.defaultdict(list)
    for line in log.read_text().splitlines():
        name, process = line.split()
        found[name].append(int(process))
    return found


def run(tasks, pool):
    """All that ends, by name."""
    with pool:
        schedule = Schedule(tasks, pool)
        found = [end for _, ended in schedule.rounds() for end in ended]
        schedule.release()
    assert len(found) == len(tasks)
    return {end.task.job.name: end for end in found}


def gone(process):
    """Waits until a process has ended."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        try:
            with open(f"/proc/{process}/stat") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def light_workers(monkeypatch):
    """Lets local workers do what `make_fit` returned, without TensorFlow."""

    def prepare(*_):
        """Nothing to prepare where nothing is fitted."""

    def use(fit):
        monkeypatch.setattr(workers, "start_local_worker", prepare)
        monkeypatch.setattr(workers, "ready", lambda: os.getpid())
        monkeypatch.setattr(workers, "fit_job", fit)

    return use


def test_killed_by_the_kernel_for_lack_of_memory(
    tmp_path, light_workers, small_group
):
    log = tmp_path / "log"
    light_workers(make_fit(log, small_group))
    tasks = make_tasks(tmp_path / "jobs", "eaten", "good")
    ends = run(tasks, LocalPool(2, None, 60.0))
    tries = EXTRA_TRIES + 1
    assert kills_by_kernel(small_group) == tries
    assert len(set(starts(log)["eaten"])) == tries
    assert ends["eaten"].lost.startswith("the worker process died with")
    assert f"SIGKILL(-9); tried {tries} times" in ends["eaten"].lost
    assert ends["good"].record is not None


def test_out_of_memory_and_killed(tmp_path, light_workers, caplog):
    log = tmp_path / "log"
    light_workers(make_fit(log))
    logging.set_verbosity(logging.WARNING)
    folder = tmp_path / "jobs"
    tasks = make_tasks(folder, "greedy", "killed", "good", "better")
    ends = run(tasks, LocalPool(2, None, 60.0))

    tries = EXTRA_TRIES + 1
    started = starts(log)
    for name in ("greedy", "killed"):
        # Each time in a fresh process.
        assert len(started[name]) == len(set(started[name])) == tries
    assert ends["greedy"].lost == (
        f"ran out of memory (MemoryError: ); tried {tries} times"
    )
    assert ends["killed"].lost.startswith("the worker process died with")
    assert f"SIGKILL(-9); tried {tries} times" in ends["killed"].lost
    assert "greedy: ran out of memory" in caplog.text
    assert f"Trying again (1 of {EXTRA_TRIES})" in caplog.text
    # The rest is done, and nothing else is left.
    assert {p.name for p in folder.iterdir()} == {"good.json", "better.json"}


@pytest.mark.parametrize(
    "error",
    [
        "MemoryError: ",
        "_ArrayMemoryError: Unable to allocate 8.00 GiB for an array",
        "ResourceExhaustedError: {{function_node}} OOM when allocating",
        "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory",
        "RuntimeError: std::bad_alloc",
    ],
)
def test_what_lack_of_memory_looks_like(error):
    assert ran_out_of_memory(error)


def test_other_errors_that_speak_of_memory_are_none():
    assert not ran_out_of_memory("ValueError: not a MemoryError")


def test_dask_worker_that_is_stopped(tmp_path, monkeypatch):
    """It cannot end itself; its nanny does, and another gets the job."""
    distributed = pytest.importorskip(
        "distributed", reason="needs the extra `dask`"
    )
    from emotion_mt.evaluation import cluster as cluster_module

    class Plugin(distributed.WorkerPlugin):
        """Brings nothing, so that workers need no TensorFlow."""

        def __init__(self, token, _):
            self.name = token

    log = tmp_path / "log"
    monkeypatch.setattr(cluster_module, "_InputPlugin", Plugin)
    monkeypatch.setattr(cluster_module, "STUCK_S", 0.5)
    monkeypatch.setattr(workers, "fit_job_on_cluster", make_fit(log))
    tasks = make_tasks(tmp_path / "jobs", "stopped", "good", "better")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        pool = cluster_module.DaskPool(cluster.scheduler_address, None, 0.5)
        ends = run(tasks, pool)
    assert all(end.record is not None for end in ends.values())
    started = {name: len(found) for name, found in starts(log).items()}
    assert started == {"stopped": 2, "good": 1, "better": 1}
    assert gone(int((tmp_path / "log.stopped").read_text()))
