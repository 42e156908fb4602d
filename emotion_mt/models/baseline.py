"""The Baseline [20] of Tables III to V; its code is not public (Sect. V-C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from emotion_mt import paper
from emotion_mt.models import layers, viewer_model as base
from emotion_mt.models.fuzzy import FuzzyConvolution


@keras.saving.register_keras_serializable("emotion_mt")
class BaselineTextModel(base.ViewerModel):
    """Baseline-Text: fuzzy convolutions over the words of a subtitle.

    Stated (Sect. II-A): three layers of 100 kernels, each "followed by a ReLu
    activation function, a max-pooling layer, and a Fuzzified kernel"; at most
    18 words, shorter sentences are padded. From the group's code for texts:
    heights of 3, 4 and 5 words, in parallel, each pooled over the whole
    sentence. Inferred: the embedding's length, the details of
    `FuzzyConvolution`, and one sigmoid after it.

    Args:
        viewers: As of all models, like what is not listed; exactly one.
        vocabulary_size: Words of the tokenizer, reserved ones included.
        words: Words per segment. Defaults to 18.
        embedding_dim: Length of a word vector. Defaults to 128.
        kernels: Kernels of each convolution. Defaults to 100.
        heights: Height of each convolution, in words. Defaults to (3, 4, 5).
        l1: Defaults to 0.0: the paper states a penalty for ST and MT only.

    Call arguments:
        inputs: Dict with "tokens": int32 [B, words].
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
        **kwargs: Any,
    ) -> None:
        viewers = base.check_viewers(viewers, most=1)
        if not heights or max(heights) > words:
            raise ValueError(
                "`heights` must name at least one convolution, none higher "
                f"than `words`={words}. Received: {heights}"
            )
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
        pooled = []
        for i, height in enumerate(heights):
            layer = f"text_fuzzy_conv_{i}"
            convolution = FuzzyConvolution(
                kernels, height, seed=seed, dtype=dtype, name=layer
            )
            pooled.append(convolution(vectors))
        x = layers.join(pooled, "fusion", dtype)
        outputs = layers.head(x, viewers[0], (), l1, seed, dtype)
        super().__init__(inputs, outputs, locals(), **kwargs)


@keras.saving.register_keras_serializable("emotion_mt")
class BaselineVisualModel(base.ViewerModel):
    """Baseline-Visual: fuzzy convolutions over the frames of a segment.

    Stated (Sect. II-A): three layers of 64, 96 and 128 kernels over 32-bin
    histograms of 7 channels: orientations at 0, 45, 90 and 135 degrees, hue,
    saturation, intensity. Inferred: convolutions over the frames in time, with
    the 7 × 32 numbers of a frame as depth, padded to keep the length; pools of
    2; the fuzzy treatment and the sigmoid of texts. The bins are standardized
    as the feature of `EvokedEmotionModel` is.

    Args:
        viewers: As of `BaselineTextModel`, like what is not listed.
        frames: Frames per segment. Defaults to 16.
        channels: Histograms per frame. Defaults to 7.
        bins: Bins per histogram. Defaults to 32.
        kernels: Kernels of each convolution. Defaults to (64, 96, 128).
        height: Height of each convolution in steps of its input: frames,
            then pairs of frames and so on. Defaults to 3.

    Call arguments:
        inputs: Dict with "visual": float32 [B, frames, channels, bins].

    Example:
        >>> BaselineVisualModel(("Vavg",)).input["visual"].shape
        (None, 16, 7, 32)
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
        **kwargs: Any,
    ) -> None:
        viewers = base.check_viewers(viewers, most=1)
        if not kernels:
            raise ValueError(
                "`kernels` must name at least one convolution. "
                f"Received: {kernels}"
            )
        shape, flat = (frames, channels, bins), (frames, channels * bins)
        x = keras.Input(shape, dtype="float32", name="visual")
        inputs = {"visual": x}
        x = keras.layers.Reshape(flat, dtype=dtype, name="frames")(x)
        x = layers.FeatureNormalization(dtype=dtype, name=base.NORMALIZATION)(x)
        for i, number in enumerate(kernels):
            layer = f"visual_fuzzy_conv_{i}"
            x = FuzzyConvolution(
                number, height, pool=2, seed=seed, dtype=dtype, name=layer
            )(x)
        x = keras.layers.Flatten(dtype=dtype, name="visual_flatten")(x)
        outputs = layers.head(x, viewers[0], (), l1, seed, dtype)
        super().__init__(inputs, outputs, locals(), **kwargs)
