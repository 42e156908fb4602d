"""The Lasso penalty of Sect. III-A, with a strength that can be changed."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("emotion_mt")
class AdjustableL1(keras.regularizers.Regularizer):
    """strength × sum of absolute values.

    As `keras.regularizers.L1`, but the strength is a variable: a model that
    was traced and compiled once can be trained with several strengths.

    Args:
        l1: Strength, not negative. Defaults to 0.0.
    """

    def __init__(self, l1: float = 0.0) -> None:
        self._strength = keras.Variable(0.0, trainable=False, name="l1")
        self.l1 = l1

    @property
    def l1(self) -> float:
        """The strength, as it was given."""
        return self._l1

    @l1.setter
    def l1(self, value: float) -> None:
        value = float(value)
        if not 0.0 <= value < float("inf"):
            raise ValueError(
                f"`l1` must be finite and not negative. Received: {value}"
            )
        # The variable holds the nearest float32; the config must not.
        self._l1 = value
        self._strength.assign(value)

    def __call__(self, x: Any) -> Any:
        """Returns the penalty of a weight."""
        strength = ops.cast(self._strength, x.dtype)
        return strength * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"l1": self.l1}
