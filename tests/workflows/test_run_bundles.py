import dataclasses
import json
import types

import numpy as np
import pytest

from emotion_mt.corpus import folds
from emotion_mt.evaluation import Experiment, Job
from emotion_mt.evaluation.jobs import MULTI_TASK
from emotion_mt.features import ExtractionReport
from emotion_mt.inference import load_bundle
from emotion_mt.workflows import (
    VisualFeatures,
    open_corpus,
    run_all_tables,
    run_bundles,
    train_bundles_for_tables,
)


@pytest.fixture
def experiment(manifest, tmp_path, small_config):
    config = dataclasses.replace(small_config, l1=(1e-5, 1e-4))
    return Experiment(
        corpus=manifest, out=tmp_path / "run", seeds=(7, 8), training=config
    )


@pytest.fixture
def features(monkeypatch):
    def open_features(corpus, *_):
        rng = np.random.default_rng(0)
        features = rng.random((len(corpus), 1024), dtype=np.float32)
        return VisualFeatures(features, "0" * 64, ExtractionReport())

    monkeypatch.setattr(run_bundles, "open_features", open_features)


def test_three_bundles_once(experiment, features):
    corpus = open_corpus(experiment.corpus)
    split = folds(corpus.movies)[0]
    text = dataclasses.replace(experiment.training, modalities=("text",))
    job = Job(MULTI_TASK, corpus.viewers, split, 7, text)
    other = dataclasses.replace(job, seed=8)
    # As the result files have it, which are JSON.
    records = json.loads(
        json.dumps(
            [
                {"job": other.as_dict(), "fit": {"l1": 1e-5}},
                {"job": job.as_dict(), "fit": {"l1": 1e-4}},
            ]
        )
    )
    lines = []
    trained = train_bundles_for_tables(experiment, records, lines.append)
    assert list(trained) == ["multimodal", "text", "visual"]
    bundles = {n: load_bundle(t.folder) for n, t in trained.items()}
    assert bundles["multimodal"].modalities == ("text", "visual")
    assert bundles["text"].modalities == ("text",)
    assert bundles["visual"].modalities == ("visual",)
    for name, bundle in bundles.items():
        assert bundle.folder == experiment.out / "bundles" / name
        assert bundle.viewers == corpus.viewers
        assert bundle.training["seed"] == 7
        assert bundle.training["split"]["name"] == "F1"
    # Known from the run, so not searched for again.
    assert bundles["text"].training["config"]["l1"] == [1e-4]
    assert bundles["visual"].training["config"]["l1"] == [1e-5, 1e-4]
    assert lines[1] == f"Bundle text: trained, {trained['text'].folder}"

    again = train_bundles_for_tables(experiment, records, lines.append)
    assert all(bundle.reused for bundle in again.values())
    assert lines[-1].startswith("Bundle visual: kept")


def test_another_experiment_replaces_them(experiment, manifest):
    segments = manifest / "segments.csv"
    segments.write_text(segments.read_text().replace("film.mp4", ""))
    lines = []
    trained = train_bundles_for_tables(experiment, say=lines.append)
    assert list(trained) == ["text"]
    assert lines[0].startswith("Bundle multimodal: left out")
    reseeded = dataclasses.replace(experiment, seeds=(9,))
    trained = train_bundles_for_tables(reseeded, say=lines.append)
    assert not trained["text"].reused
    assert load_bundle(trained["text"].folder).training["seed"] == 9


@pytest.mark.parametrize(
    ("modalities", "numbers", "bundles"),
    [
        (("text", "visual"), ["II", "III", "IV", "V", "VI"], 3),
        (("text",), ["II", "III"], 1),
    ],
)
def test_all_tables_and_their_bundles(
    experiment, features, monkeypatch, modalities, numbers, bundles
):
    asked = []

    def run_tables(experiment, specs, say):
        asked.extend(spec.number for spec in specs)
        return types.SimpleNamespace(records=[], failures=[])

    monkeypatch.setattr(run_bundles, "run_tables", run_tables)
    training = dataclasses.replace(
        experiment.training, modalities=modalities, l1=(1e-5,)
    )
    experiment = dataclasses.replace(experiment, training=training)
    lines = []
    outcome = run_all_tables(experiment, lines.append)
    assert outcome.records == []
    assert asked == numbers
    assert len(list((experiment.out / "bundles").iterdir())) == bundles
    assert "Bundles took" in lines[-1]


def test_one_viewer_has_no_bundle(experiment, manifest):
    ratings = manifest / "annotations.csv"
    header, *lines = ratings.read_text().splitlines()
    first = lines[0].split(",")[1]
    kept = [line for line in lines if line.split(",")[1] == first]
    ratings.write_text("\n".join([header, *kept]) + "\n")
    said = []
    assert train_bundles_for_tables(experiment, say=said.append) == {}
    assert "MT needs more viewers" in said[0]
