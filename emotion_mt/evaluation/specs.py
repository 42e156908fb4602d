"""What each of Tables II-VI consists of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from emotion_mt import paper
from emotion_mt.corpus import baseline_split, folds
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, Job
from emotion_mt.training import TrainingConfig

TEXT, VISUAL = ("text",), ("visual",)
BOTH = ("text", "visual")

#: Columns of Table V.
MODALITY_NAMES = {TEXT: "Text", VISUAL: "Visual", BOTH: "Multimodal"}


@dataclasses.dataclass(frozen=True)
class RowSpec:
    """One row of models.

    Attributes:
        name: Name of the row, as in `paper.PUBLISHED`.
        architecture: `SINGLE_TASK` or `MULTI_TASK`.
        modalities: Input; None where the columns are modalities.
    """

    name: str
    architecture: str
    modalities: tuple[str, ...] | None


@dataclasses.dataclass(frozen=True)
class TableSpec:
    """One table.

    Attributes:
        number: Roman number in the paper.
        caption: What the numbers are.
        rows: Rows of models, in order.
        references: Whether the rows Random, Positive and Negative belong to
            it.
        baseline: Whether it uses the Baseline split instead of the folds.
        by_modality: Whether the columns are modalities (Table V) instead of
            viewers; the viewer then is the average.
        with_average: Whether the average viewer has a column.
    """

    number: str
    caption: str
    rows: tuple[RowSpec, ...]
    references: bool = False
    baseline: bool = False
    by_modality: bool = False
    with_average: bool = True

    @property
    def file_stem(self) -> str:
        """Name of the table's files, "table2" … "table6"."""
        return (
            f"table{('I', 'II', 'III', 'IV', 'V', 'VI').index(self.number) + 1}"
        )

    def splits(
        self, movies: Sequence[str], validation: str
    ) -> tuple[paper.Split, ...]:
        """Returns the splits the table averages over.

        Args:
            movies: Films of the corpus.
            validation: Validation film of the Baseline split.

        Raises:
            ValueError: If the corpus lacks films that the split needs.
        """
        if not self.baseline:
            return folds(movies)
        missing = sorted(set(paper.MOVIES) - set(movies))
        if missing:
            raise ValueError(
                f"Table {self.number} needs the paper's seven films. Missing "
                f"from the corpus: {', '.join(missing)}"
            )
        return (baseline_split(validation),)

    def cell(
        self, architecture: str, modalities: tuple[str, ...], viewer: str
    ) -> tuple[str, str] | None:
        """Returns row and column that a score belongs to, None for none."""
        for row in self.rows:
            if row.architecture != architecture:
                continue
            if self.by_modality:
                column = MODALITY_NAMES.get(modalities)
                if column is not None and viewer == paper.AVERAGE:
                    return row.name, column
            elif row.modalities == modalities and (
                self.with_average or viewer != paper.AVERAGE
            ):
                return row.name, viewer
        return None

    def jobs(
        self,
        viewers: Sequence[str],
        splits: Sequence[paper.Split],
        seeds: Sequence[int],
        config: TrainingConfig,
    ) -> list[Job]:
        """Lists the fits that the table needs.

        MT comes first: its jobs are the longest, so that workers end
        together. With one viewer there is no MT; it would be ST.
        """
        wanted = []
        for row in sorted(
            self.rows, key=lambda row: row.architecture != MULTI_TASK
        ):
            groups: list[tuple[str, ...]] = (
                ([tuple(viewers)] if len(viewers) > 1 else [])
                if row.architecture == MULTI_TASK
                else [(viewer,) for viewer in viewers]
            )
            inputs = (
                tuple(MODALITY_NAMES)
                if row.modalities is None
                else (row.modalities,)
            )
            wanted += [
                Job(
                    row.architecture,
                    group,
                    split,
                    seed,
                    dataclasses.replace(config, modalities=modalities),
                )
                for modalities in inputs
                for seed in seeds
                for split in splits
                for group in groups
            ]
        return list(dict.fromkeys(wanted))


def _comparison(
    number: str,
    caption: str,
    suffix: str,
    modalities: tuple[str, ...],
    **more: bool,
) -> TableSpec:
    rows = tuple(
        RowSpec(f"{architecture}{suffix}", architecture, modalities)
        for architecture in (SINGLE_TASK, MULTI_TASK)
    )
    return TableSpec(number, caption, rows, **more)


def table2_spec(modalities: tuple[str, ...] = BOTH) -> TableSpec:
    """Table II; with one modality, the same table on that input alone."""
    inputs = " and ".join(modalities)
    return _comparison(
        "II",
        f"Accuracy (%) per viewer, {inputs} input",
        "",
        modalities,
        references=True,
    )


#: Tables II-VI of the paper by their Roman numbers.
SPECS: dict[str, TableSpec] = {
    spec.number: spec
    for spec in (
        table2_spec(),
        _comparison(
            "III", "Accuracy (%) per viewer, text alone", "-Text", TEXT
        ),
        _comparison(
            "IV", "Accuracy (%) per viewer, video alone", "-Visual", VISUAL
        ),
        TableSpec(
            "V",
            "Accuracy (%) for the average viewer on the Baseline split",
            (RowSpec("MT", MULTI_TASK, None),),
            baseline=True,
            by_modality=True,
        ),
        TableSpec(
            "VI",
            "Accuracy (%) of MT per viewer on the Baseline split",
            (
                RowSpec("MT", MULTI_TASK, BOTH),
                RowSpec("MT-Text", MULTI_TASK, TEXT),
                RowSpec("MT-Visual", MULTI_TASK, VISUAL),
            ),
            baseline=True,
            with_average=False,
        ),
    )
}
