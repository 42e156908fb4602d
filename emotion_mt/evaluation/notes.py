"""The sentences below a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from emotion_mt import paper
from emotion_mt.evaluation.comparison import MEAN, Comparison
from emotion_mt.evaluation.jobs import BASELINE, MULTI_TASK
from emotion_mt.evaluation.specs import TableSpec

#: Printed means are compared with the recomputed ones to two decimals.
_ROUNDING = 0.02


def table_notes(
    spec: TableSpec,
    accuracies: pd.DataFrame,
    models: pd.DataFrame,
    corpus: Mapping[str, Any],
    published: pd.DataFrame,
    comparison: Comparison | None,
    failed: Sequence[str],
) -> tuple[str, ...]:
    """Says what a reader of a table needs to know, in plain words.

    Args:
        spec: Which table.
        accuracies: Its rows, in percent.
        models: The scores of its models, with row, column, fold, test,
            viewer, seed, architecture, observed, positive,
            balanced_accuracy.
        corpus: The "corpus" of a record.
        published: The paper's rows in it.
        comparison: MT against ST, None where it does not have both.
        failed: Names of its jobs that failed.

    Returns:
        The sentences, first what the numbers support.
    """
    if comparison is not None:
        notes = [comparison.sentence()]
    else:
        notes = _verdict(spec, accuracies, models)
    notes.append(_average_note(spec, models))
    wants_mt = any(row.architecture == MULTI_TASK for row in spec.rows)
    if wants_mt and MULTI_TASK not in set(models["architecture"]):
        notes.append(
            "MT is left out: the corpus has one rater, and MT with one head "
            "has nothing to share."
            if models["viewer"].nunique() == 1
            else "MT is left out: none of its jobs is finished."
        )
    notes += _published_notes(spec, corpus, published)
    notes += _unrated_notes(models)
    if failed:
        notes.append(f"INCOMPLETE, these jobs failed: {', '.join(failed)}.")
    return tuple(notes)


def _verdict(
    spec: TableSpec, accuracies: pd.DataFrame, models: pd.DataFrame
) -> list[str]:
    """What a table of one split supports: no more than about its films."""
    present = [row for row in spec.rows if row.name in accuracies.index]
    if len(present) < 2:
        return []
    ours = max(present, key=lambda row: len(row.modalities or ()))
    if spec.by_modality:
        ours = present[-1]
    parts = []
    for other in present:
        if other is ours:
            continue
        both = accuracies.drop(columns=MEAN, errors="ignore")
        both = both.loc[[ours.name, other.name]].dropna(axis="columns")
        first, second = both.to_numpy(dtype=float)
        difference = first - second
        parts.append(
            f"{ours.name} is ahead of {other.name} in "
            f"{(difference > 0).sum()} of {difference.size} columns "
            f"({difference.mean():+.1f} points in their mean)"
        )
    films = sorted({f for test in models["test"] for f in test.split("+")})
    return [
        f"{'; '.join(parts)}. One split with the test films "
        f"{', '.join(films)}: that says nothing about other films."
    ]


def _average_note(spec: TableSpec, models: pd.DataFrame) -> str:
    folds, seeds = models["fold"].nunique(), models["seed"].nunique()
    over = f"{folds} test film{'s' if folds > 1 else ''}"
    if spec.baseline:
        over = "the test films of the split, taken together"
    note = f"Mean over {over}, {seeds} seed{'s' if seeds > 1 else ''} each."
    return (
        note
        if spec.by_modality
        else (f"{note} {MEAN} is the mean of the columns.")
    )


def _published_notes(
    spec: TableSpec, corpus: Mapping[str, Any], published: pd.DataFrame
) -> list[str]:
    """How the paper's rows are to be read, if they are there."""
    if published.empty:
        return [
            "The paper's rows are left out: they are for the valence that "
            f"its viewers ({', '.join(paper.ALL_VIEWERS)}) experienced in its "
            "films."
        ]
    notes = []
    if corpus["simulated"]:
        notes.append(
            "The paper's rows were measured on the real COGNIMUSE; ours on a "
            "simulated corpus. They stand here for orientation, not as a "
            "comparison."
        )
    if spec.by_modality and BASELINE in published.index:
        notes.append(
            "The Baseline's multimodal network, which also hears the films, "
            "exists as a published number only. Always answering "
            "“positive” on CRA and DEP is right in 65.10 % of the segments "
            "under the label files of the Baseline's group; 65.1 % is also "
            "the accuracy published for its text network."
        )
    return notes + _mean_notes(spec, published)


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
        if (
            row.mean is not None
            and abs(row.recomputed_mean - row.mean) > _ROUNDING
        ):
            notes.append(
                f"The paper prints {row.mean:.2f} as the mean of its {name} "
                f"row; its columns average {row.recomputed_mean:.2f}."
            )
    return notes
