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
    """Three movies of twelve segments, with folds and features beside them.

    The first segment of each has no feature.
    """
    root = tmp_path / "own"
    root.mkdir()
    tables = {
        "segments": ["segment_id,movie,start_s,end_s,text,video"],
        "annotations": ["segment_id,viewer,value"],
        "features": ["segment_id,x,y,z"],
        "folds": ["fold,movie,part", "mine,m2,train", "mine,m3,test"],
    }
    tables["folds"] += ["other,m1,train", "other,m2,test"]
    for movie in MOVIES:
        for i in range(12):
            name = f"{movie}_{i:02d}"
            row = f"{name},{movie},{i},{i + 1},word {i % 3},"
            tables["segments"].append(row)
            for n, viewer in enumerate("AB"):
                tables["annotations"].append(f"{name},{viewer},{(i + n) % 5}")
            if i:
                tables["features"].append(f"{name},{i / 7},{i % 4},{i % 5}")
    for name, lines in tables.items():
        (root / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.usefixtures("unpainted")
def test_own_folds_and_features_reach_the_tables(folder, tmp_path, scheduler):
    said = []
    run = Run(Experiment(corpus=folder, scale=(0, 4)), said.append)
    assert run.corpus.values[:3, 0].tolist() == [-1, -0.5, 0]
    features = run.features()
    assert features.shape == (36, 3)
    assert np.isnan(features).all(axis=1).sum() == 3  # no row in the file
    assert any("3 visual features in place of the I3D's" in s for s in said)
    assert run.split("MINE") == paper.Split("mine", ("m2",), (), ("m3",))
    expected = r"one of mine, other\. Received: 'F1'"
    with pytest.raises(ValueError, match=expected):
        run.split("F1")
    with pytest.raises(ValueError, match="must have videos"):
        run.features(HISTOGRAMS)

    units = {f"{name}_task_trunk_units": (4,) for name in ("single", "multi")}
    units["multi_task_head_units"] = ()
    training = TrainingConfig(modalities=("visual",), max_epochs=1, **units)
    how = {"out": tmp_path / "run", "training": training, "scale": (0, 4)}
    outcome = run_tables(
        Experiment(corpus=folder, scheduler=scheduler, **how), say=said.append
    )
    assert not outcome.failures
    splits = {record["job"]["split"]["name"] for record in outcome.records}
    assert splits == {"mine", "other"}
    assert any("Table IV has no Baseline that looks at" in s for s in said)
    assert (tmp_path / "run" / "bundles" / "visual" / "bundle.json").is_file()
