"""kill -9, Ctrl-C and other mishaps at random moments of real runs.

    python benchmarks/faults.py --kills=100 --folder=runs/faults

A simulated corpus is extracted, trained on and reported, once undisturbed and
then again and again while runs are killed; when one comes to its end, its
results are compared with the undisturbed ones and it starts anew until the
kills are done. Then workers are killed and stopped, models get too little
memory, a second run starts, the number of workers changes, and Ctrl-C is
pressed. It prints a Markdown table of counts and ends with status 1 if anything
was lost, half written, different, left over, left running, or not as expected.
docs/reliability.md keeps a run.

Models are tiny and most runs are forked from a process that has imported
TensorFlow, so that a kill costs seconds (workers are fresh processes, as
always). Moments are random, most of them after a run has done something new:
one that is always killed while it starts never moves on.

With --folder, counts are kept there (counts.json) and the same command goes
on where it was stopped. Linux only.
"""

from __future__ import annotations

import collections
import functools
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
from absl import app, flags

_KILLS = flags.DEFINE_integer(
    "kills", 100, "Kills in all, over the first four phases.", lower_bound=4
)
_PHASES = flags.DEFINE_list("phases", [], "What to do. Default: everything.")
_TIMES = flags.DEFINE_integer("times", 4, "Ctrl-Cs, and workers lost.")
_SEED = flags.DEFINE_integer("seed", 0, "Decides moments.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes per run.")
_FOLDER = flags.DEFINE_string(
    "folder", None, "Keeps counts here. Default: a temporary folder."
)

#: Counts that must be zero; the others say what was done.
BAD = ("lost", "half written", "different", "left over", "left running")
BAD += ("not as expected",)

#: Seconds until every process of a run that ended must be gone.
_GONE_S = 5.0

Counts = collections.Counter[str]


class Bench:
    """A folder to work in, and counts that survive this program.

    Args:
        folder: The folder, with a corpus.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        from faults_runs import begin

        process = multiprocessing.get_context(how).Process(
            target=begin,
            args=(run, str(self.folder), workers or _WORKERS.value),
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
        from faults_runs import READERS

        path = self.folder / f"undisturbed-{run}.json"
        # Also what a phase that was stopped has left.
        self.clear()
        if stay or not path.exists():
            self.run_well(run)
            found = [read(self.folder) for read in READERS[run]]
            path.write_text(json.dumps(found))
        if not stay:
            self.clear()
        return json.loads(path.read_text())

    def compare(self, counts: Counts, run: str) -> None:
        """Compares a run that came to its end, and clears the folder."""
        from faults_runs import READERS, leftovers

        found = [read(self.folder) for read in READERS[run]]
        counts["left over"] += len(leftovers(self.folder))
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
        for path in (self.folder / "work").rglob("[!.]*"):
            try:
                found[path] = path.stat().st_mtime_ns * path.is_file()
            except OSError:  # Replaced at this moment.
                continue
        return found

    def kill(
        self, process: BaseProcess, span_s: float, phase: str, counts: Counts
    ) -> None:
        """Kills a run soon after something new, or while it starts."""
        # The next moment is another one, also after this program was stopped.
        generator = random.Random(f"{_SEED.value} {phase} {counts.total()}")
        if generator.random() < 0.8:
            self.wait_for_news(process)
        time.sleep(generator.uniform(0, span_s))
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
    from faults_runs import READERS

    counts = bench.counts(phase)
    status = -signal.SIGKILL
    expected, seen = bench.undisturbed(run, stay=stay)[stay], {}
    while counts["kills"] < kills or status != 0:
        process = bench.start(run)
        if counts["kills"] < kills:
            bench.kill(process, span_s, phase, counts)
        status = bench.end(process, counts)
        if status not in (0, -signal.SIGKILL):
            raise RuntimeError(f"{run} failed:\n{bench.log(run)[-3000:]}")
        try:
            found = READERS[run][stay](bench.folder)
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
    from faults_runs import LOST, leftovers

    counts = bench.counts(phase)
    bench.clear()
    (bench.folder / "saved").unlink(missing_ok=True)
    bench.run_well("last_bundle")
    while counts["kills"] < kills:
        process = bench.start("bundles")
        bench.kill(process, 0.2, phase, counts)
        bench.end(process, counts)
        status = bench.run("check_bundle")
        counts["lost"] += status == LOST
        counts["half written"] += status not in (0, LOST)
        bench.keep(phase, counts)
    bench.run_well("last_bundle")
    counts["left over"] += len(leftovers(bench.folder))
    bench.keep(phase, counts)


def lose_workers(bench: Bench, phase: str, number: signal.Signals) -> None:
    """Kills or stops the busiest worker of a run, which must end all right."""
    counts = bench.counts(phase)
    os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = "5 s"
    while counts["workers"] < _TIMES.value:
        bench.clear()
        process = bench.start("tables", how="spawn")
        bench.wait_for_news(process)
        time.sleep(random.uniform(0, 3))
        workers_of(process.pid or 0)[0].send_signal(number)
        counts["workers"] += 1
        counts["not as expected"] += bench.end(process, counts) != 0
        bench.compare(counts, "tables")
        bench.keep(phase, counts)
    del os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"]


def run_out_of_memory(bench: Bench, phase: str) -> None:
    """Trains MT that is too large beside other models that are not."""
    from faults_runs import jobs_of, leftovers

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
    found = jobs_of(bench.folder)
    counts["finished beside them"] = len(found)
    counts["lost"] = len(wanted.keys() - found.keys() - large)
    counts["different"] = sum(wanted[k] != found[k] for k in found)
    counts["left over"] = len(leftovers(bench.folder))
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
    counts["not as expected"] += "Training: " in text
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
    command = [sys.executable, str(script), f"--workers={_WORKERS.value}"]
    command += [f"--corpus={bench.folder / 'corpus'}"]
    command += [f"--out={bench.folder / 'work'}"]
    while counts["pressed"] < _TIMES.value:
        bench.clear()
        with (bench.folder / "interrupt.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        # While it imports, or while its workers start and train.
        trains = counts["pressed"] % 2
        while trains and not workers_of(process.pid):
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


def phases() -> dict[str, tuple[str, Callable[[Bench, str], None]]]:
    """What can be done: key of its counts to what it is and how it is done."""
    part = functools.partial
    kills = [(_KILLS.value + n) // 4 for n in range(4)]
    extract = {"run": "extraction", "span_s": 0.3, "kills": kills[0]}
    train = {"run": "tables", "span_s": 3.0, "kills": kills[1]}
    write = {"run": "tables", "span_s": 0.4, "kills": kills[2], "stay": True}
    lose = {number: part(lose_workers, number=number) for number in (9, 19)}
    return {
        "extraction": ("kill -9 during extraction", part(kill_runs, **extract)),
        "training": ("kill -9 during training", part(kill_runs, **train)),
        "writing": ("kill -9 during writing tables", part(kill_runs, **write)),
        "bundles": (
            "kill -9 while a bundle is saved over another",
            part(kill_bundles, kills=kills[3]),
        ),
        "worker killed": ("kill -9 of a worker", lose[signal.SIGKILL]),
        "worker stopped": (
            "SIGSTOP of a worker, given up after 5 s",
            lose[signal.SIGSTOP],
        ),
        "memory": ("MT that RLIMIT_AS has no room for", run_out_of_memory),
        "second run": ("a run is refused, another waits", run_twice),
        **{
            f"{n} workers": (f"{n} workers", part(compare_workers, number=n))
            for n in (1, 2, 4)
        },
        "interrupt": ("Ctrl-C, importing and training", interrupt),
    }


def disturb(folder: Path) -> int:
    """Does the phases and prints them; returns how much went wrong."""
    from faults_runs import simulate

    simulate(folder)
    bench, bad, lines = Bench(folder), 0, []
    for phase, (what, how) in phases().items():
        if _PHASES.value and phase not in _PHASES.value:
            continue
        how(bench, phase)
        counts = bench.counts(phase)
        done = [f"{n} {k}" for k, n in counts.items() if k not in BAD]
        wrong = [f"{counts[k]} {k}" for k in BAD]
        bad += sum(counts[k] for k in BAD)
        lines.append(f"| {what} | {', '.join(done)} | {', '.join(wrong)} |")
    print("| what | how often | what happened |\n| --- | --- | --- |")
    print("\n".join(lines))
    return bad


def main(argv: list[str]) -> int | None:
    """Disturbs and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    # A program that a shell starts in the background ignores Ctrl-C, and so
    # would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What runs need is imported once, and used by them alone: nothing may be
    # computed with TensorFlow here.
    import faults_runs  # noqa: F401
    import matplotlib.pyplot  # noqa: F401

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(_FOLDER.value or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return 1 if disturb(folder) else None


if __name__ == "__main__":
    app.run(main)
