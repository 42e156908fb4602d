"""The disturbances of benchmarks/faults.py, each with its counts."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import faults_checks as checks
import faults_processes as processes
from faults_checks import Parts
from faults_processes import Forked, gone, log_of, wait_for_news

#: Counts that must be zero; the others say what was done.
BAD = (
    "lost",
    "half written",
    "different",
    "final differ",
    "done twice",
    "failed",
    "left over",
    "left running",
    "status not 130",
    "does not say how to go on",
    "tracebacks",
    "not as expected",
)

Counts = collections.Counter[str]


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a child does, and how its files are checked.

    Attributes:
        child: Name of the child.
        parts: Reads what is finished; raises if it is not whole.
        final: Reads what is there in the end.
        span_s: A kill comes within so many seconds after something new.
    """

    child: str
    parts: Callable[[Path], Parts]
    final: Callable[[Path], Parts]
    span_s: float


EXTRACTION = Kind(
    "extraction", checks.finished_segments, checks.final_features, 0.3
)
TRAINING = Kind("tables", checks.finished_jobs, checks.written_tables, 3.0)


class Bench:
    """A folder to work in, and counts that survive this script.

    Args:
        folder: The folder, with a corpus.
        seed: Decides moments and victims.
        workers: Worker processes per run.
    """

    def __init__(self, folder: Path, seed: int, workers: int) -> None:
        self.folder = folder
        self.workers = workers
        self._seed = seed
        self._path = folder / "counts.json"
        self._kept: dict[str, dict[str, int]] = {}
        if self._path.exists():
            self._kept = json.loads(self._path.read_text())
        self._start_s = time.monotonic()

    def counts(self, phase: str, **zeros: int) -> Counts:
        """Returns what was counted so far."""
        return collections.Counter(self._kept.get(phase, zeros))

    def keep(self, phase: str, counts: Counts) -> None:
        """Keeps counts and says how far it is."""
        self._kept[phase] = dict(counts)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._kept, indent=1))
        temporary.replace(self._path)
        spent_s = time.monotonic() - self._start_s
        say(f"{spent_s:7.1f} s  {phase}: {dict(counts)}")

    def random(self, phase: str, counts: Counts) -> random.Random:
        """Returns a generator for what comes next, also after a resumption."""
        return random.Random(f"{self._seed} {phase} {counts.total()}")

    def start(self, child: str, workers: int | None = None) -> Forked:
        """Starts a child."""
        return Forked(child, self.folder, workers or self.workers)

    def clear(self) -> None:
        """Removes what children have made."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def run(self, child: str, workers: int | None = None) -> int:
        """Runs a child to its end; returns its exit status."""
        return self.start(child, workers).wait()

    def run_well(self, child: str, workers: int | None = None) -> None:
        """Runs a child to its end, which must be a good one."""
        if self.run(child, workers) != 0:
            raise RuntimeError(f"{child} failed:\n{self.log(child)[-3000:]}")

    def log(self, child: str) -> str:
        """Returns the output of a child so far."""
        return log_of(child, self.folder).read_text()

    def undisturbed(self, kind: Kind, *, stay: bool = False) -> list[Parts]:
        """Results of a run that nobody disturbs: finished parts, final files.

        Args:
            kind: Which run.
            stay: Whether its files stay.
        """
        path = self.folder / f"undisturbed-{kind.child}.json"
        # Also what a phase that was stopped has left.
        self.clear()
        if path.exists() and not stay:
            return json.loads(path.read_text())
        self.run_well(kind.child)
        results = [kind.parts(self.folder), kind.final(self.folder)]
        path.write_text(json.dumps(results))
        if not stay:
            self.clear()
        return results


def say(text: str) -> None:
    """Shows progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def _kill(
    bench: Bench,
    process: Forked,
    span_s: float,
    generator: random.Random,
    counts: Counts,
) -> None:
    """Kills a run, and now and then a worker before, after something new."""
    wait_for_news(process, bench.folder)
    time.sleep(generator.uniform(0, span_s))
    workers = processes.workers_of(process.pid)
    if process.poll() is None:
        counts["kills"] += 1
        if workers and generator.random() < 0.25:
            # Its run goes on with another.
            counts["kills of workers besides"] += 1
            os.kill(generator.choice(workers), signal.SIGKILL)
            wait_for_news(process, bench.folder)
        process.kill()
    process.wait()
    counts["left running"] += not gone(process.pid)
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"A run failed: status {process.returncode}")


def _whole(
    read: Callable[[Path], Parts], bench: Bench, phase: str, counts: Counts
) -> Parts | None:
    """Reads what is there; None, and counted, if it is half written."""
    try:
        return read(bench.folder)
    except ValueError as error:
        say(f"{phase}: {error}")
        counts["half written"] += 1
        return None


def kill_runs(bench: Bench, phase: str, kind: Kind, kills: int) -> Counts:
    """Kills runs, or workers of them, and looks at what is left."""
    parts, final = bench.undisturbed(kind)
    counts = bench.counts(phase, **{"half written": 0})
    seen: Parts = {}
    ended = counts["kills"] >= kills
    while not ended:
        process = bench.start(kind.child)
        if counts["kills"] < kills:
            generator = bench.random(phase, counts)
            _kill(bench, process, kind.span_s, generator, counts)
        elif process.wait() != 0:
            raise RuntimeError(f"A run failed: {bench.log(kind.child)[-3000:]}")
        found = _whole(kind.parts, bench, phase, counts)
        if found is None:
            continue
        counts["lost"] += len(seen.keys() - found.keys())
        counts["different"] += sum(parts.get(k) != v for k, v in found.items())
        seen = found
        if process.returncode == 0:
            ended = counts["kills"] >= kills
            counts["runs to the end"] += 1
            counts["different"] += found != parts
            counts["final differ"] += kind.final(bench.folder) != final
            counts["left over"] += len(checks.leftovers(bench.folder))
            bench.clear()
            seen = {}
        bench.keep(phase, counts)
    return counts


def kill_writers(bench: Bench, phase: str, kills: int) -> Counts:
    """Kills runs whose jobs are finished while they write tables."""
    counts = bench.counts(phase, **{"half written": 0})
    if counts["kills"] >= kills:
        return counts
    _, final = bench.undisturbed(TRAINING, stay=True)
    ended = False
    while not ended:
        process = bench.start(TRAINING.child)
        if counts["kills"] < kills:
            generator = bench.random(phase, counts)
            _kill(bench, process, 0.4, generator, counts)
        else:
            process.wait()
        found = _whole(TRAINING.final, bench, phase, counts)
        if found is None:
            continue
        counts["lost"] += len(final.keys() - found.keys())
        counts["different"] += sum(final.get(k) != v for k, v in found.items())
        if process.returncode == 0:
            counts["runs to the end"] += 1
            counts["left over"] += len(checks.leftovers(bench.folder))
            ended = counts["kills"] >= kills
        bench.keep(phase, counts)
    bench.clear()
    return counts


def kill_bundles(bench: Bench, phase: str, kills: int) -> Counts:
    """Kills processes that save bundles, and loads what is there."""
    counts = bench.counts(phase, **{"half written": 0})
    if counts["kills"] >= kills:
        return counts
    bench.clear()
    saved, loaded = bench.folder / "saved", bench.folder / "loaded"
    saved.unlink(missing_ok=True)
    while counts["kills"] < kills:
        generator = bench.random(phase, counts)
        _kill(bench, bench.start("bundle"), 0.15, generator, counts)
        if bench.run("check_bundle") != 0:
            say(f"{phase}: {bench.log('check_bundle')[-2000:]}")
            counts["half written"] += 1
            continue
        # The file of the count is not written whole or not at all.
        text = saved.read_text() if saved.exists() else ""
        if text.isdigit():
            counts["lost"] += int(loaded.read_text()) < int(text)
        bench.keep(phase, counts)
    bench.run_well("one_bundle")
    counts["left over"] += len(checks.leftovers(bench.folder))
    bench.clear()
    bench.keep(phase, counts)
    return counts


def run_together(bench: Bench, phase: str, number: int) -> Counts:
    """Trains with several runs at once on one folder."""
    parts, final = bench.undisturbed(TRAINING)
    log = log_of(TRAINING.child, bench.folder)
    before = log.stat().st_size if log.exists() else 0
    started = [bench.start(TRAINING.child, 1) for _ in range(number)]
    counts: Counts = collections.Counter(runs=number, jobs=len(parts))
    for process in started:
        counts["failed"] += process.wait() != 0
        counts["left running"] += not gone(process.pid)
    reused = re.findall(
        r"(\d+) finished jobs were used again", log.read_text()[before:]
    )
    counts["done twice"] = (number - 1) * len(parts) - sum(map(int, reused))
    found = checks.finished_jobs(bench.folder)
    counts["lost"] = len(parts.keys() - found.keys())
    counts["different"] = int(found != parts)
    counts["final differ"] = int(checks.written_tables(bench.folder) != final)
    counts["left over"] = len(checks.leftovers(bench.folder))
    bench.clear()
    bench.keep(phase, counts)
    return counts


def extract_together(bench: Bench, phase: str, number: int) -> Counts:
    """Extracts with several runs at once into one store."""
    parts, final = bench.undisturbed(EXTRACTION)
    _windows(bench)
    bench.run_well(EXTRACTION.child)
    (alone,) = _windows(bench)
    bench.clear()
    started = [bench.start(EXTRACTION.child) for _ in range(number)]
    counts: Counts = collections.Counter(runs=number, windows=alone)
    for process in started:
        counts["failed"] += process.wait() != 0
    each = _windows(bench)
    counts["runs that computed"] = sum(windows > 0 for windows in each)
    counts["done twice"] = sum(each) - alone
    counts["different"] = int(checks.finished_segments(bench.folder) != parts)
    counts["final differ"] = int(checks.final_features(bench.folder) != final)
    counts["left over"] = len(checks.leftovers(bench.folder))
    bench.clear()
    bench.keep(phase, counts)
    return counts


def _windows(bench: Bench) -> list[int]:
    """Windows that each run computed since the last call."""
    found = []
    for path in bench.folder.glob("windows-*.json"):
        found.append(json.loads(path.read_text())["windows"])
        path.unlink()
    return found


def compare_workers(bench: Bench, phase: str, number: int) -> Counts:
    """Trains with a number of workers: results must not depend on it."""
    parts, final = bench.undisturbed(TRAINING)
    bench.run_well(TRAINING.child, number)
    counts: Counts = collections.Counter(jobs=len(parts))
    counts["different"] = int(checks.finished_jobs(bench.folder) != parts)
    counts["final differ"] = int(checks.written_tables(bench.folder) != final)
    bench.clear()
    bench.keep(phase, counts)
    return counts


def run_out_of_memory(bench: Bench, phase: str) -> Counts:
    """Trains models that are too large beside others that are not."""
    child = "tables_of_too_large_models"
    parts, _ = bench.undisturbed(TRAINING)
    status = bench.run(child)
    log = bench.log(child)
    found = checks.finished_jobs(bench.folder)
    # The other jobs are the same; no multi-task job fits.
    small = {k: v for k, v in parts.items() if not k.startswith("MT")}
    large = len(parts) - len(small)
    failed = set(re.findall(r"FAILED: (\S+): .*; tried 3 times", log))
    table = (bench.folder / "work" / "table3.md").read_text()
    counts: Counts = collections.Counter(
        {
            "jobs without enough memory": large,
            "of these reported after 3 tries": len(failed),
            "jobs finished beside them": len(found),
            "different": int(_answers(found) != _answers(small)),
        }
    )
    named = "INCOMPLETE" in table and all(name in table for name in failed)
    counts["not as expected"] = sum(
        (status != 1, len(failed) != large, not named)
    )
    counts["left over"] = len(checks.leftovers(bench.folder))
    counts["tracebacks"] = log.count("Traceback")
    bench.clear()
    bench.keep(phase, counts)
    return counts


def _answers(parts: Parts) -> dict[str, object]:
    """Name of each job to its probabilities and scores."""
    records = map(json.loads, parts.values())
    return {record["name"]: record["viewers"] for record in records}


def interrupt(bench: Bench, phase: str, times: int) -> Counts:
    """Presses Ctrl-C, as a terminal does: on all processes of the group."""
    counts = bench.counts(phase)
    for number in range(counts["pressed"], times):
        generator = bench.random(phase, counts)
        bench.clear()
        log = log_of(TRAINING.child, bench.folder)
        log.unlink(missing_ok=True)
        process = processes.start_script(
            TRAINING.child, bench.folder, bench.workers
        )
        # While it imports, or while it trains.
        if number % 2:
            processes.wait_for_library(process, "tensorflow")
            time.sleep(generator.uniform(0, 2.0))
        else:
            wait_for_news(process, bench.folder)
            time.sleep(generator.uniform(0, 3.0))
        counts["pressed"] += 1
        os.killpg(process.pid, signal.SIGINT)
        start_s = time.monotonic()
        process.wait()
        spent_ms = round(1000 * (time.monotonic() - start_s))
        counts["ms at most"] = max(counts["ms at most"], spent_ms)
        counts["left running"] += not gone(process.pid)
        counts["status not 130"] += process.returncode != 130
        text = log.read_text()
        counts["does not say how to go on"] += "continues" not in text
        counts["tracebacks"] += text.count("Traceback")
        bench.keep(phase, counts)
    bench.clear()
    return counts
