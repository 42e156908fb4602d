"""Corpus and features to what a model sees (Sect. IV-A)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from emotion_mt import models
from emotion_mt.corpus.corpus import Corpus

#: Why a segment is left out; keys of `Segments.left_out`.
NO_FEATURE = "no visual feature"
NO_LABEL = "no label"


@dataclasses.dataclass(frozen=True, eq=False)
class Segments:
    """Segments as a model sees them.

    Attributes:
        rows: int64 [n], their rows in the corpus, increasing.
        inputs: By modality "tokens" int32 [n, 18] and "visual" float32
            [n, F], or [n, frames, channels, bins] for the Baseline.
        labels: float32 [n, V]; 1.0 positive, 0.0 negative, NaN missing.
        left_out: Reason to number of segments, for each possible reason.
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.rows)


def select_segments(
    corpus: Corpus,
    features: np.ndarray | None,
    movies: Sequence[str],
    *,
    tokenizer: keras.layers.TextVectorization | None,
    viewers: Sequence[str] | None = None,
    modalities: Sequence[str] = models.MODALITIES,
    labelled_only: bool = True,
) -> Segments:
    """Picks the segments of some films that a model can use.

    Args:
        corpus: The corpus, N segments.
        features: float [N, F], or [N, frames, channels, bins] for the
            Baseline; a row of NaN where there is no video. Only read for the
            modality "visual"; may be None without it.
        movies: Film codes.
        tokenizer: Of `fit_tokenizer`. Only read for the modality "text"; may
            be None without it.
        viewers: Columns of the labels. Defaults to None, all viewers of the
            corpus.
        modalities: "text", "visual" or both. Defaults to both.
        labelled_only: Whether segments that none of the viewers has rated
            are left out. Defaults to True.

    Returns:
        The segments, and how many were left out for which reason.

    Raises:
        ValueError: If an argument does not fit the corpus.
    """
    viewers = corpus.viewers if viewers is None else tuple(viewers)
    rows = corpus.rows(movies)
    left_out = {}
    visual = np.zeros((len(corpus), 0))
    if "visual" in modalities:
        visual = check_features(corpus, features)
        axes = tuple(range(1, visual.ndim))
        seen = ~np.isnan(visual[rows]).any(axis=axes)
        left_out[NO_FEATURE] = int(np.sum(~seen))
        rows = rows[seen]
    columns = [corpus.column(viewer) for viewer in viewers]
    labels = corpus.labels[:, columns]
    if labelled_only:
        rated = ~np.isnan(labels[rows]).all(axis=1)
        left_out[NO_LABEL] = int(np.sum(~rated))
        rows = rows[rated]

    inputs = {}
    if "text" in modalities:
        if tokenizer is None:
            raise ValueError(
                "`tokenizer` must be given with the modality 'text'. "
                "Received: None"
            )
        texts = corpus.segments["text"].iloc[rows]
        inputs["tokens"] = models.tokenize(tokenizer, texts)
    if "visual" in modalities:
        inputs["visual"] = visual[rows].astype("float32")
    return Segments(rows, inputs, labels[rows], left_out)


def check_features(corpus: Corpus, features: np.ndarray | None) -> np.ndarray:
    """Returns features that fit a corpus.

    Raises:
        ValueError: If there are none, or not one row per segment.
    """
    if features is None:
        raise ValueError(
            "`features` must be given with the modality 'visual'. "
            "Received: None"
        )
    if np.ndim(features) not in (2, 4) or len(features) != len(corpus):
        raise ValueError(
            "`features` needs one row per segment of the corpus, "
            f"[{len(corpus)}, F], or [{len(corpus)}, frames, channels, bins] "
            f"for the Baseline. Received shape: {list(np.shape(features))}"
        )
    return np.asarray(features)
