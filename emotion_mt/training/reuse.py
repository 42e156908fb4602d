"""Compiled models that many fits of one process share.

Tracing and compiling a training step takes seconds, about as long as a small
fit. Two fits whose models differ only in weights, L1 strength, class weights,
learning rate and the names of the viewers use the same compiled model; all
that differs is assigned anew.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from emotion_mt import models
from emotion_mt.training import batches
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.data import Segments

#: Compiled models that are kept at a time: ST and MT of two tables. A
#: full-size MT with its optimizer takes about 150 MB.
KEPT = 4


class Workbench:
    """A compiled model whose state can be set as if it were new.

    Args:
        model_class: Class of the model.
        model_config: Its arguments.
        batch_size: Segments per batch.
        jit_compile: Whether XLA compiles the steps.

    Attributes:
        model: The compiled model. Its viewers are called by number.
    """

    def __init__(
        self,
        model_class: Callable[..., models.ViewerModel],
        model_config: Mapping[str, Any],
        batch_size: int,
        jit_compile: bool,
    ) -> None:
        self.model = model_class(**model_config)
        self.model.compile_for_training(jit_compile=jit_compile)
        self._build(batch_size)

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
        self.model.fit(
            batches.training_stream(nothing, batch_size, epochs=1, seed=0),
            steps_per_epoch=1,
            shuffle=False,
            validation_data=batches.fixed_batches(nothing, batch_size),
            verbose=0,
        )

    def reset(
        self,
        weights: Sequence[np.ndarray],
        l1: float,
        class_weights: np.ndarray,
        learning_rate: float,
    ) -> None:
        """Makes the model as if it had just been built and compiled.

        Args:
            weights: Of `get_weights` of a model of the same architecture.
            l1: Strength of the penalty.
            class_weights: float32 [V, 2].
            learning_rate: Of Adam.
        """
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        self.model.optimizer.learning_rate = learning_rate
        self.model.set_weights(weights)
        self.model.set_class_weights(class_weights)
        self.model.l1 = l1

    def names(self, viewers: Sequence[str]) -> dict[str, str]:
        """Returns the metric names of this model and those of the viewers."""
        return {
            f"{prefix}{number}_accuracy": f"{prefix}{viewer}_accuracy"
            for number, viewer in zip(self.model.viewers, viewers, strict=True)
            for prefix in ("", "val_")
        }


def workbench(model: models.ViewerModel, config: TrainingConfig) -> Workbench:
    """Returns a compiled model of the same architecture.

    Args:
        model: The model to be trained.
        config: How it is trained.
    """
    arguments = model.get_config()
    numbers = [f"viewer_{i}" for i in range(len(model.viewers))]
    # What `Workbench.reset` sets is not part of the architecture.
    arguments |= {"viewers": numbers, "l1": 0.0, "seed": 0, "name": None}
    # mypy takes a class for unhashable where its instances have a `__hash__`.
    model_class: Callable[..., models.ViewerModel] = type(model)
    return _workbench(
        model_class,
        json.dumps(arguments, sort_keys=True),
        config.batch_size,
        config.jit_compile,
    )


@functools.lru_cache(maxsize=KEPT)
def _workbench(
    model_class: Callable[..., models.ViewerModel],
    arguments: str,
    batch_size: int,
    jit_compile: bool,
) -> Workbench:
    return Workbench(
        model_class, json.loads(arguments), batch_size, jit_compile
    )


def forget() -> None:
    """Frees the compiled models."""
    _workbench.cache_clear()
