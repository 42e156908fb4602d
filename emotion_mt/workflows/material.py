"""What models are made of: a corpus, its features, a split."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus import Corpus, baseline_split, folds, load_corpus
from emotion_mt.corpus.atomic import replacing
from emotion_mt.features import (
    ExtractionReport,
    extract,
    load_i3d,
    model_digest,
)
from emotion_mt.features.extraction import STORE_NAME


@dataclasses.dataclass(frozen=True, eq=False)
class VisualFeatures:
    """Visual features of a corpus, and where they come from.

    Attributes:
        features: float32 [N, 1024]; NaN where a segment has no video.
        weights_digest: `model_digest` of the I3D.
        report: What was computed and what was in the store.
    """

    features: np.ndarray
    weights_digest: str
    report: ExtractionReport

    @property
    def missing(self) -> int:
        """Number of segments without a feature."""
        return int(np.isnan(self.features).any(axis=1).sum())


def open_corpus(
    folder: str | os.PathLike[str],
    annotation: str = "experienced",
    dimension: str = "valence",
    *,
    skip_bad_films: bool = False,
    allow_outside: bool = False,
) -> Corpus:
    """`load_corpus` that either stops at broken films or goes on.

    Args:
        folder: See there.
        annotation: See there.
        dimension: See there.
        skip_bad_films: Whether to leave out films whose files are broken;
            they are listed in `Corpus.problems`.
        allow_outside: See there.

    Returns:
        The corpus.

    Raises:
        CorpusError: If the corpus cannot be read.
    """
    return load_corpus(
        folder,
        annotation,
        dimension,
        on_problem="skip" if skip_bad_films else "raise",
        allow_outside=allow_outside,
    )


def open_features(
    corpus: Corpus,
    weights: str = "auto",
    dtype: str = "float32",
    cache: str | os.PathLike[str] | None = None,
) -> VisualFeatures:
    """Loads the I3D and computes the features, or takes them from the store.

    Args:
        corpus: The corpus.
        weights: See `load_i3d`.
        dtype: See there.
        cache: Folder of weights and features. Defaults to None,
            `$EMOTION_MT_CACHE` or `~/.cache/emotion_mt`.

    Returns:
        The features, and what made them.

    Raises:
        ValueError: If no film of the corpus has a video.
        VideoError: If videos cannot be used.
        WeightsError: If the weights cannot be had.
    """
    if corpus.segments["video"].isna().all():
        raise ValueError(
            f"Corpus {corpus.name} must have videos for the modality "
            "`visual`. Received none; put the films beside their subtitles, "
            "or use the text alone (--modalities=text)"
        )
    i3d = load_i3d(weights, dtype, cache)
    store = None if cache is None else Path(cache) / STORE_NAME
    extraction = extract(corpus, i3d, cache_dir=store)
    return VisualFeatures(
        extraction.features, model_digest(i3d), extraction.report
    )


def write_features(
    path: str | os.PathLike[str], corpus: Corpus, visual: VisualFeatures
) -> None:
    """Writes features for use elsewhere.

    Args:
        path: File (.npz): segment_id (str [N]), features (float32 [N, 1024]),
            weights_digest.
        corpus: The corpus.
        visual: Its features.
    """
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            segment_id=np.array(corpus.segments["segment_id"].tolist(), str),
            features=visual.features,
            weights_digest=visual.weights_digest,
        )


def find_split(corpus: Corpus, name: str) -> paper.Split:
    """Returns a split of a corpus by its name.

    Args:
        corpus: The corpus.
        name: "F1", "F2", … as `folds` names them, or "Baseline".

    Raises:
        ValueError: If there is no such split.
    """
    splits = list(folds(corpus.movies))
    if set(corpus.movies) >= set(paper.MOVIES):
        splits.append(baseline_split())
    for split in splits:
        if split.name.lower() == name.lower():
            return split
    names = ", ".join(split.name for split in splits)
    raise ValueError(
        f"The fold of corpus {corpus.name} must be one of {names}. "
        f"Received: {name!r}"
    )
