import dataclasses
import json

import numpy as np
import pytest

from emotion_mt.corpus import folds
from emotion_mt.inference import BundleError, Predictor, load_bundle
from emotion_mt.runs import train_bundle
from emotion_mt.training import fit_split

WEIGHTS = "0" * 64


@pytest.fixture
def train(tmp_path, small_corpus, small_features, small_config):
    """Trains into one folder; what is given replaces the usual arguments."""

    def train(**changes):
        arguments = {
            "corpus": small_corpus,
            "features": small_features,
            "split": folds(small_corpus.movies)[1],
            "config": small_config,
            "weights_digest": WEIGHTS,
            "progress": False,
            **changes,
        }
        return train_bundle(tmp_path / "models" / "b", **arguments)

    return train


@pytest.fixture
def text_config(small_config):
    return dataclasses.replace(small_config, modalities=("text",))


def test_bundle_has_all_that_is_known_of_the_model(
    train, small_corpus, small_features, small_config
):
    trained = train(seed=4)
    bundle = load_bundle(trained.folder)
    split = folds(small_corpus.movies)[1]
    expected = fit_split(
        small_corpus,
        small_features,
        split,
        small_corpus.viewers,
        small_config,
        seed=4,
    )
    for ours, theirs in zip(
        bundle.model.get_weights(), expected.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert bundle.viewers == ("V1", "V2", "Vavg")
    assert bundle.weights_digest == WEIGHTS
    assert bundle.feature_config is not None
    training = bundle.training
    assert training["corpus"]["digest"] == small_corpus.digest()
    assert training["split"]["test"] == ["B"]
    assert training["seed"] == 4
    assert training["config"]["max_epochs"] == 2
    assert training["l1"] == 1e-5

    # Scores, counted anew.
    rows = expected.test_rows
    for column, viewer in enumerate(small_corpus.viewers):
        labels = small_corpus.labels[rows, column]
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


def test_same_arguments_nothing_to_do(train, text_config):
    first = train(config=text_config)
    path = first.folder / "weights.npy"
    before = path.stat().st_mtime_ns
    # Features and their weights have no part in a text model.
    again = train(config=text_config, features=None, weights_digest=None)
    assert again.reused
    assert path.stat().st_mtime_ns == before
    assert again.scores == first.scores
    assert "trained before" in again.render()


def test_another_bundle_is_refused_and_replaced_on_demand(train, text_config):
    train(config=text_config)
    with pytest.raises(ValueError, match="with another seed") as error:
        train(config=text_config, seed=1)
    assert "--replace" in str(error.value)
    longer = dataclasses.replace(text_config, max_epochs=1)
    with pytest.raises(ValueError, match="another viewers, config, seed"):
        train(config=longer, seed=1, viewers=["V2", "V1"])
    replaced = train(config=text_config, seed=1, replace=True)
    assert not replaced.reused
    assert load_bundle(replaced.folder).training["seed"] == 1


def test_a_bundle_that_cannot_be_read_is_replaced_on_demand(train, text_config):
    folder = train(config=text_config).folder
    path = folder / "bundle.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(BundleError, match="version 1, written by"):
        train(config=text_config)
    assert not train(config=text_config, replace=True).reused
    assert load_bundle(folder).viewers == ("V1", "V2", "Vavg")


def test_other_features_make_another_bundle(train, small_features):
    train()
    with pytest.raises(ValueError, match="with another features"):
        train(features=small_features + 1)
    with pytest.raises(ValueError, match="with another features"):
        train(weights_digest="1" * 64)


def test_something_else_in_the_folder_is_not_touched(
    train, text_config, tmp_path
):
    folder = tmp_path / "models" / "b"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        train(config=text_config, replace=True)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_one_viewer_makes_a_single_task_model(train, text_config, tmp_path):
    trained = train(config=text_config, viewers=["V2"])
    bundle = load_bundle(trained.folder)
    assert bundle.viewers == ("V2",)
    assert bundle.model.head_units == ()
    assert list(trained.scores) == ["V2"]
    subtitles = tmp_path / "s.srt"
    subtitles.write_text("1\n00:00:01,000 --> 00:00:02,000\ngood ship\n")
    table = Predictor.load(trained.folder).predict(subtitles=subtitles)
    assert table["V2_probability"].between(0, 1).all()


def test_a_viewer_without_ratings_has_no_score(
    train, text_config, small_corpus
):
    values = small_corpus.values.copy()
    values[small_corpus.rows(("C", "D", "A")), 1] = np.nan
    trained = train(
        config=text_config, corpus=small_corpus.replace(values=values)
    )
    assert trained.scores["V2"]["accuracy"] is None
    assert load_bundle(trained.folder).untrained_viewers == ("V2",)
    assert "–" in trained.render()
    # Strict JSON in the file.
    content = (trained.folder / "bundle.json").read_text("utf-8")
    assert "NaN" not in content
    assert json.loads(content)["scores"]["V2"]["observed"] == 0


def test_unknown_viewer_is_refused(train):
    with pytest.raises(ValueError, match="Received: 'V9'"):
        train(viewers=["V9"])
