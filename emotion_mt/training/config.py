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


def _checked(default: Any, expected: str, valid: Callable[[Any], bool]) -> Any:
    """A field whose value is checked; `expected` says so in words."""
    return dataclasses.field(
        default=default, metadata={"expected": expected, "valid": valid}
    )


def _whole(default: int, least: int = 1) -> Any:
    def valid(value: Any) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and value >= least

    return _checked(default, f"a whole number of at least {least}", valid)


def _wholes(default: tuple[int, ...], expected: str = "") -> Any:
    """A list of widths; `expected` where an empty one makes no sense."""

    def valid(value: Any) -> bool:
        whole = (type(n) is int and n >= 1 for n in value)
        return all(whole) and bool(value or not expected)

    return _checked(default, expected or "whole numbers of at least 1", valid)


def _strengths(default: tuple[float, ...]) -> Any:
    return _checked(
        default,
        "finite numbers of at least 0, one or more",
        lambda value: bool(value) and all(0 <= x < math.inf for x in value),
    )


def _one_of(default: str, known: Sequence[str]) -> Any:
    return _checked(
        default, f"one of {tuple(known)}", lambda value: value in known
    )


def _true_or_false(default: bool) -> Any:
    return _checked(
        default, "True or False", lambda value: isinstance(value, bool)
    )


def _modalities(default: tuple[str, ...]) -> Any:
    def valid(value: Any) -> bool:
        chosen = set(value)
        known = chosen <= set(models.MODALITIES)
        return bool(chosen) and known and len(chosen) == len(value)

    return _checked(default, f"among {models.MODALITIES}, each once", valid)


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

    modalities: tuple[str, ...] = _modalities(models.MODALITIES)
    batch_size: int = _whole(32)
    max_epochs: int = _whole(200)
    min_epochs: int = _whole(1)
    patience: int = _whole(10)
    monitor: str = _one_of("val_balanced_accuracy", tuple(MONITORS))
    epochs_without_validation: int = _whole(20)
    learning_rate: float = _checked(
        paper.LEARNING_RATE,
        "a finite number above 0",
        lambda value: 0 < value < math.inf,
    )
    l1: tuple[float, ...] = _strengths((1e-4,))
    class_weighting: bool = _true_or_false(True)
    standardize_visual: bool = _true_or_false(True)
    max_vocabulary: int = _whole(8192, least=models.RESERVED_TOKENS + 1)

    def __post_init__(self) -> None:
        """Makes tuples of sequences and refuses impossible values."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if isinstance(value, str) or not isinstance(value, Sequence):
                    raise self._wrong(field.name, "a list")
                object.__setattr__(self, field.name, tuple(value))
                value = tuple(value)
            try:
                valid = field.metadata["valid"](value)
            except TypeError:  # Not even something that can be compared.
                valid = False
            if not valid:
                raise self._wrong(field.name, field.metadata["expected"])
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

    embedding_dim: int = _whole(320)
    text_filters: int = _whole(300)
    text_widths: tuple[int, ...] = _wholes((2, 3))
    single_task_trunk_units: tuple[int, ...] = _wholes(paper.ST_TRUNK_UNITS)
    multi_task_trunk_units: tuple[int, ...] = _wholes(paper.MT_TRUNK_UNITS)
    multi_task_head_units: tuple[int, ...] = _wholes(paper.MT_HEAD_UNITS)

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
        arrangement: "parallel" text convolutions, as in the group's code, or
            "stacked" ones, as this paper's words may be read.
        visual_kernels: Kernels of each convolution over histograms
            (Sect. II-A).
        visual_height: Height of those, in steps (not known).
    """

    modalities: tuple[str, ...] = _modalities(("text",))
    l1: tuple[float, ...] = _strengths((0.0,))
    embedding_dim: int = _whole(128)
    kernels: int = _whole(100)
    heights: tuple[int, ...] = _wholes((3, 4, 5), "one whole number or more")
    arrangement: str = _one_of("parallel", models.ARRANGEMENTS)
    visual_kernels: tuple[int, ...] = _wholes(
        (64, 96, 128), "one whole number or more"
    )
    visual_height: int = _whole(3)

    def __post_init__(self) -> None:
        """Refuses impossible values."""
        super().__post_init__()
        if len(self.modalities) != 1:
            raise self._wrong("modalities", "exactly one for the Baseline")
        words = paper.WORDS_PER_SEGMENT
        if self.arrangement == "parallel" and max(self.heights) > words:
            raise self._wrong("heights", f"at most {words} words in parallel")

    @classmethod
    def like(
        cls, config: FitConfig, modalities: tuple[str, ...]
    ) -> BaselineConfig:
        """Returns the Baseline's config that fits as another network does.

        Args:
            config: Gives what all networks have in common, but for the L1
                strengths.
            modalities: Exactly one.
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
                "arrangement": self.arrangement,
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

    Args:
        vocabulary_size: Words of the tokenizer, reserved ones included; None
            without text.
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
