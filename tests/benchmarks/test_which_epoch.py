"""Rules are read off fits as Keras would apply them."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def which_epoch(load):
    return load("which_epoch")


HISTORY = {
    "val_bce": [0.9, 0.7, 0.8, 0.6, 0.65],
    "val_auc": [0.5, 0.7, 0.7, 0.6, 0.9],
    "val_balanced_accuracy": [np.nan] * 5,
}


@pytest.mark.parametrize(
    ("arguments", "epoch"),
    [
        (("val_bce",), 3),
        (("val_bce", 1), 1),
        (("val_bce", None, 5), 4),
        (("val_auc",), 4),
        # A tie is no improvement.
        (("val_auc", 2), 1),
        # Nothing could decide: the loss does.
        (("val_balanced_accuracy",), 3),
        ((None,), 4),
    ],
)
def test_a_rule_keeps_the_epoch(which_epoch, arguments, epoch):
    assert which_epoch.Rule(*arguments).epoch(HISTORY)[0] == epoch


@pytest.fixture
def frame(which_epoch):
    """Viewer B counts as much as A, fold 1 as much as fold 0."""
    rows = [
        {
            "input": "simulated text",
            "corpus": "simulated",
            "architecture": architecture,
            "seed": 0,
            "fold": fold,
            "fitted": "all",
            "l1": 1e-5,
            "rule": rule,
            "viewer": viewer,
            "epoch": 1,
            "decided": 0.0,
            "balanced": 0.5 + gain * (1 + fold),
            "auc": 0.5 + gain * (1 + fold),
        }
        for architecture in ("ST", "MT")
        for fold, viewers in ((0, "AB"), (1, "A"))
        for rule, gain in (("val_bce, patience all", 0.0), ("last epoch", 0.1))
        for viewer in viewers
    ]
    return pd.DataFrame(rows)


def test_means_are_over_viewers_then_folds(which_epoch, frame):
    means = which_epoch.averaged(frame)
    last = means.loc[("last epoch", "simulated text", "MT")]
    assert last["balanced"] == pytest.approx(0.65)
    assert which_epoch.deciding(means)["last epoch"] == pytest.approx(0.65)


def test_differences_have_the_movies_as_clusters(which_epoch, frame):
    found = which_epoch.differences(frame).loc["last epoch"]
    assert found["difference"] == pytest.approx(0.15)
    # Of two clusters, 0.1 and 0.2.
    assert found["standard error"] == pytest.approx(0.05)
