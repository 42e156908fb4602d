"""Compiled models that many fits of one process share.

Building, tracing and compiling a model takes seconds, about as long as a
small fit. Two fits whose models differ only in weights, L1 strength, class
weights, learning rate and the names of the viewers use the same compiled
model; all that differs is assigned anew.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import models
from emotion_mt.training import batches, networks
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.data import Segments

#: Compiled models that are kept at a time: ST and MT of two tables. A
#: full-size MT with its optimizer takes about 150 MB.
KEPT = 4

#: Segments that are predicted together.
_ROWS_AT_A_TIME = 512

#: Segments that are validated together: as many as make large products
#: efficient, and few beside a film. All batches have this size.
VALIDATION_ROWS = 128


class Workbench:
    """A compiled model whose state can be set as if it were new.

    Args:
        model_class: Class of the model.
        model_config: Its arguments.
        batch_size: Segments per batch.

    Attributes:
        model: The compiled model. Its viewers are called by number.
    """

    def __init__(
        self,
        model_class: Callable[..., models.ViewerModel],
        model_config: Mapping[str, Any],
        batch_size: int,
    ) -> None:
        self.model = model_class(**model_config)
        drawn = self.model.draw_again(0, self.model.viewers)
        random = {id(variable) for variable, _ in drawn}
        # What is not random is the same in every new model.
        self._constants = [
            (variable, variable.numpy())
            for variable in self.model.weights
            if id(variable) not in random
        ]
        # An epoch in one call is faster than steps that XLA compiles, and
        # XLA inside of it is slower than either (measured on processors).
        self.model.compile_for_training(jit_compile=False)
        self._steps = tf.Variable(1, trainable=False)
        self.model.train_function = self._epoch_function()
        self._answer = tf.function(
            lambda inputs: self.model(inputs, training=False),
            input_signature=[
                {
                    name: tf.TensorSpec(tensor.shape, tensor.dtype)
                    for name, tensor in self.model.input.items()
                }
            ],
            autograph=False,
        )
        self._build(batch_size)

    def _epoch_function(self) -> Callable[[Any], dict[str, Any]]:
        """Returns what Keras calls for a step: here a whole epoch.

        Step by step, the way to the next one costs a millisecond, and so do
        the metrics' results, of which only an epoch's last ones are read.
        """

        def steps(iterator: Any) -> dict[str, Any]:
            def step(done: Any) -> Any:
                self.model.train_step(next(iterator))
                return done + 1

            tf.while_loop(
                lambda done: done < self._steps,
                step,
                [tf.constant(0)],
                parallel_iterations=1,
            )
            return self.model.get_metrics_result()

        return tf.function(steps, autograph=False)

    def train(
        self,
        stream: tf.data.Dataset,
        steps: int,
        validation: tf.data.Dataset | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        first_epoch: int = 0,
        epochs: int = 1,
    ) -> None:
        """Trains for some epochs; for Keras, each epoch is one batch.

        Args:
            stream: Of `training_stream`, from `first_epoch` on.
            steps: Batches per epoch.
            validation: Of `fixed_batches`, `VALIDATION_ROWS` each. Defaults
                to None.
            callbacks: Told after each epoch.
            first_epoch: Epochs that are done. Defaults to 0.
            epochs: Epochs that shall be done in the end. Defaults to 1.
        """
        self._steps.assign(steps)
        self.model.fit(
            stream,
            initial_epoch=first_epoch,
            epochs=epochs,
            steps_per_epoch=1,
            validation_data=validation,
            shuffle=False,
            callbacks=list(callbacks),
            verbose=0,
        )

    def _build(self, batch_size: int) -> None:
        """Traces and compiles, with a batch that changes nothing."""
        inputs = {
            name: np.zeros((batch_size, *tensor.shape[1:]), tensor.dtype)
            for name, tensor in self.model.input.items()
        }
        labels = np.full((batch_size, len(self.model.viewers)), np.nan)
        nothing = Segments(
            np.arange(batch_size), inputs, labels.astype("float32"), {}
        )
        self.train(
            batches.training_stream(nothing, batch_size, epochs=1, seed=0),
            steps=1,
            validation=batches.fixed_batches(nothing, VALIDATION_ROWS),
        )
        self.predict(inputs)

    def model_config(
        self, viewers: Sequence[str], seed: int, l1: float
    ) -> dict[str, Any]:
        """Returns the arguments of a model of its own, without its name.

        Args:
            viewers: Of the model.
            seed: Likewise.
            l1: Likewise.
        """
        config = self.model.get_config()
        config |= {"viewers": list(viewers), "seed": seed, "l1": l1}
        return {
            k: v for k, v in config.items() if k not in ("name", "trainable")
        }

    def initial_weights(
        self, seed: int, viewers: Sequence[str]
    ) -> list[tuple[keras.Variable, Any]]:
        """Returns what `reset` takes: the weights of a new model, bit by bit.

        Args:
            seed: Of the constructor of that model.
            viewers: Likewise.
        """
        return [*self._constants, *self.model.draw_again(seed, viewers)]

    def reset(
        self,
        weights: Sequence[tuple[keras.Variable, Any]],
        l1: float,
        class_weights: np.ndarray,
        learning_rate: float,
        statistics: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Makes the model as if it had just been built and compiled.

        Args:
            weights: Of `initial_weights`.
            l1: Strength of the penalty.
            class_weights: float32 [V, 2].
            learning_rate: Of Adam.
            statistics: Mean and variance of the visual features. Defaults to
                None, none are set.
        """
        for variable in self.model.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        for variable, value in weights:
            variable.assign(value)
        if statistics is not None:
            self.model.set_feature_statistics(*statistics)
        self.model.optimizer.learning_rate = learning_rate
        self.model.set_class_weights(class_weights)
        self.model.l1 = l1

    def state(self) -> list[np.ndarray]:
        """Returns copies of all weights and of all the optimizer holds."""
        return [variable.numpy().copy() for variable in self._variables()]

    def restore(self, state: Sequence[np.ndarray], l1: float) -> None:
        """Goes on from a state of this fit.

        Args:
            state: Of `state`.
            l1: Strength of the penalty.
        """
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)
        self.model.l1 = l1

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.weights, *self.model.optimizer.variables]

    def predict(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns the probabilities of segments, float32 [n, V].

        Args:
            inputs: Of `Segments`, n segments; may be none.
        """
        count = len(next(iter(inputs.values())))
        parts = [np.zeros((0, len(self.model.viewers)), "float32")]
        # Not `predict`, which compiles for each size of batch.
        for start in range(0, count, _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            part = {name: tf.constant(x[rows]) for name, x in inputs.items()}
            parts.append(self._answer(part).numpy())
        return np.concatenate(parts)

    def names(self, viewers: Sequence[str]) -> dict[str, str]:
        """Returns the metric names of this model and those of the viewers."""
        return {
            f"{prefix}{number}_accuracy": f"{prefix}{viewer}_accuracy"
            for number, viewer in zip(self.model.viewers, viewers, strict=True)
            for prefix in ("", "val_")
        }


def workbench(
    config: TrainingConfig, arguments: Mapping[str, Any]
) -> Workbench:
    """Returns a compiled model of the same architecture.

    Args:
        config: How it is trained.
        arguments: Of `networks.arguments`.
    """
    numbers = [f"viewer_{i}" for i in range(len(arguments["viewers"]))]
    # What can be set later is not part of the architecture.
    same = {**arguments, "viewers": numbers, "l1": 0.0, "seed": 0}
    # mypy takes a class for unhashable where its instances have a `__hash__`.
    model_class: Callable[..., models.ViewerModel] = networks.model_class(
        config
    )
    return _workbench(
        model_class,
        json.dumps(same, sort_keys=True),
        config.batch_size,
    )


@functools.lru_cache(maxsize=KEPT)
def _workbench(
    model_class: Callable[..., models.ViewerModel],
    arguments: str,
    batch_size: int,
) -> Workbench:
    return Workbench(model_class, json.loads(arguments), batch_size)


def forget() -> None:
    """Frees the compiled models."""
    _workbench.cache_clear()
