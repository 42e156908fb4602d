"""kill -9 and Ctrl-C at random moments of real runs; several runs at once.

    python benchmarks/faults.py --kills=200 --folder=runs/faults

A simulated corpus is extracted, trained on and reported, once undisturbed and
then again and again while processes are killed; when a disturbed run comes to
its end, its results are compared with the undisturbed ones and it starts anew
until the kills are done. Other phases start several runs at once, give models
too little memory, change the number of workers, and press Ctrl-C. It prints a
Markdown table of counts and ends with status 1 if anything was lost, half
written, different, done twice, left over or left running. docs/reliability.md
keeps a run.

Models are tiny and processes are forked from one that has imported
TensorFlow, so that a kill costs a second or a few (workers are fresh
processes, as always). The moments are random, but after a run has done
something new: one that is always killed while it starts never moves on.

With --folder, counts are kept there (counts.json) and the same command goes
on where it was stopped. Linux only: it reads /proc.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from absl import app, flags

_KILLS = flags.DEFINE_integer(
    "kills", 24, "Kills in all, over the four phases.", lower_bound=4
)
_PHASES = flags.DEFINE_list(
    "phases",
    [
        "extraction",
        "training",
        "writing",
        "bundle",
        "together",
        "workers",
        "memory",
        "interrupt",
    ],
    "What to do.",
)
_RUNS = flags.DEFINE_list("runs_at_once", ["2", "4"], "Runs started at once.")
_INTERRUPTS = flags.DEFINE_integer("interrupts", 6, "Times Ctrl-C is pressed.")
_SEED = flags.DEFINE_integer("seed", 0, "Decides moments and victims.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes per run.")
_FOLDER = flags.DEFINE_string(
    "folder", None, "Keeps counts here. Default: a temporary folder."
)
_CHILD = flags.DEFINE_string("child", None, "Used by the script itself.")

#: Phases that kill, which share the kills.
_KILLING = ("extraction", "training", "writing", "bundle")


def _rows() -> Iterator[tuple[str, str, Callable[..., object]]]:
    """What is asked for: key of its counts, what it is, and how it is done."""
    import faults_phases as phases

    killing = [phase for phase in _KILLING if phase in _PHASES.value]
    parts = len(killing)
    kills = {
        phase: (_KILLS.value + number) // parts
        for number, phase in enumerate(killing)
    }
    for phase, kind in (
        ("extraction", phases.EXTRACTION),
        ("training", phases.TRAINING),
    ):
        if phase in kills:
            yield (
                phase,
                f"kill -9 during {phase}",
                functools.partial(
                    phases.kill_runs, kind=kind, kills=kills[phase]
                ),
            )
    for phase, what, how in (
        ("writing", "tables are written", phases.kill_writers),
        ("bundle", "a bundle is saved over another", phases.kill_bundles),
    ):
        if phase in kills:
            yield (
                phase,
                f"kill -9 while {what}",
                functools.partial(how, kills=kills[phase]),
            )
    if "together" in _PHASES.value:
        for number in map(int, _RUNS.value):
            yield (
                f"together {number}",
                f"{number} runs train at once on one folder",
                functools.partial(phases.run_together, number=number),
            )
            yield (
                f"extract together {number}",
                f"{number} runs extract at once into one store",
                functools.partial(phases.extract_together, number=number),
            )
    if "workers" in _PHASES.value:
        for number in (1, 2, 4):
            yield (
                f"workers {number}",
                f"{number} workers, compared with {_WORKERS.value}",
                functools.partial(phases.compare_workers, number=number),
            )
    if "memory" in _PHASES.value:
        yield (
            "memory",
            "models that need more memory than RLIMIT_AS allows",
            phases.run_out_of_memory,
        )
    if "interrupt" in _PHASES.value:
        yield (
            "interrupt",
            "Ctrl-C while importing and while training",
            functools.partial(phases.interrupt, times=_INTERRUPTS.value),
        )


def _disturb(folder: Path) -> int:
    """Does all phases and prints them; returns how much went wrong."""
    import faults_phases as phases

    from emotion_mt.corpus import simulate_corpus

    simulate_corpus(folder / "corpus", segments_per_movie=3, progress=False)
    bench = phases.Bench(folder, _SEED.value, _WORKERS.value)
    bad = 0
    lines = []
    for phase, what, how in _rows():
        counts = how(bench, phase)
        done = [f"{n} {k}" for k, n in counts.items() if k not in phases.BAD]
        wrong = [f"{counts[k]} {k}" for k in phases.BAD if k in counts]
        bad += sum(counts[k] for k in phases.BAD)
        lines.append(f"| {what} | {', '.join(done)} | {', '.join(wrong)} |")
        phases.say(lines[-1])
    print("| what | how often | what happened |\n| --- | --- | --- |")
    print("\n".join(lines))
    return bad


def main(argv: list[str]) -> int | None:
    """Disturbs and prints."""
    if _CHILD.value is not None:
        # As the scripts in experiments/: Ctrl-C ends imports from here on.
        from emotion_mt import cli  # noqa: F401
        from faults_children import CHILDREN  # isort: skip

        CHILDREN[_CHILD.value](Path(_FOLDER.value), _WORKERS.value)
        return None
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    # Everything that children need is imported once, and used by them alone.
    import emotion_mt.evaluation  # noqa: F401, I001  Quietly, and first.
    import faults_children  # noqa: F401
    import matplotlib.pyplot  # noqa: F401

    if _FOLDER.value is not None:
        folder = Path(_FOLDER.value)
        folder.mkdir(parents=True, exist_ok=True)
        return 1 if _disturb(folder) else None
    with tempfile.TemporaryDirectory() as name:
        return 1 if _disturb(Path(name)) else None


if __name__ == "__main__":
    app.run(main)
