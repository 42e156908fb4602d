import dataclasses
import json

import numpy as np
import pytest

from emotion_mt.corpus import folds, load_corpus
from emotion_mt.evaluation import Job
from emotion_mt.evaluation.jobs import MULTI_TASK
from emotion_mt.inference import load_bundle
from emotion_mt.runs import Experiment, Run, train_bundles


@pytest.fixture
def experiment(manifest, tmp_path, small_config):
    config = dataclasses.replace(small_config, l1=(1e-5, 1e-4))
    return Experiment(
        corpus=manifest, out=tmp_path / "run", seeds=(7, 8), training=config
    )


class WithFeatures(Run):
    """A run that looks at no video."""

    def features(self, kind="i3d"):
        self.weights_digest = "0" * 64
        rng = np.random.default_rng(0)
        return rng.random((len(self.corpus), 1024), dtype=np.float32)


@pytest.fixture
def train():
    """Trains the bundles of an experiment: what was trained, what was said."""

    def train(experiment, records=()):
        lines = []
        run = WithFeatures(experiment, lines.append)
        trained = train_bundles(run, records)
        return trained, [line for line in lines if line.startswith("Bundle")]

    return train


def test_three_bundles_once(experiment, train):
    corpus = load_corpus(experiment.corpus)
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
    trained, lines = train(experiment, records)
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

    again, lines = train(experiment, records)
    assert all(bundle.reused for bundle in again.values())
    assert lines[-1].startswith("Bundle visual: kept")


def test_another_experiment_replaces_them(experiment, manifest, train):
    segments = manifest / "segments.csv"
    segments.write_text(segments.read_text().replace("film.mp4", ""))
    trained, lines = train(experiment)
    assert list(trained) == ["text"]
    assert lines[0].startswith("Bundle multimodal: left out")
    reseeded = dataclasses.replace(experiment, seeds=(9,))
    trained, _ = train(reseeded)
    assert not trained["text"].reused
    assert load_bundle(trained["text"].folder).training["seed"] == 9


def test_one_viewer_has_no_bundle(experiment, manifest, train):
    ratings = manifest / "annotations.csv"
    header, *lines = ratings.read_text().splitlines()
    first = lines[0].split(",")[1]
    kept = [line for line in lines if line.split(",")[1] == first]
    ratings.write_text("\n".join([header, *kept]) + "\n")
    trained, lines = train(experiment)
    assert trained == {}
    assert "MT needs more viewers" in lines[0]
