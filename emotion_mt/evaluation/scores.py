"""Scores of one viewer on one test set, with missing ratings masked."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

#: A probability above this is answered "positive".
DECISION_THRESHOLD = 0.5


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
    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    matthews: float | None


def score(labels: np.ndarray, probabilities: np.ndarray) -> Score:
    """Scores predictions of one viewer.

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
    observed = ~np.isnan(labels)
    truth = labels[observed] > DECISION_THRESHOLD
    rated = probabilities[observed]
    if not np.isfinite(rated).all():
        raise ValueError(
            "`probabilities` must be finite where there is a label. "
            f"Received {int((~np.isfinite(rated)).sum())} values that are not."
        )
    if not truth.size:
        return Score(0, 0, None, None, None, None)
    answer = rated > DECISION_THRESHOLD
    return _from_counts(
        tp=int((truth & answer).sum()),
        fp=int((~truth & answer).sum()),
        fn=int((truth & ~answer).sum()),
        tn=int((~truth & ~answer).sum()),
    )


def _from_counts(tp: int, fp: int, fn: int, tn: int) -> Score:
    """Scores from the four counts of right and wrong answers.

    scikit-learn's functions give the same numbers (see the tests) at a
    hundred times the cost, which counts for the many draws of random answers.
    """
    size, positive = tp + fp + fn + tn, tp + fn
    both = 0 < positive < size
    spread = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    matthews = (tp * tn - fp * fn) / spread if spread else 0.0
    accuracy = (tp + tn) / size
    if not both:
        return Score(size, positive, accuracy, None, None, None)
    return Score(
        observed=size,
        positive=positive,
        accuracy=accuracy,
        balanced_accuracy=(tp / positive + tn / (size - positive)) / 2,
        macro_f1=tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn),
        matthews=matthews,
    )
