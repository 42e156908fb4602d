"""Metrics that stream over batches of labels with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt.models import losses

#: Steps into which `ViewerAUC` sorts probabilities.
BINS = 4096


class MaskedMetric(keras.metrics.Metric):
    """A metric that streams over batches of labels with gaps.

    What has no label is NaN, not 0, and so is what comes from probabilities
    that are NaN. The arguments of a call are those of the loss,
    `MaskedBinaryCrossentropy`; the answer is "positive" where the probability
    is above 0.5. Subclasses add up a batch in `count`.
    """

    default_name = ""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name or self.default_name, dtype=dtype)

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds a batch."""
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        weight = ops.ones_like(y_pred)
        if sample_weight is not None:
            weight = losses.per_row(sample_weight, self.dtype)
        self.count(y_true, y_pred, weight)

    def count(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Adds labels and probabilities [B, V] with weights that fit."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("emotion_mt")
class ObservedCrossentropy(MaskedMetric):
    """The data term of the loss: what `MaskedBinaryCrossentropy` averages.

    It differs from Keras's own "loss" in two ways. The L1 penalty is not in
    it, so that values of models with different penalties can be compared. And
    it divides once, at the end, by the number of all labels seen, so that
    unequal batches count as they should.

    Args:
        class_weights: [V, 2], as of the loss. Defaults to None.
        **kwargs: Name and dtype.
    """

    default_name = "bce"
    _direction = "down"  # Read by callbacks with mode="auto".

    def __init__(self, class_weights: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if class_weights is not None:
            class_weights = losses.check_class_weights(class_weights)
        self.class_weights = class_weights
        self.total = self.add_variable((), "zeros", name="total")
        self.labels = self.add_variable((), "zeros", name="labels")

    def count(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Adds a batch."""
        values, observed = losses.weighted_crossentropy(
            y_true, y_pred, self.class_weights
        )
        self.total.assign_add(ops.sum(weight * values))
        self.labels.assign_add(ops.sum(observed))

    def result(self) -> Any:
        """Returns the mean over the labels so far, in nats."""
        return _ratio(self.total, self.labels)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        weights = self.class_weights
        return {
            **super().get_config(),
            "class_weights": None if weights is None else weights.tolist(),
        }


class ViewerMetric(MaskedMetric):
    """A metric that counts by viewer and class.

    Args:
        viewers: Names of the columns.
        **kwargs: Name and dtype.
    """

    def __init__(self, viewers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.viewers = tuple(viewers)
        shape = (len(self.viewers), 2)
        self.right = self.add_variable(shape, "zeros", name="right")
        self.labels = self.add_variable(shape, "zeros", name="labels")

    def count(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Adds a batch."""
        positive, observed = losses.split_missing(
            y_true, len(self.viewers), self.dtype
        )
        classes = ops.stack([1.0 - positive, positive], axis=-1)  # [B, V, 2]
        counted = ops.expand_dims(observed * weight, -1) * classes
        answer = ops.cast(ops.greater(y_pred, 0.5), self.dtype) + 0.0 * y_pred
        right = ops.stack([1.0 - answer, answer], axis=-1)
        self.right.assign_add(ops.sum(counted * right, axis=0))
        self.labels.assign_add(ops.sum(counted, axis=0))

    def accuracies(self) -> Any:
        """Returns the share of right answers per viewer, [V]."""
        return _ratio(ops.sum(self.right, axis=1), ops.sum(self.labels, axis=1))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "viewers": list(self.viewers)}


@keras.saving.register_keras_serializable("emotion_mt")
class ViewerAccuracy(ViewerMetric):
    """Share of right answers per viewer: a dict of "<viewer>_accuracy".

    Keras shows the entries of a dict one by one, but cannot be told that they
    shall rise: callbacks on them need `mode="max"`.

    Example:
        >>> metric = ViewerAccuracy(("V1", "V2"))
        >>> metric.update_state([[1.0, 0.0], [np.nan, 1.0]], [[0.9, 0.2]] * 2)
        >>> {k: float(v) for k, v in metric.result().items()}
        {'V1_accuracy': 1.0, 'V2_accuracy': 0.5}
    """

    default_name = "viewer_accuracy"

    def result(self) -> dict[str, Any]:
        """Returns the accuracies so far, by name."""
        accuracies = self.accuracies()
        return {
            f"{viewer}_accuracy": accuracies[i]
            for i, viewer in enumerate(self.viewers)
        }


@keras.saving.register_keras_serializable("emotion_mt")
class MeanAccuracy(ViewerMetric):
    """Accuracy per viewer, averaged over the viewers that have a label."""

    default_name = "mean_accuracy"
    _direction = "up"

    def result(self) -> Any:
        """Returns the mean of the accuracies so far."""
        return _mean_of_known(self.accuracies())


@keras.saving.register_keras_serializable("emotion_mt")
class BalancedAccuracy(ViewerMetric):
    """Balanced accuracy, averaged over the viewers that have both classes.

    A viewer's balanced accuracy is the mean of the shares of its positive and
    of its negative labels that are answered rightly; 0.5 for any constant
    answer.
    """

    default_name = "balanced_accuracy"
    _direction = "up"

    def result(self) -> Any:
        """Returns the mean of the balanced accuracies so far."""
        shares = _ratio(self.right, self.labels)  # [V, 2], NaN without labels
        return _mean_of_known(ops.mean(shares, axis=1))


@keras.saving.register_keras_serializable("emotion_mt")
class ViewerAUC(ViewerMetric):
    """Area under the ROC curve, averaged over viewers that have both classes.

    The probability that a positive segment is ranked above a negative one of
    the same viewer, ties counting half. Probabilities within the same of
    `BINS` equal steps of [0, 1] are ties.
    """

    default_name = "auc"
    _direction = "up"

    def __init__(self, viewers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(viewers, **kwargs)
        shape = (len(self.viewers), 2, BINS)
        self.counts = self.add_variable(shape, "zeros", name="counts")

    def count(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Adds a batch."""
        viewers = len(self.viewers)
        positive, observed = losses.split_missing(y_true, viewers, self.dtype)
        known = ops.logical_not(ops.isnan(y_pred))
        bins = ops.where(known, ops.floor(y_pred * BINS), 0.0)
        rows = 2 * ops.arange(viewers) + ops.cast(positive > 0.5, "int32")
        places = rows * BINS + ops.cast(ops.minimum(bins, BINS - 1), "int32")
        added = ops.segment_sum(
            ops.reshape(observed * weight + 0.0 * y_pred, (-1,)),
            ops.reshape(places, (-1,)),
            num_segments=viewers * 2 * BINS,
        )
        self.counts.assign_add(ops.reshape(added, self.counts.shape))

    def result(self) -> Any:
        """Returns the mean of the areas so far."""
        negative, positive = self.counts[:, 0], self.counts[:, 1]  # [V, BINS]
        below = ops.cumsum(negative, axis=1) - 0.5 * negative
        pairs = ops.sum(negative, axis=1) * ops.sum(positive, axis=1)
        return _mean_of_known(_ratio(ops.sum(positive * below, axis=1), pairs))


def _ratio(total: Any, count: Any) -> Any:
    """Returns total / count, and NaN where nothing was counted."""
    total, count = ops.convert_to_tensor(total), ops.convert_to_tensor(count)
    nothing = ops.equal(count, 0.0)
    ratio = total / ops.where(nothing, ops.ones_like(count), count)
    return ops.where(nothing, ops.full_like(ratio, np.nan), ratio)


def _mean_of_known(values: Any) -> Any:
    """Returns the mean of what is not NaN; NaN if all of it is."""
    known = ops.cast(ops.logical_not(ops.isnan(values)), values.dtype)
    filled = ops.where(ops.isnan(values), ops.zeros_like(values), values)
    return _ratio(ops.sum(filled), ops.sum(known))
