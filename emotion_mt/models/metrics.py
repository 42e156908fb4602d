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


@keras.saving.register_keras_serializable("emotion_mt")
class ObservedCrossentropy(keras.metrics.Metric):
    """The data term of the loss: what `MaskedBinaryCrossentropy` averages.

    Unlike Keras's own "loss" it leaves out the L1 penalty and divides once, by
    the number of all labels seen. NaN without a label, as all metrics here.

    Args:
        class_weights: [V, 2], as of the loss. Defaults to None.
        **kwargs: Name, by default "bce", and dtype.
    """

    _direction = "down"  # Read by callbacks with mode="auto".

    def __init__(self, class_weights: Any = None, **kwargs: Any) -> None:
        super().__init__(**{"name": "bce", **kwargs})
        self.loss = losses.MaskedBinaryCrossentropy(class_weights)
        self.total = self.add_variable((), "zeros", name="total")
        self.labels = self.add_variable((), "zeros", name="labels")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds a batch; arguments as of `MaskedBinaryCrossentropy`."""
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        weights = self.loss.class_weights
        values, observed = losses.crossentropy(y_true, y_pred, weights)
        weight = losses.per_row(sample_weight, self.dtype)
        self.total.assign_add(ops.sum(weight * values))
        self.labels.assign_add(ops.sum(observed))

    def result(self) -> Any:
        """Returns the mean over the labels so far, in nats."""
        return _ratio(self.total, self.labels)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        weights = self.loss.get_config()["class_weights"]
        return {**super().get_config(), "class_weights": weights}


class ViewerMetric(keras.metrics.Metric):
    """A metric that counts by viewer and class; a NaN makes it NaN.

    The answer is "positive" where the probability is above 0.5.

    Args:
        viewers: Names of the columns.
        **kwargs: Name and dtype.
    """

    default_name = ""

    def __init__(self, viewers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**{"name": self.default_name, **kwargs})
        self.viewers = tuple(viewers)
        shape = (len(self.viewers), 2)
        self.right = self.add_variable(shape, "zeros", name="right")
        self.labels = self.add_variable(shape, "zeros", name="labels")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds a batch; arguments as of `MaskedBinaryCrossentropy`."""
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        positive, observed = losses.split_missing(
            y_true, len(self.viewers), self.dtype
        )
        weight = losses.per_row(sample_weight, self.dtype)
        self.count(positive, y_pred, observed * weight)

    def count(self, positive: Any, y_pred: Any, weight: Any) -> None:
        """Adds labels, probabilities and weights, all [B, V]."""
        classes = ops.stack([1.0 - positive, positive], axis=-1)  # [B, V, 2]
        counted = ops.expand_dims(weight, -1) * classes
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
    """Share of right answers per viewer: a dict of `<viewer>_accuracy`.

    Keras shows its entries one by one; callbacks on them need `mode="max"`.

    Example:
        >>> metric = ViewerAccuracy(("V1", "V2"))
        >>> metric.update_state([[1.0, 0.0], [np.nan, 1.0]], [[0.9, 0.2]] * 2)
        >>> {k: float(v) for k, v in metric.result().items()}
        {'V1_accuracy': 1.0, 'V2_accuracy': 0.5}
    """

    default_name = "viewer_accuracy"

    def result(self) -> dict[str, Any]:
        """Returns the accuracies so far, by name."""
        names = [f"{viewer}_accuracy" for viewer in self.viewers]
        return dict(zip(names, ops.unstack(self.accuracies()), strict=True))


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
    """Balanced accuracy, averaged over the viewers that have both classes."""

    default_name = "balanced_accuracy"
    _direction = "up"

    def result(self) -> Any:
        """Returns the mean of the balanced accuracies so far."""
        shares = _ratio(self.right, self.labels)  # [V, 2], NaN without labels
        return _mean_of_known(ops.mean(shares, axis=1))


@keras.saving.register_keras_serializable("emotion_mt")
class ViewerAUC(ViewerMetric):
    """Area under the ROC curve, averaged over viewers that have both classes.

    Probabilities within the same of `BINS` equal steps of [0, 1] are ties,
    which count half.

    Args:
        viewers: Names of the columns.
        **kwargs: As of `ViewerMetric`.
    """

    default_name = "auc"
    _direction = "up"

    def __init__(self, viewers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(viewers, **kwargs)
        shape = (len(self.viewers), 2, BINS)
        self.counts = self.add_variable(shape, "zeros", name="counts")

    def count(self, positive: Any, y_pred: Any, weight: Any) -> None:
        """Adds labels, probabilities and weights, all [B, V]."""
        viewers = len(self.viewers)
        known = ops.logical_not(ops.isnan(y_pred))
        bins = ops.where(known, ops.floor(y_pred * BINS), 0.0)
        rows = 2 * ops.arange(viewers) + ops.cast(positive > 0.5, "int32")
        places = rows * BINS + ops.cast(ops.minimum(bins, BINS - 1), "int32")
        added = ops.segment_sum(
            ops.reshape(weight + 0.0 * y_pred, (-1,)),
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
