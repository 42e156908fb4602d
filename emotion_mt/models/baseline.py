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
from emotion_mt.models import layers
from emotion_mt.models.fuzzy import INITIAL_CENTRES, FuzzyConvolution
from emotion_mt.models.viewer_model import (
    NORMALIZATION,
    ViewerModel,
    check_viewers,
    get_policy,
)

#: Steps that are pooled together after a convolution over frames (inferred).
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
    and one sigmoid after it.

    Args:
        viewers: The name of the output column; exactly one.
        vocabulary_size: Words of the tokenizer, the two reserved ones
            included.
        words: Words per segment. Defaults to 18.
        embedding_dim: Length of a word vector. Defaults to 128.
        kernels: Kernels of each convolution. Defaults to 100.
        heights: Height of each convolution, in words. Defaults to (3, 4, 5).
        l1: Strength of the L1 penalty on the kernel of the output layer.
            Defaults to 0.0, none: the paper states it for ST and MT only.
        seed: Decides the initial weights. Defaults to 0.
        dtype: Keras dtype policy, see `EvokedEmotionModel`.
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

    modalities = ("text",)

    def __init__(
        self,
        viewers: Sequence[str],
        vocabulary_size: int,
        words: int = paper.WORDS_PER_SEGMENT,
        embedding_dim: int = 128,
        kernels: int = 100,
        heights: Sequence[int] = (3, 4, 5),
        l1: float = 0.0,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        viewers = _check_one_viewer(viewers)
        if not heights or max(heights) > words:
            raise ValueError(
                "`heights` must name at least one convolution, none higher "
                f"than `words`={words}. Received: {heights}"
            )
        dtype = get_policy(dtype)
        inputs = {"tokens": keras.Input((words,), dtype="int32", name="tokens")}
        vectors = keras.layers.Embedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=keras.initializers.RandomUniform(
                seed=layers.stream_seed(seed, "text_embedding", "kernel")
            ),
            dtype=dtype,
            name="text_embedding",
        )(inputs["tokens"])  # [B, words, embedding_dim]
        pooled = [
            _convolution(f"text_fuzzy_conv_{i}", kernels, height, seed, dtype)(
                vectors
            )
            for i, height in enumerate(heights)
        ]
        x = pooled[0]
        if len(pooled) > 1:
            x = keras.layers.Concatenate(dtype=dtype, name="fusion")(pooled)
        outputs = layers.head(x, viewers[0], (), l1, seed, dtype)
        super().__init__(inputs, outputs, locals(), **kwargs)


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
    with the statistics of the training movies, see `adapt`; until then they
    are taken as they are.

    Args:
        viewers: The name of the output column; exactly one.
        frames: Frames per segment. Defaults to 16.
        channels: Histograms per frame. Defaults to 7.
        bins: Bins per histogram. Defaults to 32.
        kernels: Kernels of each convolution. Defaults to (64, 96, 128).
        height: Height of each convolution in steps of its input: frames for
            the first, pairs of frames for the second and so on. Defaults to 3.
        l1: As of `BaselineTextModel`, like what follows.
        seed: Decides the initial weights.
        dtype: Keras dtype policy.
        name: Name of the model.

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

    modalities = ("visual",)

    def __init__(
        self,
        viewers: Sequence[str],
        frames: int = 16,
        channels: int = 7,
        bins: int = 32,
        kernels: Sequence[int] = (64, 96, 128),
        height: int = 3,
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
        dtype = get_policy(dtype)
        shape = (frames, channels, bins)
        inputs = {"visual": keras.Input(shape, dtype="float32", name="visual")}
        flat = (frames, channels * bins)
        x = keras.layers.Reshape(flat, dtype=dtype, name="frames")(
            inputs["visual"]
        )
        x = layers.FeatureNormalization(dtype=dtype, name=NORMALIZATION)(x)
        for i, number in enumerate(kernels):
            x = _convolution(
                f"visual_fuzzy_conv_{i}", number, height, seed, dtype, pool=POOL
            )(x)
        x = keras.layers.Flatten(dtype=dtype, name="visual_flatten")(x)
        outputs = layers.head(x, viewers[0], (), l1, seed, dtype)
        super().__init__(inputs, outputs, locals(), **kwargs)


def _check_one_viewer(viewers: Sequence[str]) -> tuple[str, ...]:
    viewers = check_viewers(viewers)
    if len(viewers) != 1:
        raise ValueError(
            "`viewers` of the Baseline must be exactly one. "
            f"Received: {viewers}"
        )
    return viewers


def _convolution(
    name: str,
    kernels: int,
    height: int,
    seed: int,
    dtype: Any,
    pool: int | None = None,
) -> FuzzyConvolution:
    kernel_initializer = keras.initializers.RandomUniform(
        *INITIAL_CENTRES, seed=layers.stream_seed(seed, name, "kernel")
    )
    return FuzzyConvolution(
        kernels, height, pool, kernel_initializer, dtype=dtype, name=name
    )
