"""Scores of one viewer on one test set, with missing ratings masked."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from emotion_mt.corpus import is_rated

#: A probability above this is answered "positive".
DECISION_THRESHOLD = 0.5

#: Fields of `Score` that say how good the answers are.
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "matthews")

#: Measures that a table leads with. Accuracy is what the paper prints; alone
#: it misleads where one class is more frequent.
LEAD = MEASURES[:2]


@dataclasses.dataclass(frozen=True)
class Score:
    """How well one viewer was predicted.

    Attributes:
        observed: Number of segments that the viewer rated.
        positive: How many of them are positive.
        accuracy: Share of right answers in [0, 1]; None if nothing was rated.
        balanced_accuracy: Mean of the recalls of both classes in [0, 1]; None
            where the viewer's ratings hold one class only, because the other
            class then has no recall.
        macro_f1: Mean of the F1 scores of both classes in [0, 1]; None as
            above.
        matthews: Matthews correlation in [-1, 1], 0 for constant answers;
            None as above.
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
