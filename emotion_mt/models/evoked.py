"""The model of the paper: shared layers, then one head per viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from emotion_mt import paper
from emotion_mt.models.layers import LayerFactory, apply_layers
from emotion_mt.models.regularizers import AdjustableL1
from emotion_mt.models.standardization import Standardization
from emotion_mt.models.viewer_model import (
    MODALITIES,
    STANDARDIZATION,
    ViewerModel,
    check_viewers,
)

#: Strength of the Lasso penalty where none is given.
DEFAULT_L1 = 1e-5


@keras.saving.register_keras_serializable("emotion_mt")
class EvokedEmotionModel(ViewerModel):
    """Probability that a segment evokes a positive emotion, per viewer.

    The single-task model (ST) and the multi-task model (MT) are this one
    class: shared dense layers (the trunk) over the text branch and the
    visual feature, then per viewer a head of dense layers and a sigmoid. Use
    `single_task` and `multi_task` for the paper's sizes.

    The text branch is an embedding, then convolutions of `text_widths` words,
    each with ReLU and max-pooling of 2. The visual feature is standardized
    with statistics that are set from outside (`set_feature_statistics`);
    until then it is taken as it is.

    Update rule: in `fit` and `train_on_batch`, a head whose viewer has no
    label in the batch does not move at all, with any optimizer: neither its
    weights nor the optimizer's slots for them change by a bit. A batch
    without a single label changes nothing whatever.

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
            on the text branch). Defaults to 1e-5.
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
        >>> model.compile_for_training()
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
        policy = keras.dtype_policies.get(
            keras.config.dtype_policy() if dtype is None else dtype
        )

        # === Layers ===
        penalty = AdjustableL1(l1)
        make = LayerFactory(seed, penalty, policy)
        standardization = Standardization(dtype=policy, name=STANDARDIZATION)
        trunk = make.hidden("trunk", trunk_units)
        heads = [make.head(viewer, head_units) for viewer in viewers]

        # === Functional Model ===
        inputs, encoded = {}, []
        if "text" in modalities and vocabulary_size is not None:
            inputs["tokens"] = keras.Input(
                (words,), dtype="int32", name="tokens"
            )
            text = make.text_branch(
                inputs["tokens"],
                vocabulary_size,
                embedding_dim,
                text_filters,
                text_widths,
            )
            encoded.append(text)
        if "visual" in modalities:
            inputs["visual"] = keras.Input(
                (visual_features,), dtype="float32", name="visual"
            )
            encoded.append(standardization(inputs["visual"]))
        x = encoded[0]
        if len(encoded) > 1:
            x = keras.layers.Concatenate(dtype=policy, name="fusion")(encoded)
        x = apply_layers(trunk, x)
        outputs = [apply_layers(head, x) for head in heads]  # V × [B, 1]
        if len(outputs) > 1:
            concatenate = keras.layers.Concatenate(
                dtype="float32", name="probabilities"
            )
            outputs = [concatenate(outputs)]
        super().__init__(inputs=inputs, outputs=outputs[0], name=name, **kwargs)

        # === Config ===
        self._set_training_parts(viewers, modalities, penalty, heads)
        self.trunk_units = tuple(trunk_units)
        self.head_units = tuple(head_units)
        self.vocabulary_size = vocabulary_size
        self.words = words
        self.visual_features = visual_features
        self.embedding_dim = embedding_dim
        self.text_filters = text_filters
        self.text_widths = tuple(text_widths)
        self.seed = seed
        self.dtype_policy = policy

    @classmethod
    def single_task(
        cls, viewer: str = paper.AVERAGE, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Builds ST (Sect. III-A): one viewer, no layers of its own.

        Args:
            viewer: The viewer. Defaults to "Vavg".
            **kwargs: Further arguments of the constructor.

        Returns:
            The model, not compiled.
        """
        kwargs.setdefault("trunk_units", paper.ST_TRUNK_UNITS)
        kwargs.setdefault("head_units", ())
        return cls(viewers=(viewer,), **kwargs)

    @classmethod
    def multi_task(
        cls, viewers: Sequence[str] = paper.ALL_VIEWERS, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Builds MT (Sect. III-B): a shared trunk and one head per viewer.

        Args:
            viewers: The viewers. Defaults to V1 … V7 and Vavg.
            **kwargs: Further arguments of the constructor.

        Returns:
            The model, not compiled.
        """
        kwargs.setdefault("trunk_units", paper.MT_TRUNK_UNITS)
        kwargs.setdefault("head_units", paper.MT_HEAD_UNITS)
        return cls(viewers=viewers, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        # No super().get_config(): for a functional model that is a list of
        # layers, which this constructor does not take.
        return {
            "viewers": list(self.viewers),
            "trunk_units": list(self.trunk_units),
            "head_units": list(self.head_units),
            "modalities": list(self.modalities),
            "vocabulary_size": self.vocabulary_size,
            "words": self.words,
            "visual_features": self.visual_features,
            "embedding_dim": self.embedding_dim,
            "text_filters": self.text_filters,
            "text_widths": list(self.text_widths),
            "l1": self.l1,
            "seed": self.seed,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
        }


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
