"""kill -9 of real runs and of their workers, at random moments.

    python benchmarks/faults.py --kills=100

A simulated corpus is extracted, trained on and reported, once undisturbed and
then again and again while runs are killed; when one comes to its end, its
results are compared with the undisturbed ones and it starts anew until the
kills are done. Then workers are killed and stopped. It prints a Markdown table
of counts and ends with status 1 if anything was lost, half written, different,
left over, left running, or not as expected. docs/reliability.md keeps a run.
What is not random (Ctrl-C, too little memory, full disks) is in `make test`.

Models are tiny and most runs are forked from a process that has imported
TensorFlow, so that a kill costs seconds (workers are fresh processes, as
always). Moments are random, most of them after a run has done something new:
one that is always killed while it starts never moves on. Linux only.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
from absl import app, flags

# What runs need is imported once, and used by them alone: nothing may be
# computed with TensorFlow here. Workers import this file, too, and would notice
# only after these imports that their run was killed.
if __name__ == "__main__":
    import faults_runs as runs
    import matplotlib.pyplot  # noqa: F401

#: Counts that must be zero; the others say what was done.
BAD = ("lost", "half written", "different", "left over", "left running")
BAD += ("not as expected",)

#: Seconds until every process of a run that ended must be gone.
_GONE_S = 5.0

#: Silence after which Dask gives a worker up, where one is stopped.
_TTL = "20 s"

#: How many workers are killed, and stopped.
_LOST = 2

_KILLS = flags.DEFINE_integer(
    "kills", 100, "Kills in all, shared by four kinds of work.", lower_bound=4
)

Counts = collections.Counter[str]


class Bench:
    """A folder with a corpus, in which runs work and are disturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._undisturbed: dict[str, list[runs.Parts]] = {}

    def start(self, run: str, how: str = "fork") -> BaseProcess:
        """Starts a run of `faults_runs`: "fork" it or "spawn" a fresh one."""
        process = multiprocessing.get_context(how).Process(
            target=runs.begin, args=(run, str(self.folder))
        )
        process.start()
        return process

    def end(self, process: BaseProcess, counts: Counts) -> int:
        """Waits for a run, and that all its processes are gone."""
        process.join()
        counts["left running"] += not gone(process.pid or 0)
        return process.exitcode or 0

    def run_well(self, run: str) -> None:
        """Does a run, which must end well."""
        if self.end(self.start(run), collections.Counter()) != 0:
            raise RuntimeError(f"{run} failed:\n{self.log(run)[-3000:]}")

    def log(self, run: str) -> str:
        """Returns what the last run of a name has said."""
        return (self.folder / f"{run}.log").read_text()

    def clear(self) -> None:
        """Removes what runs have made."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def read(self, run: str) -> list[runs.Parts]:
        """Reads the finished parts of a run, and what is there in the end."""
        return [read(self.folder) for read in runs.READERS[run]]

    def undisturbed(self, run: str, *, stay: bool = False) -> list[runs.Parts]:
        """Reads a run that nobody disturbs; its files `stay`, or go."""
        self.clear()
        if stay or run not in self._undisturbed:
            self.run_well(run)
            self._undisturbed[run] = self.read(run)
        if not stay:
            self.clear()
        return self._undisturbed[run]

    def compare(self, counts: Counts, run: str) -> None:
        """Compares a run that came to its end, and clears the folder."""
        found = self.read(run)
        counts["left over"] += len(runs.leftovers(self.folder))
        for have, want in zip(found, self.undisturbed(run), strict=True):
            counts["lost"] += len(want.keys() - have.keys())
            counts["different"] += sum(want.get(k) != have[k] for k in have)

    def wait_for_news(self, process: BaseProcess) -> None:
        """Returns when the run has written something, or ended."""
        before = self._written()
        while process.is_alive() and self._written() == before:
            time.sleep(0.01)

    def _written(self) -> dict[Path, int]:
        found = {}
        # Unlike `rglob`, it passes over folders that go at this moment.
        for folder, folders, files in os.walk(self.folder / "work"):
            folders[:] = [name for name in folders if name[0] != "."]
            for path in (Path(folder, x) for x in files if x[0] != "."):
                with contextlib.suppress(OSError):  # Replaced at this moment.
                    found[path] = path.stat().st_mtime_ns
        return found

    def kill(self, process: BaseProcess, span_s: float, counts: Counts) -> None:
        """Kills a run soon after something new, or while it starts."""
        if random.random() < 0.8:
            self.wait_for_news(process)
        time.sleep(random.uniform(0, span_s))
        counts["kills"] += process.is_alive()
        process.kill()


def gone(leader: int) -> bool:
    """Waits until no process of a group lives; kills what stays too long."""
    end_s = time.monotonic() + _GONE_S
    while any(_is_of(process, leader) for process in psutil.process_iter()):
        if time.monotonic() > end_s:
            os.killpg(leader, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def _is_of(process: psutil.Process, leader: int) -> bool:
    try:
        return (
            os.getpgid(process.pid) == leader
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def workers_of(leader: int) -> list[psutil.Process]:
    """Living worker processes of a run, the busiest first."""
    found = []
    if not psutil.pid_exists(leader):
        return []
    for process in psutil.Process(leader).children():
        try:
            if any("spawn_main" in part for part in process.cmdline()):
                found.append((sum(process.cpu_times()[:2]), process))
        except psutil.NoSuchProcess:
            continue
    return [process for _, process in sorted(found, key=lambda x: -x[0])]


def kill_runs(
    bench: Bench, kills: int, run: str, span_s: float, stay: bool = False
) -> Counts:
    """Kills runs, `span_s` at most after news, and looks at what is left.

    If files `stay`, runs begin with those of a finished one.
    """
    counts: Counts = collections.Counter()
    status = -signal.SIGKILL
    expected, seen = bench.undisturbed(run, stay=stay)[stay], {}
    while counts["kills"] < kills or status != 0:
        process = bench.start(run)
        if counts["kills"] < kills:
            bench.kill(process, span_s, counts)
        status = bench.end(process, counts)
        if status not in (0, -signal.SIGKILL):
            raise RuntimeError(f"{run} failed:\n{bench.log(run)[-3000:]}")
        try:
            found = runs.READERS[run][stay](bench.folder)
        except ValueError as error:
            print(error, file=sys.stderr)
            counts["half written"] += 1
            continue
        counts["lost"] += len((expected if stay else seen).keys() - found)
        counts["different"] += sum(expected.get(k) != found[k] for k in found)
        seen = found
        if status == 0:
            counts["runs to the end"] += 1
            if not stay:
                bench.compare(counts, run)
                seen = {}
    if stay:
        bench.compare(counts, run)
    return counts


def kill_bundles(bench: Bench, kills: int) -> Counts:
    """Kills runs that save bundles over others, and loads what is there."""
    counts: Counts = collections.Counter()
    bench.clear()
    bench.run_well("last_bundle")
    while counts["kills"] < kills:
        process = bench.start("bundles")
        bench.kill(process, 0.2, counts)
        bench.end(process, counts)
        status = bench.end(bench.start("check_bundle"), counts)
        counts["lost"] += status == runs.LOST
        counts["half written"] += status not in (0, runs.LOST)
    bench.run_well("last_bundle")
    counts["left over"] += len(runs.leftovers(bench.folder))
    return counts


def lose_workers(bench: Bench, number: signal.Signals) -> Counts:
    """Kills or stops the busiest worker of a run, which must end all right."""
    counts: Counts = collections.Counter()
    if number == signal.SIGSTOP:
        os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = _TTL
    while counts["workers"] < _LOST:
        bench.clear()
        process = bench.start("tables", how="spawn")
        if counts["workers"] % 2 and number == signal.SIGKILL:
            # While it starts; a stopped one could not be told from a slow one.
            while process.is_alive() and not workers_of(process.pid or 0):
                time.sleep(0.05)
        else:
            bench.wait_for_news(process)
        time.sleep(random.uniform(0, 5))
        for worker in workers_of(process.pid or 0)[:1]:
            worker.send_signal(number)
            counts["workers"] += 1
        status = bench.end(process, counts)
        counts["not as expected"] += status != 0
        if status == 0:
            bench.compare(counts, "tables")
        else:
            print(bench.log("tables")[-3000:], file=sys.stderr)
    os.environ.pop("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", None)
    return counts


def phases(bench: Bench, kills: int) -> Iterator[tuple[str, Counts]]:
    """Yields what was done, and what happened."""
    for when, *how in (
        ("during extraction", "extraction", 0.3),
        ("during training", "tables", 3.0),
        ("while tables are written", "tables", 0.4, True),
    ):
        yield f"kill -9 {when}", kill_runs(bench, kills, *how)
    what = "kill -9 while a bundle is saved over another"
    yield what, kill_bundles(bench, kills)
    yield "kill -9 of a worker", lose_workers(bench, signal.SIGKILL)
    what = f"SIGSTOP of a worker, given up after {_TTL}"
    yield what, lose_workers(bench, signal.SIGSTOP)


def main(argv: list[str]) -> int | None:
    """Disturbs and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    bad = 0
    print("| what | how often | what happened |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        runs.simulate(folder)
        for what, counts in phases(Bench(folder), _KILLS.value // 4):
            done = [f"{n} {k}" for k, n in counts.items() if k not in BAD]
            wrong = [f"{counts[k]} {k}" for k in BAD]
            bad += sum(counts[k] for k in BAD)
            row = f"| {what} | {', '.join(done)} | {', '.join(wrong)} |"
            print(row, flush=True)
    return 1 if bad else None


if __name__ == "__main__":
    app.run(main)
