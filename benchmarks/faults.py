"""kill -9 and Ctrl-C at random moments of real runs; several runs at once.

    python benchmarks/faults.py --kills=200

A simulated corpus is extracted, trained on and reported, once undisturbed and
then again and again while processes are killed; when a disturbed run comes to
its end, its results are compared with the undisturbed ones and it starts anew
until the kills are done. It prints a Markdown table of counts and ends with
status 1 if anything was lost, half written, different or left running.
docs/reliability.md keeps a run.

Models are tiny, so that a kill costs seconds. The moments are random, but
after a run has done something new (a run that is always killed while it
starts never moves on). Linux only: it reads /proc.
"""

from __future__ import annotations

import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from absl import app, flags

_KILLS = flags.DEFINE_integer(
    "kills", 24, "Kills in all, over the three phases.", lower_bound=3
)
_PHASES = flags.DEFINE_list(
    "phases",
    ["extract", "tables", "bundle", "together", "interrupt"],
    "What to do.",
)
_RUNS = flags.DEFINE_list("runs", ["2", "4"], "Runs started at once.")
_INTERRUPTS = flags.DEFINE_integer("interrupts", 3, "Times Ctrl-C is pressed.")
_SEED = flags.DEFINE_integer("seed", 0, "Decides moments and victims.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes per run.")
_CHILD = flags.DEFINE_string("child", None, "Used by the script itself.")
_FOLDER = flags.DEFINE_string("folder", None, "Used by the script itself.")

#: Seconds after something new within which a process is killed.
_SPAN_S = {"extract": 6.0, "tables": 6.0, "bundle": 0.4}
#: Seconds until every process of a killed run must be gone.
_GONE_S = 5.0

Counts = collections.Counter[str]


# What the processes do that are killed.


def child_extract(folder: Path) -> None:
    """Extracts the features of the corpus into a store."""
    from emotion_mt.corpus import load_corpus
    from emotion_mt.features import extract_features, load_i3d

    corpus = load_corpus(folder / "corpus")
    features = extract_features(
        corpus, load_i3d(), folder / "work" / "store", progress=False
    )
    np.save(folder / "work" / "features.npy", features)


def child_tables(folder: Path) -> None:
    """Makes Table III, from text alone, with tiny models."""
    from emotion_mt import cli
    from emotion_mt.evaluation import SPECS, Experiment, run_tables
    from emotion_mt.training import TrainingConfig

    experiment = Experiment(
        corpus=folder / "corpus",
        out=folder / "work",
        workers=_WORKERS.value,
        training=TrainingConfig(
            max_epochs=2,
            patience=1,
            l1=(1e-5,),
            embedding_dim=4,
            text_filters=4,
            single_task_trunk_units=(8,),
            multi_task_trunk_units=(8,),
            multi_task_head_units=(4,),
            jit_compile=False,
        ),
    )

    def main() -> int:
        return bool(run_tables(experiment, [SPECS["III"]]).failures)

    # `cli.run` reads flags; this process has had its own.
    sys.argv = sys.argv[:1]
    cli.run(main)


def child_bundle(folder: Path) -> None:
    """Saves one bundle over another and counts in it."""
    import emotion_mt as emt

    model = emt.EvokedEmotionModel(
        viewers=("V1",), trunk_units=(8,), modalities=("visual",)
    )
    (folder / "work").mkdir(exist_ok=True)
    bundle = folder / "work" / "bundle"
    start = bundle_number(folder) + 1 if bundle.exists() else 0
    for number in range(start, start + 1_000_000):
        emt.save_bundle(bundle, model, training={"number": number})
        (folder / "saved").write_text(str(number))


def bundle_number(folder: Path) -> int:
    """Loads the bundle whole, model and all, and returns its number."""
    from emotion_mt.inference import load_bundle

    return int(load_bundle(folder / "work" / "bundle").training["number"])


# What must be true of the files after a kill.


def finished_jobs(folder: Path) -> dict[str, str]:
    """Result files by name; raises if one is not whole."""
    from emotion_mt.evaluation.records import read_record

    found = {}
    for path in sorted((folder / "work" / "jobs").glob("[!.]*.json")):
        record = read_record(path)
        record["fit"].pop("seconds")
        found[path.name] = json.dumps(record, sort_keys=True)
    return found


def finished_segments(folder: Path) -> dict[str, str]:
    """Stored features by film and time; raises if a file is not whole."""
    from emotion_mt.features.files import read_npz

    found = {}
    for path in sorted((folder / "work" / "store").glob("[!.]*.npz")):
        arrays = read_npz(path)
        for times, feature in zip(
            arrays["times_s"], arrays["features"], strict=True
        ):
            found[f"{path.name} {times}"] = feature.tobytes().hex()
    return found


def final_tables(folder: Path) -> dict[str, str]:
    """The written tables; raises if the report is not whole."""
    work = folder / "work"
    found = {p.name: p.read_text() for p in sorted(work.glob("table*.*"))}
    found = {k: v for k, v in found.items() if not k.endswith(".png")}
    report = work / "report.html"
    if report.exists() and not report.read_text().rstrip().endswith("</html>"):
        raise ValueError(f"{report} is not whole")
    return found


def final_features(folder: Path) -> dict[str, str]:
    """The features that the extraction returned."""
    path = folder / "work" / "features.npy"
    return {"features": np.load(path).tobytes().hex()} if path.exists() else {}


_FINISHED = {"extract": finished_segments, "tables": finished_jobs}
_FINAL = {"extract": final_features, "tables": final_tables}


# Processes.


def start(child: str, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Starts a child in a group of its own, as a terminal does."""
    command = [sys.executable, __file__, f"--child={child}"]
    command += [f"--folder={folder}", f"--workers={_WORKERS.value}"]
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def group(leader: int) -> list[int]:
    """Living processes of a group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:  # It ended in the meantime.
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def is_worker(process: int) -> bool:
    """Whether a process is a worker of a run."""
    try:
        return "popen_loky" in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:  # It ended in the meantime.
        return False


def gone(leader: int) -> bool:
    """Waits until no process of a group lives; kills what stays too long."""
    end_s = time.monotonic() + _GONE_S
    while group(leader):
        if time.monotonic() > end_s:
            os.killpg(leader, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def state(folder: Path) -> dict[str, int]:
    """All finished files and when they were written, for noticing new ones."""
    found = {}
    for path in (folder / "work").rglob("[!.]*"):
        try:
            found[str(path)] = path.stat().st_mtime_ns
        except OSError:  # Replaced at this moment.
            continue
    return found


def wait_for_news(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Returns when the process has written something, or ended."""
    before = state(folder)
    while process.poll() is None and state(folder) == before:
        time.sleep(0.02)


# The phases.


def undisturbed(
    child: str, folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Results of a run that nobody disturbs: finished parts, final files."""
    log = folder / f"{child}.log"
    if start(child, folder, log).wait() != 0:
        raise RuntimeError(f"The undisturbed run failed:\n{log.read_text()}")
    results = _FINISHED[child](folder), _FINAL[child](folder)
    shutil.rmtree(folder / "work")
    return results


def kill_runs(
    child: str, folder: Path, kills: int, generator: random.Random
) -> Counts:
    """Kills runs, or workers of them, and looks at what is left."""
    parts, final = undisturbed(child, folder)
    counts: Counts = collections.Counter({"half written": 0})
    log = folder / f"{child}.log"
    seen: dict[str, str] = {}
    while True:
        process = start(child, folder, log)
        if counts["kills"] < kills:
            wait_for_news(process, folder)
            time.sleep(generator.uniform(0, _SPAN_S[child]))
            workers = [p for p in group(process.pid) if is_worker(p)]
            if process.poll() is None:
                counts["kills"] += 1
                # Now and then a worker first; its run goes on.
                if workers and generator.random() < 0.25:
                    counts["kills of workers besides"] += 1
                    os.kill(generator.choice(workers), signal.SIGKILL)
                    wait_for_news(process, folder)
                process.kill()
        process.wait()
        counts["left running"] += not gone(process.pid)
        try:
            found = _FINISHED[child](folder)
        except ValueError as error:
            say(f"{child}: {error}")
            counts["half written"] += 1
            continue
        counts["lost"] += len(seen.keys() - found.keys())
        counts["different"] += sum(parts.get(k) != v for k, v in found.items())
        seen = found
        say(f"{child}: {counts['kills']} kills, {len(found)} parts")
        if process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"A run failed:\n{log.read_text()[-3000:]}")
        if process.returncode == 0:
            counts["runs to the end"] += 1
            counts["different"] += found != parts
            counts["final differ"] += _FINAL[child](folder) != final
            shutil.rmtree(folder / "work")
            seen = {}
            if counts["kills"] >= kills:
                return counts


def kill_bundles(folder: Path, kills: int, generator: random.Random) -> Counts:
    """Kills processes that save bundles, and loads what is there."""
    counts: Counts = collections.Counter({"half written": 0})
    log = folder / "bundle.log"
    for _ in range(kills):
        process = start("bundle", folder, log)
        wait_for_news(process, folder)
        if process.poll() is not None:
            raise RuntimeError(f"A run failed:\n{log.read_text()[-3000:]}")
        time.sleep(generator.uniform(0, _SPAN_S["bundle"]))
        process.kill()
        process.wait()
        counts["kills"] += 1
        counts["left running"] += not gone(process.pid)
        try:
            number = bundle_number(folder)
        except (OSError, ValueError) as error:
            say(f"bundle: {error}")
            counts["half written"] += 1
            continue
        saved = folder / "saved"
        text = saved.read_text() if saved.exists() else ""
        # The file of the count is not written whole or not at all.
        if text.isdigit():
            counts["lost"] += number < int(text)
        say(f"bundle: {counts['kills']} kills, number {number}")
    return counts


def run_together(folder: Path, number: int) -> Counts:
    """Starts several runs at once on one folder."""
    parts, final = undisturbed("tables", folder)
    logs = [folder / f"together{n}.log" for n in range(number)]
    processes = [start("tables", folder, path) for path in logs]
    counts: Counts = collections.Counter(runs=number)
    for process in processes:
        counts["failed"] += process.wait() != 0
    output = "".join(path.read_text() for path in logs)
    reused = re.findall(r"(\d+) finished jobs were used again", output)
    counts["done twice"] = (number - 1) * len(parts) - sum(map(int, reused))
    counts["lost"] = len(parts.keys() - finished_jobs(folder).keys())
    counts["different"] = int(finished_jobs(folder) != parts)
    counts["final differ"] = int(final_tables(folder) != final)
    counts["locks left"] = len(list((folder / "work" / "jobs").glob(".*")))
    shutil.rmtree(folder / "work")
    return counts


def interrupt(folder: Path, generator: random.Random) -> tuple[Counts, float]:
    """Presses Ctrl-C, as a terminal does: on all processes of the group."""
    counts: Counts = collections.Counter()
    longest_s = 0.0
    for number in range(_INTERRUPTS.value):
        log = folder / f"interrupt{number}.log"
        process = start("tables", folder, log)
        wait_for_news(process, folder)
        time.sleep(generator.uniform(0, 3.0))
        if process.poll() is None:
            counts["pressed"] += 1
            os.killpg(process.pid, signal.SIGINT)
            start_s = time.monotonic()
            process.wait()
            longest_s = max(longest_s, time.monotonic() - start_s)
            counts["left running"] += not gone(process.pid)
            counts["status not 130"] += process.returncode != 130
            text = log.read_text()
            counts["does not say how to go on"] += "continues" not in text
            counts["tracebacks"] += text.count("Traceback")
        shutil.rmtree(folder / "work")
    return counts, longest_s


def rows(folder: Path) -> Iterator[tuple[str, Counts, str]]:
    """Runs the phases: name, counts, remark."""
    generator = random.Random(_SEED.value)
    killing = [p for p in ("extract", "tables", "bundle") if p in _PHASES.value]
    each = _KILLS.value // max(len(killing), 1)
    names = {
        "extract": "kill -9 while features are extracted",
        "tables": "kill -9 while training and writing tables",
    }
    for phase in killing:
        if phase == "bundle":
            counts = kill_bundles(folder, each, generator)
            yield "kill -9 while a bundle is saved over another", counts, ""
        else:
            yield names[phase], kill_runs(phase, folder, each, generator), ""
    if "together" in _PHASES.value:
        for number in map(int, _RUNS.value):
            counts = run_together(folder, number)
            yield f"{number} runs started at once on one folder", counts, ""
    if "interrupt" in _PHASES.value:
        counts, longest_s = interrupt(folder, generator)
        yield "Ctrl-C", counts, f"ended after {longest_s:.1f} s at most"


#: Counts that must be zero; the others say what was done.
_BAD = (
    "lost",
    "half written",
    "different",
    "final differ",
    "done twice",
    "failed",
    "locks left",
    "left running",
    "status not 130",
    "does not say how to go on",
    "tracebacks",
)


def say(text: str) -> None:
    """Shows progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def main(argv: list[str]) -> int | None:
    """Disturbs and prints."""
    children: dict[str, Callable[[Path], None]] = {
        "extract": child_extract,
        "tables": child_tables,
        "bundle": child_bundle,
    }
    if _CHILD.value is not None:
        children[_CHILD.value](Path(_FOLDER.value))
        return None
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    from emotion_mt.corpus import simulate_corpus

    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_corpus(folder / "corpus", segments_per_movie=3, progress=False)
        lines = []
        for what, counts, remark in rows(folder):
            done = [f"{n} {k}" for k, n in counts.items() if k not in _BAD]
            wrong = [f"{counts[k]} {k}" for k in _BAD if k in counts]
            bad += sum(counts[k] for k in _BAD)
            outcome = ", ".join([*wrong, *([remark] if remark else [])])
            lines.append(f"| {what} | {', '.join(done)} | {outcome} |")
            say(lines[-1])
    print("| what | how often | what happened |\n| --- | --- | --- |")
    print("\n".join(lines))
    return 1 if bad else None


if __name__ == "__main__":
    app.run(main)
