"""Fits that a benchmark makes, and how good their answers are."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.metrics import roc_auc_score

from emotion_mt.corpus import is_rated
from emotion_mt.evaluation import Job, score
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.worker import JobInput

#: What `scores` measures, in hundredths.
MEASURES = ["balanced accuracy", "AUC", "accuracy"]


def fit(
    jobs: Sequence[Job], shared: JobInput, out: pathlib.Path, **how: Any
) -> RunOutcome:
    """Fits what is not finished; `how` is what `run_jobs` takes.

    Raises:
        RuntimeError: If a fit fails.
    """
    outcome = run_jobs(jobs, shared, out / "jobs", **how)
    for job, error in outcome.failures.items():
        raise RuntimeError(f"{job.name} failed: {error}")
    return outcome


def fit_seconds(outcome: RunOutcome) -> float:
    """Returns the seconds that all fits took, finished before or not."""
    return sum(r["fit"]["seconds"]["total"] for r in outcome.records)


def scores(answers: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Scores answers against labels.

    Args:
        answers: With `keys`, label (NaN where not rated) and probability, as
            `records.as_frame` returns it.
        keys: Columns that tell test sets apart.

    Returns:
        DataFrame with `keys` and `MEASURES`, a row per test set; NaN where
        the ratings have one class only.
    """
    rows = []
    for key, part in answers.groupby(keys, sort=False):
        rated = part[is_rated(part["label"].to_numpy())]
        known = rated["label"], rated["probability"]
        found, auc = score(*known), None
        if found.balanced_accuracy is not None:
            auc = roc_auc_score(*known)
        rows.append((*key, found.balanced_accuracy, auc, found.accuracy))
    frame = pd.DataFrame(rows, columns=[*keys, *MEASURES])
    frame[MEASURES] = 100 * frame[MEASURES].astype(float)
    return frame
