"""What a fit depends on: its arguments, and of these only what it may."""

import keras
import numpy as np
import pytest

VIEWERS = ("V1", "V2")
NEW_TEXT = "never heard of this word before"


@pytest.mark.parametrize(
    "kind", ["ST", "MT", "Baseline-Text", "Baseline-Visual"]
)
def test_nothing_of_the_test_movie_reaches_the_model(
    fit, fit_baseline, features, histograms, corpus_of, same_bits, kind
):
    def run(**changes):
        if kind in ("ST", "MT"):
            return fit(VIEWERS[: 1 if kind == "ST" else 2], **changes)
        if kind == "Baseline-Text":
            changes.pop("features", None)
        return fit_baseline(kind.split("-")[1].lower(), **changes)

    plain = run()
    # Labels do not even reach the predictions.
    same_bits(run(corpus=corpus_of("D", 0.9)), plain)
    visual = histograms if kind == "Baseline-Visual" else features
    visual = visual.copy()
    visual[30:] = 17.0 if visual.ndim == 2 else 0.5
    changed = run(corpus=corpus_of("D", 0.9, NEW_TEXT), features=visual)
    same_bits(changed, plain, predictions=False)
    assert np.all(np.any(changed.probabilities != plain.probabilities, axis=1))
    # This could not fail otherwise.
    trained = run(corpus=corpus_of("A", 0.9))
    assert np.any(trained.class_weights != plain.class_weights)
    assert np.any(trained.weights[-1] != plain.weights[-1])


def test_the_validation_movie_only_decides(fit, features, corpus_of):
    # All epochs are run, and the last is kept.
    config = {"min_epochs": 4}
    plain = fit(config=config)
    features[20:30] = 17.0
    changed = fit(corpus=corpus_of("C", 0.9, NEW_TEXT), config=config)
    assert changed.vocabulary == plain.vocabulary
    for name in ("class_weights", "probabilities", "weights"):
        np.testing.assert_equal(getattr(changed, name), getattr(plain, name))
    assert changed.history["loss"] == plain.history["loss"]
    assert changed.history["val_bce"] != plain.history["val_bce"]
    # The training movies reach everything.
    changed = fit(corpus=corpus_of("A", 0.9, NEW_TEXT), config=config)
    assert changed.vocabulary != plain.vocabulary
    features[0] += 1
    again = fit(corpus=corpus_of("A", 0.9, NEW_TEXT), config=config)
    assert np.any(again.weights[-1] != changed.weights[-1])


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
