"""Result files: one finished job each, and the only source of the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation.jobs import Job, versions
from emotion_mt.evaluation.scores import score
from emotion_mt.storage.atomic import write_json
from emotion_mt.training import FitResult

#: Raised when the layout of the files changes.
FORMAT = 3

#: Where a file keeps the SHA-256 of the rest.
_DIGEST = "sha256"

#: What is kept of a `FitResult`, for curves and for reading along.
_FIT = (
    *("l1", "best_epoch", "monitor", "trials", "class_weights", "vocabulary"),
    *("untrained_viewers", "left_out", "notes", "seconds"),
)

#: Columns of `as_frame`: those that are the same for all segments of a job
#: and viewer, and those that are not.
JOB_COLUMNS = [
    *("name", "architecture", "modalities", "fold", "test", "seed"),
    *("viewer", "ceiling"),
]
_SEGMENT_COLUMNS = ["segment_id", "label", "probability"]


def features_digest(features: np.ndarray | None) -> str:
    """Returns a SHA-256 of a feature matrix, or "none" without one."""
    if features is None:
        return "none"
    content = features.astype("<f4", order="C").tobytes()
    return hashlib.sha256(content).hexdigest()


def _plain(content: Any) -> Any:
    """Values as JSON has them; it has no NaN: missing numbers become null."""

    def convert(value: Any) -> Any:
        arrays = np.ndarray, np.generic
        return value.tolist() if isinstance(value, arrays) else vars(value)

    def constant(name: str) -> float | None:
        return None if name == "NaN" else float(name)

    text = json.dumps(content, default=convert)
    return json.loads(text, parse_constant=constant)


def _ceiling(corpus: Corpus, job: Job, viewer: str) -> float | None:
    """Known best accuracy on the test films, weighted by rated segments."""
    rated = is_rated(corpus.labels[:, corpus.column(viewer)])
    counts = [rated[corpus.rows((film,))].sum() for film in job.split.test]
    if corpus.ceiling is None or not any(counts):
        return None
    ceilings = [corpus.ceiling[film][viewer] for film in job.split.test]
    return float(np.average(ceilings, weights=counts))


def make_record(
    job: Job,
    key: str,
    corpus: Corpus,
    digests: Mapping[str, str],
    result: FitResult,
) -> dict[str, Any]:
    """Collects what the result file of a job holds, as plain JSON values.

    That is its resolved config, seed, `key` (of `job.key`), versions, `digests`
    (of "corpus", "features" and "weights"), scores, and per viewer the label
    and the probability of every test segment.
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
            "score": score(labels, probabilities),
            "ceiling": _ceiling(corpus, job, viewer),
            "label": labels,
            "probability": probabilities,
        }
    about = ("name", "annotation", "dimension", "simulated")
    record = {
        "format": FORMAT,
        "name": job.name,
        "key": key,
        "job": job.as_dict(),
        "versions": versions(),
        "digests": dict(digests),
        "corpus": {name: getattr(corpus, name) for name in about},
        "fit": {name: getattr(result, name) for name in _FIT},
        "segment_id": segments["segment_id"].tolist(),
        "movie": segments["movie"].tolist(),
        "viewers": viewers,
    }
    return _plain(record)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a result file, all or nothing, with a digest of its content."""
    plain = _plain(record)
    write_json(path, {**plain, _DIGEST: _digest(plain)})


def _digest(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_record(path: Path) -> dict[str, Any]:
    """Reads a file written by `write_record`.

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
    found = record.get("format") if isinstance(record, dict) else record
    if not isinstance(record, dict) or found != FORMAT:
        raise ValueError(
            f"{path}: expected a result file of format {FORMAT}. "
            f"Received format: {found!r}"
        )
    written, computed = record.pop(_DIGEST, None), _digest(record)
    if written != computed:
        raise ValueError(
            f"{path}: expected a result file whose content matches its digest. "
            f"Received an altered one: {written} is written there, "
            f"{computed} was computed"
        )
    return record


def as_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lists what was rated and answered in result files.

    Returns:
        DataFrame, one row per job, viewer and test segment: `JOB_COLUMNS`
        (modalities and test films joined by "+"; ceiling NaN where unknown),
        segment_id, label (1, 0, NaN) and probability of "positive".
    """
    rows = []
    for record in records:
        job, split = record["job"], record["job"]["split"]
        modalities, test = job["config"]["modalities"], split["test"]
        kind = (record["name"], job["architecture"], "+".join(modalities))
        fold = (split["name"], "+".join(test), job["seed"])
        for viewer, content in record["viewers"].items():
            ids, ceiling = record["segment_id"], content["ceiling"]
            answers = (ids, content["label"], content["probability"])
            rows.append((*kind, *fold, viewer, ceiling, *answers))
    frame = pd.DataFrame(rows, columns=[*JOB_COLUMNS, *_SEGMENT_COLUMNS])
    return frame.explode(_SEGMENT_COLUMNS, ignore_index=True).astype(
        {"ceiling": float, "label": float, "probability": float}
    )
