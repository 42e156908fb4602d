"""Which segments Figure 5 shows, and what stands in their cells."""

from __future__ import annotations

import dataclasses

import numpy as np

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


@dataclasses.dataclass(frozen=True)
class Cell:
    """One viewer's truth and prediction for one segment.

    Attributes:
        truth: "Pos", "Neg", or "–" where not rated.
        answer: "Pos", "Neg", or "–" where nothing was predicted.
    """

    truth: str
    answer: str

    @property
    def mark(self) -> str:
        """✓ for right, ✗ for wrong, nothing where it cannot be said."""
        if MISSING in (self.truth, self.answer):
            return ""
        return RIGHT if self.truth == self.answer else WRONG


def _word(value: float) -> str:
    if np.isnan(value):
        return MISSING
    return "Pos" if value > DECISION_THRESHOLD else "Neg"


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


def strip_cells(
    corpus: Corpus, predictions: Predictions, rows: np.ndarray
) -> list[list[Cell]]:
    """Returns truth and prediction, a list of viewers per segment."""
    ids = corpus.segments["segment_id"].iloc[rows]
    answers = predictions.probability.reindex(
        index=ids, columns=list(corpus.viewers)
    ).to_numpy(dtype=float)
    return [
        [
            Cell(_word(truth), _word(answer))
            for truth, answer in zip(corpus.labels[row], line, strict=True)
        ]
        for row, line in zip(rows, answers, strict=True)
    ]
