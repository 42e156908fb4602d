"""Rows that need no training: constant, random and ideal answers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_mt.evaluation.scores import MEASURES, score

#: Classifiers that answer at random, always "positive", always "negative",
#: and always with the test film's more frequent class.
REFERENCES = ("Random", "Positive", "Negative", "Majority")

#: Best accuracy that is possible on a simulated corpus.
CEILING = "Ceiling"

#: Random answers are drawn this often per test set and averaged.
_RANDOM_DRAWS = 100


def _answers(
    name: str, fold: str, viewer: str, truth: np.ndarray
) -> np.ndarray:
    """Probabilities that a reference classifier gives, [draws, segments]."""
    if name == "Random":
        # A stream per fold and viewer: another viewer changes no other number.
        seed = hashlib.sha256(f"{fold}/{viewer}".encode()).digest()[:8]
        draws = np.random.default_rng(int.from_bytes(seed, "big"))
        return draws.random((_RANDOM_DRAWS, truth.size))
    constant = {
        "Positive": 1.0,
        "Negative": 0.0,
        "Majority": float(np.nanmean(truth) > 0.5),
    }
    return np.full((1, truth.size), constant[name])


def reference_scores(
    answers: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """Scores the reference rows on every test set, and adds known ceilings.

    Args:
        answers: What `records.as_frame` gives.
        names: Rows to score, among `REFERENCES`.

    Returns:
        DataFrame with row, fold, viewer and `MEASURES`; test sets without a
        rating are left out. Only the accuracy has a ceiling.
    """
    tests = answers.drop_duplicates(["fold", "viewer", "segment_id"])
    rows: list[dict[str, object]] = []
    for (fold, viewer), test in tests.groupby(["fold", "viewer"], sort=False):
        truth = test["label"].to_numpy()
        cell = {"fold": fold, "viewer": viewer}
        rows += [
            {
                "row": name,
                **cell,
                **pd.DataFrame(
                    dataclasses.asdict(score(truth, answer))
                    for answer in _answers(name, str(fold), str(viewer), truth)
                )[list(MEASURES)].mean(),
            }
            for name in names
            if not np.isnan(truth).all()
        ]
        ceiling = test["ceiling"].iloc[0]
        if not np.isnan(ceiling):
            rows.append({"row": CEILING, **cell, "accuracy": ceiling})
    return pd.DataFrame(rows, columns=["row", "fold", "viewer", *MEASURES])
