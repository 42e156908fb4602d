"""How long all tables take, and where the time goes.

    python benchmarks/full_size.py
    python benchmarks/full_size.py --segments_per_movie=30 --workers=1 --out=…

Fits every model of Tables II-VI with the defaults and one seed, by default on
as many segments as the real corpus has, in --workers processes, and prints
where the time went as a Markdown table (docs/performance.md). With --every=7
it fits a seventh of each kind and computes the rest. Finished fits are kept in
--out; stopped at any moment, the same command continues. Only ratios within
one run count; run it on a machine that does nothing else.

Labels and texts are those of a simulated corpus of that size. Its films are not
drawn, which would take the I3D half an hour or more: in the place of visual
features stands what is to be seen in each segment, mixed into 1,024 numbers
with noise. (Features decide when early stopping ends a fit, so the epochs are
shown.) How long the I3D takes follows from its windows, which are counted, and
from their rate (benchmarks/extraction.py).
"""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import fits
import numpy as np
import pandas as pd
from absl import app, flags
from sharing_sweep import text_corpus

import emotion_mt as emt
from emotion_mt import simulation
from emotion_mt.evaluation import Job, specs_for
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.evaluation.specs import BOTH, in_working_order
from emotion_mt.features import windows
from emotion_mt.runs.worker import JobInput

_SEGMENTS = flags.DEFINE_integer(
    "segments_per_movie", 385, "Mean number of segments per film."
)
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes to share the jobs.")
_EVERY = flags.DEFINE_integer(
    "every", 1, "Fits every so many-th job of each kind.", lower_bound=1
)
_OUT = flags.DEFINE_string("out", "runs/full_size", "Folder of the results.")


def made_up_features(
    state: simulation.SimulatedState,
) -> dict[str, np.ndarray]:
    """Visual features of `text_corpus`, by kind, from what would be seen.

    They are the visible content in the middle of each segment, projected at
    random, and as much noise.
    """
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


def where_it_went(
    jobs: Sequence[Job], records: dict[str, dict[str, Any]], workers: int
) -> pd.DataFrame:
    """Adds up the seconds of the fits by architecture and input.

    Jobs that were not fitted, and have no record under their name, count as
    much as those of their kind that were. Epochs are those of all L1
    strengths, "s per job" is without what each worker builds once, "minutes"
    are of wall time if no worker was ever idle.
    """
    rows = []
    for job in jobs:
        fit = records[job.name]["fit"] if job.name in records else None
        rows.append(
            {
                "model": job.architecture,
                "input": " and ".join(job.config.modalities),
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


def main(argv: list[str]) -> None:
    """Runs and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    workers = _WORKERS.value
    state = simulation.simulate_state(
        0, _SEGMENTS.value, simulation.SimulationConfig()
    )
    corpus = text_corpus(state)
    shared = JobInput(corpus, made_up_features(state))
    config = emt.TrainingConfig()
    # Tables share some of their jobs.
    by_kind: dict[object, dict[Job, None]] = {}
    for spec in specs_for(BOTH):
        how = (spec.splits(corpus.movies), (0,), config)
        for job in spec.jobs(corpus.viewers, *how):
            kind = (job.architecture, job.config.modalities)
            by_kind.setdefault(kind, {})[job] = None
    jobs = [job for own in by_kind.values() for job in own]
    some = [job for own in by_kind.values() for job in [*own][:: _EVERY.value]]
    start = time.perf_counter()
    outcome = fits.fit(
        in_working_order(some),
        shared,
        pathlib.Path(_OUT.value),
        workers=workers,
        report=print,
    )
    minutes = (time.perf_counter() - start) / 60
    records = {record["name"]: record for record in outcome.records}
    found = where_it_went(jobs, records, workers)
    print(f"\n{markdown_table(found.round(2))}")
    times = corpus.segments[["start_s", "end_s"]].to_numpy(dtype=float)
    how = (emt.paper.FPS, emt.FeatureConfig())
    number = sum(windows.count_windows(t, *how) for t in times)
    print(
        f"\n{len(corpus):,} segments, {len(jobs)} jobs, {len(some)} of them "
        f"fitted, {outcome.reused} before, the others in {minutes:.1f} minutes "
        f"of wall time by {workers} workers; {number:,} windows for the I3D"
    )


if __name__ == "__main__":
    app.run(main)
