"""All that a fit learns from, from the training movies only."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emotion_mt import models, paper
from emotion_mt.corpus.corpus import Corpus
from emotion_mt.models.viewer_model import check_viewers
from emotion_mt.training import data
from emotion_mt.training.config import FitConfig

#: All jobs on the same movies share a tokenizer.
_tokenizer = functools.lru_cache(maxsize=4)(models.fit_tokenizer)


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """What a fit learns from, and what it predicts.

    The arguments are those of `FitConfig.model_arguments`, the strengths the
    distinct ones of L1, the segments of validation and test may be none; for
    the rest see `FitResult`.
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
    classes = {
        viewer: set(labels[~np.isnan(labels)])
        for viewer, labels in zip(viewers, train.labels.T, strict=True)
    }
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
        untrained=tuple(viewer for viewer in viewers if not classes[viewer]),
        notes=_notes(config, split, classes, monitor, strengths),
    )


def _monitor(wanted: str, labels: np.ndarray) -> str | None:
    """What can decide on these validation labels, [n, V]."""
    if not len(labels):
        return None
    both = np.any(labels == 1.0, axis=0) & np.any(labels == 0.0, axis=0)
    return wanted if both.any() else "val_bce"


def _notes(
    config: FitConfig,
    split: paper.Split,
    classes: Mapping[str, set[float]],
    monitor: str | None,
    strengths: Sequence[float],
) -> tuple[str, ...]:
    """Says where the fit could not go the usual way; classes by viewer."""
    notes = []
    if untrained := [viewer for viewer, seen in classes.items() if not seen]:
        notes.append(
            f"No label of {', '.join(untrained)} in the training movies: no "
            "predictions for them."
        )
    for viewer, seen in classes.items():
        if len(seen) == 1:
            name = "positive" if 1.0 in seen else "negative"
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
