"""Fits that a benchmark makes, and how good their answers are."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from emotion_mt.corpus import is_rated
from emotion_mt.evaluation import Job, score
from emotion_mt.runs.engine import RunOutcome, run_jobs
from emotion_mt.runs.worker import JobInput

#: What `scores` measures, in hundredths.
MEASURES = ["balanced accuracy", "AUC", "accuracy"]

#: Draws of the bootstrap, and the coverage of the bands.
DRAWS, LEVEL = 9999, 0.95


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


def band(differences: np.ndarray) -> tuple[float, float]:
    """Interval of a mean over seeds and films, by resampling both.

    Each draw takes as many seeds (rows) and films (columns) as there are, both
    with replacement, and averages the differences where they cross (percentile
    bootstrap); NaN for fewer than two films. Films share training films and
    seeds share the films, so true uncertainty about new ones is larger.
    """
    seeds, films = differences.shape
    if films < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    rows = rng.integers(seeds, size=(DRAWS, seeds, 1))
    columns = rng.integers(films, size=(DRAWS, 1, films))
    means = differences[rows, columns].mean(axis=(1, 2))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def interval(mean: float, low: float, high: float) -> str:
    """Writes a difference in points with its band."""
    # No "-0.0".
    mean, low, high = (round(x, 1) + 0.0 for x in (mean, low, high))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
