"""Metrics that stream over batches of labels with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt.models import losses, masking


def _per_row(sample_weight: Any, dtype: str) -> Any:
    """Returns sample weights [B] as [B, 1]; 1.0 for None."""
    if sample_weight is None:
        return 1.0
    return ops.reshape(ops.cast(sample_weight, dtype), (-1, 1))


def _ratio(total: Any, count: Any) -> Any:
    """Returns total / count, and NaN where nothing was counted."""
    nothing = ops.equal(count, 0.0)
    ratio = total / ops.where(nothing, ops.ones_like(count), count)
    return ops.where(nothing, ops.full_like(ratio, np.nan), ratio)


@keras.saving.register_keras_serializable("emotion_mt")
class ViewerAccuracy(keras.metrics.Metric):
    """Share of right answers per viewer, over the labels that exist.

    Each viewer's accuracy is counted with its own mask; the mean is taken
    over the viewers that have a label, each with the same weight. What has
    no label so far is NaN, not 0. An answer is "positive" when the
    probability is greater than 0.5.

    Args:
        viewers: Names of the columns.
        name: Name of the metric. Defaults to "viewer_accuracy".
        dtype: Of the counts. Defaults to None, float32.

    Call arguments:
        y_true: float [B, V]; 1.0 positive, 0.0 negative, NaN missing.
        y_pred: float [B, V], probabilities in [0, 1].
        sample_weight: float [B]. Optional.

    Returns (`result`):
        Dict of scalars: "<viewer>_accuracy" for each viewer, and
        "mean_accuracy". Keras shows the entries of a dict one by one in the
        progress line, in the history and in TensorBoard.

    Example:
        >>> metric = ViewerAccuracy(("V1", "V2"))
        >>> metric.update_state([[1.0, 0.0], [np.nan, 1.0]], [[0.9, 0.2]] * 2)
        >>> {k: float(v) for k, v in metric.result().items()}
        {'V1_accuracy': 1.0, 'V2_accuracy': 0.5, 'mean_accuracy': 0.75}
    """

    def __init__(
        self,
        viewers: Sequence[str],
        name: str = "viewer_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.viewers = tuple(viewers)
        shape = (len(self.viewers),)
        self.correct = self.add_variable(shape, "zeros", name="correct")
        self.count = self.add_variable(shape, "zeros", name="count")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds a batch; see the call arguments of the class."""
        labels, observed = masking.split_missing(
            ops.convert_to_tensor(y_true, self.dtype)
        )
        answers = ops.cast(ops.greater(y_pred, 0.5), self.dtype)
        right = ops.cast(ops.equal(answers, labels), self.dtype)
        weight = observed * _per_row(sample_weight, self.dtype)
        self.correct.assign_add(ops.sum(weight * right, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))

    def result(self) -> dict[str, Any]:
        """Returns the accuracies so far, by name."""
        accuracy = _ratio(self.correct.value, self.count.value)  # [V]
        known = ops.cast(ops.greater(self.count, 0.0), self.dtype)
        filled = ops.where(
            ops.equal(known, 1.0), accuracy, ops.zeros_like(accuracy)
        )
        results = {
            f"{viewer}_accuracy": accuracy[i]
            for i, viewer in enumerate(self.viewers)
        }
        results["mean_accuracy"] = _ratio(ops.sum(filled), ops.sum(known))
        return results

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "viewers": list(self.viewers)}


@keras.saving.register_keras_serializable("emotion_mt")
class ObservedCrossentropy(keras.metrics.Metric):
    """The data term of the loss: what `MaskedBinaryCrossentropy` averages.

    It differs from Keras's own "loss" in two ways. The L1 penalty is not in
    it, so that values of models with different penalties can be compared;
    early stopping and the choice of the penalty look at "val_bce". And it
    divides once, at the end, by the number of all labels seen, so that
    unequal batches count as they should. NaN when no label was seen.

    Args:
        class_weights: [V, 2], as of the loss. Defaults to None.
        name: Name of the metric. Defaults to "bce".
        dtype: Of the sums. Defaults to None, float32.

    Call arguments:
        y_true: float [B, V]; 1.0 positive, 0.0 negative, NaN missing.
        y_pred: float [B, V], probabilities in [0, 1].
        sample_weight: float [B]. Optional.
    """

    def __init__(
        self,
        class_weights: Any = None,
        name: str = "bce",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.class_weights = losses.ClassWeights(class_weights)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds a batch; see the call arguments of the class."""
        values, observed = losses.weighted_crossentropy(
            ops.convert_to_tensor(y_true, self.dtype),
            ops.cast(y_pred, self.dtype),
            self.class_weights.tensor,
        )
        weight = _per_row(sample_weight, self.dtype)
        self.total.assign_add(ops.sum(weight * values))
        self.count.assign_add(ops.sum(observed))

    def result(self) -> Any:
        """Returns the mean over the labels so far, in nats."""
        return _ratio(self.total.value, self.count.value)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "class_weights": self.class_weights.get_config(),
        }
