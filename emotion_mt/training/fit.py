"""Fits one model on one split (Sect. III to V-A)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt import models, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.training import attempts, data, networks, vocabulary
from emotion_mt.training.config import TrainingConfig
from emotion_mt.training.result import FitResult, Progress, Trial
from emotion_mt.training.reuse import Workbench, workbench

#: Models that were compiled are shared within a process: one fit at a time.
_ONE_AT_A_TIME = threading.Lock()


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
            arguments = _arguments(material, seed)
        with clock.part("build"):
            bench = workbench(material.config, arguments)
        with clock.part("fit"):
            task = attempts.Task(
                bench=bench,
                initial=bench.initial_weights(
                    arguments["seed"], material.viewers
                ),
                config=material.config,
                viewers=material.viewers,
                train=material.train,
                validation=material.validation,
                class_weights=material.class_weights,
                statistics=material.statistics,
                seed=seed,
                on_epoch=on_epoch,
            )
            trials, trial, weights = attempts.choose(task, _strengths(material))
        with clock.part("predict"):
            probabilities = _predict(bench, material, weights)
    return FitResult(
        viewers=material.viewers,
        split=split,
        config=material.config,
        seed=seed,
        l1=trial.l1,
        best_epoch=trial.best_epoch,
        trials=tuple(trials),
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
        notes=(*material.notes, *_convergence_notes(trials)),
        seconds=clock.seconds(),
        model_config=bench.model_config(
            material.viewers, arguments["seed"], trial.l1
        ),
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
        texts = corpus.segments["text"].iloc[training_rows]
        tokenizer = _tokenizer(tuple(map(str, texts)), config.max_vocabulary)
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


@functools.lru_cache(maxsize=4)
def _tokenizer(
    texts: tuple[str, ...], max_tokens: int
) -> keras.layers.TextVectorization:
    """Returns a tokenizer that all jobs on the same films share."""
    return vocabulary.fit_tokenizer(texts, max_tokens)


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
    if len(material.validation):
        return tuple(dict.fromkeys(material.config.l1_strengths))
    return (_middle(material.config.l1_strengths),)


def _arguments(material: _Material, seed: int) -> dict[str, Any]:
    """Returns the arguments of the model's class."""
    size, shape = None, None
    if "text" in material.config.modalities:
        size = len(material.vocabulary) + models.RESERVED_TOKENS
    if "visual" in material.config.modalities:
        shape = material.train.inputs["visual"].shape[1:]
    return networks.arguments(
        material.config, material.viewers, size, shape, seed
    )


def _convergence_notes(trials: Sequence[Trial]) -> tuple[str, ...]:
    return tuple(
        f"Training with L1 strength {trial.l1:g} diverged: its loss is not a "
        "number."
        for trial in trials
        if not math.isfinite(trial.history["bce"][-1])
    )


def _predict(
    bench: Workbench, material: _Material, weights: Sequence[np.ndarray]
) -> np.ndarray:
    """Returns the probabilities of the test films, float32 [n, V]."""
    bench.model.set_weights(weights)
    probabilities = bench.predict(material.test.inputs)
    for viewer in material.untrained:
        probabilities[:, material.viewers.index(viewer)] = np.nan
    return probabilities


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
