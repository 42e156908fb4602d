"""Fits one model on one split (Sect. III to V-A)."""

from __future__ import annotations

import functools
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt import models, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.models.layers import stream_seed
from emotion_mt.training import data
from emotion_mt.training.config import MONITORS, FitConfig, TrainingConfig
from emotion_mt.training.material import Material, prepare
from emotion_mt.training.result import FitResult, Progress, Trial

#: Segments that are validated or predicted together: few beside a movie.
ROWS_AT_A_TIME = 128

#: Models that were compiled are shared within a process: one fit at a time.
_ONE_AT_A_TIME = threading.Lock()


def fit_split(
    corpus: Corpus,
    features: np.ndarray | None,
    split: paper.Split,
    viewers: Sequence[str],
    config: FitConfig | None = None,
    *,
    seed: int = 0,
    on_epoch: Callable[[Progress], object] | None = None,
) -> FitResult:
    """Fits one model on the split's training movies.

    Vocabulary, class weights and feature statistics come from the training
    movies; the validation movies decide which epoch and which L1 strength to
    keep; the test movies are only predicted.

    The result is a function of the arguments: the same bits each time on one
    machine with the same number of threads, whatever the process did before.

    Args:
        corpus: Segments and labels.
        features: As of `make_dataset`: those of `extract_features`, or of
            `extract_histograms` for the Baseline.
        split: Movies for training, validation (may be none) and test.
        viewers: One: ST, or the Baseline [20] where `config` is a
            `BaselineConfig`. Several: MT, one head each, in this order.
        config: Defaults to `TrainingConfig()`.
        seed: Decides initial weights and the order of segments.
        on_epoch: Called after each epoch; it must not call `fit_split`. What
            it raises ends the fit.

    Returns:
        The fitted model and its predictions for the test movies.

    Raises:
        ValueError: If no segment of the training movies can be used, or an
            argument does not fit the corpus or the network.
    """
    config = TrainingConfig() if config is None else config
    with _ONE_AT_A_TIME:
        start = time.perf_counter()
        material = prepare(corpus, features, split, viewers, config)
        model = config.model_class(
            **material.arguments,
            l1=material.strengths[0],
            seed=stream_seed(seed, "weights"),
            dtype="float32",
        )
        if config.standardize_visual:
            model.adapt(material.train.inputs)
        prepared = time.perf_counter()
        trainers = _trainers(config, material)
        built = time.perf_counter()
        fits = []
        for l1, trainer in zip(material.strengths, trainers, strict=True):
            _reset(trainer, model.get_weights(), config.learning_rate)
            fits.append(_train(trainer, l1, material, seed, on_epoch))
        trials = tuple(trial for trial, _ in fits)
        best, weights = min(fits, key=lambda f: _rank(f[0], material.monitor))
        fitted = time.perf_counter()
        trainers[0].set_weights(weights)
        probabilities = _predict(trainers[0], material)
        end = time.perf_counter()
    arguments = model.get_config() | {"l1": best.l1}
    return FitResult(
        viewers=material.viewers,
        split=split,
        config=config,
        seed=seed,
        l1=best.l1,
        best_epoch=best.best_epoch,
        monitor=material.monitor,
        trials=trials,
        test_rows=material.test.rows,
        probabilities=probabilities,
        untrained_viewers=material.untrained,
        class_weights=material.class_weights,
        vocabulary=material.vocabulary,
        left_out={
            part: getattr(material, part).left_out
            for part in ("train", "validation", "test")
        },
        notes=(*material.notes, *_divergence_notes(trials)),
        seconds={
            "prepare": prepared - start,
            "build": built - prepared,
            "fit": fitted - built,
            "predict": end - fitted,
            "total": end - start,
        },
        # A name would count the models of the process.
        model_config={
            k: v for k, v in arguments.items() if k not in ("name", "frozen")
        },
        weights=tuple(weights),
    )


def _rank(trial: Trial, monitor: str | None) -> float:
    """Returns a number that is lower for a better trial."""
    if math.isnan(trial.score):
        return math.inf
    return -trial.score if MONITORS.get(monitor or "") == "max" else trial.score


def _train(
    trainer: models.ViewerModel,
    l1: float,
    material: Material,
    seed: int,
    on_epoch: Callable[[Progress], object] | None,
) -> tuple[Trial, list[np.ndarray]]:
    """Trains with one L1 strength; returns the weights that were kept too."""
    config = material.config

    def tell(epoch: int, logs: Any) -> None:
        if on_epoch is not None:
            predict = functools.partial(_predict, trainer, material)
            on_epoch(Progress(l1, epoch + 1, dict(logs), predict))

    callbacks: list[Any] = [keras.callbacks.LambdaCallback(on_epoch_end=tell)]
    epochs, validation, stopping = config.epochs_without_validation, None, None
    if material.monitor is not None:
        epochs = config.max_epochs
        validation = data.fixed_batches(
            material.validation, material.class_weights, ROWS_AT_A_TIME
        )
        stopping = keras.callbacks.EarlyStopping(
            material.monitor,
            mode=MONITORS[material.monitor],
            patience=config.patience,
            restore_best_weights=True,
            start_from_epoch=config.min_epochs - 1,
        )
        callbacks.append(stopping)
    train = data.fixed_batches(
        material.train,
        material.class_weights,
        config.batch_size,
        seed=stream_seed(seed, "order"),
    )
    history = trainer.fit(
        train,
        epochs=epochs,
        validation_data=validation,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    ).history
    best, score, weights = len(history["loss"]), math.nan, trainer.get_weights()
    # Nothing was kept where training diverged before `min_epochs`.
    if stopping is not None and stopping.best is not None:
        best = stopping.best_epoch + 1
        if all(np.isfinite(weight).all() for weight in weights):
            score = history[material.monitor][best - 1]
    trial = Trial(l1, best, score, {k: tuple(v) for k, v in history.items()})
    return trial, weights


def _trainers(
    config: FitConfig, material: Material
) -> list[models.ViewerModel]:
    """Returns a compiled model of the same architecture per L1 strength."""
    numbers = [f"viewer_{i}" for i in range(len(material.viewers))]
    arguments = {**material.arguments, "viewers": numbers, "dtype": "float32"}
    text = json.dumps(arguments, sort_keys=True)
    # mypy takes a class for unhashable where its instances have a `__hash__`.
    kind: Callable[..., models.ViewerModel] = config.model_class
    return _compiled(kind, text, material.strengths, config.batch_size)


# ST and MT of one kind of input, which take turns: a full-size MT takes about
# 150 MB for each L1 strength. (What TensorFlow has traced it never forgets.)
@functools.lru_cache(maxsize=2)
def _compiled(
    model_class: Callable[..., models.ViewerModel],
    arguments: str,
    strengths: tuple[float, ...],
    batch_size: int,
) -> list[models.ViewerModel]:
    """Builds and traces models, which takes as long as a small fit."""
    trainers = []
    for l1 in strengths:
        model = model_class(**json.loads(arguments), l1=l1)
        means = (models.MeanAccuracy, models.BalancedAccuracy, models.ViewerAUC)
        model.compile(
            metrics=[metric(model.viewers) for metric in means],
            # Class weights come with the batches, as weights of the labels.
            weighted_metrics=[models.ObservedCrossentropy()],
            # More than an epoch has: it is one call of the backend.
            steps_per_execution=2**20,
        )
        # Else Keras makes its variables while it traces, and traces twice.
        model.optimizer.build(model.trainable_variables)
        inputs = {
            name: np.zeros((1, *tensor.shape[1:]), tensor.dtype)
            for name, tensor in model.input.items()
        }
        labels = np.full((1, len(model.viewers)), np.nan, "float32")
        nothing = data.Segments(np.arange(1), inputs, labels, {})
        weights = np.ones((len(model.viewers), 2), "float32")
        train, validation = (
            data.fixed_batches(nothing, weights, size)
            for size in (batch_size, ROWS_AT_A_TIME)
        )
        model.fit(train, validation_data=validation, shuffle=False, verbose=0)
        trainers.append(model)
    return trainers


def _reset(trainer: models.ViewerModel, weights: Any, rate: float) -> None:
    """Makes a compiled model as if it were new."""
    trainer.set_weights(weights)
    for variable in trainer.optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    trainer.optimizer.learning_rate = rate


def _predict(trainer: models.ViewerModel, material: Material) -> np.ndarray:
    """Returns the probabilities of the test movies, float32 [n, V]."""
    viewers, count = material.viewers, len(material.test)
    batches = data.fixed_batches(
        material.test, material.class_weights, ROWS_AT_A_TIME
    )
    parts = [trainer.predict_on_batch(inputs) for inputs, _, _ in batches]
    made = np.reshape(parts, (-1, len(viewers))).astype("float32")[:count]
    made[:, [v in material.untrained for v in viewers]] = np.nan
    return made


def _divergence_notes(trials: Sequence[Trial]) -> list[str]:
    last = [{name: x[-1] for name, x in t.history.items()} for t in trials]
    return [
        f"Training with L1 strength {trial.l1:g} diverged: its loss is not a "
        "number."
        for trial, at in zip(trials, last, strict=True)
        if not math.isfinite(at["loss"] + at.get("val_loss", 0.0))
    ]
