"""The model of the paper: shared layers, then one head per viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_mt import paper
from emotion_mt.models import losses, masking, metrics, update_rule
from emotion_mt.models.layers import LayerFactory, apply_layers
from emotion_mt.models.regularizers import AdjustableL1
from emotion_mt.models.standardization import Standardization

#: What a model can look at, in the order in which it is concatenated.
MODALITIES = ("text", "visual")

#: Strength of the Lasso penalty where none is given.
DEFAULT_L1 = 1e-5


@keras.saving.register_keras_serializable("emotion_mt")
class EvokedEmotionModel(keras.Model):
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
        viewers = _check_viewers(viewers)
        modalities = _check_modalities(modalities, vocabulary_size)
        policy = keras.dtype_policies.get(
            keras.config.dtype_policy() if dtype is None else dtype
        )

        # === Layers ===
        penalty = AdjustableL1(l1)
        make = LayerFactory(seed, penalty, policy)
        branches: dict[str, list[keras.Layer]] = {}
        if "text" in modalities and vocabulary_size is not None:
            branches["tokens"] = make.text_branch(
                vocabulary_size,
                words,
                embedding_dim,
                text_filters,
                text_widths,
            )
        if "visual" in modalities:
            branches["visual"] = [
                Standardization(dtype=policy, name="visual_standardization")
            ]
        trunk = make.hidden("trunk", trunk_units)
        heads = [make.head(viewer, head_units) for viewer in viewers]

        # === Functional Model ===
        inputs = {}
        if "text" in modalities:
            inputs["tokens"] = keras.Input(
                (words,), dtype="int32", name="tokens"
            )
        if "visual" in modalities:
            inputs["visual"] = keras.Input(
                (visual_features,), dtype="float32", name="visual"
            )
        encoded = [
            apply_layers(branches[name], x) for name, x in inputs.items()
        ]
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
        self.viewers = viewers
        self.trunk_units = tuple(trunk_units)
        self.head_units = tuple(head_units)
        self.modalities = modalities
        self.vocabulary_size = vocabulary_size
        self.words = words
        self.visual_features = visual_features
        self.embedding_dim = embedding_dim
        self.text_filters = text_filters
        self.text_widths = tuple(text_widths)
        self.seed = seed
        self.dtype_policy = policy
        self._penalty = penalty
        self._head_layers = tuple(
            tuple(layer.name for layer in head) for head in heads
        )
        self._class_weighted: tuple[Any, ...] = ()

    @classmethod
    def single_task(
        cls, viewer: str = paper.AVERAGE, **kwargs: Any
    ) -> EvokedEmotionModel:
        """Builds ST (Sect. III-A): one viewer, no layers of its own.

        Args:
            viewer: The viewer. Defaults to "Vavg".
            **kwargs: Further arguments of the constructor.
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
        """
        kwargs.setdefault("trunk_units", paper.MT_TRUNK_UNITS)
        kwargs.setdefault("head_units", paper.MT_HEAD_UNITS)
        return cls(viewers=viewers, **kwargs)

    @property
    def l1(self) -> float:
        """Strength of the L1 penalty; may be set at any time."""
        return self._penalty.l1

    @l1.setter
    def l1(self, value: float) -> None:
        self._penalty.l1 = value

    def head_weights(self, viewer: str) -> list[keras.Variable]:
        """Returns the trainable variables of one viewer's head.

        Args:
            viewer: One of `viewers`.
        """
        names = self._head_layers[self.viewers.index(viewer)]
        return [
            variable
            for name in names
            for variable in self.get_layer(name).trainable_variables
        ]

    def set_feature_statistics(self, mean: Any, variance: Any) -> None:
        """Sets the statistics that standardize the visual feature.

        Args:
            mean: float [visual_features], over the training films.
            variance: float [visual_features], likewise.

        Raises:
            ValueError: If the model has no visual modality, or a shape or a
                value is impossible.
        """
        if "visual" not in self.modalities:
            raise ValueError(
                "Feature statistics need the modality 'visual'. Received a "
                f"model with `modalities`={self.modalities}"
            )
        layer = self.get_layer("visual_standardization")
        layer.set_statistics(mean, variance)

    def compile_for_training(
        self,
        class_weights: Any = None,
        learning_rate: float = paper.LEARNING_RATE,
        optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compiles with the loss, the metrics and the optimizer of the paper.

        Args:
            class_weights: [V, 2], weight of a negative and of a positive
                label per viewer. Defaults to None, weights of 1.
            learning_rate: Of Adam. Defaults to 1e-3.
            optimizer: Instead of Adam. Defaults to None.
            **kwargs: Further arguments of `compile`. Defaults to XLA
                (`jit_compile=True`), which also saves what the update rule
                would cost otherwise.
        """
        kwargs.setdefault("jit_compile", not kwargs.get("run_eagerly", False))
        if class_weights is None:
            class_weights = np.ones((len(self.viewers), 2))
        weights = losses.check_class_weights(class_weights)
        if len(weights) != len(self.viewers):
            raise ValueError(
                "`class_weights` needs one row per viewer, "
                f"{len(self.viewers)}. Received shape: {list(weights.shape)}"
            )
        loss = losses.MaskedBinaryCrossentropy(weights)
        bce = metrics.ObservedCrossentropy(weights)
        self.compile(
            optimizer=optimizer or keras.optimizers.Adam(learning_rate),
            loss=loss,
            metrics=[bce, metrics.ViewerAccuracy(self.viewers)],
            **kwargs,
        )
        self._class_weighted = (loss.class_weights, bce.class_weights)
        # Before the step is traced, which would be traced twice otherwise.
        self.optimizer.build(self.trainable_variables)

    def set_class_weights(self, class_weights: Any) -> None:
        """Replaces the class weights without tracing again.

        Args:
            class_weights: [V, 2].

        Raises:
            ValueError: If the model was not compiled by
                `compile_for_training`, or the shape differs.
        """
        if not self._class_weighted:
            raise ValueError(
                "Class weights can be replaced after `compile_for_training`. "
                "Received a model that was not compiled by it"
            )
        for weights in self._class_weighted:
            weights.assign(class_weights)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Keras's training step, under the update rule of the class."""
        if self.optimizer is None:
            return super().train_step(data)
        if not self.optimizer.built:
            with tf.init_scope():
                self.optimizer.build(self.trainable_variables)
        _, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        _, observed = masking.split_missing(labels)
        movable = update_rule.Movable.of(
            self.optimizer, [self.head_weights(v) for v in self.viewers]
        )
        snapshot = update_rule.Snapshot(
            movable, update_rule.labels_per_viewer(observed)
        )
        logs = super().train_step(data)
        snapshot.put_back()
        return logs

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


def _check_viewers(viewers: Sequence[str]) -> tuple[str, ...]:
    names = (viewers,) if isinstance(viewers, str) else tuple(viewers)
    good = all(isinstance(name, str) and name for name in names)
    if not names or not good or len(set(names)) < len(names):
        raise ValueError(
            "`viewers` must be distinct names, at least one. "
            f"Received: {viewers!r}"
        )
    return names


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
