"""The runs that `faults.py` disturbs, and what must be true of their files.

Everything is tiny, so that a kill costs seconds: four simulated films and
three viewers, mean colours in the place of the I3D, networks of a few units.
Files, locks, processes and workers are the real ones.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
import threading
from pathlib import Path

import keras
import numpy as np
from tqdm.std import tqdm

import emotion_mt as emt
from emotion_mt import cli
from emotion_mt.cli.parsing import Command
from emotion_mt.evaluation import SPECS
from emotion_mt.evaluation.records import read_record
from emotion_mt.features import extract
from emotion_mt.features.files import read_npz
from emotion_mt.inference import load_bundle
from emotion_mt.runs import Experiment, run_tables
from emotion_mt.simulation import SimulationConfig

#: Exit status of a check that finds an old bundle; errors have status 1.
LOST = 3

#: Worker processes of a run.
WORKERS = 2

#: What is finished: name to a digest of its content.
Parts = dict[str, str]


def simulate(folder: Path) -> None:
    """Writes the corpus, if it is not there yet."""
    config = SimulationConfig()
    config = dataclasses.replace(
        config, films=config.films[:4], viewers=config.viewers[1:4]
    )
    emt.simulate_corpus(folder / "corpus", 0, 4, config, progress=False)


def extraction(folder: Path) -> int:
    """Extracts the features of the corpus into a store."""
    frames = keras.Input((None, 16, 16, 3))
    colours = keras.layers.AveragePooling3D((8, 4, 4))(frames)
    found = extract(
        emt.load_corpus(folder / "corpus"),
        keras.Model(frames, colours),
        folder / "work" / "store",
        progress=False,
    )
    np.save(folder / "work" / "features.npy", found.features)
    return 0


def tables(folder: Path) -> int:
    """Makes Table III, from text alone: trains, then writes tables."""
    experiment = Experiment(
        corpus=folder / "corpus",
        out=folder / "work",
        workers=WORKERS,
        training=emt.TrainingConfig(
            max_epochs=2,
            patience=1,
            embedding_dim=4,
            text_filters=4,
            single_task_trunk_units=(8,),
            multi_task_trunk_units=(8,),
            multi_task_head_units=(4,),
        ),
    )

    def run(_: object) -> int:
        return int(bool(run_tables(experiment, [SPECS["III"]]).failures))

    # With the handling of errors and of Ctrl-C that the scripts have.
    return cli.run(Command("faults", "", {}, run), [])


def bundles(folder: Path) -> int:
    """Saves one bundle over another for ever, and counts in them."""
    while last_bundle(folder) == 0:
        (folder / "saved").write_text(f"{bundle_number(folder)}\n")
    return 1


def last_bundle(folder: Path) -> int:
    """Saves one bundle more, which removes what killed processes left."""
    path = folder / "work" / "bundle"
    path.parent.mkdir(exist_ok=True)
    first = not (folder / "saved").exists()
    number = 0 if first else bundle_number(folder) + 1
    model = emt.EvokedEmotionModel(
        viewers=("V1",), trunk_units=(8,), modalities=("visual",)
    )
    emt.save_bundle(path, model, training={"number": number})
    return 0


def check_bundle(folder: Path) -> int:
    """Loads the bundle, model and all; returns `LOST` if it is an old one."""
    saved = folder / "saved"
    # The count itself is not written whole or not at all.
    text = saved.read_text() if saved.exists() else ""
    least = int(text) if text.endswith("\n") else 0
    return LOST if bundle_number(folder) < least else 0


def bundle_number(folder: Path) -> int:
    """Loads the bundle and returns its number."""
    bundle = load_bundle(folder / "work" / "bundle")
    return int(bundle.training["number"])


def jobs_of(folder: Path) -> Parts:
    """Result files by job; raises ValueError if one is not whole."""
    found = {}
    for path in (folder / "work" / "jobs").glob("[!.]*.json"):
        record = read_record(path)
        record["fit"].pop("seconds")
        result = json.dumps([record["viewers"], record["fit"]], sort_keys=True)
        found[record["name"]] = _digest(result.encode())
    return found


def tables_of(folder: Path) -> Parts:
    """Written tables; raises ValueError if report or figure is not whole."""
    work = folder / "work"
    ends = {".html": b"</html>", ".png": b"IEND\xaeB`\x82"}
    for path in (*work.glob("report.html"), *work.rglob("[!.]*.png")):
        if not path.read_bytes().rstrip().endswith(ends[path.suffix]):
            raise ValueError(f"{path} is not whole")
    return {
        path.name: _digest(path.read_bytes())
        for path in work.glob("table*.*")
        if path.suffix != ".png"
    }


def segments_of(folder: Path) -> Parts:
    """Stored features; raises ValueError if a file is not whole."""
    found = {}
    for path in (folder / "work" / "store").glob("[!.]*.npz"):
        arrays = read_npz(path)
        for times, feature in zip(
            arrays["times_s"], arrays["features"], strict=True
        ):
            found[f"{path.name} {times}"] = _digest(feature.tobytes())
    return found


def features_of(folder: Path) -> Parts:
    """The features that the extraction returned."""
    path = folder / "work" / "features.npy"
    return {path.name: _digest(path.read_bytes())} if path.exists() else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


#: Run to what reads its finished parts, and what is there in the end.
READERS = {
    "extraction": (segments_of, features_of),
    "tables": (jobs_of, tables_of),
}


def leftovers(folder: Path) -> list[str]:
    """Hidden files and locks that nobody removed; the run's own lock stays."""
    work = folder / "work"
    found = {*work.rglob(".*"), *work.rglob("*.lock"), *work.rglob("*.tmp*")}
    return sorted(path.name for path in found - {work / ".lock"})


def begin(run: str, folder: str) -> None:
    """Does the function of this name in this process, a group of its own."""
    os.setsid()
    with Path(folder, f"{run}.log").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    # tqdm's own lock is shared by all forks: one that is killed while it holds
    # it would stop the others for ever.
    tqdm.set_lock(threading.RLock())
    status = globals()[run](Path(folder))
    sys.stdout.flush()
    sys.exit(status)
