"""Rows that need no training: constant, random and ideal answers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.evaluation.records import MEASURES
from emotion_mt.evaluation.scores import Score, score

#: Classifiers that answer at random, always "positive", always "negative",
#: and always with the test film's more frequent class.
REFERENCES = ("Random", "Positive", "Negative", "Majority")

#: Best accuracy that is possible on a simulated corpus.
CEILING = "Ceiling"

#: Random answers are drawn this often per test set and averaged.
_RANDOM_DRAWS = 100


def _answers(
    name: str, fold: str, viewer: str, truth: np.ndarray
) -> list[np.ndarray]:
    """Probabilities that a reference classifier gives, one array per draw."""
    if name == "Positive":
        return [np.ones(truth.size)]
    if name == "Negative":
        return [np.zeros(truth.size)]
    if name == "Majority":
        return [np.full(truth.size, float(np.nanmean(truth) > 0.5))]
    # A stream per fold and viewer: another viewer changes no other number.
    seed = hashlib.sha256(f"{fold}/{viewer}".encode()).digest()[:8]
    draws = np.random.default_rng(int.from_bytes(seed, "big"))
    return list(draws.random((_RANDOM_DRAWS, truth.size)))


def _mean(scores: list[Score]) -> dict[str, float]:
    """Each measure averaged over draws, NaN where undefined."""
    values = [dataclasses.asdict(s) for s in scores]
    return {
        measure: np.nan
        if values[0][measure] is None
        else float(np.mean([v[measure] for v in values]))
        for measure in MEASURES
    }


def reference_scores(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Scores the reference rows on every test set in the records.

    Args:
        records: Contents of result files.

    Returns:
        DataFrame with row, fold, viewer and `MEASURES`; test sets without a
        rating are left out.
    """
    labels: dict[tuple[str, str], np.ndarray] = {}
    for record in records:
        fold = record["job"]["split"]["name"]
        for viewer, content in record["viewers"].items():
            labels[fold, viewer] = np.array(content["label"], dtype=float)
    rows = [
        {
            "row": name,
            "fold": fold,
            "viewer": viewer,
            **_mean(
                [score(truth, a) for a in _answers(name, fold, viewer, truth)]
            ),
        }
        for (fold, viewer), truth in labels.items()
        if not np.isnan(truth).all()
        for name in REFERENCES
    ]
    return pd.DataFrame(rows, columns=["row", "fold", "viewer", *MEASURES])


def ceiling_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Turns the known ceilings into a row of their own.

    Args:
        frame: What `records.as_frame` gives.

    Returns:
        DataFrame like that of `reference_scores`; empty where no ceiling is
        known. Only the accuracy has a ceiling.
    """
    known = frame.dropna(subset="ceiling").drop_duplicates(["fold", "viewer"])
    known = known.assign(row=CEILING, **dict.fromkeys(MEASURES, np.nan))
    known["accuracy"] = known["ceiling"]
    return known[["row", "fold", "viewer", *MEASURES]]
