"""Rows that need no training: constant, random and ideal answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_mt.corpus import is_rated
from emotion_mt.evaluation.scores import DECISION_THRESHOLD, MEASURES, score

#: Classifiers that answer at random, always "positive", always "negative",
#: and always with the test film's more frequent class.
REFERENCES = ("Random", "Positive", "Negative", "Majority")

#: Best accuracy that is possible on a simulated corpus.
CEILING = "Ceiling"

#: Random answers are drawn this often per test set and averaged.
_RANDOM_DRAWS = 100


def _answers(name: str, stream: str, truth: np.ndarray) -> np.ndarray:
    """Probabilities that a reference classifier gives, [draws, segments]."""
    if name == "Random":
        # A stream per fold and viewer: another viewer changes no other number.
        seed = hashlib.sha256(stream.encode()).digest()[:8]
        draws = np.random.default_rng(int.from_bytes(seed, "big"))
        return draws.random((_RANDOM_DRAWS, truth.size))
    majority = float(np.nanmean(truth) > DECISION_THRESHOLD)
    constant = {"Positive": 1.0, "Negative": 0.0, "Majority": majority}[name]
    return np.full((1, truth.size), constant)


def reference_scores(
    answers: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """Scores the reference rows on every test set, and adds known ceilings.

    Args:
        answers: What `records.as_frame` gives, with the table's columns.
        names: Rows to score, among `REFERENCES`.

    Returns:
        DataFrame with row, fold, column and `MEASURES`; test sets without a
        rating are left out. Only the accuracy has a ceiling.
    """
    keys = ["fold", "viewer", "column"]
    tests = answers.drop_duplicates([*keys, "segment_id"])
    rows: list[dict[str, object]] = []
    for (fold, viewer, column), test in tests.groupby(keys, sort=False):
        truth = test["label"].to_numpy()
        cell = {"fold": fold, "column": column}
        for name in names if is_rated(truth).any() else ():
            draws = _answers(name, f"{fold}/{viewer}", truth)
            scores = pd.DataFrame([vars(score(truth, one)) for one in draws])
            mean = scores[list(MEASURES)].astype(float).mean()
            rows.append({"row": name, **cell, **mean})
        accuracy = test["ceiling"].iloc[0]
        rows.append({"row": CEILING, **cell, "accuracy": accuracy})
    found = pd.DataFrame(rows, columns=["row", "fold", "column", *MEASURES])
    return found.dropna(subset="accuracy")
