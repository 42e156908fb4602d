"""How long all tables take at the size of the real corpus.

    python benchmarks/full_size.py

Fits every model of Tables II-VI with the defaults and one seed on 2,695
segments, in --workers processes, then writes tables, figures and report, and
prints where the time went as a Markdown table (docs/performance.md). With
--every=7 it fits a seventh of each kind and computes the rest. Finished fits
are kept in --out; stopped at any moment, the same command continues, and the
seconds of the fits are still those that they took.

Labels and texts are those of a simulated corpus of that size. Its films are not
drawn, which would take the I3D half an hour or more: in the place of visual
features stands what is to be seen in each segment, mixed into 1,024 numbers
with noise. (Features decide when early stopping ends a fit, so the epochs are
shown.) The I3D's time is computed from its windows and a rate that is given
(docs/performance.md; benchmarks/extraction.py measures it).
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
from text_difficulty import text_corpus

import emotion_mt as emt
from emotion_mt.corpus import simulation
from emotion_mt.evaluation import (
    Job,
    build_table,
    rendering,
    run_folder,
    run_jobs,
    specs_for,
)
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import BOTH, TableSpec, in_working_order
from emotion_mt.features import windows

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
    shapes = {I3D: (1024,), HISTOGRAMS: (16, 7, 32)}
    features = {}
    for kind, shape in shapes.items():
        size = math.prod(shape)
        mixed = seen @ rng.standard_normal((seen.shape[1], size))
        mixed /= np.sqrt(seen.shape[1])
        noisy = mixed + rng.standard_normal(mixed.shape)
        features[kind] = noisy.reshape(len(seen), *shape).astype(np.float32)
    return features


def jobs_of(
    specs: Sequence[TableSpec], corpus: emt.Corpus, config: emt.TrainingConfig
) -> dict[str, list[Job]]:
    """The jobs of each table by its number; tables share some of them."""
    return {
        spec.number: spec.jobs(
            corpus.viewers, spec.splits(corpus.movies), (0,), config
        )
        for spec in specs
    }


def some_of(jobs: Sequence[Job], every: int) -> list[Job]:
    """Returns every so many-th job of each architecture and input."""
    kinds: dict[tuple, list[Job]] = {}
    for job in jobs:
        kind = (job.architecture, job.config.modalities)
        kinds.setdefault(kind, []).append(job)
    return [job for kind in kinds.values() for job in kind[::every]]


def where_it_went(
    records: Sequence[dict[str, Any]], jobs: Sequence[Job], workers: int
) -> pd.DataFrame:
    """Adds up the seconds of the fits by architecture and input.

    Args:
        records: Of the jobs that were fitted.
        jobs: All jobs; those of a kind that were not fitted count as much as
            those that were.
        workers: Processes that shared them.

    Returns:
        DataFrame with "model", "input", "jobs", "epochs" (mean per job, all
        L1 strengths together), "epoch_s", "job_s" (mean) and "minutes" of
        wall time, if the workers were busy all the time.
    """
    rows = [
        {
            "model": record["job"]["architecture"],
            "input": " and ".join(record["job"]["config"]["modalities"]),
            "epochs": sum(
                len(trial["history"]["bce"])
                for trial in record["fit"]["trials"]
            ),
            "fit_s": record["fit"]["seconds"]["fit"],
            "total_s": record["fit"]["seconds"]["total"],
        }
        for record in records
    ]
    grouped = pd.DataFrame(rows).groupby(["model", "input"], sort=False)
    found = grouped.agg(
        jobs=("epochs", "size"),
        epochs=("epochs", "mean"),
        all_epochs=("epochs", "sum"),
        fit_s=("fit_s", "sum"),
        job_s=("total_s", "mean"),
    )
    found["epoch_s"] = found["fit_s"] / found["all_epochs"]
    kinds = [
        (job.architecture, " and ".join(job.config.modalities)) for job in jobs
    ]
    found["jobs"] = [kinds.count(kind) for kind in found.index]
    found["minutes"] = found["job_s"] * found["jobs"] / 60 / workers
    return found.reset_index()


def write_all(
    out: pathlib.Path,
    corpus: emt.Corpus,
    jobs: dict[str, list[Job]],
    records: list[dict[str, Any]],
) -> None:
    """Writes tables, figures and report, as `run_tables` does."""
    tables = []
    for spec in specs_for(BOTH):
        part = run_folder.part_of(spec, jobs[spec.number], records, [])
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


def print_table(
    parts: pd.DataFrame, others: dict[str, float], windows_s: float
) -> None:
    """Prints what was measured.

    Args:
        parts: What `where_it_went` returned.
        others: Further parts and their seconds.
        windows_s: Seconds of the I3D, computed.
    """
    print("| model | input | jobs | epochs | s per epoch | s per job | min |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for row in parts.itertuples():
        print(
            f"| {row.model} | {row.input} | {row.jobs} | {row.epochs:.1f} | "
            f"{row.epoch_s:.2f} | {row.job_s:.1f} | {row.minutes:.1f} |"
        )
    print(
        f"| all fits | | {parts['jobs'].sum()} | | | | "
        f"{parts['minutes'].sum():.1f} |"
    )
    for name, seconds in others.items():
        print(f"| {name} | | | | | | {seconds / 60:.1f} |")
    print(f"| I3D (computed) | | | | | | {windows_s / 60:.0f} |")


def main(argv: list[str]) -> None:
    """Runs and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    start = time.perf_counter()
    out = pathlib.Path(_OUT.value)
    corpus = text_corpus(0, _SEGMENTS.value)
    features = made_up_features(_SEGMENTS.value)
    config = emt.TrainingConfig(patience=_PATIENCE.value)
    jobs = jobs_of(specs_for(BOTH), corpus, config)
    together = dict.fromkeys(job for part in jobs.values() for job in part)
    prepared = time.perf_counter()
    outcome = run_jobs(
        in_working_order(some_of(list(together), _EVERY.value)),
        corpus,
        features,
        out / "jobs",
        workers=_WORKERS.value,
        report=print,
    )
    if outcome.failures:
        raise RuntimeError(f"A job failed: {outcome.failures[0].message}")
    trained = time.perf_counter()
    if _EVERY.value == 1:
        write_all(out, corpus, jobs, outcome.records)
    end = time.perf_counter()
    number = count_windows(corpus)
    print(
        f"\n{len(corpus):,} segments, {len(together)} jobs, "
        f"{_WORKERS.value} workers; {outcome.reused} jobs were there already; "
        f"{number:,} windows, I3D at {_WINDOWS_PER_S.value:g}/s\n"
    )
    print_table(
        where_it_went(outcome.records, list(together), _WORKERS.value),
        {
            "corpus and features in memory": prepared - start,
            "training, wall time": trained - prepared,
            "tables, figures, report": end - trained,
            "all, wall time": end - start,
        },
        number / _WINDOWS_PER_S.value,
    )


if __name__ == "__main__":
    app.run(main)
