"""The model of the paper: shared layers, then one head per viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from emotion_mt import paper
from emotion_mt.models import layers
from emotion_mt.models.viewer_model import (
    MODALITIES,
    NORMALIZATION,
    ViewerModel,
    check_viewers,
    get_policy,
)

#: Strength of the Lasso penalty where none is given.
DEFAULT_L1 = 1e-4

#: Steps that are pooled together after a text convolution.
POOL = 2

#: Standard deviation of the truncated normal distribution that initial word
#: vectors are drawn from, as in the authors' code. What comes out of the text
#: branch then has 0.05 of the variance of a standardized visual feature
#: (measured on simulated subtitles); with Keras's ±0.05 it would have 0.00005.
WORD_VECTOR_SPREAD = 1.0


@keras.saving.register_keras_serializable("emotion_mt")
class EvokedEmotionModel(ViewerModel):
    """Probability that a segment evokes a positive emotion, per viewer.

    The single-task model (ST) and the multi-task model (MT) are this one
    class: shared dense layers (the trunk) over the text branch and the
    visual feature, then per viewer a head of dense layers and a sigmoid. Use
    `single_task` and `multi_task` for the paper's sizes.

    The text branch is an embedding, then convolutions of `text_widths` words,
    each with ReLU and max-pooling of 2. The visual feature is standardized
    with the statistics of the training movies, see `adapt`; until then it is
    taken as it is.

    Update rule: a head whose viewer has no label in a batch does not move,
    see `compile`.

    Initial weights depend on `seed` and on the layer's name only: a further
    viewer leaves the other layers as they are.

    Args:
        viewers: Names of the output columns; distinct.
        trunk_units: Widths of the shared dense layers.
        head_units: Widths of the dense layers of each head. Defaults to (),
            none.
        modalities: What the model looks at, "text", "visual" or both.
            Defaults to both.
        vocabulary_size: Words of the tokenizer, the two reserved ones
            included. Must be given with "text". Defaults to None.
        words: Words per segment. Defaults to 18.
        visual_features: Length of the visual feature. Defaults to 1024.
        embedding_dim: Length of a word vector. Defaults to 320.
        text_filters: Filters of each text convolution. Defaults to 300.
        text_widths: Width of each text convolution, in words. Defaults to
            (2, 3).
        l1: Strength of the L1 penalty on each kernel of trunk and heads (not
            on the text branch). Defaults to 1e-4.
        seed: Decides the initial weights. Defaults to 0.
        dtype: Keras dtype policy of the layers. The outputs are float32 in
            any case. Defaults to None, the global policy.
        name: Name of the model. Defaults to None.

    Call arguments:
        inputs: Dict with, by modality, "tokens": int32 [B, words] and
            "visual": float32 [B, visual_features].

    Returns:
        float32 [B, V], probabilities of "positive" in [0, 1], columns in the
        order of `viewers`.

    Example:
        >>> model = EvokedEmotionModel.multi_task(
        ...     viewers=("V1", "V2", "Vavg"), modalities=("visual",)
        ... )
        >>> model.compile()
        >>> inputs = {"visual": np.zeros((4, 1024), "float32")}
        >>> model.predict(inputs, verbose=0).shape
        (4, 3)

    Reference: Sect. III, Figures 1 and 2.
    """

    def __init__(
        self,
        viewers: Sequence[str],
        trunk_units: Sequence[int],
        head_units: Sequence[int] = (),
        modalities: Sequence[str] = MODALITIES,
        vocabulary_size: int | None = None,
        words: int = paper.WORDS_PER_SEGMENT,
        visual_features: int = paper.VISUAL_FEATURES,
        embedding_dim: int = 320,
        text_filters: int = 300,
        text_widths: Sequence[int] = (2, 3),
        l1: float = DEFAULT_L1,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        viewers = check_viewers(viewers)
        modalities = _check_modalities(modalities, vocabulary_size)
        _check_text_widths(words, text_widths)
        dtype = get_policy(dtype)
        inputs, encoded = {}, []
        if "text" in modalities:
            inputs["tokens"] = keras.Input(
                (words,), dtype="int32", name="tokens"
            )
            x = keras.layers.Embedding(
                vocabulary_size,
                embedding_dim,
                embeddings_initializer=keras.initializers.TruncatedNormal(
                    stddev=WORD_VECTOR_SPREAD,
                    seed=layers.stream_seed(seed, "text_embedding", "kernel"),
                ),
                dtype=dtype,
                name="text_embedding",
            )(inputs["tokens"])  # [B, words, embedding_dim]
            for i, width in enumerate(text_widths):
                x = keras.layers.Conv1D(
                    text_filters,
                    width,
                    activation="relu",
                    kernel_initializer=layers.glorot(seed, f"text_conv_{i}"),
                    dtype=dtype,
                    name=f"text_conv_{i}",
                )(x)
                x = keras.layers.MaxPooling1D(
                    POOL, dtype=dtype, name=f"text_pool_{i}"
                )(x)
            flatten = keras.layers.Flatten(dtype=dtype, name="text_flatten")
            encoded.append(flatten(x))
        if "visual" in modalities:
            inputs["visual"] = keras.Input(
                (visual_features,), dtype="float32", name="visual"
            )
            normalize = layers.FeatureNormalization(
                dtype=dtype, name=NORMALIZATION
            )
            encoded.append(normalize(inputs["visual"]))
        x = encoded[0]
        if len(encoded) > 1:
            x = keras.layers.Concatenate(dtype=dtype, name="fusion")(encoded)
        x = layers.hidden(x, "trunk", trunk_units, l1, seed, dtype)
        outputs = [
            layers.head(x, viewer, head_units, l1, seed, dtype)
            for viewer in viewers
        ]  # V × [B, 1]
        if len(outputs) > 1:
            outputs = [
                keras.layers.Concatenate(dtype="float32", name="probabilities")(
                    outputs
                )
            ]
        super().__init__(inputs, outputs[0], locals(), **kwargs)

    @classmethod
    def single_task(
        cls, viewer: str = paper.AVERAGE, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Builds ST (Sect. III-A): one viewer, no layers of its own."""
        kwargs.setdefault("trunk_units", paper.ST_TRUNK_UNITS)
        return cls(viewers=(viewer,), **kwargs)

    @classmethod
    def multi_task(
        cls, viewers: Sequence[str] = paper.ALL_VIEWERS, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Builds MT (Sect. III-B): a shared trunk and one head per viewer."""
        kwargs.setdefault("trunk_units", paper.MT_TRUNK_UNITS)
        kwargs.setdefault("head_units", paper.MT_HEAD_UNITS)
        return cls(viewers=viewers, **kwargs)


def _check_modalities(
    modalities: Sequence[str], vocabulary_size: int | None
) -> tuple[str, ...]:
    names = (modalities,) if isinstance(modalities, str) else tuple(modalities)
    wrong = set(names) - set(MODALITIES) or len(set(names)) < len(names)
    if not names or wrong:
        raise ValueError(
            f"`modalities` must be one or both of {MODALITIES}. "
            f"Received: {modalities!r}"
        )
    if "text" in names and vocabulary_size is None:
        raise ValueError(
            "`vocabulary_size` must be given with the modality 'text'. "
            "Received: None"
        )
    return tuple(name for name in MODALITIES if name in names)


def _check_text_widths(words: int, text_widths: Sequence[int]) -> None:
    length = words
    for width in text_widths:
        length = (length - width + 1) // POOL
    if length < 1:
        raise ValueError(
            "`words` must leave something after the convolutions of "
            f"`text_widths`={tuple(text_widths)}. Received: words={words}"
        )
