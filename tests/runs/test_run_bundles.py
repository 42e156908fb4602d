import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus import load_corpus
from emotion_mt.inference import load_bundle
from emotion_mt.runs import Experiment, Run
from emotion_mt.runs.bundles import train_bundles


@pytest.fixture
def experiment(manifest, tmp_path, small_config):
    return Experiment(
        corpus=manifest,
        out=tmp_path / "run",
        seeds=(7, 8),
        training=small_config,
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

    def train(experiment):
        lines = []
        run = WithFeatures(experiment, lines.append)
        trained = train_bundles(run)
        return trained, [line for line in lines if line.startswith("Bundle")]

    return train


def test_three_bundles_once(experiment, train):
    corpus = load_corpus(experiment.corpus)
    trained, lines = train(experiment)
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
    assert lines[1] == f"Bundle text: trained, {trained['text'].folder}"

    again, lines = train(experiment)
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
