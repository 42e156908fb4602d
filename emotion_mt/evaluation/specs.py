"""What each of Tables II-VI consists of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from emotion_mt import paper
from emotion_mt.corpus import fixed_split, folds
from emotion_mt.evaluation.jobs import (
    ARCHITECTURES,
    BASELINE,
    MULTI_TASK,
    SINGLE_TASK,
    Job,
)
from emotion_mt.evaluation.scores import REFERENCES
from emotion_mt.training import BaselineConfig, FitConfig, TrainingConfig

TEXT, VISUAL = ("text",), ("visual",)
BOTH = ("text", "visual")

#: Columns of Table V.
MODALITY_NAMES = {TEXT: "Text", VISUAL: "Visual", BOTH: "Multimodal"}


@dataclasses.dataclass(frozen=True)
class RowSpec:
    """One row of models.

    Attributes:
        name: Name of the row, as in `paper.PUBLISHED`.
        architecture: `SINGLE_TASK`, `MULTI_TASK` or `BASELINE`.
        inputs: Modalities of its models, one kind of model after the other.
    """

    name: str
    architecture: str
    inputs: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class TableSpec:
    """One table.

    Attributes:
        number: Roman number in the paper.
        caption: What the numbers are.
        rows: Rows of models, in order.
        references: Rows without a model that stand above the others, among
            `scores.REFERENCES`.
        baseline: Whether it uses the Baseline split, see `fixed_split`,
            instead of the folds.
        by_modality: Whether the columns are modalities (Table V) instead of
            viewers; the viewer then is the average.
        with_average: Whether the average viewer has a column.
    """

    number: str
    caption: str
    rows: tuple[RowSpec, ...]
    references: tuple[str, ...] = ("Majority",)
    baseline: bool = False
    by_modality: bool = False
    with_average: bool = True

    @property
    def file_stem(self) -> str:
        """Name of the table's files, "table2" … "table6"."""
        return f"table{2 + list(SPECS).index(self.number)}"

    def splits(
        self, movies: Sequence[str], validation: str | None = None
    ) -> tuple[paper.Split, ...]:
        """Returns the splits the table averages over.

        Args:
            movies: Films of the corpus.
            validation: Validation film of the Baseline split; see
                `fixed_split`.

        Raises:
            ValueError: If the corpus has too few films.
        """
        if self.baseline:
            return (fixed_split(movies, validation),)
        return folds(movies)

    def jobs(
        self,
        viewers: Sequence[str],
        splits: Sequence[paper.Split],
        seeds: Sequence[int],
        config: TrainingConfig,
    ) -> list[Job]:
        """Lists the fits that the table needs.

        With one viewer there is no MT; it would be ST.

        Args:
            viewers: All viewers of the corpus.
            splits: What `splits` gives.
            seeds: One fit of every model per seed.
            config: Of every fit, with the modalities of the rows; the
                Baseline is fitted likewise, see `BaselineConfig.like`.

        Returns:
            The jobs, each once.
        """
        jobs = []
        for row in self.rows:
            # Viewers that are fitted together.
            groups: list[tuple[str, ...]] = [(v,) for v in viewers]
            if row.architecture == MULTI_TASK:
                groups = [tuple(viewers)] if len(viewers) > 1 else []
            elif self.by_modality:
                groups = [(v,) for v in viewers if v == paper.AVERAGE]
            for modalities in row.inputs:
                own: FitConfig = dataclasses.replace(
                    config, modalities=modalities
                )
                if row.architecture == BASELINE:
                    own = BaselineConfig.like(config, modalities)
                jobs += [
                    Job(row.architecture, group, split, seed, own)
                    for seed in seeds
                    for split in splits
                    for group in groups
                ]
        return list(dict.fromkeys(jobs))


def in_working_order(jobs: Sequence[Job]) -> list[Job]:
    """Sorts jobs so that workers end together and seldom build a model.

    MT's jobs are the longest and come first. Jobs of one kind of model stand
    together, since a worker builds each kind once.
    """
    inputs = {job: job.config.modalities for job in jobs}
    return sorted(jobs, key=lambda j: (-j.effort, -len(inputs[j]), inputs[j]))


def table2_spec(modalities: tuple[str, ...] = BOTH) -> TableSpec:
    """Table II; with one modality, the same table on that input alone."""
    return TableSpec(
        "II",
        f"Scores (%) per viewer, {' and '.join(modalities)} input",
        tuple(RowSpec(x, x, (modalities,)) for x in (SINGLE_TASK, MULTI_TASK)),
        references=REFERENCES,
    )


#: Tables II-VI of the paper by their Roman numbers.
SPECS: dict[str, TableSpec] = {
    "II": table2_spec(),
    "III": TableSpec(
        "III",
        "Scores (%) per viewer, text alone",
        tuple(RowSpec(f"{x}-Text", x, (TEXT,)) for x in ARCHITECTURES),
    ),
    "IV": TableSpec(
        "IV",
        "Scores (%) per viewer, video alone",
        tuple(RowSpec(f"{x}-Visual", x, (VISUAL,)) for x in ARCHITECTURES),
    ),
    "V": TableSpec(
        "V",
        "Scores (%) for the average viewer on one split",
        (
            # Of its multimodal network only the accuracy is known.
            RowSpec("Baseline", BASELINE, (TEXT, VISUAL)),
            RowSpec("MT", MULTI_TASK, (TEXT, VISUAL, BOTH)),
        ),
        references=("Positive", "Majority"),
        baseline=True,
        by_modality=True,
    ),
    "VI": TableSpec(
        "VI",
        "Scores (%) of MT per viewer on one split",
        (
            RowSpec("MT", MULTI_TASK, (BOTH,)),
            RowSpec("MT-Text", MULTI_TASK, (TEXT,)),
            RowSpec("MT-Visual", MULTI_TASK, (VISUAL,)),
        ),
        baseline=True,
        with_average=False,
    ),
}


def specs_for(modalities: tuple[str, ...]) -> list[TableSpec]:
    """Returns the tables that can be made from some modalities.

    Args:
        modalities: "text", "visual" or both.

    Returns:
        All with both; with one, Table II on it and the table that is about it.
    """
    if set(modalities) == set(BOTH):
        return list(SPECS.values())
    alone = SPECS["III" if modalities == TEXT else "IV"]
    return [table2_spec(modalities), alone]
