"""What all models of viewers have in common: how they are trained."""

from __future__ import annotations

import inspect
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion_mt import paper
from emotion_mt.models import layers
from emotion_mt.models.losses import (
    MaskedBinaryCrossentropy,
    check_labels,
    split_missing,
)
from emotion_mt.models.metrics import (
    BalancedAccuracy,
    MeanAccuracy,
    ObservedCrossentropy,
    ViewerAccuracy,
    ViewerAUC,
)
from emotion_mt.models.optimizer import LazyAdam

#: What a model can look at, in the order in which it is concatenated.
MODALITIES = ("text", "visual")

#: Name of the layer that standardizes the visual feature.
NORMALIZATION = "visual_normalization"


class ViewerModel(keras.Model):
    """A functional Keras model with one probability per viewer.

    `compile`, `fit`, `save` and the rest are those of Keras, but that
    `compile` knows the paper's optimizer, loss and metrics.

    `keras.models.clone_model` gives a plain Keras model with the same layers,
    as of every class with arguments of its own;
    `model.from_config(model.get_config())` gives one of this class.

    Args:
        inputs: As of `keras.Model`.
        outputs: Likewise.
        arguments: Those of the subclass's constructor by name, `locals()`;
            each but "dtype" and "name" becomes an attribute, and all make
            `get_config`.
        **kwargs: Further arguments of `keras.Model`.

    Attributes:
        viewers: Names of the output columns.
        modalities: What the model looks at, among `MODALITIES`.
    """

    viewers: tuple[str, ...]
    modalities: tuple[str, ...]
    _rated: Any = None

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        arguments: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        name = arguments["name"]
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        for key in self._own_arguments():
            value = arguments[key]
            many = isinstance(value, Sequence) and not isinstance(value, str)
            setattr(self, key, tuple(value) if many else value)
        self.dtype_policy = arguments["dtype"]

    @classmethod
    def _own_arguments(cls) -> list[str]:
        names = inspect.signature(cls).parameters
        return [x for x in names if x not in ("dtype", "name", "kwargs")]

    def head_weights(self, viewer: str) -> list[keras.Variable]:
        """Returns the trainable variables of one viewer's head."""
        name = re.escape(layers.head_name(viewer)) + r"_(dense_\d+|output)"
        return [
            variable
            for layer in self.layers
            if re.fullmatch(name, layer.name)
            for variable in layer.trainable_variables
        ]

    def adapt(self, data: Any) -> None:
        """Sets the statistics that standardize the visual feature.

        A model without the modality "visual" has none: nothing happens.

        Args:
            data: Inputs of the training movies, a dict with "visual", float
                [N, F]; or batches of (inputs, labels), as of `make_dataset`.

        Raises:
            ValueError: If a feature is not finite.
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
        in a batch does not change by a bit, neither its weights nor their
        moments (Sect. III, Fig. 1): its gradient, that of its L1 penalty
        included, is zero, and `LazyAdam` leaves alone what has no gradient.
        Of other optimizers those with momentum move it all the same.

        Args:
            optimizer: Defaults to "auto": `LazyAdam` with the learning rate
                of the paper, 1e-3.
            loss: Defaults to "auto": `MaskedBinaryCrossentropy` with
                `class_weights`.
            metrics: Defaults to "auto": "bce", "<viewer>_accuracy",
                "mean_accuracy", "balanced_accuracy" and "auc". Callbacks know
                in which direction these improve, but for the viewers' own
                accuracies, which need `mode="max"`.
            class_weights: [V, 2], weight of a negative and of a positive
                label per viewer. Defaults to None, weights of 1.
            **kwargs: Further arguments of `keras.Model.compile`.

        Raises:
            ValueError: If the class weights are not one row per viewer, or
                are given for another loss.
        """
        if class_weights is not None:
            rows = len(self.viewers)
            if len(class_weights) != rows or not _is_auto(loss):
                raise ValueError(
                    f"`class_weights` needs one row per viewer, {rows}, and "
                    f"the default loss. Received: {len(class_weights)} rows, "
                    f"loss={loss!r}"
                )
        if _is_auto(optimizer):
            optimizer = LazyAdam(paper.LEARNING_RATE)
        if _is_auto(loss):
            loss = MaskedBinaryCrossentropy(class_weights)
        if _is_auto(metrics):
            metrics = [
                ObservedCrossentropy(class_weights),
                ViewerAccuracy(self.viewers),
                MeanAccuracy(self.viewers),
                BalancedAccuracy(self.viewers),
                ViewerAUC(self.viewers),
            ]
        super().compile(
            optimizer=optimizer, loss=loss, metrics=metrics, **kwargs
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a model that was loaded, as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @property
    def losses(self) -> list[Any]:
        """The penalties of the weights; see `compute_loss`."""
        if self._rated is None:
            return super().losses
        owner = {
            id(weight): self._rated[column]
            for column, viewer in enumerate(self.viewers)
            for weight in self.head_weights(viewer)
        }
        return [
            ops.where(
                owner.get(id(weight), ops.any(self._rated)),
                weight.regularizer(weight),
                0.0,
            )
            for weight in self.trainable_variables
            if weight.regularizer is not None
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

        In training, a head's penalty counts in batches with a label of its
        viewer, the trunk's in batches with any label.
        """
        if training and y is not None:
            _, observed = split_missing(y, len(self.viewers), "float32")
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
        """Trains as `keras.Model.fit` does.

        Stops with a warning when the loss is not a number after an epoch.

        Raises:
            ValueError: If labels in arrays are none of 0, 1 and NaN under the
                default loss, or `class_weight` is given.
        """
        if kwargs.get("class_weight") is not None:
            raise ValueError(
                "`class_weight` would weight rows by the number of a viewer. "
                "Give compile(class_weights=...) one row per viewer. Received: "
                f"class_weight={kwargs['class_weight']!r}"
            )
        validation = kwargs.get("validation_data")
        if isinstance(getattr(self, "loss", None), MaskedBinaryCrossentropy):
            check_labels(y)
            if isinstance(validation, tuple | list):
                check_labels(validation[1])
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            if isinstance(callbacks, keras.callbacks.Callback):
                callbacks = [callbacks]
            callbacks = [_NotANumber(), *(callbacks or ())]
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, **kwargs
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, and what is frozen."""
        # No super().get_config(): for a functional model that is a list of
        # layers, which the constructor does not take.
        config: dict[str, Any] = {"name": self.name}
        for key in self._own_arguments():
            value = getattr(self, key)
            config[key] = [*value] if isinstance(value, tuple) else value
        return {
            **config,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "frozen": [x.name for x in self.layers if not x.trainable],
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Any = None
    ) -> ViewerModel:
        """Builds a model of a `get_config`, with new weights."""
        del custom_objects  # All layers are made here.
        arguments = dict(config)
        frozen = arguments.pop("frozen", ())
        model = cls(**arguments)
        for name in frozen:
            model.get_layer(name).trainable = False
        return model


class _NotANumber(keras.callbacks.Callback):
    """Says why a loss may be NaN, and stops."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        losses = [(logs or {}).get(x, 0.0) for x in ("loss", "val_loss")]
        if not any(math.isnan(float(value)) for value in losses):
            return
        reason = "Training diverged, or a label is none of 0, 1 and NaN."
        if not isinstance(self.model.loss, MaskedBinaryCrossentropy):
            reason = (
                f"Does the loss {self.model.loss!r} know labels that are NaN, "
                "where a viewer did not rate? MaskedBinaryCrossentropy, the "
                "default of `compile`, does."
            )
        warnings.warn(
            "The loss or the validation loss is not a number after epoch "
            f"{epoch + 1}; training stops. {reason}",
            stacklevel=2,
        )
        self.model.stop_training = True


def _is_auto(argument: Any) -> bool:
    return isinstance(argument, str) and argument == "auto"


def check_viewers(viewers: Sequence[str]) -> tuple[str, ...]:
    """Returns distinct names of viewers as a tuple, or says what is wrong."""
    names = (viewers,) if isinstance(viewers, str) else tuple(viewers)
    good = all(isinstance(name, str) and name for name in names)
    if not names or not good or len(set(names)) < len(names):
        raise ValueError(
            "`viewers` must be distinct names, at least one. "
            f"Received: {viewers!r}"
        )
    return names


def get_policy(dtype: Any) -> Any:
    """Returns a Keras dtype policy; None is the global one."""
    return keras.dtype_policies.get(
        keras.config.dtype_policy() if dtype is None else dtype
    )
