"""What comes out of a fit."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from emotion_mt import models, paper
from emotion_mt.training.config import FitConfig


@dataclasses.dataclass(frozen=True)
class Progress:
    """What `on_epoch` is told.

    Attributes:
        l1: Strength that is being tried.
        epoch: 1, 2, …
        logs: Metric name to value, as in `Trial.history`.
        predict: Returns what `FitResult.probabilities` would now be.
    """

    l1: float
    epoch: int
    logs: Mapping[str, float]
    predict: Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One L1 strength.

    Attributes:
        l1: The strength.
        best_epoch: 1-based epoch whose weights were kept.
        score: `FitResult.monitor` then; NaN where nothing could decide.
        history: Metric name to one float per epoch: "loss" (with the L1
            penalty), "bce" (without it, in nats), "mean_accuracy",
            "balanced_accuracy", "auc" in [0, 1]; each with "val_" before too.
    """

    l1: float
    best_epoch: int
    score: float
    history: Mapping[str, tuple[float, ...]]


@dataclasses.dataclass(frozen=True, eq=False)
class FitResult:
    """One fitted model, as plain values and arrays.

    Attributes:
        viewers: Columns of `probabilities`.
        split: The movies of each part.
        config: As of `fit_split`.
        seed: Likewise.
        l1: Of the chosen trial.
        best_epoch: Likewise.
        monitor: What decided, see `FitConfig`; None where nothing could.
        trials: One per strength, in order.
        test_rows: int64 [n], rows of the corpus that were predicted: those of
            the test movies that have the inputs.
        probabilities: float32 [n, V] in [0, 1], of "positive"; NaN columns
            for `untrained_viewers`.
        untrained_viewers: Viewers without a label in the training movies.
        class_weights: float32 [V, 2], weight of negative, of positive.
        vocabulary: Words, without the reserved; empty without text.
        left_out: "train", "validation" or "test" to reason to segments.
        notes: Sentences about fallbacks that were taken.
        seconds: "prepare", "build" (trace), "fit", "predict", "total".
        model_config: Arguments of the model's class, `config.model_class`.
        weights: The model's weights, in the order of `model.weights`.
    """

    viewers: tuple[str, ...]
    split: paper.Split
    config: FitConfig
    seed: int
    l1: float
    best_epoch: int
    monitor: str | None
    trials: tuple[Trial, ...]
    test_rows: np.ndarray
    probabilities: np.ndarray
    untrained_viewers: tuple[str, ...]
    class_weights: np.ndarray
    vocabulary: tuple[str, ...]
    left_out: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    model_config: Mapping[str, Any]
    weights: tuple[np.ndarray, ...]

    @property
    def history(self) -> Mapping[str, tuple[float, ...]]:
        """History of the chosen trial."""
        return next(t.history for t in self.trials if t.l1 == self.l1)

    @functools.cached_property
    def model(self) -> models.ViewerModel:
        """A model of its own with the trained weights, not compiled."""
        model = self.config.model_class(**self.model_config)
        model.set_weights(self.weights)
        return model

    @functools.cached_property
    def tokenizer(self) -> keras.layers.TextVectorization | None:
        """Texts to word numbers; None without the text modality."""
        if "text" not in self.config.modalities:
            return None
        return models.make_tokenizer(self.vocabulary)
