"""Which segments Figure 5 shows, and what stands below them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from emotion_mt._clock import clock
from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.figures.predictions import Predictions
from emotion_mt.evaluation.scores import DECISION_THRESHOLD

#: The films of the paper's Fig. 5; other corpora show their first films.
PAPER_FILMS = ("LOR", "CRA", "FNE", "CHI")

#: Films and segments per film that are shown.
MAX_FILMS = 4
SEGMENTS = 5

#: Stands beside predictions that are right, and wrong.
RIGHT, WRONG = "✓", "✗"

#: Stands for a missing rating or prediction.
MISSING = "–"


def choose_films(corpus: Corpus, predictions: Predictions) -> tuple[str, ...]:
    """Returns the films to show: the paper's where they are predicted."""
    known = corpus.segments["segment_id"].isin(predictions.probability.index)
    predicted = set(corpus.segments["movie"][known])
    films = [m for m in corpus.movies if m in predicted]
    first = [m for m in PAPER_FILMS if m in predicted]
    return tuple(first if len(first) == len(PAPER_FILMS) else films)[:MAX_FILMS]


def choose_segments(
    corpus: Corpus, predictions: Predictions, movie: str, count: int = SEGMENTS
) -> np.ndarray:
    """Chooses segments evenly over a film, whatever was predicted for them.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        movie: The film.
        count: How many segments.

    Returns:
        int64 [at most count], rows of the corpus, in order: evenly spaced
        among the film's predicted segments; among those with a subtitle
        where there are enough of them.
    """
    rows = corpus.rows([movie])
    segments = corpus.segments.iloc[rows]
    known = segments["segment_id"].isin(predictions.probability.index)
    spoken = known & (segments["text"].str.strip() != "")
    chosen = spoken if spoken.sum() >= count else known
    candidates = rows[chosen.to_numpy()]
    count = min(count, candidates.size)
    places = (np.arange(count) + 0.5) / max(count, 1) * candidates.size
    return candidates[places.astype(int)]


def describe_segments(
    corpus: Corpus, predictions: Predictions, rows: np.ndarray
) -> pd.DataFrame:
    """Returns what Figure 5 shows of some segments, as texts.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        rows: Rows of the corpus.

    Returns:
        A row per segment: segment (its name), start (min:s), subtitle, and
        for each viewer "truth / prediction", "Pos / Neg ✗" for example; a
        dash stands for none.
    """
    segments = corpus.segments.iloc[rows]
    answers = predictions.probability.reindex(
        index=segments["segment_id"], columns=list(corpus.viewers)
    ).to_numpy(dtype=float)
    labels = corpus.labels[rows]
    cells = [
        [_cell(_word(truth), _word(answer)) for truth, answer in pairs]
        for pairs in np.stack([labels, answers], axis=-1)
    ]
    return pd.DataFrame(
        {
            "segment": segments["segment_id"].tolist(),
            "start": [clock(round(start)) for start in segments["start_s"]],
            "subtitle": segments["text"].tolist(),
        }
    ).join(pd.DataFrame(cells, columns=list(corpus.viewers)))


def _word(value: float) -> str:
    if np.isnan(value):
        return MISSING
    return "Pos" if value > DECISION_THRESHOLD else "Neg"


def _cell(truth: str, answer: str) -> str:
    if MISSING in (truth, answer):
        return f"{truth} / {answer}"
    return f"{truth} / {answer} {RIGHT if truth == answer else WRONG}"
