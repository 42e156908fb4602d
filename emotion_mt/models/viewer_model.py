"""What all models of viewers have in common: how they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import paper
from emotion_mt.models import (
    layers,
    losses,
    masking,
    metrics,
    one_pass_adam,
    update_rule,
)
from emotion_mt.models.regularizers import AdjustableL1

#: What a model can look at, in the order in which it is concatenated.
MODALITIES = ("text", "visual")

#: Name of the layer that standardizes visual features.
STANDARDIZATION = "visual_standardization"


class ViewerModel(keras.Model):
    """A functional model with one probability per viewer, and its training.

    Subclasses build their layers, call the constructor of `keras.Model` with
    inputs and outputs, and then `_set_training_parts`.

    Update rule: in `fit` and `train_on_batch`, a head whose viewer has no
    label in the batch does not move at all, with any optimizer: neither its
    weights nor the optimizer's slots for them change by a bit. A batch
    without a single label changes nothing whatever.

    Attributes:
        viewers: Names of the output columns.
        modalities: What the model looks at, among `MODALITIES`.
    """

    viewers: tuple[str, ...]
    modalities: tuple[str, ...]

    def _set_training_parts(
        self,
        viewers: Sequence[str],
        modalities: Sequence[str],
        penalty: AdjustableL1,
        heads: Sequence[Sequence[keras.Layer]],
    ) -> None:
        """Keeps what the methods below need.

        Args:
            viewers: Names of the output columns.
            modalities: What the model looks at.
            penalty: Regularizer whose strength is `l1`.
            heads: Per viewer the layers that are its own.
        """
        self.viewers = tuple(viewers)
        self.modalities = tuple(modalities)
        self._penalty = penalty
        self._head_layers = tuple(
            tuple(layer.name for layer in head) for head in heads
        )
        self._class_weighted: tuple[Any, ...] = ()
        self._one_pass = False
        self._xla = False

    @property
    def l1(self) -> float:
        """Strength of the L1 penalty; may be set at any time."""
        return self._penalty.l1

    @l1.setter
    def l1(self, value: float) -> None:
        self._penalty.l1 = value

    def head_weights(self, viewer: str) -> list[keras.Variable]:
        """Returns the trainable variables of one viewer's head.

        Args:
            viewer: One of `viewers`.
        """
        names = self._head_layers[self.viewers.index(viewer)]
        return [
            variable
            for name in names
            for variable in self.get_layer(name).trainable_variables
        ]

    def draw_again(
        self, seed: int, viewers: Sequence[str]
    ) -> list[tuple[keras.Variable, Any]]:
        """Draws the initial values of all weights that are random.

        Args:
            seed: Of the constructor.
            viewers: Of the constructor; as many as this model has.

        Returns:
            Weights, which are not changed, and the values, with the same bits
            as in a new model with these two arguments.
        """
        names = {
            own: layers.head_name(viewer)
            + own.removeprefix(layers.head_name(mine))
            for mine, viewer, head in zip(
                self.viewers, viewers, self._head_layers, strict=True
            )
            for own in head
        }
        drawn = [
            layers.draw_again(layer, seed, names.get(layer.name, layer.name))
            for layer in self.layers
        ]
        return [pair for pair in drawn if pair is not None]

    def set_feature_statistics(self, mean: Any, variance: Any) -> None:
        """Sets the statistics that standardize the visual feature.

        Args:
            mean: float [visual_features], over the training films.
            variance: float [visual_features], likewise.

        Raises:
            ValueError: If the model has no visual modality, or a shape or a
                value is impossible.
        """
        if "visual" not in self.modalities:
            raise ValueError(
                "Feature statistics need the modality 'visual'. Received a "
                f"model with `modalities`={self.modalities}"
            )
        layer = self.get_layer(STANDARDIZATION)
        layer.set_statistics(mean, variance)

    def compile_for_training(
        self,
        class_weights: Any = None,
        learning_rate: float = paper.LEARNING_RATE,
        optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compiles with the loss, the metrics and the optimizer of the paper.

        Args:
            class_weights: [V, 2], weight of a negative and of a positive
                label per viewer. Defaults to None, weights of 1.
            learning_rate: Of Adam. Defaults to 1e-3.
            optimizer: Instead of Adam. Defaults to None. Adam without
                further options moves the weights by TensorFlow's own kernel,
                in one pass over them (not if `run_eagerly`).
            **kwargs: Further arguments of `compile`. Defaults to XLA
                (`jit_compile=True`) where all layers support it, which those
                of text do not. Where the weights move in one pass, only loss
                and gradients are compiled by it.

        Raises:
            ValueError: If the class weights are not one row per viewer.
        """
        can_compile = all(layer.supports_jit for layer in self.layers)
        kwargs.setdefault("jit_compile", not kwargs.get("run_eagerly", False))
        kwargs["jit_compile"] = kwargs["jit_compile"] and can_compile
        if class_weights is None:
            class_weights = np.ones((len(self.viewers), 2))
        weights = losses.check_class_weights(class_weights)
        if len(weights) != len(self.viewers):
            raise ValueError(
                "`class_weights` needs one row per viewer, "
                f"{len(self.viewers)}. Received shape: {list(weights.shape)}"
            )
        loss = losses.MaskedBinaryCrossentropy(weights)
        bce = metrics.ObservedCrossentropy(weights)
        self.compile(
            optimizer=optimizer or keras.optimizers.Adam(learning_rate),
            loss=loss,
            metrics=[bce, metrics.ViewerAccuracy(self.viewers)],
            **kwargs,
        )
        self._class_weighted = (loss.class_weights, bce.class_weights)
        self._one_pass = one_pass_adam.can_step(self.optimizer) and not (
            self.run_eagerly or tf.distribute.has_strategy()
        )
        if self._one_pass:
            # XLA has no such kernel; it gets the rest of the step.
            self._xla = bool(kwargs["jit_compile"])
            self.jit_compile = False
        # Before the step is traced, which would be traced twice otherwise.
        self.optimizer.build(self.trainable_variables)

    def set_class_weights(self, class_weights: Any) -> None:
        """Replaces the class weights without tracing again.

        Args:
            class_weights: [V, 2].

        Raises:
            ValueError: If the model was not compiled by
                `compile_for_training`, or the shape differs.
        """
        if not self._class_weighted:
            raise ValueError(
                "Class weights can be replaced after `compile_for_training`. "
                "Received a model that was not compiled by it"
            )
        for weights in self._class_weighted:
            weights.assign(class_weights)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Keras's training step, under the update rule of the class."""
        if self.optimizer is None:
            return super().train_step(data)
        if self._one_pass:
            return self._one_pass_step(data)
        if not self.optimizer.built:
            with tf.init_scope():
                self.optimizer.build(self.trainable_variables)
        movable = update_rule.Movable.of(self.optimizer, self._all_heads())
        snapshot = update_rule.Snapshot(movable, _labels_per_viewer(data))
        logs = super().train_step(data)
        snapshot.put_back()
        return logs

    def _all_heads(self) -> list[list[keras.Variable]]:
        return [self.head_weights(viewer) for viewer in self.viewers]

    def _one_pass_step(self, data: Any) -> dict[str, Any]:
        """Like Keras's training step, with `one_pass_adam.step`."""
        gradients, logs = tf.function(
            self._gradients, autograph=False, jit_compile=self._xla or None
        )(data)
        one_pass_adam.step(
            self.optimizer,
            gradients,
            self._all_heads(),
            _labels_per_viewer(data),
        )
        return logs

    def _gradients(self, data: Any) -> tuple[list[Any], dict[str, Any]]:
        """Returns gradients and logs, and updates the metrics."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(
                x=x,
                y=y,
                y_pred=y_pred,
                sample_weight=sample_weight,
                training=True,
            )
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(y)[0])
        weights = self.optimizer._trainable_variables
        gradients = tape.gradient(loss, [w.value for w in weights])
        return gradients, self.compute_metrics(x, y, y_pred, sample_weight)


def _labels_per_viewer(data: Any) -> Any:
    """Returns float [V], the labels of each viewer in a batch."""
    _, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    _, observed = masking.split_missing(labels)
    return update_rule.labels_per_viewer(observed)


def check_viewers(viewers: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of viewers as a tuple.

    Raises:
        ValueError: If there is none, or they are not distinct names.
    """
    names = (viewers,) if isinstance(viewers, str) else tuple(viewers)
    good = all(isinstance(name, str) and name for name in names)
    if not names or not good or len(set(names)) < len(names):
        raise ValueError(
            "`viewers` must be distinct names, at least one. "
            f"Received: {viewers!r}"
        )
    return names
