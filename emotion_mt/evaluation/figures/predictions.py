"""Which predictions the figures of single films show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.records import as_frame


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What one kind of model answered on films it had not seen.

    Attributes:
        architecture: Of the models.
        modalities: Their input.
        seed: Their lowest seed.
        probability: DataFrame, index segment_id, columns viewers:
            probability of "positive" in [0, 1], NaN where there is none.
    """

    architecture: str
    modalities: tuple[str, ...]
    seed: int
    probability: pd.DataFrame

    @property
    def name(self) -> str:
        """How captions call the models."""
        return (
            f"{self.architecture} on {' and '.join(self.modalities)}, "
            f"seed {self.seed}"
        )


def _preference(kind: tuple[str, str]) -> tuple[Any, ...]:
    """MT before ST before others; more modalities before fewer."""
    architecture, modalities = kind
    known = [MULTI_TASK, SINGLE_TASK]
    place = known.index(architecture) if architecture in known else len(known)
    return place, -modalities.count("+"), architecture, modalities


def choose_predictions(
    records: Sequence[Mapping[str, Any]],
) -> Predictions | None:
    """Collects the predictions of the best-informed kind of model.

    That is MT on both modalities where there is one, as in the paper's
    Fig. 5. Of several fits of a film, it is the one with the lowest seed,
    then of the split that tests on fewer films: a film of the Baseline split
    is a test film of a fold too.

    Args:
        records: Contents of result files.

    Returns:
        The predictions; None without records.
    """
    if not records:
        return None
    answers = as_frame(records)
    kinds = answers[["architecture", "modalities"]].itertuples(index=False)
    kind = min(map(tuple, kinds), key=_preference)
    own = answers[
        (answers["architecture"] == kind[0])
        & (answers["modalities"] == kind[1])
    ]
    own = own.assign(films=own["test"].str.count(r"\+")).sort_values(
        ["seed", "films", "fold"], kind="stable"
    )
    first = own.drop_duplicates(["segment_id", "viewer"])
    probability = first.pivot_table(
        index="segment_id",
        columns="viewer",
        values="probability",
        sort=False,
        dropna=False,
    )
    return Predictions(
        architecture=kind[0],
        modalities=tuple(kind[1].split("+")),
        seed=int(own["seed"].min()),
        probability=probability,
    )
