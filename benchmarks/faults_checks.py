"""What must be true of the files that a disturbed run leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from emotion_mt.evaluation.records import read_record
from emotion_mt.features.files import read_npz

#: The end of every PNG file.
_PNG_END = b"IEND\xaeB`\x82"

Parts = dict[str, str]


def finished_jobs(folder: Path) -> Parts:
    """Result files by name; raises if one is not whole."""
    found = {}
    for path in sorted((folder / "work" / "jobs").glob("[!.]*.json")):
        record = read_record(path)
        record["fit"].pop("seconds")
        found[path.name] = json.dumps(record, sort_keys=True)
    return found


def finished_segments(folder: Path) -> Parts:
    """Stored features by film and time; raises if a file is not whole."""
    found = {}
    for path in sorted((folder / "work" / "store").glob("[!.]*.npz")):
        arrays = read_npz(path)
        for times, feature in zip(
            arrays["times_s"], arrays["features"], strict=True
        ):
            found[f"{path.name} {times}"] = feature.tobytes().hex()
    return found


def written_tables(folder: Path) -> Parts:
    """The written tables; raises if a report or figure is not whole."""
    work = folder / "work"
    for report in work.glob("report.html"):
        if not report.read_text().rstrip().endswith("</html>"):
            raise ValueError(f"{report} is not whole")
    for picture in work.rglob("[!.]*.png"):
        if not picture.read_bytes().endswith(_PNG_END):
            raise ValueError(f"{picture} is not whole")
    return {
        path.name: path.read_text()
        for path in sorted(work.glob("table*.*"))
        if path.suffix != ".png"
    }


def final_features(folder: Path) -> Parts:
    """The features that the extraction returned."""
    path = folder / "work" / "features.npy"
    return {"features": np.load(path).tobytes().hex()} if path.exists() else {}


def leftovers(folder: Path) -> list[str]:
    """Hidden files and folders, and locks, that nobody removed."""
    work = folder / "work"
    found = {*work.rglob(".*"), *work.rglob("*.lock"), *work.rglob("*.tmp*")}
    return sorted(path.name for path in found)
