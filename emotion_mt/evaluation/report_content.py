"""What a report says, before it is rendered as HTML or Markdown."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from emotion_mt.corpus import Corpus, summarize
from emotion_mt.evaluation.figures import Picture
from emotion_mt.evaluation.grids import Grid, grids
from emotion_mt.evaluation.tables import Table


@dataclasses.dataclass(frozen=True)
class RunInfo:
    """What is known about a run besides its results.

    Attributes:
        experiment: Resolved configuration, may be nested.
        failures: Name of each job that failed, and its error.
        seconds: Part of the run to the seconds it took.
    """

    experiment: Mapping[str, object]
    failures: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Block:
    """A small table of texts.

    Attributes:
        heading: What it shows.
        columns: Names of the columns; empty for pairs of name and value.
        rows: The texts.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class Result:
    """One of Tables II-VI.

    Attributes:
        number: Roman number.
        title: Caption.
        sentence: What MT against ST supports; "" where there is no such
            comparison.
        notes: The other sentences.
        main: Accuracies, and the comparison if there is one.
        more: The other measures.
        pictures: Its figures.
    """

    number: str
    title: str
    sentence: str
    notes: tuple[str, ...]
    main: tuple[Grid, ...]
    more: tuple[Grid, ...]
    pictures: tuple[Picture, ...]


@dataclasses.dataclass(frozen=True)
class Content:
    """A whole report.

    Attributes:
        title: Heading.
        simulated: Whether the data are simulated.
        warnings: What a reader must know first.
        summary: Corpus at a glance.
        results: The tables.
        pictures: Figures that belong to no table.
        corpus: Films, and what was left out.
        remarks: Problems and notes of corpus and fits.
        run: Configuration, versions, digests, times.
    """

    title: str
    simulated: bool
    warnings: tuple[str, ...]
    summary: Block
    results: tuple[Result, ...]
    pictures: tuple[Picture, ...]
    corpus: tuple[Block, ...]
    remarks: tuple[str, ...]
    run: tuple[Block, ...]


def collect(
    corpus: Corpus,
    tables: Sequence[Table],
    records: Sequence[Mapping[str, Any]],
    pictures: Sequence[Picture],
    info: RunInfo,
) -> Content:
    """Collects everything that a report says.

    Args:
        corpus: The corpus.
        tables: The tables of the run.
        records: Contents of the result files behind them.
        pictures: Its figures.
        info: Configuration, failures and times.

    Returns:
        The content; all of it is plain text, nothing is escaped.
    """
    return Content(
        title=f"Emotions evoked by films: {corpus.name}",
        simulated=corpus.simulated,
        warnings=tuple(_warnings(corpus, info)),
        summary=_summary(corpus, records),
        results=tuple(_result(table, pictures) for table in tables),
        pictures=tuple(p for p in pictures if not p.table),
        corpus=tuple(_corpus_blocks(corpus, records)),
        remarks=(*corpus.problems, *corpus.notes, *_fit_notes(records)),
        run=tuple(_run_blocks(records, info)),
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _warnings(corpus: Corpus, info: RunInfo) -> list[str]:
    warnings = []
    if info.failures:
        warnings.append(
            f"INCOMPLETE: {_plural(len(info.failures), 'job')} failed; the "
            "cells concerned rest on the remaining ones. See “Failed jobs”."
        )
    if corpus.problems:
        warnings.append(
            f"{_plural(len(corpus.problems), 'problem')} in the files of the "
            "corpus: films are missing from all numbers. See “Remarks”."
        )
    return warnings


def _summary(corpus: Corpus, records: Sequence[Mapping[str, Any]]) -> Block:
    seeds = sorted({record["job"]["seed"] for record in records})
    missing = float(np.isnan(corpus.values).mean()) if len(corpus) else 0.0
    rows = [
        ("corpus", corpus.name),
        ("data", "SIMULATED" if corpus.simulated else "as annotated"),
        ("annotation", f"{corpus.annotation} {corpus.dimension}"),
        ("films", f"{len(corpus.movies)}: {', '.join(corpus.movies)}"),
        ("viewers", f"{len(corpus.viewers)}: {', '.join(corpus.viewers)}"),
        ("segments used", f"{len(corpus):,}"),
        ("segments left out", f"{len(corpus.left_out):,}"),
        ("ratings missing", f"{100 * missing:.1f} %"),
        ("finished jobs", f"{len(records):,}"),
        ("seeds", ", ".join(map(str, seeds))),
    ]
    return Block("At a glance", (), tuple(rows))


def _result(table: Table, pictures: Sequence[Picture]) -> Result:
    comparison = table.comparison
    sentence = "" if comparison is None else comparison.sentence()
    blocks = tuple(grids(table))
    split = 1 if comparison is None else 2
    return Result(
        number=table.number,
        title=table.title,
        sentence=sentence,
        notes=tuple(note for note in table.notes if note != sentence),
        main=blocks[:split],
        more=blocks[split:],
        pictures=tuple(p for p in pictures if p.table == table.number),
    )


def _corpus_blocks(
    corpus: Corpus, records: Sequence[Mapping[str, Any]]
) -> list[Block]:
    inspection = summarize(corpus)
    reference = corpus.viewers[-1]
    films = [
        (
            row["movie"],
            str(row["found"]),
            str(row["used"]),
            str(row["left_out"]),
            f"{row['used_s']:.0f}",
            _number(row["rated_until_s"], ".0f"),
            str(row["traces"]),
            _number(100 * row["positive_share"], ".1f"),
            "no" if row["video"] is None else "yes",
        )
        for _, row in inspection.films.iterrows()
    ]
    columns: tuple[str, ...] = (
        "film",
        "segments found",
        "used",
        "left out",
        "used, s",
        "rated until, s",
        "traces",
        f"positive, % ({reference})",
        "video",
    )
    blocks = [Block("Films", columns, tuple(films))]
    left_out = [
        (row["movie"], row["reason"], str(row["segments"]))
        for _, row in inspection.left_out.iterrows()
    ]
    if left_out:
        columns = ("film", "reason", "segments")
        blocks.append(
            Block("Segments left out of the corpus", columns, tuple(left_out))
        )
    unused = _unused_in_fits(records)
    if unused:
        columns = ("model", "input", "split", "part", "reason", "segments")
        blocks.append(
            Block("Segments left out of fits", columns, tuple(unused))
        )
    return blocks


def _number(value: float, form: str) -> str:
    return "–" if np.isnan(value) else format(value, form)


def _input(record: Mapping[str, Any]) -> str:
    return " and ".join(record["job"]["config"]["modalities"])


def _unused_in_fits(
    records: Sequence[Mapping[str, Any]],
) -> list[tuple[str, ...]]:
    """Segments that fits could not use; the largest number over viewers."""
    most: dict[tuple[str, ...], int] = {}
    for record in records:
        job = record["job"]
        for part, reasons in record["fit"]["left_out"].items():
            for reason, count in reasons.items():
                key = (
                    job["architecture"],
                    _input(record),
                    job["split"]["name"],
                    part,
                    reason,
                )
                most[key] = max(count, most.get(key, 0))
    return [(*key, str(count)) for key, count in most.items() if count]


def _fit_notes(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """What fits reported, each sentence once."""
    notes: dict[str, list[str]] = {}
    for record in records:
        fit = record["fit"]
        said = list(fit["notes"])
        if fit["untrained_viewers"]:
            who = ", ".join(fit["untrained_viewers"])
            said.append(f"No rating in the training films: {who}.")
        for note in said:
            notes.setdefault(note, []).append(record["name"])
    return [
        f"{note} ({names[0]}"
        + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        + ")"
        for note, names in notes.items()
    ]


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple]:
    """Nested settings as (dotted name, text)."""
    rows: list[tuple] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((f"{prefix}{name}", ", ".join(map(str, value))))
        else:
            rows.append(
                (f"{prefix}{name}", "–" if value is None else str(value))
            )
    return rows


def _values(
    records: Sequence[Mapping[str, Any]], key: str
) -> tuple[tuple[str, str], ...]:
    """All values of a part of the records, several joined by commas."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, value in record[key].items():
            found.setdefault(name, {})[str(value)] = None
    return tuple((name, ", ".join(values)) for name, values in found.items())


def _run_blocks(
    records: Sequence[Mapping[str, Any]], info: RunInfo
) -> list[Block]:
    blocks = [
        Block("Configuration", (), tuple(_flat(info.experiment))),
        Block("Versions", (), _values(records, "versions")),
        Block("Digests", (), _values(records, "digests")),
        _jobs_block(records),
        Block(
            "Where the time went",
            (),
            tuple((n, f"{s:.1f} s") for n, s in info.seconds.items()),
        ),
    ]
    if info.failures:
        failed = tuple(info.failures.items())
        blocks.insert(0, Block("Failed jobs", ("job", "error"), failed))
    return blocks


def _jobs_block(records: Sequence[Mapping[str, Any]]) -> Block:
    """Finished jobs per kind of model, with the seconds of their fits."""
    kinds = [(r["job"]["architecture"], _input(r)) for r in records]
    seconds: Counter[tuple[str, str]] = Counter()
    for kind, record in zip(kinds, records, strict=True):
        seconds[kind] += record["fit"]["seconds"]["total"]
    rows = [
        (
            *kind,
            str(count),
            f"{seconds[kind]:.1f}",
            f"{seconds[kind] / count:.2f}",
        )
        for kind, count in Counter(kinds).items()
    ]
    columns = ("model", "input", "jobs", "fitting, s in all", "s per job")
    return Block("Finished jobs", columns, tuple(rows))
