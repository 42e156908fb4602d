"""Scores of one viewer on one test set, and of answers without a model."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from emotion_mt.corpus import is_rated

#: A probability above this is answered "positive".
DECISION_THRESHOLD = 0.5

#: Fields of `Score` that say how good the answers are.
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "matthews")

#: Measures that a table leads with. Accuracy is what the paper prints; alone
#: it misleads where one class is more frequent.
LEAD = MEASURES[:2]

#: Classifiers that answer at random, always "positive", always "negative",
#: and always with the test film's more frequent class.
REFERENCES = ("Random", "Positive", "Negative", "Majority")

#: Best accuracy that is possible on a simulated corpus.
CEILING = "Ceiling"

#: Random answers are drawn this often per test set and averaged.
_RANDOM_DRAWS = 100


@dataclasses.dataclass(frozen=True)
class Score:
    """How well one viewer was predicted.

    Attributes:
        observed: Number of segments that the viewer rated.
        positive: How many of them are positive.
        accuracy: Share of right answers in [0, 1]; None if nothing was rated.
        balanced_accuracy: Mean of the recalls of both classes in [0, 1]. Like
            what follows, None where the ratings hold one class only, because
            the other class then has no recall.
        macro_f1: Mean of the F1 scores of both classes in [0, 1].
        matthews: Matthews correlation in [-1, 1], 0 for constant answers.
    """

    observed: int
    positive: int
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    matthews: float | None = None


def score(labels: ArrayLike, probabilities: ArrayLike) -> Score:
    """Scores predictions of one viewer.

    scikit-learn gives the same numbers (see the tests) at a hundred times the
    cost, which counts for the many draws of random answers.

    Args:
        labels: float [n]; 1 positive, 0 negative, NaN where not rated.
        probabilities: float [n] in [0, 1], of "positive".

    Returns:
        The score over the rated segments.

    Raises:
        ValueError: If the lengths differ, or a probability of a rated segment
            is not finite.
    """
    labels = np.asarray(labels, dtype=np.float64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if labels.shape != probabilities.shape or labels.ndim != 1:
        raise ValueError(
            "`labels` and `probabilities` must be vectors of one length. "
            f"Received shapes: {labels.shape} and {probabilities.shape}"
        )
    observed = is_rated(labels)
    truth = labels[observed] > DECISION_THRESHOLD
    rated = probabilities[observed]
    if not np.isfinite(rated).all():
        raise ValueError(
            "`probabilities` must be finite where there is a label. "
            f"Received {int((~np.isfinite(rated)).sum())} values that are not."
        )
    answer = rated > DECISION_THRESHOLD
    size, positive = truth.size, int(truth.sum())
    tp, fp = int((truth & answer).sum()), int((~truth & answer).sum())
    fn, tn = positive - tp, size - positive - fp
    if not size:
        return Score(size, positive)
    if positive in (0, size):
        return Score(size, positive, accuracy=(tp + tn) / size)
    spread = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return Score(
        observed=size,
        positive=positive,
        accuracy=(tp + tn) / size,
        balanced_accuracy=(tp / positive + tn / (size - positive)) / 2,
        macro_f1=tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn),
        matthews=(tp * tn - fp * fn) / spread if spread else 0.0,
    )


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
    """Scores some of `REFERENCES` on every test set, and adds known ceilings.

    The test sets are those of `records.as_frame`, with the table's columns.

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
