"""What all models of viewers have in common: how they are trained."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt import paper
from emotion_mt.models import layers, losses, metrics as scores
from emotion_mt.models.optimizer import LazyAdam

#: What a model can look at, in the order in which it is concatenated.
MODALITIES = ("text", "visual")

#: Name of the layer that standardizes the visual feature.
NORMALIZATION = "visual_normalization"


class ViewerModel(keras.Model):
    """A functional Keras model with one probability per viewer.

    All is as in Keras, but that `compile` knows the paper's parts. A clone by
    `keras.models.clone_model` is a plain Keras model with the same layers.

    Args:
        inputs: As of `keras.Model`.
        outputs: Likewise.
        arguments: Those of the subclass's constructor by name, `locals()`;
            each but "dtype" becomes an attribute.
        **kwargs: Further arguments of `keras.Model`.

    Attributes:
        viewers: Names of the output columns; distinct.
        added: Those of `viewers` that were added after training, the last, by
            `inference.add_viewer`; name to the numbers of positive and of
            negative ratings that they rest on.
        modalities: What the model looks at, among `MODALITIES`.
        l1: Strength of the L1 penalty on the kernels of dense layers.
        seed: Decides the initial weights.
        dtype: Keras dtype policy of the layers; None is the global one. The
            outputs are float32 [B, V] in any case.

    Raises:
        ValueError: If an argument makes no sense; the message names it.
    """

    viewers: tuple[str, ...]
    modalities: tuple[str, ...]
    added: Mapping[str, Sequence[int]] = MappingProxyType({})
    _rated: Any = None

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        arguments: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        for key in self._own_arguments():
            value = arguments[key]
            many = isinstance(value, Sequence) and not isinstance(value, str)
            setattr(self, key, tuple(value) if many else value)
        self.dtype_policy = keras.dtype_policies.get(arguments["dtype"])

    @classmethod
    def _own_arguments(cls) -> list[str]:
        names = inspect.signature(cls).parameters
        return [x for x in names if x not in ("dtype", "kwargs")]

    @property
    def known_viewers(self) -> tuple[str, ...]:
        """Those of `viewers` that the model was trained for, the first."""
        return self.viewers[: len(self.viewers) - len(self.added)]

    def head_weights(self, viewer: str) -> list[keras.Variable]:
        """Returns the trainable variables of one viewer's head.

        Args:
            viewer: One of `viewers`.
        """
        name = re.escape(layers.head_name(viewer)) + r"_(dense_\d+|output)"
        return [
            variable
            for layer in self.layers
            if re.fullmatch(name, layer.name)
            for variable in layer.trainable_variables
        ]

    def adapt(self, data: Any) -> None:
        """Sets the statistics that standardize the visual feature, if any.

        Args:
            data: Inputs of the training movies, a dict with "visual", finite
                [N, F]; or batches of (inputs, labels), as of `make_dataset`.
        """
        if "visual" not in self.modalities:
            return
        batches = [data] if isinstance(data, Mapping) else (b[0] for b in data)
        visual = np.concatenate([np.asarray(b["visual"]) for b in batches])
        layer = self.get_layer(NORMALIZATION)
        layer.adapt(visual.reshape(len(visual), *layer.input.shape[1:]))

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        metrics: Any = "auto",
        class_weights: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compiles as `keras.Model.compile` does, with defaults of the paper.

        With the default optimizer and loss, a head whose viewer has no label
        in a batch keeps its weights and their moments to the bit (Sect. III,
        Fig. 1): its gradient, that of its L1 penalty included, is zero, and
        `LazyAdam` leaves alone what has none; others with momentum do not.

        Args:
            optimizer: "auto" is `LazyAdam` with the paper's rate, 1e-3.
            loss: "auto" is `MaskedBinaryCrossentropy` with `class_weights`.
            metrics: "auto" are "bce", "mean_accuracy", "balanced_accuracy",
                "auc" and `<viewer>_accuracy`. Callbacks know how these
                improve, but for the last, which needs `mode="max"`.
            class_weights: [V, 2], weight of a negative and of a positive
                label per viewer. Defaults to None, weights of 1.
            **kwargs: Further arguments of `keras.Model.compile`.

        Raises:
            ValueError: If class weights do not fit viewers or loss.
        """
        viewers = self.viewers
        if class_weights is not None and (
            len(class_weights) != len(viewers) or loss != "auto"
        ):
            raise ValueError(
                f"`class_weights` needs one row per viewer, {len(viewers)}, "
                f"and the default loss. Received: {len(class_weights)} rows, "
                f"loss={loss!r}"
            )
        if optimizer == "auto":
            optimizer = LazyAdam(paper.LEARNING_RATE)
        if loss == "auto":
            loss = losses.MaskedBinaryCrossentropy(class_weights)
        if metrics == "auto":
            metrics = [
                scores.ObservedCrossentropy(class_weights),
                scores.ViewerAccuracy(viewers),
                scores.MeanAccuracy(viewers),
                scores.BalancedAccuracy(viewers),
                scores.ViewerAUC(viewers),
            ]
        super().compile(optimizer, loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a model that was loaded, as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @property
    def losses(self) -> list[Any]:
        """The penalties of the weights; see `compute_loss`."""
        if self._rated is None:
            return super().losses
        rated = {
            id(weight): self._rated[column]
            for column, viewer in enumerate(self.viewers)
            for weight in self.head_weights(viewer)
        }
        # An added viewer rests on what the others share and does not move it.
        anyone = ops.any(self._rated[: len(self.known_viewers)])
        return [
            ops.where(rated.get(id(x), anyone), x.regularizer(x), 0.0)
            for x in self.trainable_variables
            if x.regularizer is not None
        ]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Keras's loss, without penalties that would move a head unduly.

        In training a head's counts with labels of its viewer, others with any.
        """
        if training and y is not None:
            _, observed = losses.split_missing(y, len(self.viewers), "float32")
            self._rated = ops.any(ops.not_equal(observed, 0), axis=0)  # [V]
        try:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        finally:
            self._rated = None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains as Keras does; stops, with a warning, at a loss that is NaN.

        Raises:
            ValueError: If labels in arrays are none of 0, 1 and NaN under the
                default loss, or `class_weight` is given.
        """
        if kwargs.get("class_weight") is not None:
            raise ValueError(
                "`class_weight` must be given as compile(class_weights=...), "
                f"one row per viewer. Received: {kwargs['class_weight']!r}"
            )
        validation = kwargs.get("validation_data")
        loss = getattr(self, "loss", None)
        if isinstance(loss, losses.MaskedBinaryCrossentropy):
            losses.check_labels(y)
            if isinstance(validation, tuple | list):
                losses.check_labels(validation[1])
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [_NotANumber(), *keras.tree.flatten(callbacks or [])]
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, **kwargs
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, and what is frozen."""
        # No super().get_config(): for a functional model that is a list of
        # layers, which the constructor does not take.
        own = {key: getattr(self, key) for key in self._own_arguments()}
        if "added" in own:
            own["added"] = {name: [*n] for name, n in self.added.items()}
        return {
            "name": self.name,
            **{k: [*v] if isinstance(v, tuple) else v for k, v in own.items()},
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "frozen": [x.name for x in self.layers if not x.trainable],
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Any = None
    ) -> ViewerModel:
        """Builds a model of a `get_config`, with new weights."""
        del custom_objects  # All layers are made here.
        model = cls(**{k: v for k, v in config.items() if k != "frozen"})
        for name in config.get("frozen", ()):
            model.get_layer(name).trainable = False
        return model


class _NotANumber(keras.callbacks.Callback):
    """Says why a loss may be NaN, and stops."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        losses = [(logs or {}).get(x, 0.0) for x in ("loss", "val_loss")]
        if not np.isnan(losses).any():
            return
        warnings.warn(
            "The loss or the validation loss is not a number after epoch "
            f"{epoch + 1}; training stops. Training diverged, a label is none "
            f"of 0, 1 and NaN, or the loss {self.model.loss!r} does not know "
            "labels that are NaN, as MaskedBinaryCrossentropy does.",
            stacklevel=2,
        )
        self.model.stop_training = True


def check_viewers(viewers: Any, most: int | None = None) -> tuple[str, ...]:
    """Returns distinct names of viewers as a tuple, or says what is wrong."""
    names = (viewers,) if isinstance(viewers, str) else tuple(viewers)
    known = {name for name in names if isinstance(name, str) and name}
    if not 0 < len(names) == len(known) <= (most or len(names)):
        raise ValueError(
            "`viewers` must be distinct names, at least one"
            f"{f' and for this model at most {most}' if most else ''}. "
            f"Received: {viewers!r}"
        )
    return names
