"""The Baseline [20] of Tables III to V, as far as it is known.

Its code is not public ("the code for the Baseline multi-modal approach is not
available", Sect. V-C). What the paper states (Sect. II-A), what the group's
other code suggests and what is inferred stands in each class and in
docs/reproduction.md. Its audio and its multimodal network exist only as
published numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from emotion_mt import paper
from emotion_mt.models.layers import LayerFactory, apply_layers
from emotion_mt.models.regularizers import AdjustableL1
from emotion_mt.models.standardization import Standardization
from emotion_mt.models.viewer_model import (
    STANDARDIZATION,
    ViewerModel,
    check_viewers,
)

#: How the text convolutions follow each other.
ARRANGEMENTS = ("parallel", "stacked")

#: Steps that are pooled together where convolutions are stacked (inferred).
POOL = 2


@keras.saving.register_keras_serializable("emotion_mt")
class BaselineTextModel(ViewerModel):
    """Baseline-Text: fuzzy convolutions over the words of a subtitle.

    Stated (Sect. II-A): "three convolution layers and each layer has 100
    kernels", each "followed by a ReLu activation function, a max-pooling
    layer, and a Fuzzified kernel"; at most 18 words, shorter sentences are
    padded. From the group's code for texts: heights of 3, 4 and 5 words, in
    parallel, each pooled over the whole sentence. Inferred: the embedding's
    length, what a fuzzified kernel does in detail (see `FuzzyConvolution`),
    one sigmoid after it, and, where the layers are stacked, padding to keep
    the length and pools of 2.

    Trained as `EvokedEmotionModel` is, for one viewer.

    Args:
        viewers: The name of the output column; exactly one.
        vocabulary_size: Words of the tokenizer, the two reserved ones
            included.
        words: Words per segment. Defaults to 18.
        embedding_dim: Length of a word vector. Defaults to 128.
        kernels: Kernels of each convolution. Defaults to 100.
        heights: Height of each convolution, in words. Defaults to (3, 4, 5).
        arrangement: "parallel": each convolution sees the words. "stacked":
            each sees what the one before gave. Defaults to "parallel".
        trainable_width: Whether the widths σ of the membership functions are
            trained. Defaults to True.
        l1: Strength of the L1 penalty on the kernel of the output layer.
            Defaults to 0.0, none: the paper states it for ST and MT only.
        seed: Decides the initial weights. Defaults to 0.
        dtype: Keras dtype policy of the layers. The output is float32 in any
            case. Defaults to None, the global policy.
        name: Name of the model. Defaults to None.

    Call arguments:
        inputs: Dict with "tokens": int32 [B, words].

    Returns:
        float32 [B, 1], probability of "positive" in [0, 1].

    Example:
        >>> model = BaselineTextModel(("Vavg",), vocabulary_size=50)
        >>> model.output_shape
        (None, 1)

    Raises:
        ValueError: If an argument makes no sense; the message names it.
    """

    def __init__(
        self,
        viewers: Sequence[str],
        vocabulary_size: int,
        words: int = paper.WORDS_PER_SEGMENT,
        embedding_dim: int = 128,
        kernels: int = 100,
        heights: Sequence[int] = (3, 4, 5),
        arrangement: str = "parallel",
        trainable_width: bool = True,
        l1: float = 0.0,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        viewers = _check_one_viewer(viewers)
        if arrangement not in ARRANGEMENTS:
            raise ValueError(
                f"`arrangement` must be one of {ARRANGEMENTS}. "
                f"Received: {arrangement!r}"
            )
        stacked = arrangement == "stacked"
        if not heights or (not stacked and max(heights) > words):
            raise ValueError(
                "`heights` must name at least one convolution, none higher "
                f"than `words`={words} in parallel. Received: {heights}"
            )
        policy = _policy(dtype)

        # === Layers ===
        penalty = AdjustableL1(l1)
        make = LayerFactory(seed, penalty, policy)
        options: dict[str, Any] = {"of_words": True}
        if stacked:
            options = {"pool": POOL, "padding": "same"}
        convolutions = [
            make.fuzzy_convolution(
                f"text_fuzzy_conv_{i}",
                kernels,
                height,
                trainable_width=trainable_width,
                **options,
            )
            for i, height in enumerate(heights)
        ]
        head = make.head(viewers[0], ())

        # === Functional Model ===
        tokens = keras.Input((words,), dtype="int32", name="tokens")
        vectors, places = make.words(tokens, vocabulary_size, embedding_dim)
        if stacked:
            # [B, words, embedding_dim]
            x = make.placed("text_word_vectors", vectors, places)
            x = apply_layers(convolutions, x)
            x = keras.layers.Flatten(dtype=policy, name="text_flatten")(x)
        else:
            x = [convolve((vectors, places)) for convolve in convolutions]
            if len(x) > 1:
                x = keras.layers.Concatenate(dtype=policy, name="fusion")(x)
            else:
                x = x[0]
        outputs = apply_layers(head, x)  # [B, 1]
        super().__init__({"tokens": tokens}, outputs, name=name, **kwargs)

        # === Config ===
        self._set_training_parts(viewers, ("text",), penalty, [head])
        self.vocabulary_size = vocabulary_size
        self.words = words
        self.embedding_dim = embedding_dim
        self.kernels = kernels
        self.heights = tuple(heights)
        self.arrangement = arrangement
        self.trainable_width = trainable_width
        self.seed = seed
        self.dtype_policy = policy

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "viewers": list(self.viewers),
            "vocabulary_size": self.vocabulary_size,
            "words": self.words,
            "embedding_dim": self.embedding_dim,
            "kernels": self.kernels,
            "heights": list(self.heights),
            "arrangement": self.arrangement,
            "trainable_width": self.trainable_width,
            **_common_config(self),
        }


@keras.saving.register_keras_serializable("emotion_mt")
class BaselineVisualModel(ViewerModel):
    """Baseline-Visual: fuzzy convolutions over the frames of a segment.

    Stated (Sect. II-A): "three convolutional layers having 64, 96, and 128
    kernels, respectively"; the input are 32-bin histograms of 7 channels,
    orientations at 0, 45, 90 and 135 degrees and hue, saturation, intensity.
    Inferred: the convolutions run over the frames in time, 3 frames high,
    with the 7 × 32 numbers of a frame as depth, padded to keep the length;
    pools of 2; the same fuzzy treatment as of texts (see `FuzzyConvolution`);
    one sigmoid. The histograms are standardized, each bin of each channel,
    with statistics that are set from outside (`set_feature_statistics`);
    until then they are taken as they are.

    Trained as `EvokedEmotionModel` is, for one viewer.

    Args:
        viewers: The name of the output column; exactly one.
        frames: Frames per segment. Defaults to 16.
        channels: Histograms per frame. Defaults to 7.
        bins: Bins per histogram. Defaults to 32.
        kernels: Kernels of each convolution. Defaults to (64, 96, 128).
        height: Height of each convolution in steps of its input: frames for
            the first, pairs of frames for the second and so on. Defaults to 3.
        trainable_width: Whether the widths σ of the membership functions are
            trained. Defaults to True.
        l1: Strength of the L1 penalty on the kernel of the output layer.
            Defaults to 0.0, none: the paper states it for ST and MT only.
        seed: Decides the initial weights. Defaults to 0.
        dtype: Keras dtype policy of the layers. The output is float32 in any
            case. Defaults to None, the global policy.
        name: Name of the model. Defaults to None.

    Call arguments:
        inputs: Dict with "visual": float32 [B, frames, channels, bins].

    Returns:
        float32 [B, 1], probability of "positive" in [0, 1].

    Example:
        >>> BaselineVisualModel(("Vavg",)).input["visual"].shape
        (None, 16, 7, 32)

    Raises:
        ValueError: If an argument makes no sense; the message names it.
    """

    def __init__(
        self,
        viewers: Sequence[str],
        frames: int = 16,
        channels: int = 7,
        bins: int = 32,
        kernels: Sequence[int] = (64, 96, 128),
        height: int = 3,
        trainable_width: bool = True,
        l1: float = 0.0,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        viewers = _check_one_viewer(viewers)
        if not kernels:
            raise ValueError(
                "`kernels` must name at least one convolution. "
                f"Received: {kernels}"
            )
        policy = _policy(dtype)

        # === Layers ===
        penalty = AdjustableL1(l1)
        make = LayerFactory(seed, penalty, policy)
        branch = [
            keras.layers.Reshape(
                (frames, channels * bins), dtype=policy, name="frames"
            ),
            Standardization(dtype=policy, name=STANDARDIZATION),
            *(
                make.fuzzy_convolution(
                    f"visual_fuzzy_conv_{i}",
                    number,
                    height,
                    pool=POOL,
                    padding="same",
                    trainable_width=trainable_width,
                )
                for i, number in enumerate(kernels)
            ),
            keras.layers.Flatten(dtype=policy, name="visual_flatten"),
        ]
        head = make.head(viewers[0], ())

        # === Functional Model ===
        histograms = keras.Input(
            (frames, channels, bins), dtype="float32", name="visual"
        )
        outputs = apply_layers([*branch, *head], histograms)  # [B, 1]
        super().__init__({"visual": histograms}, outputs, name=name, **kwargs)

        # === Config ===
        self._set_training_parts(viewers, ("visual",), penalty, [head])
        self.frames = frames
        self.channels = channels
        self.bins = bins
        self.kernels = tuple(kernels)
        self.height = height
        self.trainable_width = trainable_width
        self.seed = seed
        self.dtype_policy = policy

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "viewers": list(self.viewers),
            "frames": self.frames,
            "channels": self.channels,
            "bins": self.bins,
            "kernels": list(self.kernels),
            "height": self.height,
            "trainable_width": self.trainable_width,
            **_common_config(self),
        }


def _check_one_viewer(viewers: Sequence[str]) -> tuple[str, ...]:
    viewers = check_viewers(viewers)
    if len(viewers) != 1:
        raise ValueError(
            "`viewers` of the Baseline must be exactly one. "
            f"Received: {viewers}"
        )
    return viewers


def _policy(dtype: Any) -> Any:
    return keras.dtype_policies.get(
        keras.config.dtype_policy() if dtype is None else dtype
    )


def _common_config(
    model: BaselineTextModel | BaselineVisualModel,
) -> dict[str, Any]:
    return {
        "l1": model.l1,
        "seed": model.seed,
        "dtype": keras.dtype_policies.serialize(model.dtype_policy),
        "name": model.name,
        "trainable": model.trainable,
    }
