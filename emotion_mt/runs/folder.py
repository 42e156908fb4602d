"""What a run's folder remembers, so that its tables come together.

One script per table, called one after the other with the same flags, fill one
folder. config.json says how to repeat them and which result files each table
rests on; the report shows all of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import logging

from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job, result_file_name, versions
from emotion_mt.evaluation.specs import SPECS, TableSpec, table2_spec
from emotion_mt.storage.atomic import write_json

CONFIG = "config.json"
JOBS = "jobs"

#: Settings that decide no number.
_INDIFFERENT = (
    "workers",
    "scheduler",
    "dashboard",
    "wait",
    "out",
    "cache",
    "data",
)


@dataclasses.dataclass(frozen=True)
class TablePart:
    """One table of a run with the results that it rests on.

    Attributes:
        spec: Which table.
        splits: Its splits, as plain values.
        records: Contents of its result files.
        failed: Names of its jobs that failed.
    """

    spec: TableSpec
    splits: tuple[Mapping[str, Any], ...]
    records: tuple[Mapping[str, Any], ...]
    failed: tuple[str, ...] = ()


def part_of(
    spec: TableSpec,
    jobs: Sequence[Job],
    finished: Sequence[Mapping[str, Any]],
    failed: Sequence[str],
) -> TablePart:
    """Picks what belongs to a table out of a run.

    Args:
        spec: The table.
        jobs: Its jobs.
        finished: Records of all jobs of the run.
        failed: Names of all jobs of the run that failed.
    """
    names = {job.name for job in jobs}
    splits = dict.fromkeys(job.split for job in jobs)
    return TablePart(
        spec,
        tuple(dataclasses.asdict(split) for split in splits),
        tuple(record for record in finished if record["name"] in names),
        tuple(name for name in failed if name in names),
    )


def write_config(
    folder: Path,
    settings: Mapping[str, Any],
    corpus_digest: str,
    parts: Sequence[TablePart],
) -> None:
    """Writes what is needed to repeat a run and to find its tables again.

    Args:
        folder: Folder of the run.
        settings: The resolved experiment.
        corpus_digest: `Corpus.digest()`.
        parts: All tables of the folder.
    """
    weights = {r["digests"]["weights"] for part in parts for r in part.records}
    write_json(
        folder / CONFIG,
        {
            "experiment": settings,
            "versions": versions(),
            "corpus_digest": corpus_digest,
            "weights_digest": sorted(weights - {"none"}),
            "splits": {p.spec.number: list(p.splits) for p in parts},
            "tables": {
                part.spec.number: {
                    "modalities": part.spec.rows[0].modalities,
                    "jobs": [
                        result_file_name(record["name"], record["key"])
                        for record in part.records
                    ],
                    "failed": list(part.failed),
                }
                for part in parts
            },
        },
    )


def earlier_parts(
    folder: Path,
    settings: Mapping[str, Any],
    corpus_digest: str,
    without: Sequence[str],
) -> list[TablePart]:
    """Finds the tables that the same experiment left in a folder before.

    Args:
        folder: Folder of the run.
        settings: The resolved experiment of now.
        corpus_digest: Digest of the corpus of now.
        without: Numbers of the tables that are made now.

    Returns:
        The tables of which all result files are there. None if the folder
        was made with other settings, another corpus or another release.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        logging.warning(
            "%s is not whole JSON and is made anew: %s", path, error
        )
        return []
    now = {
        "experiment": _decisive(settings),
        "versions": versions(),
        "corpus_digest": corpus_digest,
    }
    before = {name: config.get(name) for name in now}
    before["experiment"] = _decisive(before["experiment"] or {})
    if before != json.loads(json.dumps(now)):
        return []
    parts = []
    for number, entry in config.get("tables", {}).items():
        if number in without:
            continue
        try:
            found = tuple(
                records.read_record(folder / JOBS / name)
                for name in entry["jobs"]
            )
        except (OSError, ValueError) as error:
            logging.warning(
                "Table %s of an earlier run is left out of the report: %s",
                number,
                error,
            )
            continue
        spec = SPECS[number]
        if number == "II":
            spec = table2_spec(tuple(entry["modalities"]))
        splits = tuple(config["splits"][number])
        parts.append(TablePart(spec, splits, found, tuple(entry["failed"])))
    return parts


def _decisive(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings but for those that decide no number of any table."""
    kept = {k: v for k, v in settings.items() if k not in _INDIFFERENT}
    # Each table has modalities of its own.
    training = dict(kept.get("training", {}))
    training.pop("modalities", None)
    return {**kept, "training": training}


def in_order(parts: Sequence[TablePart]) -> list[TablePart]:
    """Sorts tables as the paper numbers them."""
    numbers = list(SPECS)
    return sorted(parts, key=lambda part: numbers.index(part.spec.number))
