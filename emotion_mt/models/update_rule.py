"""Which weights a training step may move (Sect. III, Fig. 1).

"The weights of the fully-connected block are only updated when the batch
contains annotations of that specific viewer." An optimizer with momentum
moves weights without a gradient too, and so does an L1 penalty. Therefore
the step is taken as usual, and what must not have moved is put back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

#: Attributes of a Keras optimizer that list all its variables, and thus are
#: not slots even where they happen to have one entry per weight.
_NOT_SLOTS = ("_variables", "_trainable_variables")


def optimizer_slots(
    optimizer: keras.optimizers.Optimizer,
) -> list[list[keras.Variable]]:
    """Returns which variables of an optimizer belong to which weight.

    Keras optimizers hold their slots in lists with one entry per trainable
    variable, in the order in which the optimizer was built. Names are of no
    use: those of "V1" and "V10" share a beginning, and some slots carry the
    bare name of the weight.

    Args:
        optimizer: A built optimizer.

    Returns:
        One list of slots per trainable variable, in the optimizer's order.

    Raises:
        ValueError: If the optimizer has a variable, other than a number such
            as its step count, that belongs to no weight: the update rule
            could not be kept.
    """
    weights = optimizer._trainable_variables
    slots: list[list[keras.Variable]] = [[] for _ in weights]
    for name, value in vars(optimizer).items():
        if name in _NOT_SLOTS or not _is_slot_list(value, len(weights)):
            continue
        for own, slot in zip(slots, value, strict=True):
            own.extend([] if slot is None else [slot])

    known = {id(slot) for own in slots for slot in own}
    unknown = [
        variable.path
        for variable in optimizer._variables
        if id(variable) not in known and len(variable.shape) > 0
    ]
    if unknown:
        raise ValueError(
            f"`optimizer` {type(optimizer).__name__} must keep one slot per "
            "weight, so that a head without labels can be left as it is. "
            f"Received an optimizer with these variables besides: {unknown}"
        )
    return slots


def _is_slot_list(value: Any, length: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == length
        and all(v is None or isinstance(v, keras.Variable) for v in value)
    )


@dataclasses.dataclass(frozen=True)
class Movable:
    """What a training step moves.

    Attributes:
        shared: Variables that move when the batch has any label: the shared
            weights, their slots, the optimizer's counters.
        heads: Per viewer the weights of its head and their slots, which move
            when the batch has a label of that viewer.
    """

    shared: tuple[keras.Variable, ...]
    heads: tuple[tuple[keras.Variable, ...], ...]

    @classmethod
    def of(
        cls,
        optimizer: keras.optimizers.Optimizer,
        head_weights: Sequence[Sequence[keras.Variable]],
    ) -> Movable:
        """Sorts an optimizer's weights and variables.

        Args:
            optimizer: A built optimizer; it may be a `LossScaleOptimizer`.
            head_weights: Per viewer the trainable variables of its head.
        """
        owner: Mapping[int, int] = {
            id(weight): viewer
            for viewer, weights in enumerate(head_weights)
            for weight in weights
        }
        heads: list[list[keras.Variable]] = [[] for _ in head_weights]
        shared = {id(v): v for v in optimizer.variables}
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        for weight, slots in zip(
            inner._trainable_variables, optimizer_slots(inner), strict=True
        ):
            if id(weight) in owner:
                heads[owner[id(weight)]].extend([weight, *slots])
                for slot in slots:
                    shared.pop(id(slot), None)
            else:
                shared[id(weight)] = weight
                shared.update({id(slot): slot for slot in slots})
        return cls(tuple(shared.values()), tuple(map(tuple, heads)))


def labels_per_viewer(observed: Any) -> Any:
    """Returns how many labels each viewer has in the whole batch.

    Args:
        observed: float [B, V] of `masking.split_missing`; under a
            `tf.distribute` strategy the part of one replica.

    Returns:
        float [V], summed over the replicas.
    """
    counts = tf.reduce_sum(observed, axis=0)
    replica = tf.distribute.get_replica_context()
    if replica is not None and replica.num_replicas_in_sync > 1:
        counts = replica.all_reduce(tf.distribute.ReduceOp.SUM, counts)
    return counts


class Snapshot:
    """Variables as they are before a step, to put back what must stay.

    Args:
        movable: What the step moves.
        counts: float [V], labels per viewer in the batch.
    """

    def __init__(self, movable: Movable, counts: Any) -> None:
        groups = [(movable.shared, tf.reduce_any(counts > 0))]
        groups += [
            (variables, counts[viewer] > 0)
            for viewer, variables in enumerate(movable.heads)
        ]
        self._entries = [
            (variable.value, tf.identity(variable.value), moves)
            for variables, moves in groups
            for variable in variables
        ]

    def put_back(self) -> None:
        """Restores the variables of viewers without labels, bit for bit."""
        variables = [variable for variable, _, _ in self._entries]
        before = [value for _, value, _ in self._entries]
        moves = [flag for _, _, flag in self._entries]
        replica = tf.distribute.get_replica_context()
        if replica is not None and replica.num_replicas_in_sync > 1:
            # Mirrored variables can only be assigned for all replicas at once.
            replica.merge_call(_put_back, args=(variables, before, moves))
        else:
            for entry in zip(variables, before, moves, strict=True):
                _select(*entry)


def _select(variable: Any, before: Any, moves: Any) -> None:
    variable.assign(tf.where(moves, variable, before))


def _put_back(
    strategy: tf.distribute.Strategy,
    variables: Sequence[Any],
    before: Sequence[Any],
    moves: Sequence[Any],
) -> None:
    for variable, value, flag in zip(variables, before, moves, strict=True):
        strategy.extended.update(
            variable, _select, args=(value, flag), group=False
        )
