"""kill -9, Ctrl-C and other mishaps at random moments of real runs.

    python benchmarks/faults.py --kills=100 --folder=runs/faults

A simulated corpus is extracted, trained on and reported, once undisturbed and
then again and again while runs are killed; when one comes to its end, its
results are compared with the undisturbed ones and it starts anew until the
kills are done. Other phases kill or stop a worker, give models too little
memory, start a second run, change the number of workers, and press Ctrl-C. It
prints a Markdown table of counts and ends with status 1 if anything was lost,
half written, different, left over, left running, or not as expected.
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
from typing import TYPE_CHECKING

import psutil
from absl import app, flags

if TYPE_CHECKING:
    from faults_runs import Parts

_KILLS = flags.DEFINE_integer(
    "kills", 100, "Kills in all, over the first four phases.", lower_bound=4
)
_PHASES = flags.DEFINE_list("phases", [], "What to do. Default: everything.")
_TIMES = flags.DEFINE_integer("times", 4, "Ctrl-Cs; half as many workers lost.")
_SEED = flags.DEFINE_integer("seed", 0, "Decides moments and victims.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes per run.")
_FOLDER = flags.DEFINE_string(
    "folder", None, "Keeps counts here. Default: a temporary folder."
)

#: Counts that must be zero; the others say what was done.
BAD = ("lost", "half written", "different", "left over", "left running")
BAD += ("not as expected",)

#: Seconds until every process of a killed run must be gone.
_GONE_S = 5.0

#: Seconds of silence after which a stopped worker is given up.
_TTL = "5 s"

Counts = collections.Counter[str]
Reader = Callable[[Path], "Parts"]


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

    def random(self, phase: str, counts: Counts) -> random.Random:
        """Returns a generator for what comes next, also after a stop."""
        return random.Random(f"{_SEED.value} {phase} {counts.total()}")

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
        assert process.exitcode is not None
        return process.exitcode

    def run(self, run: str, workers: int | None = None) -> int:
        """Does a run; returns its exit status."""
        process = self.start(run, workers)
        process.join()
        return process.exitcode or 0

    def run_well(self, run: str, workers: int | None = None) -> None:
        """Does a run, which must end well."""
        if self.run(run, workers) != 0:
            raise RuntimeError(f"{run} failed:\n{self.log(run)[-3000:]}")

    def log(self, run: str) -> str:
        """Returns what the last run of a name has said."""
        text = (self.folder / f"{run}.log").read_text()
        return text.rsplit("--- ", 1)[-1]

    def clear(self) -> None:
        """Removes what runs have made."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def undisturbed(
        self, run: str, parts: Reader, final: Reader, stay: bool = False
    ) -> tuple[Parts, Parts]:
        """Results of a run that nobody disturbs; its files may stay."""
        path = self.folder / f"undisturbed-{run}-{parts.__name__}.json"
        # Also what a phase that was stopped has left.
        self.clear()
        if stay or not path.exists():
            self.run_well(run)
            found = parts(self.folder), final(self.folder)
            path.write_text(json.dumps(found))
        if not stay:
            self.clear()
        expected, ends = json.loads(path.read_text())
        return expected, ends

    def compare(self, counts: Counts) -> None:
        """Compares trained tables with those of an undisturbed run."""
        import faults_runs as runs

        found = runs.jobs_of(self.folder), runs.tables_of(self.folder)
        left = runs.leftovers(self.folder)
        expected = self.undisturbed("tables", runs.jobs_of, runs.tables_of)
        for have, want in zip(found, expected, strict=True):
            counts["lost"] += len(want.keys() - have.keys())
            counts["different"] += sum(want.get(k) != have[k] for k in have)
        counts["left over"] += len(left)


def gone(leader: int) -> bool:
    """Waits until no process of a group lives; kills what stays too long."""
    end_s = time.monotonic() + _GONE_S
    while _lives(leader):
        if time.monotonic() > end_s:
            os.killpg(leader, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def _lives(leader: int) -> bool:
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == leader and (
                process.info["status"] != psutil.STATUS_ZOMBIE
            ):
                return True
        except ProcessLookupError:
            continue
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


def wait_for_news(process: BaseProcess, folder: Path) -> None:
    """Returns when the run has written something, or ended."""
    from faults_runs import news

    before = news(folder)
    while process.is_alive() and news(folder) == before:
        time.sleep(0.01)


def _kill(
    bench: Bench,
    process: BaseProcess,
    span_s: float,
    phase: str,
    counts: Counts,
) -> None:
    """Kills a run after something new, or while it starts."""
    generator = bench.random(phase, counts)
    if generator.random() < 0.8:
        wait_for_news(process, bench.folder)
    time.sleep(generator.uniform(0, span_s))
    counts["kills"] += process.is_alive()
    process.kill()


def kill_runs(
    bench: Bench,
    phase: str,
    *,
    kills: int,
    run: str,
    parts: Reader,
    final: Reader,
    span_s: float,
    stay: bool = False,
) -> Counts:
    """Kills runs and looks at what is left.

    Args:
        bench: The folder.
        phase: Key of the counts.
        kills: How many.
        run: Name of the run.
        parts: Reads what is finished; raises ValueError if it is not whole.
        final: Reads what is there in the end.
        span_s: A kill comes within so many seconds after something new.
        stay: Whether runs begin with the files of a finished one.
    """
    from faults_runs import leftovers

    counts = bench.counts(phase)
    if counts["kills"] >= kills:
        return counts
    expected, ends = bench.undisturbed(run, parts, final, stay)
    seen = expected if stay else {}
    status = -signal.SIGKILL
    while counts["kills"] < kills or status != 0:
        process = bench.start(run)
        if counts["kills"] < kills:
            _kill(bench, process, span_s, phase, counts)
        status = bench.end(process, counts)
        if status not in (0, -signal.SIGKILL):
            raise RuntimeError(f"{run} failed:\n{bench.log(run)[-3000:]}")
        try:
            found = parts(bench.folder)
        except ValueError as error:
            print(f"{phase}: {error}", file=sys.stderr)
            counts["half written"] += 1
            continue
        counts["lost"] += len(seen.keys() - found.keys())
        counts["different"] += sum(expected.get(k) != found[k] for k in found)
        seen = found
        if status == 0:
            counts["runs to the end"] += 1
            counts["lost"] += len(expected.keys() - found.keys())
            counts["different"] += final(bench.folder) != ends
            counts["left over"] += len(leftovers(bench.folder))
            if not stay:
                bench.clear()
                seen = {}
        bench.keep(phase, counts)
    bench.clear()
    return counts


def kill_bundles(bench: Bench, phase: str, *, kills: int) -> Counts:
    """Kills runs that save bundles over others, and loads what is there."""
    from faults_runs import LOST, leftovers

    counts = bench.counts(phase)
    if counts["kills"] >= kills:
        return counts
    bench.clear()
    (bench.folder / "saved").unlink(missing_ok=True)
    while counts["kills"] < kills:
        process = bench.start("bundles")
        wait_for_news(process, bench.folder)
        if not (bench.folder / "saved").exists():
            wait_for_news(process, bench.folder)
        _kill(bench, process, 0.15, phase, counts)
        bench.end(process, counts)
        status = bench.run("check_bundle")
        counts["lost"] += status == LOST
        counts["half written"] += status not in (0, LOST)
        bench.keep(phase, counts)
    bench.run_well("last_bundle")
    counts["left over"] += len(leftovers(bench.folder))
    bench.clear()
    bench.keep(phase, counts)
    return counts


def lose_workers(bench: Bench, phase: str, number: signal.Signals) -> Counts:
    """Kills or stops the busiest worker of a run, which must end all right."""
    counts = bench.counts(phase)
    os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = _TTL
    for _ in range(counts["workers"], max(_TIMES.value // 2, 1)):
        bench.clear()
        process = bench.start("tables", how="spawn")
        wait_for_news(process, bench.folder)
        time.sleep(bench.random(phase, counts).uniform(0, 3.0))
        if not process.is_alive():
            raise RuntimeError("The run was over before its worker was lost")
        workers_of(process.pid or 0)[0].send_signal(number)
        counts["workers"] += 1
        counts["not as expected"] += bench.end(process, counts) != 0
        bench.compare(counts)
        bench.keep(phase, counts)
    del os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"]
    return counts


def run_out_of_memory(bench: Bench, phase: str) -> Counts:
    """Trains models that are too large beside others that are not."""
    import faults_runs as runs

    bench.clear()
    bench.run_well("tables")
    wanted = runs.answers_of(bench.folder)
    large = len(runs.jobs_of(bench.folder)) - len(wanted)
    bench.clear()
    status = bench.run("greedy_tables")
    found = runs.answers_of(bench.folder)
    failed = set(
        re.findall(
            r"FAILED: (\S+): .*; tried 3 times", bench.log("greedy_tables")
        )
    )
    table = (bench.folder / "work" / "table3.md").read_text()
    named = "INCOMPLETE" in table and all(name in table for name in failed)
    counts: Counts = collections.Counter(
        {
            "jobs without enough memory": large,
            "of these reported after 3 tries": len(failed),
            "jobs finished beside them": len(found),
            "lost": len(wanted.keys() - found.keys()),
            "different": sum(wanted.get(k) != found[k] for k in found),
            "not as expected": (status != 1)
            + (len(failed) != large or not named),
            "left over": len(runs.leftovers(bench.folder)),
        }
    )
    bench.clear()
    bench.keep(phase, counts)
    return counts


def run_twice(bench: Bench, phase: str) -> Counts:
    """Starts two more runs on a folder: one is refused, one waits."""
    bench.clear()
    counts: Counts = collections.Counter(runs=3)
    first = bench.start("tables")
    wait_for_news(first, bench.folder)
    waiting = bench.start("waiting_tables")
    counts["refused"] = bench.run("tables") == 1
    named = f"process {first.pid} " in bench.log("tables")
    counts["not as expected"] = 2 - counts["refused"] - named
    for process in (first, waiting):
        counts["not as expected"] += bench.end(process, counts) != 0
    found = re.search(
        rf"Waiting for another run .* {first.pid} (?s:.*)"
        r"(\d+) finished jobs were used again",
        bench.log("waiting_tables"),
    )
    counts["not as expected"] += found is None
    bench.compare(counts)
    bench.keep(phase, counts)
    return counts


def compare_workers(bench: Bench, phase: str, number: int) -> Counts:
    """Trains with a number of workers: results must not depend on it."""
    bench.clear()
    bench.run_well("tables", number)
    counts: Counts = collections.Counter(runs=1)
    bench.compare(counts)
    bench.keep(phase, counts)
    return counts


def interrupt(bench: Bench, phase: str) -> Counts:
    """Presses Ctrl-C, as a terminal does: on all processes of the group."""
    counts = bench.counts(phase)
    script = Path(__file__).parents[1] / "experiments" / "table3.py"
    command = [sys.executable, str(script), f"--workers={_WORKERS.value}"]
    command += [f"--corpus={bench.folder / 'corpus'}"]
    command += [f"--out={bench.folder / 'work'}"]
    for number in range(counts["pressed"], _TIMES.value):
        generator = bench.random(phase, counts)
        bench.clear()
        with (bench.folder / "interrupt.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        # While it imports, or while its workers start or train.
        while number % 2 and not workers_of(process.pid):
            time.sleep(0.05)
        time.sleep(generator.uniform(0.3, 20.0 if number % 2 else 4.0))
        os.killpg(process.pid, signal.SIGINT)
        start_s = time.monotonic()
        status = process.wait()
        spent_s = time.monotonic() - start_s
        text = (bench.folder / "interrupt.log").read_text()
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
    bench.clear()
    return counts


def phases() -> dict[str, tuple[str, Callable[[Bench, str], Counts]]]:
    """What can be done: key of its counts to what it is and how it is done."""
    import faults_runs as runs

    extraction = {"run": "extraction", "parts": runs.segments_of}
    training = {"run": "tables", "parts": runs.jobs_of}
    writing = {"run": "tables", "parts": runs.tables_of, "stay": True}
    ends = {"final": runs.tables_of}
    part = functools.partial
    kills = [(_KILLS.value + n) // 4 for n in range(4)]
    return {
        "extraction": (
            "kill -9 during extraction",
            part(
                kill_runs,
                **extraction,
                final=runs.features_of,
                span_s=0.3,
                kills=kills[0],
            ),
        ),
        "training": (
            "kill -9 during training",
            part(kill_runs, **training, **ends, span_s=3.0, kills=kills[1]),
        ),
        "writing": (
            "kill -9 while tables are written",
            part(kill_runs, **writing, **ends, span_s=0.4, kills=kills[2]),
        ),
        "bundles": (
            "kill -9 while a bundle is saved over another",
            part(kill_bundles, kills=kills[3]),
        ),
        "worker killed": (
            "kill -9 of a worker",
            part(lose_workers, number=signal.SIGKILL),
        ),
        "worker stopped": (
            f"SIGSTOP of a worker, worker-ttl of {_TTL}",
            part(lose_workers, number=signal.SIGSTOP),
        ),
        "memory": ("models larger than RLIMIT_AS", run_out_of_memory),
        "second run": ("runs on a folder that another holds", run_twice),
        **{
            f"{n} workers": (f"{n} workers", part(compare_workers, number=n))
            for n in (1, 2, 4)
        },
        "interrupt": ("Ctrl-C, importing and training", interrupt),
    }


def disturb(folder: Path) -> int:
    """Does the phases and prints them; returns how much went wrong."""
    import emotion_mt as emt

    emt.simulate_corpus(folder / "corpus", segments_per_movie=3, progress=False)
    bench, bad, lines = Bench(folder), 0, []
    for phase, (what, how) in phases().items():
        if _PHASES.value and phase not in _PHASES.value:
            continue
        counts = how(bench, phase)
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

    if _FOLDER.value is not None:
        folder = Path(_FOLDER.value).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return 1 if disturb(folder) else None
    with tempfile.TemporaryDirectory() as name:
        return 1 if disturb(Path(name)) else None


if __name__ == "__main__":
    app.run(main)
