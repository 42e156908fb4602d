"""How much of a worker's time is arithmetic, and what a second worker brings.

Jobs of about one second of arithmetic each, MT and ST of the default size on
both modalities, as many as `make tables` has and on films as short, are run
with one worker and with two (a quarter of an hour):

    python benchmarks/jobs.py

It prints a Markdown table. The time of a worker (wall time times workers) is
split into four parts that add up to it:

- arithmetic: what grows with the number of training epochs. Jobs with few and
  with many epochs alternate; the slope of the fit's seconds over the epochs
  (Theil-Sen, so that a disturbed job does not count) times the epochs;
- trace and compile: what the fits report as "build", once per architecture
  and process;
- rest of the fits: preparing texts, resetting models, predicting, the record;
- around the fits: starting processes, importing TensorFlow, sending the
  corpus and the features, waiting.

Only ratios within one run count; run it on a machine that does nothing else.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from absl import app, flags
from scipy import stats

from emotion_mt import paper
from emotion_mt.corpus import SEGMENT_COLUMNS, Corpus, folds
from emotion_mt.evaluation import Job, run_jobs
from emotion_mt.training import TrainingConfig

_JOBS = flags.DEFINE_integer(
    "jobs", 153, "Jobs of each of MT and ST.", lower_bound=4
)
_SECONDS = flags.DEFINE_float(
    "seconds", 1.0, "Arithmetic per job to aim at.", lower_bound=0.05
)
_SEGMENTS = flags.DEFINE_integer(
    "segments", 30, "Segments per film; seven films.", lower_bound=8
)

_ARCHITECTURES = ("MT", "ST")


def made_up_corpus(segments: int) -> Corpus:
    """A corpus of random words and values with the paper's shape."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(2000)])
    rows = [
        (f"{film}-{n}", film, 3.0 * n, 3.0 * n + 2.0, text, None)
        for film in paper.MOVIES
        for n, text in enumerate(
            " ".join(rng.choice(words, 8)) for _ in range(segments)
        )
    ]
    frame = pd.DataFrame(rows, columns=list(SEGMENT_COLUMNS))
    viewers = (*paper.VIEWERS, paper.AVERAGE)
    values = rng.uniform(-1, 1, (len(rows), len(viewers)))
    return Corpus("benchmark", frame, viewers, values.astype(np.float32))


def make_jobs(
    corpus: Corpus, architecture: str, epochs: Sequence[int]
) -> list[Job]:
    """One job per number of epochs, each with another seed."""
    viewers = corpus.viewers if architecture == "MT" else corpus.viewers[:1]
    split = folds(corpus.movies)[0]
    return [
        Job(
            architecture,
            viewers,
            split,
            seed,
            TrainingConfig(l1=(1e-5,), max_epochs=number, patience=number + 1),
        )
        for seed, number in enumerate(epochs)
    ]


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one run took.

    Attributes:
        workers: Number of processes.
        wall_s: Seconds from start to end.
        records: Records of the jobs.
    """

    workers: int
    wall_s: float
    records: list[dict[str, Any]]

    def of(self, architecture: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs and seconds of fitting of the jobs of an architecture."""
        chosen = [
            record
            for record in self.records
            if record["job"]["architecture"] == architecture
        ]
        epochs = [r["job"]["config"]["max_epochs"] for r in chosen]
        seconds = [r["fit"]["seconds"]["fit"] for r in chosen]
        return np.array(epochs), np.array(seconds)

    def epoch_s(self, architecture: str) -> float:
        """Seconds of arithmetic per epoch."""
        epochs, seconds = self.of(architecture)
        return float(stats.theilslopes(seconds, epochs).slope)

    def parts(self) -> dict[str, float]:
        """Seconds of the workers by part; they add up to their time."""
        arithmetic = sum(
            self.epoch_s(name) * self.of(name)[0].sum()
            for name in _ARCHITECTURES
        )
        seconds = pd.DataFrame([r["fit"]["seconds"] for r in self.records])
        total, build = seconds["total"].sum(), seconds["build"].sum()
        return {
            "arithmetic": arithmetic,
            "trace and compile": build,
            "rest of the fits": total - build - arithmetic,
            "around the fits": self.workers * self.wall_s - total,
        }


def measure(
    corpus: Corpus,
    features: np.ndarray,
    epochs: dict[str, Sequence[int]],
    workers: int,
) -> Measured:
    """Runs the jobs in a new folder."""
    jobs = [
        job
        for architecture, numbers in epochs.items()
        for job in make_jobs(corpus, architecture, numbers)
    ]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        outcome = run_jobs(
            jobs, corpus, {"i3d": features}, Path(folder), workers=workers
        )
        wall_s = time.perf_counter() - start
    if outcome.failures:
        raise RuntimeError(f"A job failed: {outcome.failures[0].message}")
    return Measured(workers, wall_s, outcome.records)


def print_table(runs: Sequence[Measured]) -> None:
    """Prints what was measured."""
    one = runs[0]
    rows: list[tuple[str, ...]] = [
        ("what", *(f"{run.workers} worker(s)" for run in runs)),
        ("---", *("---" for _ in runs)),
        ("jobs", *(str(len(run.records)) for run in runs)),
        ("wall time", *(f"{run.wall_s:.1f} s" for run in runs)),
        ("speed-up", *(f"{one.wall_s / run.wall_s:.2f}" for run in runs)),
    ]
    for name in one.parts():
        cells = []
        for run in runs:
            part = run.parts()[name]
            share = part / (run.workers * run.wall_s)
            per_job = part / len(run.records)
            cells.append(f"{share:.0%} ({per_job:.2f} s per job)")
        rows.append((f"share of a worker's time: {name}", *cells))
    for row in rows:
        print(f"| {' | '.join(row)} |")


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    corpus = made_up_corpus(_SEGMENTS.value)
    rng = np.random.default_rng(1)
    features = rng.random((len(corpus), 1024), dtype=np.float32)
    trial = measure(
        corpus, features, dict.fromkeys(_ARCHITECTURES, (1, 2, 8, 9)), 1
    )
    epochs = {}
    for name in _ARCHITECTURES:
        wanted = max(round(_SECONDS.value / trial.epoch_s(name)), 2)
        # Few and many in turn; on average what is wanted.
        few, many = wanted // 2, wanted + (wanted + 1) // 2
        epochs[name] = [(few, many)[n % 2] for n in range(_JOBS.value)]
        print(
            f"{name}: {trial.epoch_s(name):.3f} s per epoch, {few} and "
            f"{many} epochs in turn",
            flush=True,
        )
    runs = [measure(corpus, features, epochs, workers) for workers in (1, 2)]
    print(
        f"\n{os.cpu_count()} processors; {len(corpus)} segments, MT and ST on "
        f"both modalities, {_JOBS.value} jobs each\n"
    )
    print_table(runs)


if __name__ == "__main__":
    app.run(main)
