"""What stands in the tables of real_raters.py: answers, and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import is_rated, mean_of_rated
from emotion_mt.evaluation import score
from emotion_mt.evaluation.records import as_frame
from emotion_mt.evaluation.scores import reference_scores

#: What is measured, in hundredths.
MEASURES = {
    "balanced_accuracy": "Balanced accuracy (%)",
    "auc": "AUC (× 100)",
    "accuracy": "Accuracy (%)",
}

SMALL_MT = "MT, layers of ST"
TFIDF, SAME = "TF-IDF + LR", "TF-IDF + LR, input of ST"
ONE, ALL = "another rater", "all other raters"

#: MT with what a rater's answers pass through in ST, the last layer its own.
SMALL: dict[str, Any] = {
    "multi_task_trunk_units": paper.ST_TRUNK_UNITS[:-1],
    "multi_task_head_units": paper.ST_TRUNK_UNITS[-1:],
}

_KEYS = ["row", "fold", "column", "seed"]


def row_of(record: Mapping[str, Any]) -> str:
    """Returns the row of a result."""
    job = record["job"]
    trunk = job["config"].get("multi_task_trunk_units")
    small = trunk == list(SMALL["multi_task_trunk_units"])
    return SMALL_MT if small else job["architecture"]


def model_answers(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What the networks say: `_KEYS`, segment_id, label and probability."""
    frames = [as_frame([r]).assign(row=row_of(r)) for r in records]
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(column=frame["viewer"])


def raters_of(corpus: emt.Corpus) -> list[str]:
    """The raters, without their average."""
    return [viewer for viewer in corpus.viewers if viewer != paper.AVERAGE]


def tfidf_answers(corpus: emt.Corpus, row: str) -> pd.DataFrame:
    """What logistic regression on TF-IDF says; as `model_answers`.

    `TFIDF` takes whole texts and is fitted on all other parts, as it needs
    none to stop on; `SAME` has the words and parts that ST learns from.
    """
    texts, labels = corpus.segments["text"], corpus.labels
    if row == SAME:
        texts = texts.str.split().str[: paper.WORDS_PER_SEGMENT].str.join(" ")
    frames = []
    for split in emt.folds(corpus.movies):
        others = split.train if row == SAME else split.train + split.validation
        rest, test = corpus.rows(others), corpus.rows(split.test)
        vectors = TfidfVectorizer().fit(texts[rest]).transform(texts)
        for viewer in corpus.viewers:
            truth = labels[:, corpus.column(viewer)]
            rated = rest[is_rated(truth[rest])]
            model = LogisticRegression(class_weight="balanced")
            model.fit(vectors[rated], truth[rated])
            found = model.predict_proba(vectors[test])[:, 1]
            cell = {"row": row, "fold": split.name, "column": viewer}
            answers = {"label": truth[test], "probability": found}
            frames.append(pd.DataFrame({**cell, "seed": 0, **answers}))
    return pd.concat(frames, ignore_index=True)


def rater_answers(corpus: emt.Corpus) -> pd.DataFrame:
    """What other raters say, one by one (as "seeds") and all together.

    Raters do not predict their own average, so Vavg has no such rows.
    """
    raters, values = raters_of(corpus), corpus.values.astype(float)
    frames = []
    for split in emt.folds(corpus.movies):
        test = corpus.rows(split.test)
        for column, rater in enumerate(raters):
            others = [c for c in range(len(raters)) if c != column]
            said = {(ONE, other): values[test, other] for other in others}
            said[ALL, 0] = mean_of_rated(np.stack(list(said.values())))
            for (row, seed), value in said.items():
                # From [-1, 1] to a probability with the same threshold.
                answers = {"probability": (value + 1) / 2}
                truth = corpus.labels[test, column]
                answers["label"] = np.where(is_rated(value), truth, np.nan)
                cell = {"row": row, "fold": split.name, "column": rater}
                frames.append(pd.DataFrame({**cell, "seed": seed, **answers}))
    return pd.concat(frames, ignore_index=True)


def scored(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores in [0, 1] per row, fold and column, mean over seeds."""
    rows = []
    for key, part in answers.groupby(_KEYS, sort=False):
        found = score(part["label"], part["probability"])
        auc = None
        if found.balanced_accuracy is not None:
            rated = part[is_rated(part["label"].to_numpy())]
            auc = roc_auc_score(rated["label"], rated["probability"])
        numbers = (found.balanced_accuracy, auc, found.accuracy)
        rows.append((*key, *numbers))
    frame = pd.DataFrame(rows, columns=[*_KEYS, *MEASURES])
    frame = frame.astype(dict.fromkeys(MEASURES, float))
    cells = frame.groupby(_KEYS[:-1], as_index=False, sort=False)
    return cells[list(MEASURES)].mean()


def references(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores of chance and of the part's more frequent class."""
    found = reference_scores(answers, ("Random", "Majority"))
    found["row"] = found["row"].replace("Random", "Chance")
    # Neither orders the segments.
    found["auc"] = found["balanced_accuracy"].where(
        found["balanced_accuracy"].isna(), 0.5
    )
    return found[[*_KEYS[:-1], *MEASURES]]


def all_scores(
    corpus: emt.Corpus, records: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Scores all rows; returns what `scored` does."""
    answers = model_answers(records)
    others = [tfidf_answers(corpus, row) for row in (TFIDF, SAME)]
    others.append(rater_answers(corpus))
    return pd.concat([references(answers), *map(scored, [answers, *others])])
