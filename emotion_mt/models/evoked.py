"""The model of the paper: shared layers, then one head per viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from emotion_mt import paper
from emotion_mt.models import layers, viewer_model as base

#: Strength of the Lasso penalty where none is given.
DEFAULT_L1 = 1e-4

#: Steps that are pooled together after a text convolution.
POOL = 2

#: Standard deviation of initial word vectors, truncated, as in the authors'
#: code. With Keras's ±0.05 the visual feature would drown the text branch.
WORD_VECTOR_SPREAD = 1.0


@keras.saving.register_keras_serializable("emotion_mt")
class EvokedEmotionModel(base.ViewerModel):
    """ST and MT (Sect. III, Fig. 1 and 2): how likely a positive emotion is.

    Shared dense layers (the trunk) over the text branch and the visual
    feature, then per viewer a head of dense layers and a sigmoid. The paper's
    sizes are those of `single_task` and `multi_task`. A head whose viewer has
    no label in a batch does not move, see `compile`.

    The text branch is an embedding, then convolutions of `text_widths` words,
    each with ReLU and max-pooling of 2. The visual feature is standardized if
    `adapt` was called. Initial weights depend on `seed` and the layer's name.

    Args:
        viewers: As of all models, like what is not listed here.
        trunk_units: Widths of the shared dense layers.
        head_units: Widths of the dense layers of each head. Defaults to ().
        modalities: "text", "visual" or both, the default.
        vocabulary_size: Words of the tokenizer, reserved ones included. Must
            be given with "text". Defaults to None.
        words: Words per segment. Defaults to 18.
        visual_features: Length of the visual feature. Defaults to 1024.
        embedding_dim: Length of a word vector. Defaults to 320.
        text_filters: Filters of each text convolution. Defaults to 300.
        text_widths: Width of each, in words. Defaults to (2, 3).
        l1: Defaults to 1e-4.
        added: Those of `viewers`, the last, that are mixtures of the others
            (`layers.Mixture`); name to the numbers of positive and negative
            ratings they rest on. Defaults to None, none; see `add_viewer`.

    Call arguments:
        inputs: Dict with, by modality, "tokens": int32 [B, words] and
            "visual": float32 [B, visual_features].

    Returns:
        float32 [B, V], probabilities of "positive" in [0, 1], by viewer.

    Example:
        >>> model = EvokedEmotionModel.multi_task(modalities=("visual",))
        >>> model.predict({"visual": np.zeros((4, 1024))}, verbose=0).shape
        (4, 8)
    """

    def __init__(
        self,
        viewers: Sequence[str],
        trunk_units: Sequence[int],
        head_units: Sequence[int] = (),
        modalities: Sequence[str] = base.MODALITIES,
        vocabulary_size: int | None = None,
        words: int = paper.WORDS_PER_SEGMENT,
        visual_features: int = paper.VISUAL_FEATURES,
        embedding_dim: int = 320,
        text_filters: int = 300,
        text_widths: Sequence[int] = (2, 3),
        l1: float = DEFAULT_L1,
        seed: int = 0,
        added: Mapping[str, Sequence[int]] | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        viewers = base.check_viewers(viewers)
        added = _check_added(viewers, added or {})
        modalities = _check_modalities(modalities, vocabulary_size)
        _check_text_widths(words, text_widths)
        inputs, encoded = {}, []
        if "text" in modalities:
            tokens = keras.Input((words,), dtype="int32", name="tokens")
            inputs["tokens"] = tokens
            x = keras.layers.Embedding(
                vocabulary_size,
                embedding_dim,
                embeddings_initializer=keras.initializers.TruncatedNormal(
                    stddev=WORD_VECTOR_SPREAD,
                    seed=layers.stream_seed(seed, "text_embedding", "kernel"),
                ),
                dtype=dtype,
                name="text_embedding",
            )(tokens)  # [B, words, embedding_dim]
            for i, width in enumerate(text_widths):
                x = keras.layers.Conv1D(
                    text_filters,
                    width,
                    activation="relu",
                    kernel_initializer=layers.glorot(seed, f"text_conv_{i}"),
                    dtype=dtype,
                    name=f"text_conv_{i}",
                )(x)
                pool = f"text_pool_{i}"
                x = keras.layers.MaxPooling1D(POOL, dtype=dtype, name=pool)(x)
            flatten = keras.layers.Flatten(dtype=dtype, name="text_flatten")
            encoded.append(flatten(x))
        if "visual" in modalities:
            inputs["visual"] = keras.Input(
                (visual_features,), dtype="float32", name="visual"
            )
            normalize = layers.FeatureNormalization(
                dtype=dtype, name=base.NORMALIZATION
            )
            encoded.append(normalize(inputs["visual"]))
        x = layers.join(encoded, "fusion", dtype)
        x = layers.hidden(x, "trunk", trunk_units, l1, seed, dtype)
        heads = [
            layers.head(x, viewer, head_units, l1, seed, dtype)
            for viewer in viewers
            if viewer not in added
        ]  # V × [B, 1]
        outputs = layers.join(heads, "probabilities", "float32")
        outputs = layers.with_mixtures(outputs, tuple(added))
        super().__init__(inputs, outputs, locals(), **kwargs)

    @classmethod
    def single_task(
        cls, viewer: str = paper.AVERAGE, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Returns ST (Sect. III-A): one viewer, no layers of its own.

        Args:
            viewer: Its name.
            **kwargs: Further arguments of the constructor.
        """
        kwargs.setdefault("trunk_units", paper.ST_TRUNK_UNITS)
        return cls(viewers=(viewer,), **kwargs)

    @classmethod
    def multi_task(
        cls, viewers: Sequence[str] = paper.ALL_VIEWERS, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Returns MT (Sect. III-B): a shared trunk and one head per viewer.

        Args:
            viewers: Their names.
            **kwargs: Further arguments of the constructor.
        """
        kwargs.setdefault("trunk_units", paper.MT_TRUNK_UNITS)
        kwargs.setdefault("head_units", paper.MT_HEAD_UNITS)
        return cls(viewers=viewers, **kwargs)


def _check_modalities(modalities: Any, vocabulary_size: Any) -> tuple[str, ...]:
    names = (modalities,) if isinstance(modalities, str) else tuple(modalities)
    if not len(names) == len(set(names) & set(base.MODALITIES)) > 0:
        raise ValueError(
            f"`modalities` must be one or both of {base.MODALITIES}. "
            f"Received: {modalities!r}"
        )
    if "text" in names and vocabulary_size is None:
        raise ValueError(
            "`vocabulary_size` must be given with the modality 'text'. "
            "Received: None"
        )
    return tuple(name for name in base.MODALITIES if name in names)


def _check_text_widths(words: int, text_widths: Sequence[int]) -> None:
    length = words
    for width in text_widths:
        length = (length - width + 1) // POOL
    if length < 1:
        raise ValueError(
            "`words` must leave something after the convolutions of "
            f"`text_widths`={tuple(text_widths)}. Received: words={words}"
        )


def _check_added(
    viewers: tuple[str, ...], added: Mapping[str, Sequence[int]]
) -> dict[str, list[int]]:
    """Returns the numbers of ratings of added viewers, in order of columns."""
    if not (
        isinstance(added, Mapping)
        and len(added) < len(viewers)
        and {*viewers[len(viewers) - len(added) :]} == {*added}
        and all(map(_are_counts, added.values()))
    ):
        raise ValueError(
            f"`added` must name the last of `viewers`={viewers}, not all, each "
            "with its numbers of positive and negative ratings. Received: "
            f"{added!r}"
        )
    return {name: [*added[name]] for name in viewers if name in added}


def _are_counts(counts: Any) -> bool:
    return (
        isinstance(counts, Sequence)
        and [type(number) for number in counts] == [int, int]
        and min(counts) >= 0 < max(counts)
    )
