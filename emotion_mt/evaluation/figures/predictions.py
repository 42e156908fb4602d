"""Which predictions the figures of single films show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK


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


def _kind(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    job = record["job"]
    return job["architecture"], tuple(job["config"]["modalities"])


def _preference(kind: tuple[str, tuple[str, ...]]) -> tuple[Any, ...]:
    """MT before ST before others; more modalities before fewer."""
    architecture, modalities = kind
    known = [MULTI_TASK, SINGLE_TASK]
    place = known.index(architecture) if architecture in known else len(known)
    return place, -len(modalities), architecture, modalities


def _order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Lowest seed first, then splits that test on fewer films.

    A film of the Baseline split is a test film of a fold too; the fold's
    model comes first.
    """
    split = record["job"]["split"]
    return record["job"]["seed"], len(split["test"]), split["name"]


def choose_predictions(
    records: Sequence[Mapping[str, Any]],
) -> Predictions | None:
    """Collects the predictions of the best-informed kind of model.

    That is MT on both modalities where there is one, as in the paper's
    Fig. 5; of several fits of a film, the one with the lowest seed.

    Args:
        records: Contents of result files.

    Returns:
        The predictions; None without records.
    """
    if not records:
        return None
    kind = min((_kind(record) for record in records), key=_preference)
    own = sorted((r for r in records if _kind(r) == kind), key=_order)
    found: dict[str, dict[str, float]] = {}
    for record in own:
        for viewer, content in record["viewers"].items():
            column = found.setdefault(viewer, {})
            answers = np.array(content["probability"], dtype=float)
            for segment, answer in zip(
                record["segment_id"], answers, strict=True
            ):
                column.setdefault(segment, answer)
    return Predictions(
        architecture=kind[0],
        modalities=kind[1],
        seed=own[0]["job"]["seed"],
        probability=pd.DataFrame(found),
    )
