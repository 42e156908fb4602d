"""The default optimizer, which keeps the update rule of Fig. 1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("emotion_mt")
class LazyAdam(keras.optimizers.Adam):
    """Adam that leaves a weight alone whose gradient is zero everywhere.

    Then neither the weight nor its moments change by a bit, while Adam would
    move the weight by its moments. So a head keeps the rule "only updated when
    the batch contains annotations of that specific viewer" (Sect. III, Fig. 1).

    A gradient that comes as rows, as that of word vectors, is made dense
    first: a word that recurs in a batch counts with the sum of its gradients,
    where Keras would add up their squares for the second moment.

    The arguments are Adam's; `weight_decay` and `ema_overwrite_frequency` move
    weights without a gradient too.
    """

    moves: Any = None

    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        """Takes Adam's step, if there is any gradient."""
        gradient = ops.reshape(gradient, variable.shape)
        # Faster than looking for any number that is not 0.
        ends = ops.stack([ops.min(gradient), ops.max(gradient)])
        self.moves = ops.any(ops.not_equal(ends, 0))
        super().update_step(gradient, variable, learning_rate)
        self.moves = None

    def assign(self, variable: Any, value: Any) -> None:
        """Assigns, within `update_step` only if the weight moves."""
        if self.moves is not None:
            value = ops.where(self.moves, value, variable)
        super().assign(variable, value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """Adds, within `update_step` only if the weight moves."""
        super().assign_add(variable, self._if_it_moves(value))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtracts, within `update_step` only if the weight moves."""
        super().assign_sub(variable, self._if_it_moves(value))

    def _if_it_moves(self, value: Any) -> Any:
        if self.moves is None:
            return value
        # A product: XLA makes of `where` a step that is a fifth slower.
        return value * ops.cast(self.moves, value.dtype)
