"""Which epoch should be kept?

    python benchmarks/which_epoch.py --raters=raters --simulated=sim60 \
        --features=sim60.npy

Fits ST and MT on leave-one-out splits of two rated films (benchmarks/raters.py,
text only) and of a simulated corpus (text, visual, both) for a fixed number of
epochs, and notes after each epoch the numbers that may decide and the scores on
the held-out movie. All rules are then read off the same runs: each monitor with
several patiences and first epochs, and the last epoch. It prints Markdown
tables.

Finished fits are kept in --out; stopped at any moment, the same command
continues. With --report nothing is fitted.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import json
import math
import multiprocessing
import os
import pathlib
import time
from collections.abc import Sequence

import numpy as np
import raters
from absl import app, flags
from sklearn.metrics import roc_auc_score
from which_epoch_tables import SINGLE, STRENGTHS, print_all

import emotion_mt as emt
from emotion_mt.corpus import folds
from emotion_mt.training import MONITORS

_RATERS = flags.DEFINE_string("raters", "raters", "Folder of raters.py.")
_SIMULATED = flags.DEFINE_string("simulated", "sim60", "A simulated corpus.")
_FEATURES = flags.DEFINE_string("features", "sim60.npy", "Its features.")
_OUT = flags.DEFINE_string("out", "runs/which_epoch", "Folder of the fits.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes to share the fits.")
_EPOCHS = flags.DEFINE_integer("epochs", 20, "Epochs of each fit.")
_SEEDS = flags.DEFINE_integer("seeds", 2, "Number of seeds.")
_FOLDS = flags.DEFINE_integer("folds", 99, "Folds per corpus at most.")
_REPORT = flags.DEFINE_bool("report", False, "Whether to print only.")

#: Corpus and modalities.
CELLS = (
    ("studyforrest", ("text",)),
    ("sherlock", ("text",)),
    ("simulated", ("text",)),
    ("simulated", ("visual",)),
    ("simulated", ("text", "visual")),
)


@dataclasses.dataclass(frozen=True)
class Task:
    """One fit.

    Attributes:
        corpus: Key of `SINGLE`.
        inputs: Modalities.
        architecture: "ST" or "MT".
        l1: Strength.
        seed: Of the fit.
        fold: Number of the split, from 0.
        viewer: Of ST; "all" for MT.
        epochs: Of training.
    """

    corpus: str
    inputs: tuple[str, ...]
    architecture: str
    l1: float
    seed: int
    fold: int
    viewer: str
    epochs: int

    @property
    def cell(self) -> str:
        """Corpus and input."""
        return f"{self.corpus} {'+'.join(self.inputs)}"

    @property
    def file_name(self) -> str:
        """Name of the file of the fit."""
        parts = (self.cell.replace(" ", "_"), self.architecture, self.viewer)
        numbers = f"l{self.l1:g}_s{self.seed}_f{self.fold}_e{self.epochs}"
        return f"{'_'.join(parts)}_{numbers}.json"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where corpora are, and where fits go; see the flags."""

    raters: str
    simulated: str
    features: str
    out: str

    @functools.lru_cache(maxsize=8)  # noqa: B019  There is one place.
    def corpus(self, name: str) -> emt.Corpus:
        """Reads a corpus."""
        if name == "simulated":
            return emt.load_corpus(self.simulated)
        return getattr(raters, name)(self.raters)


def all_tasks(place: Place, epochs: int, seeds: int, most: int) -> list[Task]:
    """All fits; those that share a compiled model follow one another."""
    tasks = []
    for name, inputs in CELLS:
        splits = min(most, len(folds(place.corpus(name).movies)))
        tasks += [
            Task(name, inputs, architecture, l1, seed, fold, viewer, epochs)
            for architecture in ("MT", "ST")
            for l1 in STRENGTHS
            for seed in range(seeds if l1 == STRENGTHS[0] else 1)
            for fold in range(splits)
            for viewer in (SINGLE[name] if architecture == "ST" else ("all",))
        ]
    return tasks


def scores_of(labels: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Scores of one viewer on the held-out movie.

    Args:
        labels: float [n], NaN where there is none.
        probabilities: float [n].

    Returns:
        Accuracy, balanced accuracy and AUC; NaN where it is not defined.
    """
    rated = ~np.isnan(labels) & ~np.isnan(probabilities)
    truth, given = labels[rated] == 1, probabilities[rated]
    if not len(truth):
        return [math.nan] * 3
    right = (given > 0.5) == truth
    if truth.all() or not truth.any():
        return [float(right.mean()), math.nan, math.nan]
    balanced = (right[truth].mean() + right[~truth].mean()) / 2
    auc = roc_auc_score(truth, given)
    return [float(right.mean()), float(balanced), float(auc)]


def fit(task: Task, place: Place) -> None:
    """Fits and writes the numbers of each epoch, whole or not at all."""
    path = pathlib.Path(place.out) / task.file_name
    if path.exists():
        return
    corpus = place.corpus(task.corpus)
    split = folds(corpus.movies)[task.fold]
    viewers = corpus.viewers if task.viewer == "all" else (task.viewer,)
    features = np.load(place.features) if "visual" in task.inputs else None
    config = emt.TrainingConfig(
        modalities=task.inputs,
        l1=(task.l1,),
        max_epochs=task.epochs,
        patience=task.epochs,
    )
    history: dict[str, list[float]] = {monitor: [] for monitor in MONITORS}
    predicted: list[np.ndarray] = []

    def note(progress: emt.Progress) -> None:
        for monitor, values in history.items():
            values.append(float(progress.logs[monitor]))
        predicted.append(progress.predict())

    result = emt.fit_split(
        corpus, features, split, viewers, config, seed=task.seed, on_epoch=note
    )
    columns = [corpus.column(viewer) for viewer in viewers]
    labels = corpus.labels[result.test_rows][:, columns]
    record = {
        "task": dataclasses.asdict(task),
        "history": history,
        "scores": {
            viewer: [scores_of(labels[:, v], p[:, v]) for p in predicted]
            for v, viewer in enumerate(viewers)
        },
        "notes": result.notes,
        "seconds": result.seconds,
    }
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(record), encoding="utf-8")
    os.replace(partial, path)


def fit_all(tasks: Sequence[Task], place: Place) -> None:
    """Fits; runs in a worker."""
    for task in tasks:
        fit(task, place)


def use_one_thread() -> None:
    """Makes TensorFlow use one thread; runs first in a worker."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def run(tasks: Sequence[Task], place: Place, workers: int) -> None:
    """Fits what is missing and prints how long it will still take."""
    groups: dict[tuple, list[Task]] = {}
    for task in tasks:
        key = (task.cell, task.architecture, task.l1, task.seed)
        groups.setdefault(key, []).append(task)

    def cost(some: Sequence[Task]) -> float:
        return sum(
            len(place.corpus(task.corpus)) * len(task.inputs)
            for task in some
            if not (pathlib.Path(place.out) / task.file_name).exists()
        )

    def order(group: Sequence[Task]) -> tuple:
        """The first seed comes first, in case that the run is stopped."""
        return group[0].seed, group[0].l1, -cost(group)

    os.environ["OMP_NUM_THREADS"] = "1"
    start, whole = time.perf_counter(), cost(tasks)
    with concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), use_one_thread
    ) as pool:
        waiting = {
            pool.submit(fit_all, group, place)
            for group in sorted(groups.values(), key=order)
        }
        while waiting:
            done, waiting = concurrent.futures.wait(waiting, timeout=30)
            for future in done:
                future.result()
            left, minutes = cost(tasks), (time.perf_counter() - start) / 60
            if left < whole:
                print(
                    f"{1 - left / whole:.1%} after {minutes:.1f} min, "
                    f"{minutes * left / (whole - left):.1f} min left",
                    flush=True,
                )


def main(argv: list[str]) -> None:
    """Fits and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    out = pathlib.Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    place = Place(_RATERS.value, _SIMULATED.value, _FEATURES.value, str(out))
    tasks = all_tasks(place, _EPOCHS.value, _SEEDS.value, _FOLDS.value)
    if not _REPORT.value:
        print(f"{len(tasks)} fits; {emt.__version__}", flush=True)
        run(tasks, place, _WORKERS.value)
    paths = [out / task.file_name for task in tasks]
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in paths
        if path.exists()
    ]
    print(f"\n{len(records)} fits")
    print_all(records)


if __name__ == "__main__":
    app.run(main)
