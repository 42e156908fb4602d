"""Every choice of a fit, in one place."""

from __future__ import annotations

import abc
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from emotion_mt import models, paper

#: What may decide which epoch is kept, and whether it shall rise.
MONITORS = {"val_bce": "min", "val_balanced_accuracy": "max", "val_auc": "max"}

#: What a field must be, by name or by type, in words and as a test.
_CHECKS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    "modalities": (
        f"among {models.MODALITIES}, each once",
        lambda x: len(x) == len(set(x) & set(models.MODALITIES)) > 0,
    ),
    "monitor": (f"one of {tuple(MONITORS)}", lambda x: x in MONITORS),
    "learning_rate": ("a finite number above 0", lambda x: 0 < x < math.inf),
    "l1": (
        "finite numbers of at least 0, one or more",
        lambda x: bool(x) and all(0 <= number < math.inf for number in x),
    ),
    "max_vocabulary": (
        f"a whole number of at least {models.RESERVED_TOKENS + 1}",
        lambda x: type(x) is int and x > models.RESERVED_TOKENS,
    ),
    bool: ("True or False", lambda x: isinstance(x, bool)),
    int: ("a whole number of at least 1", lambda x: type(x) is int and x >= 1),
    tuple: (
        "whole numbers of at least 1",
        lambda x: all(type(number) is int and number >= 1 for number in x),
    ),
}


@dataclasses.dataclass(frozen=True)
class FitConfig(abc.ABC):
    """What the fits of all networks have in common.

    docs/reproduction.md gives reasons for defaults the paper does not state.

    Attributes:
        modalities: "text", "visual" or both.
        batch_size: Segments per step.
        max_epochs: Passes over the training movies at most.
        min_epochs: The first epoch that may be kept; patience counts on it.
        patience: Epochs without a better `monitor` before training stops.
        monitor: Decides on the validation movies which epoch and L1 strength
            are kept: "val_bce", the data term of the loss;
            "val_balanced_accuracy" or "val_auc", means over the viewers with
            both classes there. Where none has, "val_bce" decides.
        epochs_without_validation: Epochs where the validation movies have no
            label of the viewers; the last weights are kept, with the middle
            (of an even number the upper) strength of L1.
        learning_rate: Of Adam (Sect. III-A).
        l1: Strengths of the L1 penalty to try; the first with the best
            `monitor` is kept.
        class_weighting: Whether the classes are balanced (Sect. III-A).
        standardize_visual: Whether visual features are standardized with
            statistics of the labelled training segments.
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

    #: Arguments of the network that hold the shape of a visual feature.
    visual_axes: ClassVar[tuple[str, ...]] = ("visual_features",)

    def __post_init__(self) -> None:
        """Makes tuples of sequences and refuses impossible values."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if isinstance(value, str) or not isinstance(value, Sequence):
                    raise self._wrong(field.name, "a list")
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            kind: Any = type(field.default)
            expected, valid = _CHECKS.get(field.name) or _CHECKS[kind]
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

    @property
    @abc.abstractmethod
    def model_class(self) -> type[models.ViewerModel]:
        """Class of the network."""

    @abc.abstractmethod
    def _sizes(self, viewers: int) -> dict[str, Any]:
        """Returns the arguments of `model_class` that the config holds."""

    def model_arguments(
        self,
        viewers: Sequence[str],
        vocabulary_size: int | None,
        visual_shape: Sequence[int] | None,
    ) -> dict[str, Any]:
        """Returns the arguments of `model_class` that decide its shape.

        Args:
            viewers: Columns of the output; one is ST.
            vocabulary_size: Words, reserved ones included; None without text.
            visual_shape: Shape of one segment's visual feature, None without.
        """
        arguments = {"viewers": list(viewers), **self._sizes(len(viewers))}
        if vocabulary_size is not None:
            arguments["vocabulary_size"] = _embedding_rows(vocabulary_size)
        if visual_shape is not None:
            if len(visual_shape) != len(self.visual_axes):
                raise ValueError(
                    "`features` of this network must be "
                    f"[N, {', '.join(self.visual_axes)}]. Received shape: "
                    f"[N, {', '.join(map(str, visual_shape))}]"
                )
            arguments.update(zip(self.visual_axes, visual_shape, strict=True))
        return arguments

    def to_json(self) -> dict[str, Any]:
        """Returns plain values, lists for tuples."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the config of some fields.

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
    """How ST or MT is fitted; see also `FitConfig`.

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

    def _sizes(self, viewers: int) -> dict[str, Any]:
        units = {"trunk_units": self.single_task_trunk_units}
        if viewers > 1:
            units["trunk_units"] = self.multi_task_trunk_units
            units["head_units"] = self.multi_task_head_units
        names = ("modalities", "embedding_dim", "text_filters", "text_widths")
        return {**units, **{name: getattr(self, name) for name in names}}


@dataclasses.dataclass(frozen=True)
class BaselineConfig(FitConfig):
    """How the Baseline [20] is fitted, one viewer; see also `FitConfig`.

    Attributes:
        modalities: Exactly one.
        embedding_dim: Length of a word vector.
        kernels: Kernels of each text convolution (Sect. II-A).
        heights: Height of each text convolution, in words.
        visual_kernels: Kernels of each convolution over histograms.
        visual_height: Height of those, in steps.
    """

    modalities: tuple[str, ...] = ("text",)
    l1: tuple[float, ...] = (0.0,)
    embedding_dim: int = 128
    kernels: int = 100
    heights: tuple[int, ...] = (3, 4, 5)
    visual_kernels: tuple[int, ...] = (64, 96, 128)
    visual_height: int = 3

    visual_axes: ClassVar[tuple[str, ...]] = ("frames", "channels", "bins")

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
        """Returns that of a Baseline fitted likewise, but for L1 strengths.

        Args:
            config: Of another network.
            modalities: Exactly one.
        """
        names = {field.name for field in dataclasses.fields(FitConfig)}
        common = {x: getattr(config, x) for x in names - {"l1", "modalities"}}
        return cls(modalities=modalities, **common)

    @property
    def model_class(self) -> type[models.ViewerModel]:
        """Class of the network."""
        if self.modalities == ("text",):
            return models.BaselineTextModel
        return models.BaselineVisualModel

    def _sizes(self, viewers: int) -> dict[str, Any]:
        if self.modalities == ("visual",):
            return {
                "kernels": self.visual_kernels,
                "height": self.visual_height,
            }
        names = ("embedding_dim", "kernels", "heights")
        return {name: getattr(self, name) for name in names}


def _embedding_rows(vocabulary_size: int) -> int:
    """Returns the number of rows of the embedding.

    A round one, so that splits whose vocabularies differ a little share one
    compiled model. Rows without a word are never looked up.
    """
    most = -(-vocabulary_size // 1024) * 1024
    return next((few for few in (256, 512) if vocabulary_size <= few), most)
