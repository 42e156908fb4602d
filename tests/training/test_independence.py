"""What a fit depends on: its arguments, and of these only what it may."""

import keras
import numpy as np
import pytest

VIEWERS = ("V1", "V2")
NEW_TEXT = "never heard of this word before"


@pytest.mark.parametrize("viewers", [("V1",), VIEWERS], ids=["ST", "MT"])
def test_nothing_of_the_test_movie_reaches_the_model(
    fit, small_corpus, features, relabel, retext, same_model, same_bits, viewers
):
    plain = fit(viewers)
    corpus = small_corpus
    for viewer in VIEWERS:
        corpus = relabel(corpus, ["D"], viewer, 0.9)
    # Labels do not even reach the predictions.
    same_bits(fit(viewers, corpus=corpus), plain)
    features[30:] = 17.0
    changed = fit(viewers, corpus=retext(corpus, "D", NEW_TEXT))
    same_model(changed, plain)
    assert np.all(np.any(changed.probabilities != plain.probabilities, axis=1))


def test_the_validation_movie_only_decides(
    fit, small_corpus, features, relabel, retext
):
    # All epochs are run, and the last is kept.
    config = {"min_epochs": 4}
    plain = fit(config=config)
    corpus = relabel(small_corpus, ["C"], "V1", 0.9)
    features[20:30] = 17.0
    changed = fit(corpus=retext(corpus, "C", NEW_TEXT), config=config)
    assert changed.vocabulary == plain.vocabulary
    np.testing.assert_array_equal(changed.class_weights, plain.class_weights)
    np.testing.assert_array_equal(changed.probabilities, plain.probabilities)
    for ours, other in zip(changed.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(ours, other)
    assert changed.history["loss"] == plain.history["loss"]
    assert changed.history["val_bce"] != plain.history["val_bce"]


def test_the_training_movies_reach_everything(
    fit, small_corpus, features, relabel, retext
):
    """The checks above could not fail otherwise."""
    plain = fit()
    changed = fit(corpus=retext(small_corpus, "A", NEW_TEXT))
    assert changed.vocabulary != plain.vocabulary
    changed = fit(corpus=relabel(small_corpus, ["A"], "V1", 0.9))
    assert np.any(changed.class_weights != plain.class_weights)
    features[0] += 1
    assert np.any(fit().weights[-1] != plain.weights[-1])


def test_nothing_else_reaches_the_result(fit, small_corpus, same_bits):
    everyone = (("V1",), ("V2",), VIEWERS)
    first = {viewers: fit(viewers, seed=1) for viewers in everyone}
    first_of_v1 = first["V1",]
    keras.utils.set_random_seed(77)
    # Again with the compiled models, which the viewers share.
    assert np.any(first["V2",].probabilities != first_of_v1.probabilities)
    # Nor does a viewer who is not asked for.
    more = small_corpus.replace(
        viewers=("V0", *small_corpus.viewers),
        values=np.column_stack(
            [-small_corpus.values[:, 0], small_corpus.values]
        ),
    )
    for viewers, result in first.items():
        same_bits(fit(viewers, seed=1, corpus=more), result)

    # Fits that need compiled models of their own.
    text = {"modalities": ("text",), "max_epochs": 1}
    result = fit(features=None, config=text)
    assert result.left_out["test"] == {}
    assert result.tokenizer.vocabulary_size() == 2 + len(result.vocabulary)
    result = fit(config={"modalities": ("visual",), "max_epochs": 1})
    assert (result.vocabulary, result.tokenizer) == ((), None)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        same_bits(fit(seed=1), first_of_v1)
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_seed_decides_the_initial_weights(fit):
    still = {"learning_rate": 1e-20, "max_epochs": 1}
    one, other = (fit(seed=seed, config=still) for seed in (1, 2))
    assert np.any(one.weights[0] != other.weights[0])
    assert one.model_config["seed"] != other.model_config["seed"]
