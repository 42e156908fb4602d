"""Tables II-VI from result files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation import records as records_lib
from emotion_mt.evaluation.comparison import MEAN, Comparison, compare
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.notes import table_notes
from emotion_mt.evaluation.records import MEASURES
from emotion_mt.evaluation.references import (
    CEILING,
    REFERENCES,
    ceiling_scores,
    reference_scores,
)
from emotion_mt.evaluation.specs import BOTH, MODALITY_NAMES, TableSpec


@dataclasses.dataclass(frozen=True)
class Table:
    """One table, ready to be rendered.

    Attributes:
        number: Roman number in the paper.
        title: Caption.
        measures: Measure name to DataFrame, index row name, columns the
            table's columns and `MEAN`; in percent (Matthews correlation: in
            hundredths), averaged over seeds, then folds, then columns; NaN
            where undefined.
        spread: Measure "folds" or "seeds" to DataFrame like `rows`: standard
            deviation of the accuracy over test films, and over seeds (mean
            over the films; NaN with one seed).
        published: The paper's rows for the same columns, index row name; has
            no rows where the corpus has other viewers than the paper.
        per_fold: DataFrame row, fold, column, accuracy (in [0, 1], mean over
            seeds): what `rows` averages.
        comparison: MT against ST, None where the table does not have both.
        notes: Sentences below the table.
        simulated: Whether the corpus is simulated.
    """

    number: str
    title: str
    measures: Mapping[str, pd.DataFrame]
    spread: Mapping[str, pd.DataFrame]
    published: pd.DataFrame
    per_fold: pd.DataFrame
    comparison: Comparison | None
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

    Accuracies are averaged over seeds and then over folds, as in the paper;
    `MEAN` is the mean of the columns, the average viewer included.

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
    frame = records_lib.as_frame(records) if records else pd.DataFrame()
    models = _cells(spec, frame)
    if models.empty:
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
    columns = _columns(spec, records, models)
    own = [r for r in records if r["name"] in set(models["name"])]
    ceiling = _recolumn(spec, ceiling_scores(models), columns)
    parts = [models, ceiling]
    references = reference_scores(own).assign(seed=0)
    parts.append(references[references["row"].isin(spec.references)])
    keep = ["row", "fold", "column", "seed", *MEASURES]
    scores = pd.concat(
        [_recolumn(spec, part, columns)[keep] for part in parts if len(part)],
        ignore_index=True,
    )
    present = set(scores["row"])
    order = [
        name
        for name in (*REFERENCES, CEILING, *(row.name for row in spec.rows))
        if name in present
    ]
    per_fold = scores.groupby(
        ["row", "fold", "column"], as_index=False, sort=False
    )[list(MEASURES)].mean()
    corpus = records[0]["corpus"]
    published = _published(spec, order, columns, _papers(corpus, models))
    measures = {
        measure: _means(spec, per_fold, measure, order, columns)
        for measure in MEASURES
    }
    comparison = _comparison(spec, per_fold)
    return Table(
        number=spec.number,
        title=f"Table {spec.number}. {spec.caption}, {corpus['annotation']} "
        f"{corpus['dimension']}, corpus {corpus['name']}",
        measures=measures,
        spread=_spread(spec, scores, per_fold, order, columns),
        published=published,
        per_fold=per_fold[["row", "fold", "column", "accuracy"]],
        comparison=comparison,
        notes=table_notes(
            spec,
            measures["accuracy"],
            models,
            corpus,
            published,
            comparison,
            failed,
        ),
        simulated=corpus["simulated"],
    )


def _cells(spec: TableSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """The scores that belong to the table, with their row and column."""
    found = []
    for score in frame.to_dict("records"):
        modalities = tuple(score["modalities"].split("+"))
        cell = spec.cell(score["architecture"], modalities, score["viewer"])
        if cell is not None:
            found.append({**score, "row": cell[0], "column": cell[1]})
    return pd.DataFrame(found)


def _columns(
    spec: TableSpec,
    records: Sequence[Mapping[str, Any]],
    models: pd.DataFrame,
) -> list[str]:
    """Columns in the order of the corpus's viewers, or of the modalities."""
    present = list(dict.fromkeys(models["column"]))
    if spec.by_modality:
        return [name for name in MODALITY_NAMES.values() if name in present]
    order = sorted(records, key=lambda r: -len(r["viewers"]))
    known = dict.fromkeys(v for r in order for v in r["viewers"])
    return [viewer for viewer in known if viewer in present]


def _recolumn(
    spec: TableSpec, scores: pd.DataFrame, columns: Sequence[str]
) -> pd.DataFrame:
    """Gives reference scores, known per viewer, the table's columns."""
    if "column" in scores or scores.empty:
        return scores
    if not spec.by_modality:
        return scores[scores["viewer"].isin(list(columns))].assign(
            column=scores["viewer"], seed=0
        )
    average = scores[scores["viewer"] == paper.AVERAGE]
    return pd.concat(
        [average.assign(column=column, seed=0) for column in columns]
    )


def _finish(spec: TableSpec, table: pd.DataFrame) -> pd.DataFrame:
    """Adds the mean of the columns where it means something: viewers."""
    if not spec.by_modality:
        table[MEAN] = table.mean(axis="columns")
    table.columns.name = None
    table.index.name = None
    return table


def _wide(
    cells: pd.Series, order: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """A value in [0, 1] per row and column as a table in percent."""
    wide = cells.unstack("column")
    return 100 * wide.reindex(index=list(order), columns=list(columns))


def _means(
    spec: TableSpec,
    per_fold: pd.DataFrame,
    measure: str,
    order: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    """Averages a measure over folds, then over columns; in percent."""
    means = per_fold.groupby(["row", "column"])[measure].mean()
    return _finish(spec, _wide(means, order, columns)).dropna(how="all")


def _spread(
    spec: TableSpec,
    scores: pd.DataFrame,
    per_fold: pd.DataFrame,
    order: Sequence[str],
    columns: Sequence[str],
) -> dict[str, pd.DataFrame]:
    """Standard deviations (n - 1) over films and over seeds, in percent."""
    cell = ["row", "column"]
    folds = per_fold.groupby(cell)["accuracy"].std()
    seeds = scores.groupby([*cell, "fold"])["accuracy"].std()
    spread = {"folds": folds, "seeds": seeds.groupby(cell).mean()}
    return {
        name: _finish(spec, _wide(values, order, columns))
        for name, values in spread.items()
    }


def _papers(corpus: Mapping[str, Any], models: pd.DataFrame) -> bool:
    """Whether the numbers are of what the paper's tables are about."""
    ratings = (corpus["annotation"], corpus["dimension"])
    folds = set(models["fold"])
    return ratings == ("experienced", "valence") and "fixed" not in folds


def _published(
    spec: TableSpec, names: Sequence[str], columns: Sequence[str], papers: bool
) -> pd.DataFrame:
    """The paper's rows, if the table has the paper's columns and ratings."""
    names = names if papers else ()
    means = [] if spec.by_modality else [MEAN]
    rows: dict[str, dict[str, float]] = {}
    for row in paper.PUBLISHED:
        wanted = row.table == spec.number and row.row in names
        if wanted and list(row.values) == list(columns):
            mean = row.recomputed_mean if row.mean is None else row.mean
            rows[row.row] = {**row.values, **dict.fromkeys(means, mean)}
    if spec.number == "II" and spec.rows[0].modalities != BOTH:
        # Table II is about both modalities; only its reference rows compare.
        rows = {name: rows[name] for name in rows if name in REFERENCES}
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=[*columns, *means]
    )


def _comparison(spec: TableSpec, per_fold: pd.DataFrame) -> Comparison | None:
    """MT against ST where the table has a row of each."""
    names = {row.architecture: row.name for row in spec.rows}
    if not {MULTI_TASK, SINGLE_TASK} <= set(names):
        return None
    return compare(per_fold, names[MULTI_TASK], names[SINGLE_TASK])
