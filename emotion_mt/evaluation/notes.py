"""The sentences below a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.comparison import standing
from emotion_mt.evaluation.jobs import BASELINE, MULTI_TASK
from emotion_mt.evaluation.scores import LEAD
from emotion_mt.evaluation.specs import TableSpec
from emotion_mt.paper import MEAN

if TYPE_CHECKING:
    from emotion_mt.evaluation.tables import Table


def table_notes(
    spec: TableSpec, table: Table, models: pd.DataFrame, failed: Sequence[str]
) -> tuple[str, ...]:
    """Says what a reader of a table needs to know, in plain words.

    First comes what the numbers support. `models` are the scores of the
    table's models, with `records.JOB_COLUMNS`; `failed` are jobs of it.
    """
    notes = [one.sentence() for one in table.comparisons.values()]
    if not notes:
        notes = _verdict(spec, table, models)
    folds, seeds = models["fold"].nunique(), models["seed"].nunique()
    over = f"{folds} test film{'s' if folds > 1 else ''}"
    if spec.baseline:
        over = "the test films of the split, taken together"
    seeded = f"{seeds} seed{'s' if seeds > 1 else ''} each"
    mean = "" if spec.by_modality else f" {MEAN} is the mean of the columns."
    notes.append(f"Mean over {over}, {seeded}.{mean}")
    wants_mt = any(row.architecture == MULTI_TASK for row in spec.rows)
    if wants_mt and MULTI_TASK not in set(models["architecture"]):
        notes.append(
            "MT is left out: the corpus has one rater, and MT with one head "
            "has nothing to share."
            if models["viewer"].nunique() == 1
            else "MT is left out: none of its jobs is finished."
        )
    notes += _published_notes(spec, table)
    notes += _unrated_notes(models)
    if failed:
        notes.append(f"INCOMPLETE, these jobs failed: {', '.join(failed)}.")
    return tuple(notes)


def _verdict(spec: TableSpec, table: Table, models: pd.DataFrame) -> list[str]:
    """What a table of one split supports: no more than about its films."""
    present = [row for row in spec.rows if row.name in table.rows.index]
    if len(present) < 2:
        return []
    ours = max(present, key=lambda row: len(row.inputs[-1]))
    notes = []
    for measure in LEAD:
        rows = table.measures[measure].drop(columns=MEAN, errors="ignore")
        rows = rows.reindex([row.name for row in present])
        points = (rows.loc[ours.name] - rows.drop(index=ours.name)).T
        parts = [
            standing(ours.name, str(other), differences.dropna())
            for other, differences in points.items()
            if differences.notna().any()
        ]
        if parts:
            notes.append(f"In {measure.replace('_', ' ')}, {'; '.join(parts)}.")
    films = sorted({f for test in models["test"] for f in test.split("+")})
    notes.append(
        f"One split with the test films {', '.join(films)}: that says nothing "
        "about other films."
    )
    return notes


def _published_notes(spec: TableSpec, table: Table) -> list[str]:
    """How the paper's rows are to be read, if they are there."""
    if table.published.empty:
        return [
            "The paper's rows are left out: they are for the valence that "
            f"its viewers ({', '.join(paper.ALL_VIEWERS)}) experienced in its "
            "films."
        ]
    notes = []
    if table.simulated:
        notes.append(
            "The paper's rows were measured on the real COGNIMUSE; ours on a "
            "simulated corpus. They stand here for orientation, not as a "
            "comparison."
        )
    if spec.by_modality and BASELINE in table.published.index:
        notes.append(
            "The Baseline's multimodal network, which also hears the films, "
            "exists as a published number only. Always answering "
            "“positive” on CRA and DEP is right in 65.10 % of the segments "
            "under the label files of the Baseline's group; 65.1 % is also "
            "the accuracy published for its text network."
        )
    for name in table.published.index:
        row = paper.published(spec.number, name)
        recomputed = row.recomputed_mean
        # Both are rounded to two decimals.
        if row.mean is not None and abs(recomputed - row.mean) > 0.02:
            notes.append(
                f"The paper prints {row.mean:.2f} as the mean of its {name} "
                f"row; its columns average {recomputed:.2f}."
            )
    return notes


def _unrated_notes(models: pd.DataFrame) -> list[str]:
    """Names test films without ratings, and those with one class only."""
    films = models.drop_duplicates(["fold", "viewer"])
    notes = []
    unrated = films[films["observed"] == 0]
    if len(unrated):
        places = (unrated["test"] + " by " + unrated["viewer"]).tolist()
        notes.append(f"Not rated, so not scored: {', '.join(places)}.")
    rated = films[films["observed"] > 0]
    one_class = rated[rated["balanced_accuracy"].isna()]
    places = [
        f"{film} for {', '.join(cells['viewer'])} "
        f"(all {'positive' if positive else 'negative'})"
        for (film, positive), cells in one_class.groupby(
            ["test", one_class["positive"] > 0], sort=False
        )
    ]
    if places:
        notes.append(
            "Balanced accuracy, macro-F1 and Matthews correlation are "
            "undefined, and left out of their means, on test films with one "
            f"class only: {'; '.join(places)}."
        )
    return notes
