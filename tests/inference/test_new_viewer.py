"""A new viewer: what is known of the answer, and that nothing else changes."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import special

import emotion_mt as emt
from emotion_mt.inference import BundleError, load_bundle, with_viewer
from emotion_mt.inference.new_viewer import FEW, GAINS
from emotion_mt.models import BaselineTextModel

VIEWERS = ("V1", "V2", "V3", "Vavg")


@pytest.fixture
def known():
    """Probabilities of viewers who differ; the average is their mean."""
    logits = np.random.default_rng(0).normal(0, 2, (4000, 3))
    return special.expit(np.column_stack([logits, logits.mean(axis=1)]))


@pytest.fixture
def inputs():
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 8, (60, 9)).astype("int32")
    visual = rng.normal(size=(60, 64)).astype("float32")
    return {"tokens": tokens, "visual": visual}


@pytest.fixture
def texts(inputs):
    return {"tokens": inputs["tokens"]}


@pytest.fixture
def model(build_model):
    return build_model(("text", "visual"))


@pytest.fixture
def values():
    """Twenty ratings of both kinds."""
    ratings = np.full(60, np.nan)
    ratings[::3] = np.random.default_rng(2).permutation(np.linspace(-1, 1, 20))
    return ratings


def predict(model, inputs):
    return model.predict(inputs, verbose=0)


# The fit


def test_who_feels_as_the_third_viewer_is_found_to(known):
    """His ratings are drawn with the probabilities of V3."""
    drawn = np.random.default_rng(3).random(len(known)) < known[:, 2]
    fit = emt.fit_viewer(VIEWERS, known, np.where(drawn, 0.5, -0.5))
    found = fit.probabilities(known)
    away = np.abs(found[:, None] - known).mean(axis=0)
    assert away.argmin() == 2
    assert away[2] < 0.1 < away[[0, 1, 3]].min()
    assert (fit.positive, fit.negative) == (drawn.sum(), (~drawn).sum())
    assert fit.notes == ()


def test_more_ratings_lead_further_from_the_average(known):
    values = np.where(known[:, 2] > 0.5, 1.0, -1.0)
    away = [
        np.abs(
            emt.fit_viewer(VIEWERS, known[:n], values[:n]).probabilities(known)
            - known[:, 3]
        ).mean()
        for n in (5, 50, 4000)
    ]
    assert away == sorted(away)
    assert away[0] < away[2] / 2


@pytest.mark.parametrize("side", [1.0, -0.2, 0.0])
def test_ratings_of_one_side_leave_the_average(known, side):
    fit = emt.fit_viewer(VIEWERS, known[:30], np.full(30, side))
    np.testing.assert_allclose(fit.probabilities(known), known[:, 3], atol=1e-4)
    word = "positive" if side > 0 else "negative"
    assert f"All 30 ratings are {word}" in " ".join(fit.notes)


def test_without_an_average_it_begins_at_the_mean_of_the_logits(known):
    fit = emt.fit_viewer(VIEWERS[:3], known[:1, :3], [1.0])
    np.testing.assert_allclose(
        fit.probabilities(known[:, :3]), known[:, 3], atol=1e-3
    )


def test_few_ratings_are_called_few(known):
    values = np.where(np.arange(FEW) % 2, 1.0, -1.0)
    few = emt.fit_viewer(VIEWERS, known[: FEW - 1], values[1:])
    assert f"{FEW - 1} ratings are few" in " ".join(few.notes)
    assert not emt.fit_viewer(VIEWERS, known[:FEW], values).notes


def test_segments_that_are_not_rated_do_not_count(known):
    values = np.where(known[:, 0] > 0.5, 0.1, -0.1)
    values[20:] = np.nan
    known[30:, 1] = np.nan  # Not read either.
    fit = emt.fit_viewer(VIEWERS, known, values)
    assert fit == emt.fit_viewer(VIEWERS, known[:20], values[:20])
    found = fit.probabilities(known)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(known[:, 1]))


def test_viewers_without_training_are_left_out(known):
    known[:, 1] = np.nan
    values = np.where(known[:, 0] > 0.5, 0.1, -0.1)
    fit = emt.fit_viewer(VIEWERS, known, values)
    assert fit.weights[1] == 0
    some = emt.fit_viewer(
        ("V1", "V3", "Vavg"), known[:, [0, 2, 3]], values
    ).probabilities(known[:, [0, 2, 3]])
    np.testing.assert_array_equal(fit.probabilities(known), some)


def test_it_takes_certain_answers(known):
    known[:50] = np.round(known[:50])
    fit = emt.fit_viewer(VIEWERS, known, np.where(known[:, 1] > 0.3, 1, -1))
    assert np.isfinite(fit.weights).all()
    assert np.isfinite(fit.probabilities(known)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.full(9, np.nan)}, "`values` must .*Received 0 ratings"),
        ({"values": np.arange(9.0)}, r"`values` must be ratings in \[-1, 1\]"),
        ({"values": [np.inf] * 9}, r"`values` must be ratings in \[-1, 1\]"),
        ({"values": np.ones(8)}, r"`values` must be \[9\].*shape: \[8\]"),
        ({"known": np.ones((9, 3))}, r"`known` must be \[n, 4\].*\[9, 3\]"),
        ({"known": np.full((9, 4), 1.5)}, r"`known` must .*Received: \[1.5"),
        ({"known": np.full((9, 4), np.nan)}, "`known` must .*Received: .*nan"),
        ({"known": [[0, 0, 0, np.nan]] + 8 * [[0] * 4]}, "`known` .*nan"),
        ({"viewers": ("a", "a", "b", "c")}, "`viewers` must be distinct"),
    ],
)
def test_what_makes_no_sense_is_named(change, message):
    arguments = {"viewers": VIEWERS, "known": np.ones((9, 4)) / 2}
    with pytest.raises(ValueError, match=message):
        emt.fit_viewer(**{**arguments, "values": np.ones(9), **change})


def test_other_columns_are_refused(known):
    fit = emt.fit_viewer(VIEWERS, known, np.full(4000, 1))
    with pytest.raises(ValueError, match=r"`known` must be \[N, 4\].*, 3\]"):
        fit.probabilities(known[:, :3])


# The model


@pytest.mark.parametrize("modalities", [("text",), ("visual",)])
@pytest.mark.parametrize("viewers", [("V1", "anna b.", "Vavg"), ("V7",)])
def test_the_others_keep_their_bits(
    build_model, inputs, values, modalities, viewers
):
    model = build_model(modalities, viewers=viewers)
    inputs = {name: inputs[name] for name in model.input}
    before = predict(model, inputs)
    extended = emt.add_viewer(model, "You", inputs, values)
    after = predict(extended, inputs)
    assert type(extended) is emt.EvokedEmotionModel
    assert extended.viewers == (*viewers, "You")
    assert extended.known_viewers == model.viewers == viewers
    assert extended.added == {"You": [10, 10]}
    np.testing.assert_array_equal(after[:, :-1], before)
    np.testing.assert_array_equal(predict(model, inputs), before)
    fit = emt.fit_viewer(viewers, before, values)
    np.testing.assert_allclose(
        after[:, -1], fit.probabilities(before), atol=1e-6
    )


def test_a_second_new_viewer_and_more_ratings(model, inputs, values):
    """Each rests on the known viewers only; ratings may grow."""
    alone = emt.add_viewer(model, "You", inputs, -values)
    both = emt.add_viewer(alone, "2nd / new", inputs, values)
    assert both.viewers == (*model.viewers, "You", "2nd / new")
    np.testing.assert_array_equal(
        predict(both, inputs)[:, :4], predict(alone, inputs)
    )
    again = emt.add_viewer(both, "You", inputs, values)
    assert again.viewers == (*model.viewers, "2nd / new", "You")
    answers = predict(again, inputs)
    np.testing.assert_array_equal(answers[:, 3], answers[:, 4])
    np.testing.assert_array_equal(answers[:, 3], predict(both, inputs)[:, 4])


def test_a_dataset_serves_as_input(small_corpus, small_features, build_model):
    model = build_model(("visual",), visual_features=1024)
    data = emt.make_dataset(
        small_corpus,
        small_features,
        ("A", "C"),
        tokenizer=None,
        modalities=("visual",),
    )
    rows = small_corpus.rows(("A", "C"))
    values = small_corpus.values[rows, 0]
    one = emt.add_viewer(model, "You", data, values)
    two = emt.add_viewer(model, "You", {"visual": small_features[rows]}, values)
    for ours, theirs in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_keras_saves_loads_and_clones_it(model, inputs, values, tmp_path):
    extended = emt.add_viewer(model, "You", inputs, values)
    expected = predict(extended, inputs)
    extended.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.added == {"You": [10, 10]}
    np.testing.assert_array_equal(predict(loaded, inputs), expected)
    clone = keras.models.clone_model(extended)
    clone.set_weights(extended.get_weights())
    np.testing.assert_array_equal(predict(clone, inputs), expected)


def test_frozen_layers_and_half_precision(build_model, inputs, values):
    model = build_model(("text", "visual"), dtype="mixed_bfloat16")
    model.get_layer("trunk_dense_0").trainable = False
    extended = emt.add_viewer(model, "You", inputs, values)
    assert not extended.get_layer("trunk_dense_0").trainable
    assert extended.dtype_policy.name == "mixed_bfloat16"
    np.testing.assert_array_equal(
        predict(extended, inputs)[:, :3], predict(model, inputs)
    )
    extended.get_layer("head_You_output").trainable = False
    again = emt.add_viewer(extended, "You", inputs, values)
    np.testing.assert_array_equal(
        predict(again, inputs), predict(extended, inputs)
    )


def test_labels_of_a_new_viewer_train_nothing_else(model, inputs, values):
    extended = emt.add_viewer(model, "You", inputs, values)
    before = extended.get_weights()
    labels = np.full((60, 4), np.nan, "float32")
    labels[:, 3] = np.arange(60) % 2
    extended.compile(run_eagerly=True)
    extended.fit(inputs, labels, verbose=0)
    own = extended.head_weights("You")
    for variable, start in zip(extended.weights, before, strict=True):
        moved = not np.array_equal(variable, start)
        assert moved == any(variable is weight for weight in own)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "`name` must be a name. Received: ''"),
        ("  ", "`name` must be a name"),
        (None, "`name` must be a name. Received: None"),
        ("V1", "`name` must not be that of a viewer .* for, .*Received: 'V1'"),
    ],
)
def test_names(model, inputs, values, name, message):
    with pytest.raises(ValueError, match=message):
        emt.add_viewer(model, name, inputs, values)


def test_models_that_cannot_have_one(inputs, values, model):
    with pytest.raises(TypeError, match=r"EvokedEmotionModel.*Baseline"):
        emt.add_viewer(BaselineTextModel(("V",), 8, 9), "You", inputs, values)
    with pytest.raises(TypeError, match="Received: str"):
        emt.add_viewer("bundle", "You", inputs, values)
    fit = emt.fit_viewer(("V1",), [[0.5]], [1.0])
    with pytest.raises(ValueError, match="`fit` must have a weight per known"):
        with_viewer(model, "You", fit)


# The bundle


def test_a_bundle_with_a_new_viewer(saved, inputs, values, tmp_path):
    modalities = ("text", "visual")
    bundle = load_bundle(saved(modalities, untrained_viewers=["V1"]))
    extended = emt.add_viewer(bundle, "You", inputs, values)
    assert extended.folder is None
    folder = extended.save(tmp_path / "more")
    loaded = load_bundle(folder)
    assert loaded.viewers == ("V1", "anna b.", "Vavg", "You")
    assert loaded.weights_digest == bundle.weights_digest
    answers = predict(loaded.model, inputs)
    np.testing.assert_array_equal(answers, predict(extended.model, inputs))
    before = predict(bundle.model, inputs)
    np.testing.assert_array_equal(answers[:, :3], before)
    # Nobody knows what V1 feels.
    mixture = loaded.model.get_layer("head_You_output")
    assert mixture.get_weights()[0][0] == 0
    before[:, 0] = np.nan
    fit = emt.fit_viewer(bundle.viewers, before, values)
    same = with_viewer(bundle, "You", fit)
    np.testing.assert_array_equal(predict(same.model, inputs), answers)


@pytest.mark.parametrize(
    "added",
    [
        *({}, 3, [], {"V1": [1, 2]}, {"You": [1]}, {"You": [0, 0]}),
        *({"You": [1.0, 2]}, {"You": "12"}, {"You": {"class_name": "Evil"}}),
        {"You": [1, 2], "V1": [1, 2]},
    ],
)
def test_forged_counts_are_refused(
    saved, forge, texts, values, tmp_path, added
):
    bundle = load_bundle(saved(("text",)))
    folder = emt.add_viewer(bundle, "You", texts, values).save(tmp_path / "x")
    forge(folder, lambda x: x["model"]["config"].update(added=added))
    with pytest.raises(BundleError, match=r"bundle\.json: expected the "):
        load_bundle(folder)


def test_the_card_says_what_a_new_viewer_rests_on(
    saved, texts, values, tmp_path
):
    bundle = load_bundle(saved(("text",)))
    extended = emt.add_viewer(bundle, "You", texts, values)
    one_sided = emt.add_viewer(extended, "A|b", texts, np.abs(values))
    card = (one_sided.save(tmp_path / "x") / "README.md").read_text("utf-8")
    assert "- You rests on 20 ratings, 10 positive and 10 negative." in card
    assert "- A\\|b rests on 20 ratings, 20 positive and 0 negative. " in card
    assert "All 20 ratings are positive" in card
    assert (
        "With 20 ratings of training films, answers for others gained" in card
    )
    assert card.count("answers for others gained") == 1
    assert "Multi-task model" in card
    plain = (saved(("text",), "plain") / "README.md").read_text("utf-8")
    assert "Viewers who were added" not in plain


def test_gains_on_the_card_are_those_of_the_benchmark():
    path = Path(__file__).resolve().parents[2] / "docs/new_viewer.csv"
    numbers = pd.read_csv(path)
    ours = numbers[
        (numbers["method"] == "fit_viewer")
        & (numbers["measure"] == "balanced accuracy")
    ]
    assert set(ours["count"]) == set(GAINS)
    for count, own in ours.groupby("count"):
        expected = (own["gain"].min(), own["gain"].max())
        np.testing.assert_allclose(GAINS[count], expected, atol=0.051)
