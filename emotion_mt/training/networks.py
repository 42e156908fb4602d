"""The network that a configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emotion_mt import models, paper
from emotion_mt.training.config import TrainingConfig


def model_class(config: TrainingConfig) -> type[models.ViewerModel]:
    """Returns the class of the network."""
    if config.network != "baseline":
        return models.EvokedEmotionModel
    if config.modalities == ("text",):
        return models.BaselineTextModel
    return models.BaselineVisualModel


def check_inputs(
    config: TrainingConfig, viewers: Sequence[str], features: Any
) -> None:
    """Refuses viewers and features that the network cannot take.

    Args:
        config: Names the network.
        viewers: Viewers to be fitted together.
        features: Visual features, [N, F] or, of the Baseline,
            [N, frames, channels, bins]. Not read without the modality
            "visual".

    Raises:
        ValueError: If the Baseline is to be fitted for several viewers, or
            the features have not the axes of the network.
    """
    baseline = config.network == "baseline"
    if baseline and len(viewers) != 1:
        raise ValueError(
            "`viewers` of network 'baseline' must be exactly one; fit it once "
            f"for each viewer. Received: {tuple(viewers)}"
        )
    if "visual" not in config.modalities or features is None:
        return
    kind = "[N, frames, channels, bins]" if baseline else "[N, F]"
    if np.ndim(features) != (4 if baseline else 2):
        raise ValueError(
            f"`features` of network {config.network!r} must be {kind}. "
            f"Received shape: {list(np.shape(features))}"
        )


def arguments(
    config: TrainingConfig,
    viewers: Sequence[str],
    vocabulary_size: int | None,
    visual_shape: Sequence[int] | None,
    seed: int,
) -> dict[str, Any]:
    """Returns the arguments of `model_class(config)` for one fit.

    The model is in float32, whatever the global policy is.

    Args:
        config: Names the network and its sizes.
        viewers: Columns of the output.
        vocabulary_size: Words, reserved ones included; None without text.
        visual_shape: Shape of one segment's visual feature, None without.
        seed: Of the fit; decides the initial weights.
    """
    rows = None
    if vocabulary_size is not None:
        rows = config.embedding_rows(vocabulary_size)
    if config.network == "baseline":
        sizes = _baseline_sizes(config, rows, visual_shape)
    else:
        sizes = _evoked_sizes(config, len(viewers) == 1, rows, visual_shape)
    return {
        "viewers": list(viewers),
        "seed": models.stream_seed(seed, "weights"),
        "dtype": "float32",
        **sizes,
    }


def _evoked_sizes(
    config: TrainingConfig,
    single: bool,
    rows: int | None,
    visual_shape: Sequence[int] | None,
) -> Mapping[str, Any]:
    return {
        "trunk_units": (
            config.single_task_trunk_units
            if single
            else config.multi_task_trunk_units
        ),
        "head_units": () if single else config.multi_task_head_units,
        "modalities": config.modalities,
        "vocabulary_size": rows,
        "visual_features": (
            paper.VISUAL_FEATURES if visual_shape is None else visual_shape[0]
        ),
        "embedding_dim": config.embedding_dim,
        "text_filters": config.text_filters,
        "text_widths": config.text_widths,
    }


def _baseline_sizes(
    config: TrainingConfig,
    rows: int | None,
    visual_shape: Sequence[int] | None,
) -> Mapping[str, Any]:
    if visual_shape is None:
        return {
            "vocabulary_size": rows,
            "embedding_dim": config.baseline_embedding_dim,
            "kernels": config.baseline_kernels,
            "heights": config.baseline_heights,
            "arrangement": config.baseline_arrangement,
        }
    frames, channels, bins = visual_shape
    return {
        "frames": frames,
        "channels": channels,
        "bins": bins,
        "kernels": config.baseline_visual_kernels,
        "height": config.baseline_visual_height,
    }
