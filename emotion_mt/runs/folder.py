"""What a run's folder remembers, so that its tables come together.

One script per table, called one after the other with the same flags, fill one
folder. config.json says how to repeat them and which result files each table
rests on; the report shows all of them.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from absl import logging

from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import result_file_name, versions
from emotion_mt.evaluation.specs import SPECS, TableSpec, table2_spec
from emotion_mt.evaluation.tables import Table, build_table
from emotion_mt.storage.atomic import write_json

CONFIG = "config.json"
JOBS = "jobs"

#: Settings that decide no number.
_INDIFFERENT = (
    *("workers", "scheduler", "dashboard", "wait"),
    *("out", "cache", "data"),
)


@dataclasses.dataclass
class TablePart:
    """One table of a folder with the results that it rests on.

    Attributes:
        spec: Which table.
        records: Contents of its result files.
        failed: Names of its jobs that failed.
    """

    spec: TableSpec
    records: list[dict[str, Any]]
    failed: list[str]

    @functools.cached_property
    def table(self) -> Table:
        """The table, ready to be rendered."""
        return build_table(self.spec, self.records, self.failed)


def write_config(
    folder: Path,
    settings: Mapping[str, Any],
    corpus_digest: str,
    parts: Iterable[TablePart],
) -> None:
    """Writes what is needed to repeat a run and to find its tables again."""
    weights, splits, tables = set(), {}, {}
    for part in parts:
        number = part.spec.number
        weights |= {record["digests"]["weights"] for record in part.records}
        used = [record["job"]["split"] for record in part.records]
        splits[number] = list({split["name"]: split for split in used}.values())
        tables[number] = {
            "modalities": part.spec.rows[0].modalities,
            "jobs": [
                result_file_name(r["name"], r["key"]) for r in part.records
            ],
            "failed": part.failed,
        }
    content = {
        "experiment": settings,
        "versions": versions(),
        "corpus_digest": corpus_digest,
        "weights_digest": sorted(weights - {"none"}),
        "splits": splits,
        "tables": tables,
    }
    write_json(folder / CONFIG, content)


def earlier_parts(
    folder: Path,
    settings: Mapping[str, Any],
    corpus_digest: str,
    without: Collection[str],
) -> list[TablePart]:
    """Finds the tables that the same experiment left in a folder before.

    Args:
        folder: Folder of the run.
        settings: The resolved experiment of now.
        corpus_digest: Digest of the corpus of now.
        without: Numbers of the tables that are made now.

    Returns:
        The tables of which all result files are there.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        before = (config["versions"], config["corpus_digest"])
        same = before == (versions(), corpus_digest) and (
            _decisive(config["experiment"]) == _decisive(settings)
        )
    except FileNotFoundError:
        return []
    except (ValueError, LookupError, TypeError) as error:
        logging.warning("%s is not whole and is made anew: %s", path, error)
        return []
    if not same:
        return []
    parts = []
    for number, entry in config["tables"].items():
        if number in without:
            continue
        paths = [folder / JOBS / name for name in entry["jobs"]]
        try:
            found = [records.read_record(path) for path in paths]
        except (OSError, ValueError) as error:
            logging.warning("Table %s is left out: %s", number, error)
            continue
        modalities = tuple(entry["modalities"] or ())
        spec = table2_spec(modalities) if number == "II" else SPECS[number]
        parts.append(TablePart(spec, found, entry["failed"]))
    return parts


def _decisive(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, as JSON has them, that decide numbers of a table."""
    kept = {k: v for k, v in settings.items() if k not in _INDIFFERENT}
    # Each table has modalities of its own.
    kept["training"] = {**kept["training"], "modalities": None}
    return json.loads(json.dumps(kept))
