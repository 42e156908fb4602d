"""Which epoch and which L1 strength are kept, and what `on_epoch` sees."""

import math

import numpy as np
import pytest

from emotion_mt import paper, training

NAN = np.nan
TWO = (1e-4, 1e-2)


def best_place(values, monitor):
    """0-based, the first of equals."""
    sign = 1 if training.MONITORS[monitor] == "min" else -1
    return int(np.argmin(sign * np.array(values)))


def test_the_best_epoch_and_strength_are_kept(fit, check_scores):
    kept = set()
    for monitor in training.MONITORS:
        result = fit(config={"monitor": monitor, "l1": TWO}, seed=3)
        assert result.monitor == monitor
        assert [trial.l1 for trial in result.trials] == list(TWO)
        for trial in result.trials:
            values = trial.history[monitor]
            assert trial.best_epoch == 1 + best_place(values, monitor)
            assert trial.score == values[trial.best_epoch - 1]
            assert len(values) == min(trial.best_epoch + 2, 4)
        scores = [trial.score for trial in result.trials]
        best = result.trials[best_place(scores, monitor)]
        assert (result.l1, result.best_epoch) == (best.l1, best.best_epoch)
        assert result.history == best.history
        assert result.model.l1 == result.l1
        # The weights are those of that epoch.
        check_scores(
            {k: v[result.best_epoch - 1] for k, v in result.history.items()},
            result,
            ("C",),
            prefix="val_",
        )
        kept.add((result.l1, result.best_epoch))
    # The checks could otherwise not tell one monitor from another.
    assert len(kept) > 1


@pytest.mark.parametrize("monitor", training.MONITORS)
def test_the_first_of_equals_is_kept(fit, monitor):
    """All are equal where the weights as good as stand still."""
    config = {"monitor": monitor, "l1": TWO, "learning_rate": 1e-20}
    result = fit(config=config)
    first, second = result.trials
    assert first.score == second.score
    assert (result.l1, result.best_epoch) == (TWO[0], 1)


def test_the_penalty_is_in_the_loss_and_not_in_bce(fit):
    weak, strong = (
        trial.history["loss"][0] - trial.history["bce"][0]
        for trial in fit(config={"l1": TWO}).trials
    )
    # The first epochs are alike; the penalty is 100 times as strong.
    assert strong > 20 * weak > 0
    assert len(fit(config={"l1": (1e-4, 1e-4)}).trials) == 1


def test_progress_is_told_after_each_epoch(fit, same_bits):
    seen = []
    result = fit(
        config={"l1": TWO}, on_epoch=lambda p: seen.append((p, p.predict()))
    )
    assert [(p.l1, p.epoch, p.logs) for p, _ in seen] == [
        (trial.l1, i + 1, {k: v[i] for k, v in trial.history.items()})
        for trial in result.trials
        for i in range(len(trial.history["loss"]))
    ]
    best = (result.l1, result.best_epoch)
    (kept,) = (x for p, x in seen if (p.l1, p.epoch) == best)
    np.testing.assert_array_equal(kept, result.probabilities)

    def interrupt(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(config={"l1": TWO}, on_epoch=interrupt)
    # Neither looking on nor ending a fit changes another.
    same_bits(result, fit(config={"l1": TWO}))


def kept_and_last(values, patience, min_epochs):
    """1-based epochs that Keras's EarlyStopping keeps and ends with."""
    kept = min_epochs
    for epoch in range(min_epochs, len(values) + 1):
        if values[epoch - 1] > values[kept - 1]:
            kept = epoch
        elif epoch - kept == patience:
            break
    return kept, epoch


def test_patience_and_min_epochs(fit):
    def run(patience, min_epochs):
        config = {"monitor": "val_auc", "max_epochs": 8}
        config |= {"patience": patience, "min_epochs": min_epochs}
        return fit(config=config, seed=1)

    whole = run(8, 1).history
    seen = set()
    for patience, min_epochs in ((1, 1), (1, 3), (2, 3)):
        result = run(patience, min_epochs)
        kept, last = kept_and_last(whole["val_auc"], patience, min_epochs)
        assert result.best_epoch == kept
        for name, values in result.history.items():
            assert values == whole[name][:last]
        seen.add((kept, last))
    assert len(seen) == 3


def test_bce_decides_where_no_viewer_has_both_classes(fit, corpus_of):
    corpus = corpus_of("C", 0.5)
    plain = fit(corpus=corpus)
    assert plain.notes == ()
    for monitor in ("val_auc", "val_balanced_accuracy"):
        result = fit(corpus=corpus, config={"monitor": monitor})
        assert result.monitor == "val_bce"
        assert result.notes == (
            "No viewer has both classes in the validation movies (C): "
            f"val_bce decided instead of {monitor}.",
        )
        assert result.best_epoch == plain.best_epoch
        np.testing.assert_array_equal(result.probabilities, plain.probabilities)
        assert np.isnan(result.history[monitor]).all()


@pytest.mark.parametrize(
    ("movies", "strengths"),
    [("C", (1e-2, 1e-6, 1e-4)), ("none named", (1e-4, 1e-6))],
)
def test_nothing_decides_without_labels(fit, corpus_of, movies, strengths):
    predicted = []
    validation = ("C",) if movies == "C" else ()
    result = fit(
        corpus=corpus_of("C", NAN),
        split=paper.Split("small", ("A", "B"), validation, ("D",)),
        config={"l1": strengths},
        on_epoch=lambda progress: predicted.append(progress.predict()),
    )
    assert result.monitor is None
    (trial,) = result.trials
    assert result.l1 == 1e-4
    assert math.isnan(trial.score)
    assert result.best_epoch == len(trial.history["loss"]) == 3
    assert not any(name.startswith("val_") for name in trial.history)
    np.testing.assert_array_equal(predicted[-1], result.probabilities)
    assert np.any(predicted[-2] != result.probabilities)
    assert result.notes == (
        f"No label in the validation movies ({movies}): 3 epochs, L1 "
        "strength 0.0001.",
    )
