"""What the processes do that benchmarks/faults.py disturbs.

Everything is tiny, so that a kill costs a second or a few: films of a
simulated corpus, mean colours in the place of the I3D, networks of a few
units. Files, locks, processes and workers are the real ones.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import keras
import numpy as np

import emotion_mt as emt
from emotion_mt import cli
from emotion_mt.corpus import load_corpus
from emotion_mt.evaluation import SPECS, Experiment, run_tables
from emotion_mt.features import extract
from emotion_mt.training import TrainingConfig

#: Units of an MT trunk that no memory suffices for: 6 GB per input.
GREEDY_UNITS = 1_600_000_000


def mean_colours() -> keras.Model:
    """Returns a network of the I3D's form that is computed at once."""
    frames = keras.Input((None, 16, 16, 3))
    return keras.Model(frames, keras.layers.AveragePooling3D((8, 4, 4))(frames))


def extraction(folder: Path, workers: int) -> None:
    """Extracts the features of the corpus into a store."""
    del workers
    corpus = load_corpus(folder / "corpus")
    result = extract(
        corpus, mean_colours(), folder / "work" / "store", progress=False
    )
    np.save(folder / "work" / "features.npy", result.features)
    note = {"windows": result.report.windows}
    (folder / f"windows-{os.getpid()}.json").write_text(json.dumps(note))


def tables(folder: Path, workers: int) -> None:
    """Makes Table III, from text alone: trains, then writes tables."""
    _tables(folder, workers, trunk=(8,))


def tables_of_too_large_models(folder: Path, workers: int) -> None:
    """The same, with MT models that 16 GB of addresses do not suffice for."""
    resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))
    _tables(folder, workers, trunk=(GREEDY_UNITS,))


def _tables(folder: Path, workers: int, trunk: tuple[int, ...]) -> None:
    experiment = Experiment(
        corpus=folder / "corpus",
        out=folder / "work",
        workers=workers,
        training=TrainingConfig(
            max_epochs=2,
            patience=1,
            l1=(1e-5,),
            embedding_dim=4,
            text_filters=4,
            single_task_trunk_units=(8,),
            multi_task_trunk_units=trunk,
            multi_task_head_units=(4,),
        ),
    )

    def main() -> int:
        return bool(run_tables(experiment, [SPECS["III"]]).failures)

    # `cli.run` reads flags; this process has had its own.
    sys.argv = sys.argv[:1]
    cli.run(main)


def bundle(folder: Path, workers: int) -> None:
    """Saves one bundle over another and counts in it."""
    del workers
    start = bundle_number(folder) + 1 if _bundle(folder).exists() else 0
    for number in range(start, start + 1_000_000):
        _save_bundle(folder, number)
        (folder / "saved").write_text(str(number))


def one_bundle(folder: Path, workers: int) -> None:
    """Saves one bundle more."""
    del workers
    _save_bundle(folder, bundle_number(folder) + 1)


def check_bundle(folder: Path, workers: int) -> None:
    """Loads the bundle whole, model and all, and writes its number."""
    del workers
    (folder / "loaded").write_text(str(bundle_number(folder)))


def _bundle(folder: Path) -> Path:
    return folder / "work" / "bundle"


def _save_bundle(folder: Path, number: int) -> None:
    model = emt.EvokedEmotionModel(
        viewers=("V1",), trunk_units=(8,), modalities=("visual",)
    )
    _bundle(folder).parent.mkdir(exist_ok=True)
    emt.save_bundle(_bundle(folder), model, training={"number": number})


def bundle_number(folder: Path) -> int:
    """Loads the bundle and returns its number."""
    from emotion_mt.inference import load_bundle

    return int(load_bundle(_bundle(folder)).training["number"])


CHILDREN = {
    child.__name__: child
    for child in (
        extraction,
        tables,
        tables_of_too_large_models,
        bundle,
        one_bundle,
        check_bundle,
    )
}
