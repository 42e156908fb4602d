"""All that a fit learns from, from the training movies only."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from emotion_mt import models, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.models.viewer_model import check_viewers
from emotion_mt.training import data
from emotion_mt.training.config import FitConfig


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """What a fit learns from, and what it predicts.

    Attributes:
        config: How it is fitted.
        viewers: Columns of the labels.
        arguments: Of `FitConfig.model_arguments`.
        strengths: L1 strengths to try, distinct.
        monitor: What decides; None where the validation movies have no label.
        train: Segments to learn from.
        validation: Segments that decide; may be none.
        test: Segments to predict; may be none.
        vocabulary: Words of the training movies, without the reserved ones.
        class_weights: float32 [V, 2].
        untrained: Viewers without a label in the training movies.
        notes: Sentences about what could not go the usual way.
    """

    config: FitConfig
    viewers: tuple[str, ...]
    arguments: Mapping[str, Any]
    strengths: tuple[float, ...]
    monitor: str | None
    train: data.Segments
    validation: data.Segments
    test: data.Segments
    vocabulary: tuple[str, ...]
    class_weights: np.ndarray
    untrained: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def left_out(self) -> dict[str, Mapping[str, int]]:
        """Part to reason to number of segments."""
        return {
            name: getattr(self, name).left_out
            for name in ("train", "validation", "test")
        }


def prepare(
    corpus: Corpus,
    features: np.ndarray | None,
    split: paper.Split,
    viewers: Sequence[str],
    config: FitConfig,
) -> Material:
    """Collects what `fit_split` needs; see there for arguments and errors."""
    viewers = check_viewers(viewers)
    tokenizer, words = None, ()
    if "text" in config.modalities:
        texts = corpus.segments["text"].iloc[corpus.rows(split.train)]
        tokenizer = _tokenizer(tuple(map(str, texts)), config.max_vocabulary)
        words = tuple(tokenizer.get_vocabulary(include_special_tokens=False))
    train, validation, test = (
        data.select_segments(
            corpus,
            features,
            movies,
            tokenizer=tokenizer,
            viewers=viewers,
            modalities=config.modalities,
            labelled_only=movies is not split.test,
        )
        for movies in (split.train, split.validation, split.test)
    )
    if not len(train):
        raise ValueError(
            f"The training movies {', '.join(split.train)} of split "
            f"`{split.name}` must have a segment with a label of "
            f"{', '.join(viewers)} and all inputs of {config.modalities}. "
            f"Received {len(corpus.rows(split.train))} segments, left out: "
            f"{dict(train.left_out)}"
        )
    weights = np.ones((len(viewers), 2), "float32")
    if config.class_weighting:
        weights = data.class_weights(train.labels)
    monitor = _monitor(config.monitor, validation.labels)
    strengths = tuple(dict.fromkeys(config.l1))
    if monitor is None:
        strengths = (sorted(strengths)[len(strengths) // 2],)
    visual = train.inputs.get("visual")
    return Material(
        config=config,
        viewers=viewers,
        arguments=config.model_arguments(
            viewers,
            len(words) + models.RESERVED_TOKENS if tokenizer else None,
            None if visual is None else visual.shape[1:],
        ),
        strengths=strengths,
        monitor=monitor,
        train=train,
        validation=validation,
        test=test,
        vocabulary=words,
        class_weights=weights,
        untrained=tuple(
            viewer
            for viewer, column in zip(viewers, train.labels.T, strict=True)
            if np.isnan(column).all()
        ),
        notes=_notes(config, split, viewers, train, monitor, strengths),
    )


@functools.lru_cache(maxsize=4)
def _tokenizer(
    texts: tuple[str, ...], max_tokens: int
) -> keras.layers.TextVectorization:
    """Returns a tokenizer that all jobs on the same movies share."""
    return models.fit_tokenizer(texts, max_tokens)


def _monitor(wanted: str, labels: np.ndarray) -> str | None:
    """What can decide on these validation labels, [n, V]."""
    if not len(labels):
        return None
    both = np.any(labels == 1.0, axis=0) & np.any(labels == 0.0, axis=0)
    return wanted if both.any() else "val_bce"


def _notes(
    config: FitConfig,
    split: paper.Split,
    viewers: Sequence[str],
    train: data.Segments,
    monitor: str | None,
    strengths: Sequence[float],
) -> tuple[str, ...]:
    """Says in words where the fit could not go the usual way."""
    notes = []
    seen = {
        viewer: set(labels[~np.isnan(labels)])
        for viewer, labels in zip(viewers, train.labels.T, strict=True)
    }
    untrained = [viewer for viewer, classes in seen.items() if not classes]
    if untrained:
        notes.append(
            f"No label of {', '.join(untrained)} in the training movies: no "
            "predictions for them."
        )
    for viewer, classes in seen.items():
        if len(classes) == 1:
            name = "positive" if classes == {1.0} else "negative"
            notes.append(
                f"All training labels of {viewer} are {name}: class weights 1."
            )
    movies = ", ".join(split.validation) or "none named"
    if monitor is None:
        notes.append(
            f"No label in the validation movies ({movies}): "
            f"{config.epochs_without_validation} epochs, L1 strength "
            f"{strengths[0]:g}."
        )
    elif monitor != config.monitor:
        notes.append(
            f"No viewer has both classes in the validation movies ({movies}): "
            f"{monitor} decided instead of {config.monitor}."
        )
    return tuple(notes)
