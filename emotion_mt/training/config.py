"""Every choice of a fit, in one place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from emotion_mt import models, paper

#: Numbers of rows of an embedding, and the step between larger ones; see
#: `TrainingConfig.embedding_rows`.
_FEW_ROWS = (256, 512)
_ROW_STEP = 1024

#: Networks that can be fitted: ST and MT, and the Baseline [20].
NETWORKS = ("evoked", "baseline")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How one model is fitted on one split.

    Where the paper is silent, docs/reproduction.md says why a default is as
    it is.

    Attributes:
        network: "evoked" for ST and MT, "baseline" for the Baseline [20] of
            one viewer and one modality. What begins with "baseline_" is read
            for "baseline" only.
        modalities: What the model looks at: "text", "visual" or both; for
            the Baseline exactly one.
        batch_size: Segments per step.
        max_epochs: Passes over the training films at most.
        patience: Epochs without a better "val_bce" after which training
            stops; the weights of the best epoch are kept.
        epochs_without_validation: Epochs where the validation films have no
            label of the viewers, so that nothing can stop the training; the
            last weights are kept, with the middle strength of L1 (the larger
            of the middle two).
        learning_rate: Of Adam (Sect. III-A).
        l1: Strengths of the L1 penalty to try; the one with the smallest
            "val_bce" is chosen (the first of them if several are equal). Not
            read for the Baseline, which has `baseline_l1`.
        l1_epochs: Epochs after which the strengths are compared and only the
            one with the smallest "val_bce" so far is trained on. In 255 jobs
            with patience 5 that is, after 5 epochs, the one which is best in
            the end in 96 %; with patience 20 it saves up to two fifths of the
            epochs. 0: all are trained to the end.
        class_weighting: Whether the classes are balanced (Sect. III-A).
        standardize_visual: Whether visual features are standardized with the
            statistics of the training films.
        max_vocabulary: Words at most, the two reserved numbers included.
        embedding_dim: Length of a word vector of ST and MT.
        text_filters: Filters of each text convolution of ST and MT.
        text_widths: Width of each of them, in words.
        single_task_trunk_units: Dense layers of ST (Sect. III-A).
        multi_task_trunk_units: Shared dense layers of MT (Sect. III-B).
        multi_task_head_units: Dense layers per viewer of MT (Sect. III-B).
        baseline_l1: As `l1`, for the output layer of the Baseline. The paper
            states no such penalty for it.
        baseline_embedding_dim: Length of a word vector (not known).
        baseline_kernels: Kernels of each text convolution (Sect. II-A).
        baseline_heights: Height of each text convolution, in words (the
            group's code).
        baseline_arrangement: "parallel" text convolutions, as in the group's
            code, or "stacked" ones, as this paper's words may be read.
        baseline_visual_kernels: Kernels of each convolution over histograms
            (Sect. II-A).
        baseline_visual_height: Height of those, in steps (not known).

    Raises:
        ValueError: If a value makes no sense; the message names it.
    """

    network: str = "evoked"
    modalities: tuple[str, ...] = models.MODALITIES
    batch_size: int = 32
    max_epochs: int = 200
    patience: int = 20
    epochs_without_validation: int = 20
    learning_rate: float = paper.LEARNING_RATE
    l1: tuple[float, ...] = (1e-5, 1e-4)
    l1_epochs: int = 5
    class_weighting: bool = True
    standardize_visual: bool = True
    max_vocabulary: int = 8192
    embedding_dim: int = 320
    text_filters: int = 300
    text_widths: tuple[int, ...] = (2, 3)
    single_task_trunk_units: tuple[int, ...] = paper.ST_TRUNK_UNITS
    multi_task_trunk_units: tuple[int, ...] = paper.MT_TRUNK_UNITS
    multi_task_head_units: tuple[int, ...] = paper.MT_HEAD_UNITS
    baseline_l1: tuple[float, ...] = (0.0,)
    baseline_embedding_dim: int = 128
    baseline_kernels: int = 100
    baseline_heights: tuple[int, ...] = (3, 4, 5)
    baseline_arrangement: str = "parallel"
    baseline_visual_kernels: tuple[int, ...] = (64, 96, 128)
    baseline_visual_height: int = 3

    def __post_init__(self) -> None:
        """Makes tuples of sequences and refuses impossible values."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if isinstance(value, str | bytes) or not isinstance(
                    value, Sequence
                ):
                    raise self._wrong(field.name, "a list")
                object.__setattr__(self, field.name, tuple(value))
        self._check()

    def _wrong(self, name: str, expected: str) -> ValueError:
        return ValueError(
            f"`{name}` must be {expected}. Received: {getattr(self, name)!r}"
        )

    def _check(self) -> None:
        chosen = set(self.modalities)
        known = chosen <= set(models.MODALITIES)
        if not chosen or not known or len(chosen) < len(self.modalities):
            raise self._wrong(
                "modalities", f"among {models.MODALITIES}, each once"
            )
        for name in (
            "batch_size",
            "max_epochs",
            "patience",
            "epochs_without_validation",
            "embedding_dim",
            "text_filters",
            "baseline_embedding_dim",
            "baseline_kernels",
            "baseline_visual_height",
        ):
            if not _whole(getattr(self, name), least=1):
                raise self._wrong(name, "a whole number of at least 1")
        if not _whole(self.l1_epochs, least=0):
            raise self._wrong("l1_epochs", "a whole number of at least 0")
        if not _whole(self.max_vocabulary, least=models.RESERVED_TOKENS + 1):
            raise self._wrong(
                "max_vocabulary",
                f"a whole number above {models.RESERVED_TOKENS}",
            )
        for name in (
            "text_widths",
            "single_task_trunk_units",
            "multi_task_trunk_units",
            "multi_task_head_units",
            "baseline_heights",
            "baseline_visual_kernels",
        ):
            if not all(_whole(n, least=1) for n in getattr(self, name)):
                raise self._wrong(name, "whole numbers of at least 1")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise self._wrong("learning_rate", "a finite number above 0")
        for name in ("l1", "baseline_l1"):
            values = getattr(self, name)
            if not values or not all(0 <= x < math.inf for x in values):
                raise self._wrong(
                    name, "finite numbers of at least 0, one or more"
                )
        self._check_baseline()

    def _check_baseline(self) -> None:
        if self.network not in NETWORKS:
            raise self._wrong("network", f"one of {NETWORKS}")
        if self.network == "baseline" and len(self.modalities) != 1:
            raise self._wrong("modalities", "exactly one for the Baseline")
        if self.baseline_arrangement not in models.ARRANGEMENTS:
            raise self._wrong(
                "baseline_arrangement", f"one of {models.ARRANGEMENTS}"
            )
        for name in ("baseline_heights", "baseline_visual_kernels"):
            if not getattr(self, name):
                raise self._wrong(name, "one whole number or more")
        parallel = self.baseline_arrangement == "parallel"
        words = paper.WORDS_PER_SEGMENT
        if parallel and max(self.baseline_heights) > words:
            raise self._wrong(
                "baseline_heights", f"at most {words} words in parallel"
            )

    @property
    def l1_strengths(self) -> tuple[float, ...]:
        """Strengths of the L1 penalty that the network is tried with."""
        return self.baseline_l1 if self.network == "baseline" else self.l1

    def embedding_rows(self, vocabulary_size: int) -> int:
        """Returns the number of rows of the embedding.

        A round number, so that splits whose vocabularies differ a little
        share one traced and compiled model. Rows without a word are never
        looked up and never move.

        Args:
            vocabulary_size: Words of the tokenizer, reserved ones included.
        """
        few = [rows for rows in _FEW_ROWS if rows >= vocabulary_size]
        many = -(-vocabulary_size // _ROW_STEP) * _ROW_STEP
        return few[0] if few else many

    def to_json(self) -> dict[str, Any]:
        """Returns plain values, lists for tuples."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Returns the config that `to_json` wrote.

        Args:
            values: Names to values; what is missing has its default.

        Raises:
            ValueError: If a name is unknown.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(
                f"A training config has the entries {known}. "
                f"Received besides: {unknown}"
            )
        return cls(**values)


def _whole(value: Any, least: int) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and value >= least
