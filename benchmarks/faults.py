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

import signal
import tempfile
from pathlib import Path
from typing import Any

from absl import app, flags

#: Key of the counts to what it is, who does it (faults_phases.py), and how.
PHASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "extraction": (
        "kill -9 during extraction",
        "kill_runs",
        {"run": "extraction", "span_s": 0.3},
    ),
    "training": (
        "kill -9 during training",
        "kill_runs",
        {"run": "tables", "span_s": 3.0},
    ),
    "writing": (
        "kill -9 while tables are written",
        "kill_runs",
        {"run": "tables", "span_s": 0.4, "stay": True},
    ),
    "bundles": (
        "kill -9 while a bundle is saved over another",
        "kill_bundles",
        {},
    ),
    "worker-killed": (
        "kill -9 of a worker",
        "lose_workers",
        {"number": signal.SIGKILL},
    ),
    "worker-stopped": (
        "SIGSTOP of a worker, given up after 20 s",
        "lose_workers",
        {"number": signal.SIGSTOP},
    ),
    "memory": ("MT that RLIMIT_AS has no room for", "run_out_of_memory", {}),
    "second-run": ("one run is refused, another waits", "run_twice", {}),
    **{
        f"workers-{n}": (f"{n} worker(s)", "compare_workers", {"number": n})
        for n in (1, 2, 4)
    },
    "interrupt": ("Ctrl-C, importing and training", "interrupt", {}),
}

#: Phases that are over in one go, or begin anew.
_ONCE = ("run_out_of_memory", "run_twice", "compare_workers")

#: Phases that share the kills.
_KILLING = list(PHASES)[:4]

#: Counts that must be zero; the others say what was done.
BAD = ("lost", "half written", "different", "left over", "left running")
BAD += ("not as expected",)

_KILLS = flags.DEFINE_integer(
    "kills", 100, f"Kills in all, shared by {_KILLING}.", lower_bound=4
)
_PHASES = flags.DEFINE_multi_enum(
    "phase", list(PHASES), list(PHASES), "What to do."
)
_TIMES = flags.DEFINE_integer("times", 4, "Ctrl-Cs, and workers lost.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes per run.")
_FOLDER = flags.DEFINE_string(
    "folder", None, "Keeps counts here. Default: a temporary folder."
)


def disturb(folder: Path) -> int:
    """Does the phases and prints them; returns how much went wrong."""
    import faults_phases
    from faults_runs import simulate

    simulate(folder)
    bench = faults_phases.Bench(folder, _WORKERS.value, _TIMES.value)
    bad, lines = 0, []
    for phase in _PHASES.value:
        what, how, arguments = PHASES[phase]
        if phase in _KILLING:
            share = (_KILLS.value + _KILLING.index(phase)) // len(_KILLING)
            arguments = {**arguments, "kills": share}
        if how not in _ONCE or not bench.counts(phase):
            getattr(faults_phases, how)(bench, phase, **arguments)
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
    import faults_phases  # noqa: F401
    import matplotlib.pyplot  # noqa: F401

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(_FOLDER.value or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return 1 if disturb(folder) else None


if __name__ == "__main__":
    app.run(main)
