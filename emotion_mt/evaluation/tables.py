"""Tables II-VI from result files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.comparison import Comparison, compare
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.notes import table_notes
from emotion_mt.evaluation.records import JOB_COLUMNS, as_frame
from emotion_mt.evaluation.scores import (
    CEILING,
    LEAD,
    MEASURES,
    REFERENCES,
    reference_scores,
    score,
)
from emotion_mt.evaluation.specs import BOTH, MODALITY_NAMES, TableSpec


@dataclasses.dataclass(frozen=True)
class Table:
    """One table, ready to be rendered.

    Attributes:
        number: Roman number in the paper.
        title: Caption.
        measures: Measure name to DataFrame, index row name, columns the
            table's columns and `paper.MEAN`; in percent (Matthews
            correlation: in hundredths), averaged over seeds, then folds, then
            columns; NaN where undefined.
        spread: Measure "folds" or "seeds" to DataFrame like `rows`: standard
            deviation of the accuracy over test films, and over seeds (mean
            over the films; NaN with one seed).
        published: The paper's accuracies for the same columns, index row
            name; has no rows where the corpus has other viewers than the
            paper.
        per_fold: DataFrame row, fold, column, `MEASURES` (in [0, 1], mean
            over seeds): what `measures` average.
        comparisons: Measure among `LEAD` to MT against ST; empty where the
            table does not have both.
        notes: Sentences below the table.
        simulated: Whether the corpus is simulated.
    """

    number: str
    title: str
    measures: Mapping[str, pd.DataFrame]
    spread: Mapping[str, pd.DataFrame]
    published: pd.DataFrame
    per_fold: pd.DataFrame
    comparisons: Mapping[str, Comparison]
    notes: tuple[str, ...]
    simulated: bool

    @property
    def rows(self) -> pd.DataFrame:
        """Accuracies in percent."""
        return self.measures["accuracy"]


def build_table(
    spec: TableSpec,
    records: Sequence[Mapping[str, Any]],
    failed: Sequence[str] = (),
) -> Table:
    """Builds a table from result files, and from nothing else.

    Scores are averaged over seeds and then over folds, as in the paper;
    `paper.MEAN` is the mean of the columns, the average viewer included.

    Args:
        spec: Which table.
        records: Contents of result files; those of other tables are passed
            over.
        failed: Names of jobs that failed; the notes say that their cells are
            incomplete.

    Returns:
        The table. Rows without a finished job are left out.

    Raises:
        ValueError: If no record belongs to the table, or they come from
            several corpora.
    """
    answers = _own_answers(spec, as_frame(records))
    if answers.empty:
        raise ValueError(
            f"Table {spec.number} needs at least one finished job. Received "
            f"{len(records)} records, none of them for this table."
        )
    corpora = {record["digests"]["corpus"] for record in records}
    if len(corpora) > 1:
        raise ValueError(
            "`records` must come from one corpus. "
            f"Received: {len(corpora)} corpora"
        )
    models = _scores(answers)
    columns = _columns(spec, models)
    references = reference_scores(answers, spec.references)
    keys = ["row", "fold", "column"]
    scores = pd.concat([models, references])[[*keys, "seed", *MEASURES]]
    per_fold = scores.groupby(keys, as_index=False, sort=False)[
        list(MEASURES)
    ].mean()
    names = (*REFERENCES, CEILING, *(row.name for row in spec.rows))
    order = [name for name in names if name in set(scores["row"])]

    def percent(cells: pd.Series) -> pd.DataFrame:
        wide = 100 * cells.unstack("column").reindex(
            index=order, columns=columns
        )
        if not spec.by_modality:
            # A mean over inputs would mean nothing.
            wide[paper.MEAN] = wide.mean(axis="columns")
        return wide.rename_axis(index=None, columns=None)

    cells = per_fold.groupby(["row", "column"])
    measures = {name: percent(cells[name].mean()) for name in MEASURES}
    for name in MEASURES[1:]:
        measures[name] = measures[name].dropna(how="all")
    over_seeds = scores.groupby(["row", "column", "fold"])["accuracy"].std()
    corpus = records[0]["corpus"]
    table = Table(
        number=spec.number,
        title=f"Table {spec.number}. {spec.caption}, {corpus['annotation']} "
        f"{corpus['dimension']}, corpus {corpus['name']}",
        measures=measures,
        spread={
            "folds": percent(cells["accuracy"].std()),
            "seeds": percent(over_seeds.groupby(["row", "column"]).mean()),
        },
        published=_published(spec, corpus, set(models["fold"]), order, columns),
        per_fold=per_fold,
        comparisons=dict(_comparisons(spec, per_fold)),
        notes=(),
        simulated=corpus["simulated"],
    )
    notes = table_notes(spec, table, models, failed)
    return dataclasses.replace(table, notes=notes)


def _own_answers(spec: TableSpec, answers: pd.DataFrame) -> pd.DataFrame:
    """The answers that belong to the table, with their row and column."""
    kind = ["architecture", "modalities"]
    places = [
        (row.architecture, "+".join(names), row.name, MODALITY_NAMES[names])
        for row in spec.rows
        for names in row.inputs
    ]
    own = answers.merge(
        pd.DataFrame(places, columns=[*kind, "row", "column"]), on=kind
    )
    average = own["viewer"] == paper.AVERAGE
    if spec.by_modality:
        return own[average]
    own["column"] = own["viewer"]
    return own if spec.with_average else own[~average]


def _scores(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores of every job and viewer: the columns but for the segments'."""
    keys = [*JOB_COLUMNS, "row", "column"]
    rows = [
        dict(zip(keys, key, strict=True))
        | vars(score(part["label"], part["probability"]))
        for key, part in answers.groupby(keys, sort=False, dropna=False)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(MEASURES, float))


def _columns(spec: TableSpec, models: pd.DataFrame) -> list[str]:
    """Columns in the order of the corpus's viewers, or of the modalities."""
    # MT's jobs list all viewers.
    viewers = models.groupby("name", sort=False)["column"].agg(list)
    in_order = sorted(viewers, key=len, reverse=True)
    if spec.by_modality:
        in_order = [list(MODALITY_NAMES.values())]
    present = dict.fromkeys(name for names in in_order for name in names)
    return [name for name in present if name in set(models["column"])]


def _published(
    spec: TableSpec,
    corpus: Mapping[str, Any],
    splits: set[str],
    names: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    """The paper's rows, if the table has the paper's columns and ratings."""
    ratings = (corpus["annotation"], corpus["dimension"])
    papers = ratings == ("experienced", "valence") and "fixed" not in splits
    if spec.number == "II" and spec.rows[0].inputs != (BOTH,):
        # Table II is about both modalities; only its reference rows compare.
        names = [name for name in names if name in REFERENCES]
    rows = {
        row.row: [*row.values.values(), row.mean or row.recomputed_mean]
        for row in paper.PUBLISHED
        if papers
        and (row.table, list(row.values)) == (spec.number, list(columns))
        and row.row in names
    }
    found = pd.DataFrame.from_dict(
        rows, orient="index", columns=[*columns, paper.MEAN]
    )
    return found.drop(columns=paper.MEAN) if spec.by_modality else found


def _comparisons(
    spec: TableSpec, per_fold: pd.DataFrame
) -> Iterator[tuple[str, Comparison]]:
    """MT against ST by measure, where the table has a row of each."""
    names = {row.architecture: row.name for row in spec.rows}
    if {MULTI_TASK, SINGLE_TASK} <= set(names):
        pair = names[MULTI_TASK], names[SINGLE_TASK]
        for name in LEAD:
            if one := compare(per_fold, *pair, name):
                yield name, one
