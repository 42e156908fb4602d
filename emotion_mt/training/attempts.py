"""Training with one L1 strength after another, and choosing among them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt.training import batches
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.data import Segments
from emotion_mt.training.result import Progress, Trial
from emotion_mt.training.reuse import VALIDATION_ROWS, Workbench


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """What all attempts of a fit share.

    Attributes:
        bench: The model.
        initial: Of `Workbench.initial_weights`.
        config: How it is trained.
        viewers: Their names.
        train: Segments to learn from.
        validation: Segments that decide; may be none.
        class_weights: float32 [V, 2].
        statistics: Of `feature_statistics`, or None.
        seed: Decides the order of the segments.
        on_epoch: Told after each epoch.
    """

    bench: Workbench
    initial: Sequence[tuple[keras.Variable, Any]]
    config: TrainingConfig
    viewers: Sequence[str]
    train: Segments
    validation: Segments
    class_weights: np.ndarray
    statistics: tuple[np.ndarray, np.ndarray] | None
    seed: int
    on_epoch: Callable[[Progress], None] | None

    @property
    def validated(self) -> bool:
        """Whether there is something that can decide."""
        return len(self.validation) > 0

    @property
    def epochs(self) -> int:
        """Passes over the training films at most."""
        if self.validated:
            return self.config.max_epochs
        return self.config.epochs_without_validation


def choose(
    task: Task, strengths: Sequence[float]
) -> tuple[list[Trial], Trial, list[np.ndarray]]:
    """Trains with several L1 strengths and keeps the best one.

    Each starts from the same weights. After `TrainingConfig.l1_epochs` only
    the one with the smallest "val_bce" so far goes on, exactly as if it had
    not been interrupted.

    Args:
        task: What they share.
        strengths: To be tried, distinct.

    Returns:
        All trials in the order of `strengths`, the chosen one, and its
        weights in the order of `model.weights`.
    """
    few = min(task.config.l1_epochs or task.epochs, task.epochs)
    attempts: list[_Attempt] = []
    best: _Attempt | None = None
    for strength in strengths:
        if best is not None:
            best.put_aside()
        attempt = _Attempt(task, strength)
        attempts.append(attempt)
        attempt.train(few if len(strengths) > 1 else task.epochs)
        if best is None or attempt.least < best.least:
            if best is not None:
                best.give_up()
            best = attempt
        else:
            attempt.give_up()
    assert best is not None
    best.take_up()
    best.train(task.epochs)
    trials = [attempt.trial() for attempt in attempts]
    return trials, best.trial(), best.weights()


class _Attempt:
    """One L1 strength, from the initial weights on."""

    def __init__(self, task: Task, strength: float) -> None:
        self._task = task
        self._strength = strength
        self._history = _History(
            task.bench.names(task.viewers), strength, task.on_epoch
        )
        self._stopping: _Stopping | None = None
        if task.validated:
            self._stopping = _Stopping(task.config.patience)
        self._aside: list[np.ndarray] | None = None
        task.bench.reset(
            task.initial,
            strength,
            task.class_weights,
            task.config.learning_rate,
            task.statistics,
        )

    @property
    def least(self) -> float:
        """Smallest "val_bce" so far; infinite without one."""
        return math.inf if self._stopping is None else self._stopping.least

    @property
    def _ended(self) -> bool:
        return self._stopping is not None and self._stopping.ended

    def train(self, until: int) -> None:
        """Goes on until so many epochs are done, or nothing improves."""
        done = self._history.epochs
        if self._ended or done >= until:
            return
        task, size = self._task, self._task.config.batch_size
        callbacks: list[keras.callbacks.Callback] = [self._history]
        validation = None
        if self._stopping is not None:
            validation = batches.fixed_batches(task.validation, VALIDATION_ROWS)
            callbacks.append(self._stopping)
        task.bench.train(
            batches.training_stream(task.train, size, until, task.seed, done),
            batches.steps(task.train, size),
            validation,
            callbacks,
            first_epoch=done,
            epochs=until,
        )

    def put_aside(self) -> None:
        """Makes room for another attempt."""
        if self._aside is None and not self._ended:
            self._aside = self._task.bench.state()

    def take_up(self) -> None:
        """Goes back to where it was put aside, if it was."""
        if self._aside is not None:
            self._task.bench.restore(self._aside, self._strength)
            self._aside = None

    def give_up(self) -> None:
        """Frees the weights; the trial remains."""
        self._aside = None
        if self._stopping is not None:
            self._stopping.best_weights = None

    def trial(self) -> Trial:
        """Sums up."""
        stopping = self._stopping
        return self._history.trial(
            None if stopping is None else stopping.best_epoch
        )

    def weights(self) -> list[np.ndarray]:
        """Returns the weights of the best epoch, or else of the last."""
        best = None if self._stopping is None else self._stopping.best_weights
        return self._task.bench.model.get_weights() if best is None else best


class _Stopping(keras.callbacks.Callback):
    """Early stopping that can be interrupted, else as Keras's own.

    It keeps the weights of the epoch with the smallest "val_bce" and stops
    when `patience` further epochs have brought nothing better.
    """

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience
        self._waited = 0
        self.least = math.inf
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None
        self.ended = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = float(logs["val_bce"])
        if value < self.least or self.best_weights is None:
            self.best_epoch = epoch
            self.best_weights = self.model.get_weights()
        if value < self.least:
            self.least = value
            self._waited = 0
            return
        self._waited += 1
        if self._waited >= self._patience and epoch > 0:
            self.ended = self.model.stop_training = True


class _History(keras.callbacks.Callback):
    """Collects the logs of each epoch under the viewers' own names."""

    def __init__(
        self,
        names: Mapping[str, str],
        strength: float,
        on_epoch: Callable[[Progress], None] | None,
    ) -> None:
        super().__init__()
        self._names = names
        self._strength = strength
        self._on_epoch = on_epoch
        self._logs: list[dict[str, float]] = []

    @property
    def epochs(self) -> int:
        """Number of epochs that are done."""
        return len(self._logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {self._names.get(k, k): float(v) for k, v in logs.items()}
        self._logs.append(logs)
        if self._on_epoch is not None:
            self._on_epoch(Progress(self._strength, epoch + 1, logs))

    def trial(self, best: int | None) -> Trial:
        """Sums up; `best` counts from 0, None for the last epoch."""
        best = len(self._logs) - 1 if best is None else best
        history = {
            name: tuple(logs[name] for logs in self._logs)
            for name in self._logs[0]
        }
        val_bce = self._logs[best].get("val_bce", math.nan)
        return Trial(self._strength, best + 1, val_bce, history)
