"""The loss for labels with gaps: NaN where a viewer did not rate."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

#: Probabilities are clipped to [EPSILON, 1 - EPSILON] before the logarithm.
EPSILON = 1e-7


def split_missing(labels: Any, columns: int, dtype: Any) -> tuple[Any, Any]:
    """Splits labels into filled labels and a mask.

    They are filled first: a NaN times 0 would still make the gradient NaN.

    Args:
        labels: float [B, V], or [B] for one viewer; 1.0 positive, 0.0
            negative, NaN missing.
        columns: V.
        dtype: Of what is returned.

    Returns:
        Labels [B, V] with 0.0 where one is missing, and a mask [B, V], 0.0
        there, 1.0 at labels, and NaN where one is none of 0, 1 and NaN.

    Raises:
        ValueError: If the labels do not have V columns.
    """
    labels = ops.cast(ops.convert_to_tensor(labels), dtype)
    if len(labels.shape) == 1 and columns == 1:
        labels = ops.expand_dims(labels, -1)
    if len(labels.shape) != 2 or labels.shape[1] not in (None, columns):
        raise ValueError(
            f"`y` needs one column per viewer, [B, {columns}]"
            f"{' or [B]' if columns == 1 else ''}. "
            f"Received shape: {list(labels.shape)}"
        )
    missing = ops.isnan(labels)
    filled = ops.where(missing, ops.zeros_like(labels), labels)
    observed = ops.cast(ops.logical_not(missing), labels.dtype)
    wrong = ops.not_equal(filled * (1.0 - filled), 0.0)
    return filled, ops.where(wrong, ops.full_like(observed, np.nan), observed)


def check_labels(labels: Any) -> None:
    """Refuses an array of labels that are none of 0, 1 and NaN."""
    values = np.asarray([] if labels is None else labels, "float64")
    wrong = values[~(np.isnan(values) | (values == 0) | (values == 1))]
    if wrong.size:
        raise ValueError(
            "`y` must be 1 (positive), 0 (negative) or NaN where the viewer "
            f"did not rate. Received: {np.unique(wrong)[:5].tolist()}"
        )


def crossentropy(y_true: Any, y_pred: Any, weights: Any) -> tuple[Any, Any]:
    """Returns weight × cross-entropy, [B, V] in nats, and the mask."""
    labels, observed = split_missing(y_true, y_pred.shape[-1], y_pred.dtype)
    probabilities = ops.clip(y_pred, EPSILON, 1.0 - EPSILON)
    negative = -(1.0 - labels) * ops.log(1.0 - probabilities)
    positive = -labels * ops.log(probabilities)
    if weights is not None:
        negative = weights[:, 0] * negative
        positive = weights[:, 1] * positive
    return observed * (negative + positive), observed


def per_row(sample_weight: Any, dtype: Any) -> Any:
    """Returns sample weights [B] as [B, 1], others as they are; 1 for None."""
    if sample_weight is None:
        return 1.0
    weight = ops.convert_to_tensor(sample_weight, dtype)
    return ops.expand_dims(weight, -1) if len(weight.shape) == 1 else weight


@keras.saving.register_keras_serializable("emotion_mt")
class MaskedBinaryCrossentropy(keras.losses.Loss):
    """Class-weighted binary cross-entropy over labels (Sect. III-A).

    The loss of a batch is the sum of weight × cross-entropy over its labels,
    divided by their number, which no weight enters. A batch without a label
    gives 0 and a gradient of 0. With `tf.distribute`, each replica divides by
    its own number and the replicas are averaged, as Keras does.

    Args:
        class_weights: [V, 2], weight of a negative and of a positive label
            of each viewer; finite, not negative. Defaults to None, 1.
        **kwargs: Further arguments of `keras.losses.Loss`.

    Call arguments:
        y_true: As of `split_missing`. Any other number makes the loss NaN.
        y_pred: float [B, V], probabilities in [0, 1].
        sample_weight: float [B], of the rows, or [B, V]. Optional.

    Example:
        >>> loss = MaskedBinaryCrossentropy(class_weights=[[1, 1], [1, 3]])
        >>> labels = np.array([[1.0, np.nan], [0.0, 1.0]])
        >>> value = loss(labels, np.array([[0.5, 0.1], [0.5, 0.5]]))
        >>> round(float(value), 4)  # (1 + 1 + 3) × ln 2 / 3 labels
        1.1552
    """

    def __init__(self, class_weights: Any = None, **kwargs: Any) -> None:
        super().__init__(**{"name": "masked_binary_crossentropy", **kwargs})
        self.class_weights = None
        if class_weights is not None:
            weights = np.asarray(class_weights, dtype="float32")
            good = np.isfinite(weights) & (weights >= 0)
            if weights.ndim != 2 or weights.shape[1] != 2 or not good.all():
                raise ValueError(
                    "`class_weights` must be [V, 2], the weight of a negative "
                    "and of a positive label per viewer, finite and not "
                    f"negative. Received: {weights.tolist()}"
                )
            self.class_weights = weights

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        """Returns the loss; see the call arguments of the class."""
        if sample_weight is not None:
            # Keras alone would take [B] for a weight of each viewer.
            sample_weight = per_row(sample_weight, self.dtype)
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns [B, V] values whose mean is the loss of the batch."""
        values, observed = crossentropy(y_true, y_pred, self.class_weights)
        # Keras divides the sum of what is returned here by its size.
        size = ops.cast(ops.size(values), values.dtype)
        count = ops.maximum(ops.sum(observed), 1.0)
        return values * (size / count)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        weights = self.class_weights
        weights = None if weights is None else weights.tolist()
        return {**super().get_config(), "class_weights": weights}
