"""Folds and features of one's own, from the files to what is fitted."""

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.evaluation.jobs import HISTOGRAMS
from emotion_mt.runs import Experiment, Run, run_tables
from emotion_mt.training import TrainingConfig

MOVIES = ("m1", "m2", "m3")


@pytest.fixture
def folder(tmp_path):
    """Three movies of twelve segments, with folds and features beside them."""
    root = tmp_path / "own"
    root.mkdir()
    ids = [(m, f"{m}_{i:02d}", i) for m in MOVIES for i in range(12)]
    rng = np.random.default_rng(0)
    tables = {
        "segments": ["segment_id,movie,start_s,end_s,text,video"]
        + [f"{id_},{m},{i},{i + 1},word {i % 3}," for m, id_, i in ids],
        "annotations": ["segment_id,viewer,value"]
        + [f"{id_},{v},{(i + n) % 5}" for _, id_, i in ids
           for n, v in enumerate("AB")],
        "folds": [
            "fold,movie,part",
            *("mine,m2,train", "mine,m3,test", "other,m1,train"),
            "other,m2,test",
        ],
        "features": ["segment_id,x,y,z"]
        + [
            ",".join([id_, *(f"{x:.3f}" for x in rng.random(3))])
            for _, id_, i in ids
            if i
        ],
    }  # fmt: skip
    for name, lines in tables.items():
        (root / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return root


def test_a_run_takes_own_folds_and_features(folder):
    said = []
    run = Run(Experiment(corpus=folder, scale=(0, 4)), said.append)
    assert run.corpus.values[:3, 0].tolist() == [-1, -0.5, 0]
    features = run.features()
    assert features.shape == (36, 3)
    assert np.isnan(features).all(axis=1).sum() == 3  # no row in the file
    assert any("3 visual features in place of the I3D's" in s for s in said)
    assert run.split("MINE") == paper.Split("mine", ("m2",), (), ("m3",))
    with pytest.raises(
        ValueError, match=r"one of mine, other\. Received: 'F1'"
    ):
        run.split("F1")
    with pytest.raises(ValueError, match="must have videos"):
        run.features(HISTOGRAMS)


def test_tables_are_made_on_them(folder, tmp_path):
    said = []
    tiny = TrainingConfig(
        modalities=("visual",),
        max_epochs=1,
        single_task_trunk_units=(4,),
        multi_task_trunk_units=(4,),
        multi_task_head_units=(4,),
    )
    experiment = Experiment(
        corpus=folder,
        out=tmp_path / "run",
        scale=(0, 4),
        training=tiny,
        workers=1,
    )
    outcome = run_tables(experiment, say=said.append)
    assert not outcome.failures
    splits = {record["job"]["split"]["name"] for record in outcome.records}
    assert splits == {"mine", "other"}
    assert any("Table IV has no Baseline that looks at" in s for s in said)
    assert (tmp_path / "run" / "bundles" / "visual" / "bundle.json").is_file()
