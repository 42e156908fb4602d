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


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How one model is fitted on one split.

    Where the paper is silent, docs/reproduction.md says why a default is as
    it is.

    Attributes:
        modalities: What the model looks at: "text", "visual" or both.
        batch_size: Segments per step.
        max_epochs: Passes over the training films at most.
        patience: Epochs without a better "val_bce" after which training
            stops; the weights of the best epoch are kept.
        epochs_without_validation: Epochs where the validation films have no
            label of the viewers, so that nothing can stop the training; the
            last weights are kept, and the middle of `l1` is used.
        learning_rate: Of Adam (Sect. III-A).
        l1: Strengths of the L1 penalty to try; the one with the smallest
            "val_bce" is chosen (the first of them if several are equal).
        class_weighting: Whether the classes are balanced (Sect. III-A).
        standardize_visual: Whether visual features are standardized with the
            statistics of the training films.
        max_vocabulary: Words at most, the two reserved numbers included.
        embedding_dim: Length of a word vector.
        text_filters: Filters of each text convolution.
        text_widths: Width of each text convolution, in words.
        single_task_trunk_units: Dense layers of ST (Sect. III-A).
        multi_task_trunk_units: Shared dense layers of MT (Sect. III-B).
        multi_task_head_units: Dense layers per viewer of MT (Sect. III-B).
        jit_compile: Whether XLA compiles the steps. On a CPU a step of ST or
            MT then takes about a third less time, and building it some 4 s
            (ST) or 14 s (MT) more, once per process.

    Raises:
        ValueError: If a value makes no sense; the message names it.
    """

    modalities: tuple[str, ...] = models.MODALITIES
    batch_size: int = 32
    max_epochs: int = 200
    patience: int = 20
    epochs_without_validation: int = 20
    learning_rate: float = paper.LEARNING_RATE
    l1: tuple[float, ...] = (1e-5, 1e-4)
    class_weighting: bool = True
    standardize_visual: bool = True
    max_vocabulary: int = 8192
    embedding_dim: int = 320
    text_filters: int = 300
    text_widths: tuple[int, ...] = (2, 3)
    single_task_trunk_units: tuple[int, ...] = paper.ST_TRUNK_UNITS
    multi_task_trunk_units: tuple[int, ...] = paper.MT_TRUNK_UNITS
    multi_task_head_units: tuple[int, ...] = paper.MT_HEAD_UNITS
    jit_compile: bool = True

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
        known = set(self.modalities) <= set(models.MODALITIES)
        if not self.modalities or not known:
            raise self._wrong("modalities", f"among {models.MODALITIES}")
        for name in (
            "batch_size",
            "max_epochs",
            "patience",
            "epochs_without_validation",
            "embedding_dim",
            "text_filters",
        ):
            if not _whole(getattr(self, name), least=1):
                raise self._wrong(name, "a whole number of at least 1")
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
        ):
            if not all(_whole(n, least=1) for n in getattr(self, name)):
                raise self._wrong(name, "whole numbers of at least 1")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise self._wrong("learning_rate", "a finite number above 0")
        if not self.l1 or not all(math.isfinite(x) and x >= 0 for x in self.l1):
            raise self._wrong("l1", "finite numbers of at least 0, one or more")

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
