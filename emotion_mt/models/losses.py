"""The class-weighted log loss of Sect. III-A, for labels with gaps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt.models import masking

#: Probabilities are clipped to [EPSILON, 1 - EPSILON] before the logarithm.
EPSILON = 1e-7


def check_class_weights(class_weights: Any) -> np.ndarray:
    """Returns class weights as an array.

    Args:
        class_weights: Anything of shape [V, 2]: per viewer the weight of a
            negative and of a positive label, finite and not negative.

    Returns:
        float32 [V, 2].

    Raises:
        ValueError: If shape or values are not as described.
    """
    weights = np.asarray(class_weights, dtype="float32")
    if weights.ndim != 2 or weights.shape[1] != 2:
        raise ValueError(
            "`class_weights` needs one row per viewer with the weight of a "
            "negative and of a positive label, shape [V, 2]. Received shape: "
            f"{list(weights.shape)}"
        )
    if not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(
            "`class_weights` must be finite and not negative. Received: "
            f"{weights.tolist()}"
        )
    return weights


class ClassWeights:
    """Class weights in a variable that does not train.

    As a variable they can be assigned anew without tracing the training step
    again. They are kept in an object of their own because Keras takes the
    variables that are attributes of a metric for its state, and zeroes them
    at each epoch.

    Args:
        values: [V, 2] or None, see `check_class_weights`.
    """

    def __init__(self, values: Any) -> None:
        self._variable = None
        if values is not None:
            self._variable = keras.Variable(
                check_class_weights(values),
                trainable=False,
                name="class_weights",
            )

    @property
    def tensor(self) -> Any:
        """float32 tensor [V, 2], or None for weights of 1."""
        return None if self._variable is None else self._variable.value

    def assign(self, values: Any) -> None:
        """Replaces the weights by others of the same shape.

        Raises:
            ValueError: If there were no weights, or of another shape.
        """
        weights = check_class_weights(values)
        if self._variable is None or self._variable.shape != weights.shape:
            had = None if self._variable is None else self._variable.shape
            raise ValueError(
                "Class weights can be replaced by others of the same shape, "
                f"{had}. Received shape: {weights.shape}"
            )
        self._variable.assign(weights)

    def get_config(self) -> list[list[float]] | None:
        """Returns the weights as lists, or None."""
        if self._variable is None:
            return None
        return ops.convert_to_numpy(self._variable).tolist()


def weighted_crossentropy(
    labels: Any, probabilities: Any, class_weights: Any = None
) -> tuple[Any, Any]:
    """Returns the unreduced loss, which loss and metric share.

    Args:
        labels: float [B, V], NaN where missing.
        probabilities: float [B, V] in [0, 1], of "positive".
        class_weights: [V, 2], weight of a negative and of a positive label;
            None for weights of 1.

    Returns:
        values: [B, V], weight × binary cross-entropy in nats; 0.0 where the
            label is missing.
        observed: [B, V], 1.0 where there is a label, else 0.0.
    """
    labels, observed = masking.split_missing(labels)
    probabilities = ops.clip(probabilities, EPSILON, 1.0 - EPSILON)
    negative = -(1.0 - labels) * ops.log(1.0 - probabilities)
    positive = -labels * ops.log(probabilities)
    if class_weights is not None:
        negative = class_weights[:, 0] * negative
        positive = class_weights[:, 1] * positive
    return observed * (negative + positive), observed


@keras.saving.register_keras_serializable("emotion_mt")
class MaskedBinaryCrossentropy(keras.losses.Loss):
    """Class-weighted binary cross-entropy over the labels that exist.

    The loss of a batch is

        sum over observed labels of weight × cross-entropy
        ---------------------------------------------------
                  number of observed labels

    The divisor counts labels: neither class weights nor sample weights enter
    it. A batch without any label gives 0 and a gradient of 0. With
    `tf.distribute`, each replica divides by its own number of labels and
    the replicas are averaged, as Keras does for all its losses.

    Args:
        class_weights: [V, 2], weight of a negative and of a positive label
            of each viewer; finite, not negative. Defaults to None, weights
            of 1.
        name: Name of the loss. Defaults to
            "masked_binary_crossentropy".

    Call arguments:
        y_true: float [B, V]; 1.0 positive, 0.0 negative, NaN missing.
        y_pred: float [B, V], probabilities in [0, 1].
        sample_weight: float [B], multiplies the rows. Optional.

    Example:
        >>> loss = MaskedBinaryCrossentropy(class_weights=[[1, 1], [1, 3]])
        >>> labels = np.array([[1.0, np.nan], [0.0, 1.0]])
        >>> value = loss(labels, np.array([[0.5, 0.1], [0.5, 0.5]]))
        >>> round(float(value), 4)  # (1 + 1 + 3) × ln 2 / 3 labels
        1.1552

    Reference: Sect. III-A ("weighted log-loss").
    """

    def __init__(
        self,
        class_weights: Any = None,
        name: str = "masked_binary_crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_weights = ClassWeights(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns [B] values whose mean is the loss of the batch."""
        values, observed = weighted_crossentropy(
            y_true, y_pred, self.class_weights.tensor
        )
        # Keras divides the sum of what is returned here, [B], by B.
        rows = ops.cast(ops.shape(values)[0], values.dtype)
        count = ops.maximum(ops.sum(observed), 1.0)
        return ops.sum(values, axis=1) * (rows / count)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        # The way the batch is reduced is not an option of this loss.
        return {
            "name": self.name,
            "class_weights": self.class_weights.get_config(),
        }
