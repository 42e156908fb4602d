"""Result files: one finished job each, and the only source of the tables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.evaluation.scores import score
from emotion_mt.storage.atomic import write_json
from emotion_mt.training import FitResult

#: Raised when the layout of the files changes.
FORMAT = 3

#: Where a file keeps the SHA-256 of the rest.
_DIGEST = "sha256"

#: Columns of `as_frame` that say how good the answers are.
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "matthews")


def features_digest(features: np.ndarray | None) -> str:
    """Returns a SHA-256 of a feature matrix, or "none" without one."""
    if features is None:
        return "none"
    return hashlib.sha256(
        np.ascontiguousarray(features, dtype="<f4").tobytes()
    ).hexdigest()


def _plain(values: Iterable[float]) -> list[float | None]:
    """Floats for JSON, which has no NaN: missing numbers become null."""
    return [None if math.isnan(v) else float(v) for v in values]


def _ceiling(corpus: Corpus, job: Job, viewer: str) -> float | None:
    """Known best accuracy on the test films, weighted by rated segments."""
    if corpus.ceiling is None:
        return None
    labels = corpus.labels[:, corpus.column(viewer)]
    total, weight = 0.0, 0
    for movie in job.split.test:
        rated = int((~np.isnan(labels[corpus.rows((movie,))])).sum())
        total += rated * corpus.ceiling[movie][viewer]
        weight += rated
    return total / weight if weight else None


def _fit(result: FitResult) -> dict[str, Any]:
    """What the fit itself decided, for curves and for reading along."""
    trials = [
        {
            "l1": trial.l1,
            "best_epoch": trial.best_epoch,
            "score": _plain([trial.score])[0],
            "history": {
                name: _plain(values) for name, values in trial.history.items()
            },
        }
        for trial in result.trials
    ]
    return {
        "l1": result.l1,
        "best_epoch": result.best_epoch,
        "monitor": result.monitor,
        "trials": trials,
        "class_weights": result.class_weights.tolist(),
        "vocabulary": list(result.vocabulary),
        "untrained_viewers": list(result.untrained_viewers),
        "left_out": {
            part: dict(counts) for part, counts in result.left_out.items()
        },
        "notes": list(result.notes),
        "seconds": dict(result.seconds),
    }


def make_record(
    job: Job,
    key: str,
    corpus: Corpus,
    digests: Mapping[str, str],
    result: FitResult,
) -> dict[str, Any]:
    """Collects what a result file holds.

    Args:
        job: The job.
        key: `job.key(...)`.
        corpus: Corpus the job was run on.
        digests: Digests of "corpus", "features" and "weights".
        result: Outcome of the fit.

    Returns:
        Plain JSON values: resolved config, seed, versions, digests, scores,
        and per viewer the label and the probability of every test segment.
    """
    segments = corpus.segments.iloc[result.test_rows]
    viewers: dict[str, Any] = {}
    for column, viewer in enumerate(job.viewers):
        labels = corpus.labels[result.test_rows, corpus.column(viewer)]
        probabilities = result.probabilities[:, column]
        if viewer in result.untrained_viewers:
            # Nothing was learned about this viewer, so nothing is scored.
            labels = np.full_like(labels, np.nan)
        viewers[viewer] = {
            "score": dataclasses.asdict(score(labels, probabilities)),
            "ceiling": _ceiling(corpus, job, viewer),
            "label": _plain(labels),
            "probability": _plain(probabilities),
        }
    return {
        "format": FORMAT,
        "name": job.name,
        "key": key,
        "job": job.as_dict(),
        "versions": versions(),
        "digests": dict(digests),
        "corpus": {
            "name": corpus.name,
            "annotation": corpus.annotation,
            "dimension": corpus.dimension,
            "simulated": corpus.simulated,
        },
        "fit": _fit(result),
        "segment_id": segments["segment_id"].tolist(),
        "movie": segments["movie"].tolist(),
        "viewers": viewers,
    }


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a result file, all or nothing, with a digest of its content."""
    # As it will be read: JSON has no tuples, and only strings for keys.
    plain = json.loads(json.dumps(record))
    write_json(path, {**plain, _DIGEST: _digest(plain)})


def _digest(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_record(path: Path) -> dict[str, Any]:
    """Reads a result file.

    Args:
        path: A file written by `write_record`.

    Returns:
        The record.

    Raises:
        ValueError: If the file is not a whole result file of this format, or
            was altered.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: expected a result file (JSON). Received: {error}"
        ) from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else record
        raise ValueError(
            f"{path}: expected a result file of format {FORMAT}. "
            f"Received format: {found!r}"
        )
    written = record.pop(_DIGEST, None)
    if written != _digest(record):
        raise ValueError(
            f"{path}: expected a result file whose content has the digest in "
            f"it. Received an altered one: {written} is written there, "
            f"{_digest(record)} computed"
        )
    return record


def as_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lists the scores of finished jobs.

    Args:
        records: Result files' contents.

    Returns:
        DataFrame with one row per job and viewer: name, architecture,
        modalities, fold, test, viewer, seed, observed, positive, `MEASURES`
        (NaN where undefined) and ceiling.
    """
    rows = []
    for record in records:
        job = record["job"]
        for viewer, content in record["viewers"].items():
            rows.append(
                {
                    "name": record["name"],
                    "architecture": job["architecture"],
                    "modalities": "+".join(job["config"]["modalities"]),
                    "fold": job["split"]["name"],
                    "test": "+".join(job["split"]["test"]),
                    "viewer": viewer,
                    "seed": job["seed"],
                    **content["score"],
                    "ceiling": content["ceiling"],
                }
            )
    frame = pd.DataFrame(rows)
    numbers = [*MEASURES, "ceiling"]
    frame[numbers] = frame[numbers].astype(float)
    return frame
