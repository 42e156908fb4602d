"""Every choice of a fit, in one place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from emotion_mt import models, paper

#: Numbers of rows of an embedding, and the step between larger ones.
_FEW_ROWS = (256, 512)
_ROW_STEP = 1024

#: What may decide which epoch is kept, and whether it shall rise.
MONITORS = {"val_bce": "min", "val_balanced_accuracy": "max", "val_auc": "max"}


#: What a field must be, in words and as a test, where `_check_of` does not say.
_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "modalities": (
        f"among {models.MODALITIES}, each once",
        lambda value: (
            bool(value)
            and set(value) <= set(models.MODALITIES)
            and len(set(value)) == len(value)
        ),
    ),
    "monitor": (f"one of {tuple(MONITORS)}", lambda value: value in MONITORS),
    "learning_rate": (
        "a finite number above 0",
        lambda value: 0 < value < math.inf,
    ),
    "l1": (
        "finite numbers of at least 0, one or more",
        lambda value: bool(value) and all(0 <= x < math.inf for x in value),
    ),
}


def _is_whole(value: Any, least: int = 1) -> bool:
    return type(value) is int and value >= least


def _check_of(name: str, default: Any) -> tuple[str, Callable[[Any], bool]]:
    """What a field must be: as `_CHECKS` says, or else like its default."""
    if name in _CHECKS:
        return _CHECKS[name]
    if isinstance(default, bool):
        return "True or False", lambda value: isinstance(value, bool)
    if isinstance(default, tuple):
        return "whole numbers of at least 1", lambda x: all(map(_is_whole, x))
    least = models.RESERVED_TOKENS + 1 if name == "max_vocabulary" else 1
    return (
        f"a whole number of at least {least}",
        lambda value: _is_whole(value, least),
    )


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """What the fits of all networks have in common.

    Where the paper is silent, docs/reproduction.md says why a default is as
    it is.

    Attributes:
        modalities: What the model looks at: "text", "visual" or both.
        batch_size: Segments per step.
        max_epochs: Passes over the training movies at most.
        min_epochs: The first epoch that may be kept; patience counts from
            there.
        patience: Epochs without a better `monitor` after which training
            stops; the weights of the best epoch are kept.
        monitor: What decides which epoch and which L1 strength are kept, on
            the validation movies: "val_bce", the data term of the loss;
            "val_balanced_accuracy" or "val_auc", means over the viewers that
            have both classes there. Where none has, "val_bce" decides.
        epochs_without_validation: Epochs where the validation movies have no
            label of the viewers, so that nothing can decide; the last weights
            are kept, with the middle strength of L1 (the larger of the middle
            two).
        learning_rate: Of Adam (Sect. III-A).
        l1: Strengths of the L1 penalty to try; the one with the best
            `monitor` is kept (the first of them if several are equal).
        class_weighting: Whether the classes are balanced (Sect. III-A).
        standardize_visual: Whether visual features are standardized with the
            statistics of the training segments that have a label.
        max_vocabulary: Words at most, the two reserved numbers included.

    Raises:
        ValueError: If a value makes no sense; the message names it.
    """

    modalities: tuple[str, ...] = models.MODALITIES
    batch_size: int = 32
    max_epochs: int = 200
    min_epochs: int = 1
    patience: int = 10
    monitor: str = "val_balanced_accuracy"
    epochs_without_validation: int = 20
    learning_rate: float = paper.LEARNING_RATE
    l1: tuple[float, ...] = (1e-4,)
    class_weighting: bool = True
    standardize_visual: bool = True
    max_vocabulary: int = 8192

    def __post_init__(self) -> None:
        """Makes tuples of sequences and refuses impossible values."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if isinstance(value, str) or not isinstance(value, Sequence):
                    raise self._wrong(field.name, "a list")
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            expected, valid = _check_of(field.name, field.default)
            try:
                good = valid(value)
            except TypeError:  # Not even something that can be compared.
                good = False
            if not good:
                raise self._wrong(field.name, expected)
        if self.min_epochs > self.max_epochs:
            raise self._wrong(
                "min_epochs", f"at most max_epochs={self.max_epochs}"
            )

    def _wrong(self, name: str, expected: str) -> ValueError:
        return ValueError(
            f"`{name}` must be {expected}. Received: {getattr(self, name)!r}"
        )

    def model_arguments(
        self,
        viewers: Sequence[str],
        vocabulary_size: int | None,
        visual_shape: Sequence[int] | None,
    ) -> dict[str, Any]:
        """Returns the arguments of `model_class` that decide its shape.

        Args:
            viewers: Columns of the output.
            vocabulary_size: Words, reserved ones included; None without text.
            visual_shape: Shape of one segment's visual feature, None without.

        Raises:
            ValueError: If the network cannot take such viewers or features.
        """
        raise NotImplementedError

    @property
    def model_class(self) -> type[models.ViewerModel]:
        """Class of the network."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Returns plain values, lists for tuples."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the config that `to_json` wrote; what is missing, defaults.

        Raises:
            ValueError: If a name is unknown.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(
                f"A {cls.__name__} has the entries {known}. "
                f"Received besides: {unknown}"
            )
        return cls(**values)


@dataclasses.dataclass(frozen=True)
class TrainingConfig(FitConfig):
    """How ST or MT is fitted on one split; see also `FitConfig`.

    Attributes:
        embedding_dim: Length of a word vector.
        text_filters: Filters of each text convolution.
        text_widths: Width of each of them, in words.
        single_task_trunk_units: Dense layers of ST (Sect. III-A).
        multi_task_trunk_units: Shared dense layers of MT (Sect. III-B).
        multi_task_head_units: Dense layers per viewer of MT (Sect. III-B).
    """

    embedding_dim: int = 320
    text_filters: int = 300
    text_widths: tuple[int, ...] = (2, 3)
    single_task_trunk_units: tuple[int, ...] = paper.ST_TRUNK_UNITS
    multi_task_trunk_units: tuple[int, ...] = paper.MT_TRUNK_UNITS
    multi_task_head_units: tuple[int, ...] = paper.MT_HEAD_UNITS

    @property
    def model_class(self) -> type[models.ViewerModel]:
        """Class of the network."""
        return models.EvokedEmotionModel

    def model_arguments(
        self,
        viewers: Sequence[str],
        vocabulary_size: int | None,
        visual_shape: Sequence[int] | None,
    ) -> dict[str, Any]:
        """Returns the arguments of `EvokedEmotionModel`: one viewer is ST."""
        _check_axes(visual_shape, ("F",))
        shape = visual_shape or (paper.VISUAL_FEATURES,)
        single = len(viewers) == 1
        return {
            "viewers": list(viewers),
            "trunk_units": (
                self.single_task_trunk_units
                if single
                else self.multi_task_trunk_units
            ),
            "head_units": () if single else self.multi_task_head_units,
            "modalities": self.modalities,
            "vocabulary_size": embedding_rows(vocabulary_size),
            "visual_features": shape[0],
            "embedding_dim": self.embedding_dim,
            "text_filters": self.text_filters,
            "text_widths": self.text_widths,
        }


@dataclasses.dataclass(frozen=True)
class BaselineConfig(FitConfig):
    """How the Baseline [20] is fitted, one viewer and one modality.

    See also `FitConfig`. The paper states no L1 penalty for the Baseline.

    Attributes:
        modalities: Exactly one.
        embedding_dim: Length of a word vector (not known).
        kernels: Kernels of each text convolution (Sect. II-A).
        heights: Height of each text convolution, in words (the group's code).
        visual_kernels: Kernels of each convolution over histograms
            (Sect. II-A).
        visual_height: Height of those, in steps (not known).
    """

    modalities: tuple[str, ...] = ("text",)
    l1: tuple[float, ...] = (0.0,)
    embedding_dim: int = 128
    kernels: int = 100
    heights: tuple[int, ...] = (3, 4, 5)
    visual_kernels: tuple[int, ...] = (64, 96, 128)
    visual_height: int = 3

    def __post_init__(self) -> None:
        """Refuses impossible values."""
        super().__post_init__()
        if len(self.modalities) != 1:
            raise self._wrong("modalities", "exactly one for the Baseline")
        words = paper.WORDS_PER_SEGMENT
        if max(self.heights, default=0) > words:
            raise self._wrong("heights", f"at most {words} words")

    @classmethod
    def like(
        cls, config: FitConfig, modalities: tuple[str, ...]
    ) -> BaselineConfig:
        """Returns the config of a Baseline that is fitted as `config` says.

        All but the L1 strengths, and `modalities`, exactly one.
        """
        common = {
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(FitConfig)
            if field.name != "l1"
        }
        return cls(**{**common, "modalities": modalities})

    @property
    def model_class(self) -> type[models.ViewerModel]:
        """Class of the network."""
        if self.modalities == ("text",):
            return models.BaselineTextModel
        return models.BaselineVisualModel

    def model_arguments(
        self,
        viewers: Sequence[str],
        vocabulary_size: int | None,
        visual_shape: Sequence[int] | None,
    ) -> dict[str, Any]:
        """Returns the arguments of the Baseline's class."""
        if len(viewers) != 1:
            raise ValueError(
                "`viewers` of the Baseline must be exactly one; fit it once "
                f"for each viewer. Received: {tuple(viewers)}"
            )
        if visual_shape is None:
            return {
                "viewers": list(viewers),
                "vocabulary_size": embedding_rows(vocabulary_size),
                "embedding_dim": self.embedding_dim,
                "kernels": self.kernels,
                "heights": self.heights,
            }
        _check_axes(visual_shape, ("frames", "channels", "bins"))
        frames, channels, bins = visual_shape
        return {
            "viewers": list(viewers),
            "frames": frames,
            "channels": channels,
            "bins": bins,
            "kernels": self.visual_kernels,
            "height": self.visual_height,
        }


def embedding_rows(vocabulary_size: int | None) -> int | None:
    """Returns the number of rows of the embedding.

    A round number, so that splits whose vocabularies differ a little share
    one traced and compiled model. Rows without a word are never looked up.
    """
    if vocabulary_size is None:
        return None
    few = [rows for rows in _FEW_ROWS if rows >= vocabulary_size]
    return few[0] if few else -(-vocabulary_size // _ROW_STEP) * _ROW_STEP


def _check_axes(shape: Sequence[int] | None, axes: Sequence[str]) -> None:
    if shape is not None and len(shape) != len(axes):
        raise ValueError(
            f"`features` of this network must be [N, {', '.join(axes)}]. "
            f"Received shape: [N, {', '.join(map(str, shape))}]"
        )
