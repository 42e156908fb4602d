"""Fits one model on one split (Sect. III to V-A)."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt import models, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.training import batches, data, networks, vocabulary
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.result import FitResult, Progress, Trial
from emotion_mt.training.reuse import Workbench, workbench

#: Models that were compiled are shared within a process: one fit at a time.
_ONE_AT_A_TIME = threading.Lock()

#: Segments that are predicted together.
_ROWS_AT_A_TIME = 512


def fit_split(
    corpus: Corpus,
    features: np.ndarray | None,
    split: paper.Split,
    viewers: Sequence[str],
    config: TrainingConfig | None = None,
    *,
    seed: int = 0,
    on_epoch: Callable[[Progress], None] | None = None,
) -> FitResult:
    """Fits one model on the split's training films.

    That is ST (one viewer) or MT (several), or the Baseline [20] for one
    viewer where `config.network` is "baseline".

    Vocabulary, class weights and feature statistics come from the training
    films; the validation films decide when to stop and which L1 strength to
    keep; the test films are only predicted.

    The result is a function of the arguments: on one machine and with the
    same number of threads it has the same bits each time, whatever else the
    process did before and whatever its global seeds are.

    Args:
        corpus: Segments and labels.
        features: float32 [N, 1024] of `extract_features`, for the Baseline
            [N, 16, 7, 32] of `extract_histograms`; NaN rows where there is no
            video. May be None where `config.modalities` has no "visual".
        split: Films for training, validation and test. Without a validation
            film, or without a label of the viewers in it, see
            `TrainingConfig.epochs_without_validation`.
        viewers: One viewer: ST, or the Baseline. Several: MT, one head each,
            in this order.
        config: Defaults to `TrainingConfig()`.
        seed: Decides initial weights and the order of segments.
        on_epoch: Called after each epoch. What it raises ends the fit.

    Returns:
        The fitted model and its predictions for the test films.

    Raises:
        ValueError: If no segment of the training films can be used, because
            it has no label of the viewers or no visual feature; or if an
            argument does not fit the corpus or the network.
    """
    with _ONE_AT_A_TIME:
        clock = _Clock()
        with clock.part("prepare"):
            material = _prepare(
                corpus, features, split, viewers, config or TrainingConfig()
            )
            model = _initial_model(material, seed)
        with clock.part("build"):
            bench = workbench(model, material.config)
        with clock.part("fit"):
            initial = model.get_weights()
            outcomes = [
                _try(bench, material, initial, strength, seed, on_epoch)
                for strength in _strengths(material)
            ]
        trial, weights = min(outcomes, key=lambda o: _rank(o[0]))
        with clock.part("predict"):
            probabilities = _predict(bench, material, weights)
    return FitResult(
        viewers=material.viewers,
        split=split,
        config=material.config,
        seed=seed,
        l1=trial.l1,
        best_epoch=trial.best_epoch,
        trials=tuple(trial for trial, _ in outcomes),
        test_rows=material.test.rows,
        probabilities=probabilities,
        untrained_viewers=material.untrained,
        class_weights=material.class_weights,
        vocabulary=material.vocabulary,
        left_out={
            "train": material.train.left_out,
            "validation": material.validation.left_out,
            "test": material.test.left_out,
        },
        notes=(*material.notes, *_convergence_notes(outcomes)),
        seconds=clock.seconds(),
        model_config={**_arguments(model), "l1": trial.l1},
        weights=tuple(weights),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Material:
    """All that a fit learns from, and what it predicts."""

    config: TrainingConfig
    viewers: tuple[str, ...]
    train: data.Segments
    validation: data.Segments
    test: data.Segments
    vocabulary: tuple[str, ...]
    class_weights: np.ndarray
    statistics: tuple[np.ndarray, np.ndarray] | None
    untrained: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def validated(self) -> bool:
        return len(self.validation) > 0


def _prepare(
    corpus: Corpus,
    features: np.ndarray | None,
    split: paper.Split,
    viewers: Sequence[str],
    config: TrainingConfig,
) -> _Material:
    viewers = (viewers,) if isinstance(viewers, str) else tuple(viewers)
    networks.check_inputs(config, viewers, features)
    training_rows = corpus.rows(split.train)
    tokenizer, words = None, ()
    if "text" in config.modalities:
        tokenizer = vocabulary.fit_tokenizer(
            corpus.segments["text"].iloc[training_rows], config.max_vocabulary
        )
        words = tuple(tokenizer.get_vocabulary(include_special_tokens=False))

    def select(movies: Sequence[str], labelled_only: bool) -> data.Segments:
        return data.select_segments(
            corpus,
            features,
            movies,
            tokenizer=tokenizer,
            viewers=viewers,
            modalities=config.modalities,
            labelled_only=labelled_only,
        )

    train = select(split.train, labelled_only=True)
    if not len(train):
        raise ValueError(
            f"The training films {', '.join(split.train)} of split "
            f"`{split.name}` must have a segment with a label of "
            f"{', '.join(viewers)} and all inputs of {config.modalities}. "
            f"Received {len(training_rows)} segments, left out: "
            f"{dict(train.left_out)}"
        )
    validation = select(split.validation, labelled_only=True)
    weights = np.ones((len(viewers), 2), "float32")
    if config.class_weighting:
        weights = vocabulary.class_weights(train.labels)
    statistics = None
    if "visual" in config.modalities:
        features = data.check_features(corpus, features)
        if config.standardize_visual:
            statistics = vocabulary.feature_statistics(features[training_rows])
    untrained = tuple(
        viewer
        for viewer, column in zip(viewers, train.labels.T, strict=True)
        if np.isnan(column).all()
    )
    return _Material(
        config=config,
        viewers=viewers,
        train=train,
        validation=validation,
        test=select(split.test, labelled_only=False),
        vocabulary=words,
        class_weights=weights,
        statistics=statistics,
        untrained=untrained,
        notes=_notes(split, viewers, train, validation, untrained, config),
    )


def _notes(
    split: paper.Split,
    viewers: Sequence[str],
    train: data.Segments,
    validation: data.Segments,
    untrained: Sequence[str],
    config: TrainingConfig,
) -> tuple[str, ...]:
    """Says in words where the fit could not go the usual way."""
    notes = []
    if untrained:
        notes.append(
            f"No label of {', '.join(untrained)} in the training films: no "
            "predictions for them."
        )
    for viewer, labels in zip(viewers, train.labels.T, strict=True):
        classes = set(labels[~np.isnan(labels)])
        if len(classes) == 1:
            name = "positive" if classes == {1.0} else "negative"
            notes.append(
                f"All training labels of {viewer} are {name}: class weights 1."
            )
    if not len(validation):
        films = ", ".join(split.validation) or "none named"
        notes.append(
            f"No label in the validation films ({films}): "
            f"{config.epochs_without_validation} epochs, L1 strength "
            f"{_middle(config.l1_strengths):g}."
        )
    return tuple(notes)


def _middle(strengths: Sequence[float]) -> float:
    return sorted(strengths)[len(strengths) // 2]


def _strengths(material: _Material) -> tuple[float, ...]:
    if material.validated:
        return tuple(dict.fromkeys(material.config.l1_strengths))
    return (_middle(material.config.l1_strengths),)


def _initial_model(material: _Material, seed: int) -> models.ViewerModel:
    """Returns the model with its initial weights and fixed statistics."""
    size, shape = None, None
    if "text" in material.config.modalities:
        size = len(material.vocabulary) + models.RESERVED_TOKENS
    if "visual" in material.config.modalities:
        shape = material.train.inputs["visual"].shape[1:]
    model = networks.initial_model(
        material.config, material.viewers, size, shape, seed
    )
    if material.statistics is not None:
        model.set_feature_statistics(*material.statistics)
    return model


def _arguments(model: models.ViewerModel) -> dict[str, Any]:
    """Returns the constructor arguments, without the generated name."""
    config = model.get_config()
    return {k: v for k, v in config.items() if k not in ("name", "trainable")}


def _try(
    bench: Workbench,
    material: _Material,
    initial: Sequence[np.ndarray],
    strength: float,
    seed: int,
    on_epoch: Callable[[Progress], None] | None,
) -> tuple[Trial, list[np.ndarray]]:
    """Trains with one L1 strength; returns the trial and its weights."""
    config = material.config
    bench.reset(initial, strength, material.class_weights, config.learning_rate)
    history = _History(bench.names(material.viewers), strength, on_epoch)
    callbacks: list[keras.callbacks.Callback] = [history]
    epochs, validation, stopping = config.epochs_without_validation, None, None
    if material.validated:
        epochs = config.max_epochs
        validation = batches.fixed_batches(
            material.validation, config.batch_size
        )
        stopping = keras.callbacks.EarlyStopping(
            monitor="val_bce",
            mode="min",
            patience=config.patience,
            restore_best_weights=True,
        )
        callbacks.append(stopping)
    bench.model.fit(
        batches.training_stream(
            material.train, config.batch_size, epochs, seed
        ),
        epochs=epochs,
        steps_per_epoch=batches.steps(material.train, config.batch_size),
        validation_data=validation,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
    )
    trial = history.trial(None if stopping is None else stopping.best_epoch)
    return trial, bench.model.get_weights()


def _rank(trial: Trial) -> float:
    return math.inf if math.isnan(trial.val_bce) else trial.val_bce


def _convergence_notes(
    outcomes: Sequence[tuple[Trial, Any]],
) -> tuple[str, ...]:
    return tuple(
        f"Training with L1 strength {trial.l1:g} diverged: its loss is not a "
        "number."
        for trial, _ in outcomes
        if not math.isfinite(trial.history["bce"][-1])
    )


def _predict(
    bench: Workbench, material: _Material, weights: Sequence[np.ndarray]
) -> np.ndarray:
    """Returns the probabilities of the test films, float32 [n, V]."""
    probabilities = np.zeros(
        (len(material.test), len(material.viewers)), "float32"
    )
    bench.model.set_weights(weights)
    # Not `predict`, which would be traced and compiled for these few batches.
    for start in range(0, len(probabilities), _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        inputs = {name: x[part] for name, x in material.test.inputs.items()}
        probabilities[part] = bench.model(inputs, training=False)
    for viewer in material.untrained:
        probabilities[:, material.viewers.index(viewer)] = np.nan
    return probabilities


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
        self._epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {self._names.get(k, k): float(v) for k, v in logs.items()}
        self._epochs.append(logs)
        if self._on_epoch is not None:
            self._on_epoch(Progress(self._strength, epoch + 1, logs))

    def trial(self, best: int | None) -> Trial:
        """Sums up; `best` counts from 0, None for the last epoch."""
        best = len(self._epochs) - 1 if best is None else best
        history = {
            name: tuple(logs[name] for logs in self._epochs)
            for name in self._epochs[0]
        }
        val_bce = self._epochs[best].get("val_bce", math.nan)
        return Trial(self._strength, best + 1, val_bce, history)


class _Clock:
    """Seconds per part."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._parts: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._parts[name] = time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        total = time.perf_counter() - self._start
        return {**self._parts, "total": total}
