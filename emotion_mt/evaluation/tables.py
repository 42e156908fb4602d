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
    if spec.references:
        parts.append(reference_scores(own).assign(seed=0))
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
    published = _published(spec, order, columns)
    corpus = records[0]["corpus"]
    comparison = _comparison(spec, per_fold)
    return Table(
        number=spec.number,
        title=f"Table {spec.number}. {spec.caption}, {corpus['annotation']} "
        f"{corpus['dimension']}, corpus {corpus['name']}",
        measures={
            measure: _means(per_fold, measure, order, columns)
            for measure in MEASURES
        },
        spread=_spread(scores, per_fold, order, columns),
        published=published,
        per_fold=per_fold[["row", "fold", "column", "accuracy"]],
        comparison=comparison,
        notes=tuple(
            _notes(spec, models, corpus, published, comparison, failed)
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


def _with_mean(table: pd.DataFrame) -> pd.DataFrame:
    table[MEAN] = table.mean(axis="columns")
    table.columns.name = None
    table.index.name = None
    return table


def _means(
    per_fold: pd.DataFrame,
    measure: str,
    order: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    """Averages a measure over folds, then over columns; in percent."""
    means = per_fold.groupby(["row", "column"])[measure].mean()
    wide = means.unstack("column").reindex(
        index=list(order), columns=list(columns)
    )
    return _with_mean(100 * wide).dropna(how="all")


def _spread(
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
        name: _with_mean(
            100
            * values.unstack("column").reindex(
                index=list(order), columns=list(columns)
            )
        )
        for name, values in spread.items()
    }


def _published(
    spec: TableSpec, names: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """The paper's rows, if the table has the paper's columns."""
    rows: dict[str, dict[str, float]] = {}
    for row in paper.PUBLISHED:
        wanted = row.table == spec.number and row.row in names
        if wanted and list(row.values) == list(columns):
            mean = row.recomputed_mean if row.mean is None else row.mean
            rows[row.row] = {**row.values, MEAN: mean}
    if spec.number == "II" and spec.rows[0].modalities != BOTH:
        # Table II is about both modalities; only its reference rows compare.
        rows = {name: rows[name] for name in rows if name in REFERENCES}
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=[*columns, MEAN]
    )


def _comparison(spec: TableSpec, per_fold: pd.DataFrame) -> Comparison | None:
    """MT against ST where the table has a row of each."""
    names = {row.architecture: row.name for row in spec.rows}
    if not {MULTI_TASK, SINGLE_TASK} <= set(names):
        return None
    return compare(per_fold, names[MULTI_TASK], names[SINGLE_TASK])


def _notes(
    spec: TableSpec,
    models: pd.DataFrame,
    corpus: Mapping[str, Any],
    published: pd.DataFrame,
    comparison: Comparison | None,
    failed: Sequence[str],
) -> list[str]:
    """Sentences that a reader of the table needs."""
    folds, seeds = models["fold"].nunique(), models["seed"].nunique()
    notes = [comparison.sentence()] if comparison is not None else []
    notes.append(
        f"Mean over {folds} test {'split' if spec.baseline else 'film'}"
        f"{'s' if folds > 1 else ''}, {seeds} seed{'s' if seeds > 1 else ''} "
        f"each. {MEAN} is the mean of the columns."
    )
    wants_mt = any(row.architecture == MULTI_TASK for row in spec.rows)
    if wants_mt and MULTI_TASK not in set(models["architecture"]):
        notes.append(
            "MT is left out: the corpus has one rater, and MT with one head "
            "has nothing to share."
            if models["viewer"].nunique() == 1
            else "MT is left out: none of its jobs is finished."
        )
    if published.empty:
        notes.append(
            "The paper's rows are left out: they are for its viewers "
            f"({', '.join(paper.ALL_VIEWERS)})."
        )
    elif corpus["simulated"]:
        notes.append(
            "The paper's rows were measured on the real COGNIMUSE; ours on a "
            "simulated corpus. They stand here for orientation, not as a "
            "comparison."
        )
    notes += _unrated_notes(models) + _mean_notes(spec, published)
    if failed:
        notes.append(f"INCOMPLETE, these jobs failed: {', '.join(failed)}.")
    return notes


def _unrated_notes(models: pd.DataFrame) -> list[str]:
    """Names test films without ratings, and those with one class only."""
    films = models.drop_duplicates(["fold", "viewer"])
    notes = []
    unrated = films[films["observed"] == 0]
    if len(unrated):
        places = [f"{r.test} by {r.viewer}" for r in unrated.itertuples()]
        notes.append(f"Not rated, so not scored: {', '.join(places)}.")
    one_class = films[
        (films["observed"] > 0) & films["balanced_accuracy"].isna()
    ]
    if len(one_class):
        notes.append(
            "Balanced accuracy, macro-F1 and Matthews correlation are "
            "undefined, and left out of their means, on test films with one "
            f"class only: {'; '.join(_one_class_places(one_class))}."
        )
    return notes


def _one_class_places(one_class: pd.DataFrame) -> list[str]:
    """Film by film, the viewers with one class only."""
    places = []
    for (film, positive), cells in one_class.groupby(
        ["test", one_class["positive"] > 0], sort=False
    ):
        kind = "positive" if positive else "negative"
        viewers = ", ".join(cells["viewer"])
        places.append(f"{film} for {viewers} (all {kind})")
    return places


def _mean_notes(spec: TableSpec, published: pd.DataFrame) -> list[str]:
    """Names the published means that are not the mean of their row."""
    notes = []
    for name in published.index:
        row = paper.published(spec.number, name)
        if row.mean is not None and abs(row.recomputed_mean - row.mean) > 0.02:
            notes.append(
                f"The paper prints {row.mean:.2f} as the mean of its {name} "
                f"row; its columns average {row.recomputed_mean:.2f}."
            )
    return notes
