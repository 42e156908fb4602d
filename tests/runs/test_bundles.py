import dataclasses
import json

import numpy as np
import pytest

from emotion_mt.corpus import folds, load_corpus
from emotion_mt.inference import BundleError, Predictor, load_bundle
from emotion_mt.runs import Experiment, Run, train_bundle
from emotion_mt.runs.bundles import train_bundles
from emotion_mt.training import fit_split

WEIGHTS = "0" * 64
pytestmark = pytest.mark.usefixtures("each_kind_is_compiled_once")


@pytest.fixture
def train(tmp_path, small_corpus, small_features, text_training):
    """Trains into one folder; what is given replaces the usual arguments."""

    def train(**changes):
        arguments = {
            "corpus": small_corpus,
            "features": small_features,
            "split": folds(small_corpus.movies)[1],
            "config": text_training,
            "weights_digest": WEIGHTS,
            "progress": False,
            **changes,
        }
        return train_bundle(tmp_path / "models" / "b", **arguments)

    return train


def test_bundle_has_all_that_is_known_of_the_model(
    train, small_corpus, small_features, tiny_training
):
    trained = train(config=tiny_training, seed=4)
    bundle = load_bundle(trained.folder)
    viewers, split = small_corpus.viewers, folds(small_corpus.movies)[1]
    how = (small_corpus, small_features, split, viewers, tiny_training)
    expected = fit_split(*how, seed=4)
    weights = [m.get_weights() for m in (bundle.model, expected.model)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert bundle.viewers == viewers
    assert bundle.weights_digest == WEIGHTS
    assert bundle.feature_config is not None
    training = bundle.training
    assert training["corpus"]["digest"] == small_corpus.digest()
    assert training["split"]["test"] == ["B"]
    assert (training["seed"], training["l1"]) == (4, 1e-5)
    assert training["config"]["max_epochs"] == 2

    # Scores, counted anew.
    for column, viewer in enumerate(viewers):
        labels = small_corpus.labels[expected.test_rows, column]
        rated = ~np.isnan(labels)
        answers = expected.probabilities[rated, column] > 0.5
        accuracy = np.mean(answers == (labels[rated] == 1))
        assert trained.scores[viewer]["observed"] == rated.sum()
        assert trained.scores[viewer]["accuracy"] == pytest.approx(accuracy)
    assert not trained.reused
    card = (trained.folder / "README.md").read_text("utf-8")
    assert "Tested on | B" in card
    assert f"{trained.scores['V1']['accuracy']:.3f}" in card
    assert "Accuracy on B:" in trained.render()
    # Other features make another bundle.
    other = {"features": small_features + 1, "weights_digest": "1" * 64}
    for name, value in other.items():
        with pytest.raises(ValueError, match="with another features"):
            train(config=tiny_training, seed=4, **{name: value})


def test_is_kept_refused_or_replaced(train, text_training):
    first = train()
    path = first.folder / "weights.npy"
    before = path.stat().st_mtime_ns
    # Features and their weights have no part in a text model.
    again = train(features=None, weights_digest=None)
    assert again.reused
    assert path.stat().st_mtime_ns == before
    assert again.scores == first.scores
    assert "trained before" in again.render()

    with pytest.raises(ValueError, match=r"with another seed.*--replace"):
        train(seed=1)
    shorter = dataclasses.replace(text_training, max_epochs=1)
    with pytest.raises(ValueError, match="another viewers, config, seed"):
        train(config=shorter, seed=1, viewers=["V2", "V1"])
    path = first.folder / "bundle.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(BundleError, match="version 1, written by"):
        train(seed=1)
    assert not train(seed=1, replace=True).reused
    assert load_bundle(first.folder).training["seed"] == 1


def test_one_viewer_makes_a_single_task_model(train, tmp_path):
    with pytest.raises(ValueError, match="Received: 'V9'"):
        train(viewers=["V9"])
    trained = train(viewers=["V2"])
    bundle = load_bundle(trained.folder)
    assert bundle.viewers == ("V2",)
    assert bundle.model.head_units == ()
    assert list(trained.scores) == ["V2"]
    subtitles = tmp_path / "s.srt"
    subtitles.write_text("1\n00:00:01,000 --> 00:00:02,000\ngood ship\n")
    table = Predictor.load(trained.folder).predict(subtitles=subtitles)
    assert table["V2_probability"].between(0, 1).all()


def test_a_viewer_without_ratings_has_no_score(train, small_corpus):
    values = small_corpus.values.copy()
    values[small_corpus.rows(("C", "D", "A")), 1] = np.nan
    trained = train(corpus=small_corpus.replace(values=values))
    assert trained.scores["V2"]["accuracy"] is None
    assert load_bundle(trained.folder).untrained_viewers == ("V2",)
    assert "–" in trained.render()
    # Strict JSON in the file.
    content = (trained.folder / "bundle.json").read_text("utf-8")
    assert "NaN" not in content
    assert json.loads(content)["scores"]["V2"]["observed"] == 0


class WithFeatures(Run):
    """A run that looks at no video."""

    def features(self, kind="i3d"):
        self.weights_digest = WEIGHTS
        rng = np.random.default_rng(0)
        return rng.random((len(self.corpus), 1024), dtype=np.float32)


def train_all(experiment):
    """Trains the bundles of an experiment: what was trained, what was said."""
    lines = []
    trained = train_bundles(WithFeatures(experiment, lines.append))
    return trained, [line for line in lines if line.startswith("Bundle")]


def test_bundles_of_an_experiment(manifest, tmp_path, tiny_training):
    how = {"corpus": manifest, "seeds": (7, 8), "training": tiny_training}
    experiment = Experiment(**how, out=tmp_path / "run")
    trained, lines = train_all(experiment)
    inputs = {"multimodal": ("text", "visual")}
    inputs |= {name: (name,) for name in ("text", "visual")}
    assert list(trained) == list(inputs)
    for name, one in trained.items():
        bundle = load_bundle(one.folder)
        assert bundle.folder == experiment.out / "bundles" / name
        assert bundle.modalities == inputs[name]
        assert bundle.viewers == load_corpus(manifest).viewers
        assert bundle.training["seed"] == 7
        assert bundle.training["split"]["name"] == "F1"
    assert lines[1] == f"Bundle text: trained, {trained['text'].folder}"

    again, lines = train_all(experiment)
    assert all(bundle.reused for bundle in again.values())
    assert lines[-1].startswith("Bundle visual: kept")

    # Another experiment replaces them.
    segments = manifest / "segments.csv"
    segments.write_text(segments.read_text().replace("film.mp4", ""))
    trained, lines = train_all(dataclasses.replace(experiment, seeds=(9,)))
    assert list(trained) == ["text"]
    assert lines[0].startswith("Bundle multimodal: left out")
    assert not trained["text"].reused
    assert load_bundle(trained["text"].folder).training["seed"] == 9

    # One viewer has none.
    ratings = manifest / "annotations.csv"
    lines = [x for x in ratings.read_text().splitlines() if ",V2," not in x]
    ratings.write_text("\n".join(lines) + "\n")
    trained, lines = train_all(experiment)
    assert trained == {}
    assert "MT needs more viewers" in lines[0]
