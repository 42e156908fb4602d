"""One report of a run: report.html in one file, and report.md.

What they say is collected here as DataFrames, Series and texts; how it looks
is in templates/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from emotion_mt._version import __version__
from emotion_mt.corpus import Corpus, is_rated, summarize
from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.figures.corpus import (
    draw_correlations,
    draw_counts,
)
from emotion_mt.evaluation.figures.films import (
    choose_films,
    choose_predictions,
    draw_film,
    draw_strip,
)
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_curves,
    draw_differences,
)
from emotion_mt.evaluation.figures.style import Drawing, save
from emotion_mt.evaluation.tables import Table
from emotion_mt.storage.atomic import write_json, write_text

#: Figures lie in this folder beside the report.
FIGURES = "figures"

#: Says from what the report was made and which files belong to it.
_STATE = "report.json"

_Records = Sequence[Mapping[str, Any]]


def write_report(
    folder: Path,
    corpus: Corpus,
    tables: Sequence[Table],
    records: _Records,
    *,
    experiment: Mapping[str, object],
    failures: Mapping[str, str],
    seconds: Mapping[str, float],
) -> list[Path]:
    """Draws all figures and writes the report of a run.

    Writes report.html (one file that needs no other), report.md and
    figures/*.png and *.pdf. A report of the same results that is there
    already is left as it is, with the times of the run that made it.

    Args:
        folder: Folder of the run.
        corpus: The corpus.
        tables: The tables of the run.
        records: Contents of the result files behind them.
        experiment: Resolved configuration, may be nested.
        failures: Name of each job that failed, and its error.
        seconds: Part of the run to the seconds it took.

    Returns:
        The files of the report, report.html first.
    """
    content = {
        "title": f"Emotions evoked by films: {corpus.name}",
        "simulated": corpus.simulated,
        "warnings": _warnings(corpus, failures),
        "summary": _summary(corpus, records),
        "tables": tables,
        "corpus": _corpus_parts(corpus, records),
        "remarks": [*corpus.problems, *corpus.notes, *_fit_notes(records)],
        "run": _run_parts(records, experiment, failures),
    }
    inputs, state = _digest(content, corpus, records), folder / _STATE
    try:
        known = json.loads(state.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        known = {"inputs": None}
    if known["inputs"] == inputs:
        paths = [folder / name for name in known["files"]]
        if all(path.is_file() for path in paths):
            return paths
    drawings = save_figures(folder / FIGURES, corpus, tables, records)
    paths = [folder / "report.html", folder / "report.md"]
    for path in paths:
        times = pd.Series({name: f"{s:.1f} s" for name, s in seconds.items()})
        made = {"drawings": drawings, "times": times, "folder": folder}
        write_text(path, rendering.render(path.name, **content, **made))
    for drawing in drawings:
        png = folder / FIGURES / f"{drawing.stem}.png"
        paths += [png, png.with_suffix(".pdf")]
    names = [path.relative_to(folder).as_posix() for path in paths]
    write_json(state, {"inputs": inputs, "files": names})
    return paths


def _drawings(
    corpus: Corpus, tables: Sequence[Table], records: _Records
) -> Iterator[Drawing | None]:
    """All figures in the order of a report, None for those without content."""
    for table in tables:
        yield draw_accuracies(table)
        yield draw_differences(table)
    yield draw_correlations(corpus)
    yield draw_counts(corpus)
    predictions, average = choose_predictions(records), corpus.viewers[-1]
    if predictions is not None:
        films = choose_films(corpus, predictions)
        for letter, movie in zip("abcd", films, strict=False):
            yield draw_strip(corpus, predictions, movie, f"figure5{letter}")
        yield draw_film(corpus, predictions, average)
    yield draw_curves(records, average)


def save_figures(
    folder: Path, corpus: Corpus, tables: Sequence[Table], records: _Records
) -> list[Drawing]:
    """Draws every figure that the input allows, in the order of a report.

    Each is written twice: as .png for screens and .pdf for print. Those
    without any content (no prediction, no history) are left out.
    """
    drawings = [d for d in _drawings(corpus, tables, records) if d is not None]
    for drawing in drawings:
        png = folder / f"{drawing.stem}.png"
        save(drawing.figure, png, png.with_suffix(".pdf"))
    return drawings


def _digest(
    content: Mapping[str, Any], corpus: Corpus, records: _Records
) -> str:
    """SHA-256 of all that decides a report, the times of a run left out."""
    here = Path(__file__).parent
    code = [*sorted(here.rglob("*.py")), *sorted(here.glob("templates/*"))]
    parts = [
        rendering.render("report.md", **content, drawings=(), times=None),
        corpus.digest(),
        *sorted(set(corpus.segments["video"].dropna())),
        *(record["key"] for record in records),
        *(__version__, matplotlib.__version__),
        *(path.read_text(encoding="utf-8") for path in code),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _warnings(corpus: Corpus, failures: Mapping[str, str]) -> list[str]:
    """What a reader must know first."""
    warnings = []
    if count := len(failures):
        warnings.append(
            f"INCOMPLETE: {count:,} job{'s' if count > 1 else ''} failed; the "
            "cells concerned rest on the remaining ones. See “Failed jobs”."
        )
    if count := len(corpus.problems):
        warnings.append(
            f"{count:,} problem{'s' if count > 1 else ''} in the files of the "
            "corpus: films are missing from all numbers. See “Remarks”."
        )
    return warnings


def _summary(corpus: Corpus, records: _Records) -> pd.Series:
    seeds = sorted({record["job"]["seed"] for record in records})
    missing = 1 - is_rated(corpus.values).mean() if len(corpus) else 0.0
    movies, viewers = corpus.movies, corpus.viewers
    return pd.Series(
        {
            "corpus": corpus.name,
            "data": "SIMULATED" if corpus.simulated else "as annotated",
            "annotation": f"{corpus.annotation} {corpus.dimension}",
            "films": f"{len(movies)}: {', '.join(movies)}",
            "viewers": f"{len(viewers)}: {', '.join(viewers)}",
            "segments used": f"{len(corpus):,}",
            "segments left out": f"{len(corpus.left_out):,}",
            "ratings missing": f"{100 * missing:.1f} %",
            "finished jobs": f"{len(records):,}",
            "seeds": ", ".join(map(str, seeds)),
        }
    )


def _corpus_parts(corpus: Corpus, records: _Records) -> dict[str, pd.DataFrame]:
    """Films, and what was left out of corpus and fits, by heading."""
    inspection = summarize(corpus)
    films, left_out = inspection.films, inspection.left_out
    share = f"positive, % ({corpus.viewers[-1]})"
    parts = {
        "Films": pd.DataFrame(
            {
                "film": films["movie"],
                "segments found": films["found"],
                "used": films["used"],
                "left out": films["left_out"],
                "used, s": films["used_s"].map("{:.0f}".format),
                "rated until, s": films["rated_until_s"].map(
                    lambda seconds: rendering.number(seconds, ".0f")
                ),
                "traces": films["traces"],
                share: (100 * films["positive_share"]).map(
                    lambda value: rendering.number(value, ".1f")
                ),
                "video": np.where(films["video"].isna(), "no", "yes"),
            }
        ),
        "Segments left out of the corpus": left_out[
            ["movie", "reason", "segments"]
        ].rename(columns={"movie": "film"}),
        "Segments left out of fits": _unused_in_fits(records),
    }
    return {name: part for name, part in parts.items() if len(part)}


def _kind(record: Mapping[str, Any]) -> tuple[str, str]:
    """Model and input of a job, in words."""
    job = record["job"]
    return job["architecture"], " and ".join(job["config"]["modalities"])


def _unused_in_fits(records: _Records) -> pd.DataFrame:
    """Segments that fits could not use; the largest number over viewers."""
    kind = ["model", "input", "split", "part", "reason"]
    rows = [
        (*_kind(record), record["job"]["split"]["name"], part, reason, count)
        for record in records
        for part, reasons in record["fit"]["left_out"].items()
        for reason, count in reasons.items()
        if count
    ]
    frame = pd.DataFrame(rows, columns=[*kind, "segments"])
    return frame.groupby(kind, sort=False, as_index=False).max()


def _fit_notes(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """What fits reported, each sentence once."""
    notes: dict[str, list[str]] = {}
    for record in records:
        said = list(record["fit"]["notes"])
        if untrained := record["fit"]["untrained_viewers"]:
            who = ", ".join(untrained)
            said.append(f"No rating in the training films: {who}.")
        for note in said:
            notes.setdefault(note, []).append(record["name"])
    return [
        f"{note} ({first}{f' and {len(others)} more' if others else ''})"
        for note, (first, *others) in notes.items()
    ]


def _run_parts(
    records: _Records,
    experiment: Mapping[str, object],
    failures: Mapping[str, str],
) -> dict[str, pd.DataFrame | pd.Series]:
    """Failures, configuration, versions, digests and jobs, by heading."""
    failed = pd.DataFrame(failures.items(), columns=["job", "error"])
    return {
        **({"Failed jobs": failed} if failures else {}),
        "Configuration": _flat(experiment),
        "Versions": _values(records, "versions"),
        "Digests": _values(records, "digests"),
        "Finished jobs": _jobs(records),
    }


def _flat(settings: Mapping[str, object]) -> pd.Series:
    """Nested settings as texts by dotted names."""

    def said(value: object) -> str:
        if isinstance(value, (list, tuple)):
            return ", ".join(map(str, value))
        return rendering.DASH if value is None else str(value)

    (flat,) = pd.json_normalize(dict(settings)).to_dict("records")
    return pd.Series({name: said(value) for name, value in flat.items()})


def _values(records: _Records, key: str) -> pd.Series:
    """All values of a part of the records, several joined by commas."""
    found = pd.DataFrame([record[key] for record in records])
    return found.apply(lambda each: ", ".join(each.dropna().unique()))


def _jobs(records: _Records) -> pd.DataFrame:
    """Finished jobs per kind of model, with the seconds of their fits."""
    rows = [(*_kind(r), r["fit"]["seconds"]["total"]) for r in records]
    frame = pd.DataFrame(rows, columns=["model", "input", "seconds"])
    kinds = frame.groupby(["model", "input"], sort=False)["seconds"]
    columns = {
        "jobs": kinds.size(),
        "fitting, s in all": kinds.sum().map("{:.1f}".format),
        "s per job": kinds.mean().map("{:.2f}".format),
    }
    return pd.DataFrame(columns).reset_index()
