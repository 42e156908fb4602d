"""The disturbances of `faults.py`, each with its counts."""

from __future__ import annotations

import collections
import contextlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import faults_runs as runs
import psutil

#: Seconds until every process of a run that ended must be gone.
_GONE_S = 5.0

#: Silence after which Dask gives a worker up, where one is stopped.
TTL = "20 s"

Counts = collections.Counter[str]


class Bench:
    """A folder to work in, and counts that survive this program.

    Args:
        folder: The folder, with a corpus.
        workers: Worker processes per run.
        times: How often Ctrl-C is pressed, or a worker lost.
    """

    def __init__(self, folder: Path, workers: int, times: int) -> None:
        self.folder = folder
        self.workers = workers
        self.times = times
        self._path = folder / "counts.json"
        self._kept: dict[str, dict[str, int]] = {}
        if self._path.exists():
            self._kept = json.loads(self._path.read_text())

    def counts(self, phase: str) -> Counts:
        """Returns what was counted so far."""
        return collections.Counter(self._kept.get(phase, {}))

    def keep(self, phase: str, counts: Counts) -> None:
        """Keeps counts and says how far it is."""
        self._kept[phase] = dict(counts)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._kept, indent=1))
        temporary.replace(self._path)
        print(f"{time.ctime()}  {phase}: {dict(counts)}", file=sys.stderr)

    def start(
        self, run: str, workers: int | None = None, how: str = "fork"
    ) -> BaseProcess:
        """Starts a run of `faults_runs`: "fork" it or "spawn" a fresh one."""
        process = multiprocessing.get_context(how).Process(
            target=runs.begin,
            args=(run, str(self.folder), workers or self.workers),
        )
        process.start()
        return process

    def end(self, process: BaseProcess, counts: Counts) -> int:
        """Waits for a run, and that all its processes are gone."""
        process.join()
        counts["left running"] += not gone(process.pid or 0)
        return process.exitcode or 0

    def run(self, run: str, workers: int | None = None) -> int:
        """Does a run; returns its exit status."""
        return self.end(self.start(run, workers), collections.Counter())

    def run_well(self, run: str, workers: int | None = None) -> None:
        """Does a run, which must end well."""
        if self.run(run, workers) != 0:
            raise RuntimeError(f"{run} failed:\n{self.log(run)[-3000:]}")

    def log(self, run: str) -> str:
        """Returns what the last run of a name has said."""
        return (self.folder / f"{run}.log").read_text()

    def clear(self) -> None:
        """Removes what runs have made."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def undisturbed(self, run: str, *, stay: bool = False) -> list[dict]:
        """Finished parts and final files of a run that nobody disturbs.

        Args:
            run: The run.
            stay: Whether its files stay; otherwise nothing is in the folder.
        """
        path = self.folder / f"undisturbed-{run}.json"
        # Also what a phase that was stopped has left.
        self.clear()
        if stay or not path.exists():
            self.run_well(run)
            found = [read(self.folder) for read in runs.READERS[run]]
            path.write_text(json.dumps(found))
        if not stay:
            self.clear()
        return json.loads(path.read_text())

    def compare(self, counts: Counts, run: str) -> None:
        """Compares a run that came to its end, and clears the folder."""
        found = [read(self.folder) for read in runs.READERS[run]]
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
    bench: Bench,
    phase: str,
    *,
    kills: int,
    run: str,
    span_s: float,
    stay: bool = False,
) -> None:
    """Kills runs and looks at what is left.

    Args:
        bench: The folder.
        phase: Key of the counts.
        kills: How many.
        run: Name of the run.
        span_s: A kill comes within so many seconds after something new.
        stay: Whether runs begin with the files of a finished one.
    """
    counts = bench.counts(phase)
    if counts["kills"] >= kills and counts["runs to the end"]:
        return
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
            print(f"{phase}: {error}", file=sys.stderr)
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
        bench.keep(phase, counts)
    if stay:
        bench.compare(counts, run)
        bench.keep(phase, counts)


def kill_bundles(bench: Bench, phase: str, *, kills: int) -> None:
    """Kills runs that save bundles over others, and loads what is there."""
    counts = bench.counts(phase)
    if counts["kills"] >= kills:
        return
    bench.clear()
    (bench.folder / "saved").unlink(missing_ok=True)
    bench.run_well("last_bundle")
    while counts["kills"] < kills:
        process = bench.start("bundles")
        bench.kill(process, 0.2, counts)
        bench.end(process, counts)
        status = bench.run("check_bundle")
        counts["lost"] += status == runs.LOST
        counts["half written"] += status not in (0, runs.LOST)
        bench.keep(phase, counts)
    bench.run_well("last_bundle")
    counts["left over"] += len(runs.leftovers(bench.folder))
    bench.keep(phase, counts)


def lose_workers(bench: Bench, phase: str, number: signal.Signals) -> None:
    """Kills or stops the busiest worker of a run, which must end all right."""
    counts = bench.counts(phase)
    if number == signal.SIGSTOP:
        os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = TTL
    while counts["workers"] < bench.times:
        bench.clear()
        process = bench.start("tables", how="spawn")
        if counts["workers"] % 2 and number == signal.SIGKILL:
            # While it starts; a stopped one could not be told from a slow one.
            while (
                process.is_alive()
                and len(workers_of(process.pid or 0)) < bench.workers
            ):
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
        bench.keep(phase, counts)
    os.environ.pop("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", None)


def run_out_of_memory(bench: Bench, phase: str) -> None:
    """Trains MT that is too large beside other models that are not."""
    wanted, _ = bench.undisturbed("tables")
    large = {name for name in wanted if name.startswith("MT")}
    counts: Counts = collections.Counter({"jobs too large": len(large)})
    counts["not as expected"] = bench.run("greedy_tables") != 1
    failed = set(
        re.findall(
            r"FAILED: (\S+): .*; tried 3 times", bench.log("greedy_tables")
        )
    )
    table = (bench.folder / "work" / "table3.md").read_text()
    named = "INCOMPLETE" in table and all(name in table for name in large)
    counts["not as expected"] += len(failed ^ large) + (not named)
    counts["reported after 3 tries"] = len(failed)
    found = runs.jobs_of(bench.folder)
    counts["finished beside them"] = len(found)
    counts["lost"] = len(wanted.keys() - found.keys() - large)
    counts["different"] = sum(wanted[k] != found[k] for k in found)
    counts["left over"] = len(runs.leftovers(bench.folder))
    bench.keep(phase, counts)


def run_twice(bench: Bench, phase: str) -> None:
    """Starts two more runs on a folder: one waits, one is refused."""
    bench.clear()
    counts: Counts = collections.Counter(runs=3)
    first = bench.start("tables")
    bench.wait_for_news(first)
    waiting = bench.start("waiting_tables")
    refused = bench.start("tables")
    counts["not as expected"] += bench.end(refused, counts) != 1
    holder = f"process {first.pid} on "
    counts["not as expected"] += holder not in bench.log("tables")
    for process in (first, waiting):
        counts["not as expected"] += bench.end(process, counts) != 0
    text = bench.log("waiting_tables")
    counts["jobs used again"] = sum(
        map(int, re.findall(r"(\d+) finished jobs were used again", text))
    )
    counts["not as expected"] += holder not in text
    jobs = len(runs.jobs_of(bench.folder))
    counts["not as expected"] += counts["jobs used again"] != jobs
    bench.compare(counts, "tables")
    bench.keep(phase, counts)


def compare_workers(bench: Bench, phase: str, number: int) -> None:
    """Trains with a number of workers: results must not depend on it."""
    bench.clear()
    bench.run_well("tables", number)
    counts: Counts = collections.Counter(runs=1)
    bench.compare(counts, "tables")
    bench.keep(phase, counts)


def interrupt(bench: Bench, phase: str) -> None:
    """Presses Ctrl-C, as a terminal does: on all processes of the group."""
    counts = bench.counts(phase)
    script = Path(__file__).parents[1] / "experiments" / "table3.py"
    command = [sys.executable, str(script), f"--workers={bench.workers}"]
    command += [f"--corpus={bench.folder / 'corpus'}"]
    command += [f"--out={bench.folder / 'work'}"]
    while counts["pressed"] < bench.times:
        bench.clear()
        with (bench.folder / "interrupt.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        # While it imports, or while its workers start and train.
        trains = counts["pressed"] % 2
        while trains and process.poll() is None and not workers_of(process.pid):
            time.sleep(0.05)
        time.sleep(random.uniform(0.5, 20.0 if trains else 4.0))
        os.killpg(process.pid, signal.SIGINT)
        start_s = time.monotonic()
        status = process.wait()
        spent_s = time.monotonic() - start_s
        text = bench.log("interrupt")
        counts["pressed"] += 1
        counts["ms at most"] = max(counts["ms at most"], round(1000 * spent_s))
        counts["left running"] += not gone(process.pid)
        counts["not as expected"] += (
            (status != 130)
            + (spent_s > 5)
            + ("continues where it was" not in text)
            + ("Traceback" in text)
        )
        bench.keep(phase, counts)
