"""How long all tables take, and where the time goes.

    python benchmarks/full_size.py
    python benchmarks/full_size.py --segments_per_movie=30 --workers=1 --out=…

Fits every model of Tables II-VI with the defaults and one seed, by default on
as many segments as the real corpus has, in --workers processes, then writes
tables, figures and report, and prints where the time went as Markdown tables
(docs/performance.md). With --every=7 it fits a seventh of each kind and
computes the rest. Finished fits are kept in --out; stopped at any moment, the
same command continues, and the seconds of the fits are still those that they
took. Only ratios within one run count; run it on a machine that does nothing
else.

Labels and texts are those of a simulated corpus of that size. Its films are not
drawn, which would take the I3D half an hour or more: in the place of visual
features stands what is to be seen in each segment, mixed into 1,024 numbers
with noise. (Features decide when early stopping ends a fit, so the epochs are
shown.) The I3D's time is computed from its windows and a rate that is given
(benchmarks/extraction.py measures it).
"""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from absl import app, flags
from emotion_mt.runs.folder import part_of
from text_difficulty import text_corpus

import emotion_mt as emt
from emotion_mt import simulation
from emotion_mt.evaluation import Job, build_table, rendering, specs_for
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import BOTH, in_working_order
from emotion_mt.features import windows
from emotion_mt.runs.engine import run_jobs
from emotion_mt.runs.worker import JobInput

_SEGMENTS = flags.DEFINE_integer(
    "segments_per_movie", 385, "Mean number of segments per film."
)
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes to share the jobs.")
_WINDOWS_PER_S = flags.DEFINE_float(
    "windows_per_s", 3.8, "Rate of the I3D from file to feature."
)
_PATIENCE = flags.DEFINE_integer("patience", 10, "Patience of the fits.")
_EVERY = flags.DEFINE_integer(
    "every",
    1,
    "Fits every so many-th job of each kind only, and computes the minutes of "
    "all from them; no tables.",
    lower_bound=1,
)
_OUT = flags.DEFINE_string("out", "runs/full_size", "Folder of the results.")


def count_windows(corpus: emt.Corpus) -> int:
    """Windows of the I3D for all segments."""
    config = emt.FeatureConfig()
    times = corpus.segments[["start_s", "end_s"]].to_numpy(dtype=float)
    plans = (windows.plan_segment(*t, emt.paper.FPS, config) for t in times)
    return sum(plan.windows for plan in plans)


def made_up_features(segments_per_movie: int) -> dict[str, np.ndarray]:
    """Visual features of `text_corpus`, from what would be seen.

    Args:
        segments_per_movie: As there.

    Returns:
        Kind to float32 [N, 1024] or [N, 16, 7, 32]: the visible content in
        the middle of each segment, projected at random, and as much noise.
    """
    state = simulation.simulate_state(
        0, segments_per_movie, simulation.SimulationConfig()
    )
    rows = []
    for film in state.films:
        line = film.timeline
        middle = (line.cue_start_ms + line.cue_end_ms)[: line.rated] / 2000
        shots = line.shot_of_frame[(middle * emt.paper.FPS).astype(int)]
        rows.append(film.content[shots, :-1])
    seen = np.concatenate(rows)
    rng = np.random.default_rng(0)
    features = {}
    for kind, shape in {I3D: (1024,), HISTOGRAMS: (16, 7, 32)}.items():
        mixed = seen @ rng.standard_normal((seen.shape[1], math.prod(shape)))
        mixed /= np.sqrt(seen.shape[1])
        noisy = mixed + rng.standard_normal(mixed.shape)
        features[kind] = noisy.reshape(len(seen), *shape).astype(np.float32)
    return features


def kind_of(job: Job) -> tuple[str, str]:
    """Returns architecture and input of a job."""
    return job.architecture, " and ".join(job.config.modalities)


def where_it_went(
    jobs: Sequence[Job], records: dict[str, dict[str, Any]], workers: int
) -> pd.DataFrame:
    """Adds up the seconds of the fits by architecture and input.

    Args:
        jobs: All jobs; those that were not fitted count as much as those of
            their kind that were.
        records: Of the jobs that were fitted, by name.
        workers: Processes that shared them.

    Returns:
        DataFrame with "model", "input", "jobs", per job the mean number of
        epochs of all L1 strengths ("epochs"), "s per epoch", "s to build"
        (once per worker), "s per job" (without it), and "minutes" of wall
        time if no worker was ever idle.
    """
    rows = []
    for job in jobs:
        fit = records[job.name]["fit"] if job.name in records else None
        rows.append(
            {
                "model": kind_of(job)[0],
                "input": kind_of(job)[1],
                "epochs": fit
                and sum(len(t["history"]["bce"]) for t in fit["trials"]),
                "fit": fit and fit["seconds"]["fit"],
                "s to build": fit and fit["seconds"]["build"],
                "s per job": fit and fit["seconds"]["total"],
            }
        )
    groups = pd.DataFrame(rows).groupby(["model", "input"], sort=False)
    found = groups.mean()
    found.insert(0, "jobs", groups.size())
    found.insert(2, "s per epoch", found.pop("fit") / found["epochs"])
    # Each worker builds each kind once, in the first of its jobs.
    found["s per job"] -= found["s to build"]
    found["s to build"] = groups["s to build"].max()
    seconds = found["s per job"] * found["jobs"] / workers
    found["minutes"] = (seconds + found["s to build"]) / 60
    return found.reset_index()


def shares(
    records: Sequence[dict[str, Any]], workers: int, wall_s: float
) -> dict[str, float]:
    """Shares of the workers' time (wall time times workers) by part.

    Args:
        records: Of all jobs of one call, none of which was there before.
        workers: Number of processes.
        wall_s: Seconds from start to end.
    """
    seconds = pd.DataFrame([r["fit"]["seconds"] for r in records]).sum()
    parts = {
        "training": seconds["fit"],
        "trace and compile": seconds["build"],
        "rest of the fits": seconds["total"]
        - seconds["fit"]
        - seconds["build"],
        "starting, importing, sending, waiting": workers * wall_s
        - seconds["total"],
    }
    return {name: part / workers / wall_s for name, part in parts.items()}


def write_all(
    out: pathlib.Path,
    corpus: emt.Corpus,
    jobs: dict[str, list[Job]],
    records: list[dict[str, Any]],
) -> None:
    """Writes tables, figures and report, as `run_tables` does."""
    tables = []
    for spec in specs_for(BOTH):
        part = part_of(spec, jobs[spec.number], records, [])
        tables.append(build_table(spec, part.records))
        rendering.write_table(out, spec.file_stem, tables[-1])
    note = {"visual features": "made up from what the films would show"}
    write_report(
        out,
        corpus,
        tables,
        records,
        experiment=note,
        failures={},
        seconds={},
    )


def print_table(frame: pd.DataFrame) -> None:
    """Prints a DataFrame as a Markdown table."""
    print(f"\n| {' | '.join(frame)} |\n|{' --- |' * frame.shape[1]}")
    for row in frame.itertuples(index=False):
        cells = (f"{x:.2f}" if isinstance(x, float) else str(x) for x in row)
        print(f"| {' | '.join(cells)} |")


def main(argv: list[str]) -> None:
    """Runs and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    start = time.perf_counter()
    out, workers = pathlib.Path(_OUT.value), _WORKERS.value
    corpus = text_corpus(0, _SEGMENTS.value)
    shared = JobInput.of(corpus, made_up_features(_SEGMENTS.value))
    config = emt.TrainingConfig(patience=_PATIENCE.value)
    by_table = {
        spec.number: spec.jobs(
            corpus.viewers, spec.splits(corpus.movies), (0,), config
        )
        for spec in specs_for(BOTH)
    }
    # Tables share some of their jobs.
    jobs = list(
        dict.fromkeys(job for part in by_table.values() for job in part)
    )
    kinds = dict.fromkeys(map(kind_of, jobs))
    some = [
        job
        for kind in kinds
        for job in [j for j in jobs if kind_of(j) == kind][:: _EVERY.value]
    ]
    prepared = time.perf_counter()
    outcome = run_jobs(
        in_working_order(some),
        shared,
        out / "jobs",
        workers=workers,
        report=print,
    )
    if outcome.failures:
        raise RuntimeError(
            f"A job failed: {next(iter(outcome.failures.values()))}"
        )
    trained = time.perf_counter()
    if _EVERY.value == 1:
        write_all(out, corpus, by_table, outcome.records)
    end = time.perf_counter()
    number = count_windows(corpus)
    print(
        f"\n{len(corpus):,} segments, {len(jobs)} jobs, {workers} workers; "
        f"{outcome.reused} jobs were there already; {number:,} windows"
    )
    records = {record["name"]: record for record in outcome.records}
    print_table(where_it_went(jobs, records, workers))
    if not outcome.reused:
        parts = shares(outcome.records, workers, trained - prepared)
        print_table(
            pd.DataFrame(
                [(name, f"{share:.0%}") for name, share in parts.items()],
                columns=["part of a worker's time", "share"],
            )
        )
    minutes = {
        "corpus and features in memory": prepared - start,
        "training, wall time": trained - prepared,
        "tables, figures, report": end - trained,
        "all, wall time": end - start,
        "I3D (computed)": number / _WINDOWS_PER_S.value,
    }
    print_table(
        pd.DataFrame(
            [(name, seconds / 60) for name, seconds in minutes.items()],
            columns=["part", "minutes"],
        )
    )


if __name__ == "__main__":
    app.run(main)
