"""How long all tables take at the size of the real corpus: an estimate.

    python benchmarks/full_size.py

All tables on 2,691 segments would occupy two cores for hours, so this fits
one job of each kind (MT, ST, Baseline by input) with the defaults, in this
process and with one compute thread as a worker has it, and multiplies by the
number of jobs of Tables II-VI with one seed. It prints a Markdown table, and
adds the seconds of the windows of the I3D at a rate that is given
(docs/performance.md; benchmarks/extraction.py measures it).

Labels and texts are those of a simulated corpus of that size. Its films are not
drawn, which would take an hour of I3D more: in the place of visual features
stands what is to be seen in each segment, mixed into 1,024 numbers with noise.
Features decide when early stopping ends a fit, so the epochs are shown, and the
seconds per epoch beside them.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any

import numpy as np
from absl import app, flags
from text_difficulty import text_corpus

import emotion_mt as emt
from emotion_mt.corpus import simulation
from emotion_mt.evaluation import Job, specs_for
from emotion_mt.evaluation.jobs import HISTOGRAMS, I3D
from emotion_mt.evaluation.specs import BOTH
from emotion_mt.features import windows

_SEGMENTS = flags.DEFINE_integer(
    "segments_per_movie", 385, "Mean number of segments per film."
)
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes to share the jobs.")
_WINDOWS_PER_S = flags.DEFINE_float(
    "windows_per_s", 3.8, "Rate of the I3D from file to feature."
)
_PATIENCE = flags.DEFINE_integer("patience", 20, "Patience of the fits.")


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


def kind_of(job: Job) -> tuple[str, str]:
    """Architecture and input."""
    return job.architecture, " and ".join(job.config.modalities)


def measure(job: Job, corpus: emt.Corpus, features: dict[str, Any]) -> dict:
    """Fits a job; returns its seconds and epochs."""
    kind = job.feature_kind
    start = time.perf_counter()
    result = emt.fit_split(
        corpus,
        None if kind is None else features[kind],
        job.split,
        job.viewers,
        job.config,
    )
    epochs = sum(len(trial.history["bce"]) for trial in result.trials)
    fit_s = result.seconds["fit"]
    return {
        "total_s": time.perf_counter() - start - result.seconds["build"],
        "build_s": result.seconds["build"],
        "epochs": epochs,
        "epoch_s": fit_s / epochs,
    }


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    corpus = text_corpus(0, _SEGMENTS.value)
    features = made_up_features(_SEGMENTS.value)
    config = emt.TrainingConfig(patience=_PATIENCE.value)
    jobs = dict.fromkeys(
        job
        for spec in specs_for(BOTH)
        for job in spec.jobs(
            corpus.viewers, spec.splits(corpus.movies), (0,), config
        )
    )
    counts = Counter(map(kind_of, jobs))
    first = {kind_of(job): job for job in reversed(jobs)}
    print(
        f"{len(corpus):,} segments, {len(jobs)} jobs, {_WORKERS.value} workers"
    )
    print("| model | input | jobs | epochs | s per epoch | s per job | min |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    total_s = 0.0
    for kind, count in counts.items():
        took = measure(first[kind], corpus, features)
        seconds = count * took["total_s"] / _WORKERS.value + took["build_s"]
        total_s += seconds
        print(
            f"| {kind[0]} | {kind[1]} | {count} | {took['epochs']} | "
            f"{took['epoch_s']:.2f} | {took['total_s']:.1f} | "
            f"{seconds / 60:.1f} |",
            flush=True,
        )
    print(f"| all | | {len(jobs)} | | | | {total_s / 60:.0f} |")
    number = count_windows(corpus)
    i3d_s = number / _WINDOWS_PER_S.value
    print(
        f"| I3D, {number:,} windows at {_WINDOWS_PER_S.value:g}/s | | | | | | "
        f"{i3d_s / 60:.0f} |"
    )


if __name__ == "__main__":
    app.run(main)
