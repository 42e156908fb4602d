"""Adam's step in one pass over the weights, under the update rule.

Written with Keras's own operations, a step of Adam reads and writes each
weight and each of its two moments several times, and what must not move is
put back by a further pass (`update_rule.Snapshot`). With millions of weights
and batches of 32 segments, memory is what such a step waits for. TensorFlow's
own kernel does all in one pass, and is skipped where nothing may move.

Word vectors are moved in two parts. Their gradient comes as rows, and of a row
that comes several times Keras adds up the squares for the second moment, where
the kernel would square their sum. (Our models look each word of a batch up
once; see `distinct`.) So the kernel moves all rows as if there were no
gradient, and the few rows of the batch are replaced by what Keras would make
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

#: Options of Keras's optimizers that the kernel does not have, and what they
#: are when they are not used.
_NOT_USED = {
    "amsgrad": False,
    "use_ema": False,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def can_step(optimizer: Any) -> bool:
    """Returns whether an optimizer is Adam without further options.

    Args:
        optimizer: Any Keras optimizer, or None.
    """
    return type(optimizer) is keras.optimizers.Adam and all(
        getattr(optimizer, name, value) == value
        for name, value in _NOT_USED.items()
    )


def step(
    optimizer: keras.optimizers.Adam,
    gradients: Sequence[Any],
    head_weights: Sequence[Sequence[keras.Variable]],
    counts: Any,
) -> None:
    """Moves the weights as `optimizer.apply_gradients` would.

    To rounding, and only what may move: a head without labels stays as it is,
    and so do its moments; without any label all stays, the optimizer's count
    of steps included.

    Args:
        optimizer: Built, and such that `can_step`.
        gradients: One for each of the weights that the optimizer was built
            with; tensors or `tf.IndexedSlices`.
        head_weights: Per viewer the trainable variables of its head.
        counts: float [V], labels per viewer in the batch.
    """
    groups = _groups(optimizer, gradients, head_weights)
    rates = _rates(optimizer)

    def move(group: Sequence[tuple[Any, ...]], gate: Any) -> None:
        def apply() -> Any:
            for *variables, gradient in group:
                if isinstance(gradient, tf.IndexedSlices):
                    _apply_to_rows(variables, gradient, rates)
                else:
                    _apply(variables, gradient, rates)
            return tf.no_op()

        tf.cond(gate, apply, tf.no_op)

    anything = tf.reduce_any(counts > 0)
    move(groups[None], anything)
    for viewer in range(len(head_weights)):
        move(groups[viewer], counts[viewer] > 0)
    steps = tf.cast(anything, optimizer.iterations.dtype)
    optimizer.iterations.assign_add(steps)


def _groups(
    optimizer: keras.optimizers.Adam,
    gradients: Sequence[Any],
    head_weights: Sequence[Sequence[keras.Variable]],
) -> dict[int | None, list[tuple[Any, ...]]]:
    """Weight, moments and gradient of what moves together, by viewer."""
    owner = {
        id(weight): viewer
        for viewer, weights in enumerate(head_weights)
        for weight in weights
    }
    viewers = range(len(head_weights))
    groups: dict[int | None, list[tuple[Any, ...]]]
    groups = {key: [] for key in (None, *viewers)}
    for weight, *entry in zip(
        optimizer._trainable_variables,
        optimizer._momentums,
        optimizer._velocities,
        gradients,
        strict=True,
    ):
        groups[owner.get(id(weight))].append((weight, *entry))
    return groups


def _rates(optimizer: keras.optimizers.Adam) -> dict[str, Any]:
    time = tf.cast(optimizer.iterations.value + 1, tf.float32)
    return {
        "beta1_power": tf.pow(tf.constant(optimizer.beta_1, tf.float32), time),
        "beta2_power": tf.pow(tf.constant(optimizer.beta_2, tf.float32), time),
        "lr": tf.cast(optimizer.learning_rate, tf.float32),
        "beta1": optimizer.beta_1,
        "beta2": optimizer.beta_2,
        "epsilon": optimizer.epsilon,
    }


def _apply(
    variables: Sequence[keras.Variable], gradient: Any, rates: dict[str, Any]
) -> None:
    """Moves a weight; `variables` are itself and its moments."""
    weight, momentum, velocity = (v.value.handle for v in variables)
    tf.raw_ops.ResourceApplyAdam(
        var=weight, m=momentum, v=velocity, grad=gradient, **rates
    )


def _apply_to_rows(
    variables: Sequence[keras.Variable],
    gradient: tf.IndexedSlices,
    rates: dict[str, Any],
) -> None:
    """Like `_apply` for a gradient of some rows, [n, dim]."""
    rows, places = tf.unique(gradient.indices)

    def add_up(values: Any) -> Any:
        return tf.math.unsorted_segment_sum(values, places, tf.size(rows))

    total, squares = add_up(gradient.values), add_up(gradient.values**2)
    weight, momentum, velocity = (tf.gather(v.value, rows) for v in variables)
    momentum += (total - momentum) * (1 - rates["beta1"])
    velocity += (squares - velocity) * (1 - rates["beta2"])
    alpha = rates["lr"] * tf.sqrt(1 - rates["beta2_power"])
    alpha /= 1 - rates["beta1_power"]
    weight -= momentum * alpha / (tf.sqrt(velocity) + rates["epsilon"])
    _apply(variables, tf.zeros(variables[0].shape), rates)
    for variable, values in zip(
        variables, (weight, momentum, velocity), strict=True
    ):
        variable.value.scatter_update(tf.IndexedSlices(values, rows))
