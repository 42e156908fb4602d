"""A new viewer of a trained model, from a few ratings (docs/new_viewer.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from emotion_mt import paper
from emotion_mt.corpus import is_rated, labels_from_values
from emotion_mt.models import EvokedEmotionModel
from emotion_mt.models.layers import LEAST_PROBABILITY, head_name
from emotion_mt.models.viewer_model import check_viewers
from emotion_mt.training import class_weights

if TYPE_CHECKING:
    from emotion_mt.inference.bundle import Bundle

_Model = TypeVar("_Model", "Bundle", EvokedEmotionModel)

#: Standard deviations of the prior: of the slope of the average viewer's logit
#: around 1; of the weight of each other viewer's difference from it, and of the
#: bias, around 0. How they were chosen is in docs/new_viewer.md.
SLOPE_SPREAD, DIFFERENCE_SPREAD, BIAS_SPREAD = 0.3, 0.1, 1.0

#: Numbers of ratings to the points of balanced accuracy that they gained over
#: the average viewer, in the worst and the best of three corpora; those of
#: docs/new_viewer.csv.
GAINS = {
    5: (0.0, 1.0),
    10: (0.4, 1.3),
    20: (0.3, 1.9),
    50: (0.6, 1.5),
    100: (0.3, 2.0),
}

#: Fewer ratings than these are said to be few.
FEW = 20


@dataclasses.dataclass(frozen=True)
class ViewerFit:
    """A new viewer as a mixture of those that a model knows.

    Attributes:
        weights: Of the logits of the known viewers, in the model's order.
        bias: Is added to their sum; a sigmoid makes it a probability.
        positive: Number of positive ratings that it rests on.
        negative: Likewise, of negative ones.
        notes: Sentences about what to expect of so few or such ratings.
    """

    weights: tuple[float, ...]
    bias: float
    positive: int
    negative: int
    notes: tuple[str, ...] = ()

    def probabilities(self, known: ArrayLike) -> np.ndarray:
        """Predicts segments.

        Args:
            known: float [N, V], probabilities of the known viewers. NaN
                where they are missing; columns of weight 0 are not read.

        Returns:
            float64 [N], probabilities of "positive" in [0, 1]; NaN where
            one that counts is missing.

        Raises:
            ValueError: If `known` has another number of viewers.
        """
        matrix = np.asarray(known, "float64")
        if matrix.ndim != 2 or matrix.shape[1] != len(self.weights):
            raise ValueError(
                f"`known` must be [N, {len(self.weights)}], a column per known "
                f"viewer. Received shape: {list(matrix.shape)}"
            )
        weights = np.array(self.weights)
        used = weights != 0
        return special.expit(
            _logits(matrix[:, used]) @ weights[used] + self.bias
        )


def fit_viewer(
    viewers: Sequence[str], known: ArrayLike, values: ArrayLike
) -> ViewerFit:
    """Fits a new viewer to ratings, as a mixture of known viewers.

    It is a logistic regression on the logits of the known viewers, both
    classes counting the same. A Gaussian prior holds it near the average
    viewer, nearer the fewer ratings there are; ratings that are all positive
    or all negative leave it there. Takes some milliseconds.

    Args:
        viewers: The V known viewers: `known_viewers` of the model.
        known: float [n, V], probabilities that the model gives for them. A
            column that is NaN throughout, as of a viewer that the model was
            not trained for, gets the weight 0.
        values: float [n], ratings of the new viewer in [-1, 1], positive
            above 0; NaN where there is none.

    Returns:
        The fit.

    Raises:
        ValueError: If there is no rating, a rating is outside [-1, 1], a
            probability of a rated segment is missing, or shapes do not fit.
    """
    viewers = check_viewers(viewers)
    probabilities, labels = _check_ratings(viewers, known, values)
    used = ~np.isnan(probabilities).all(axis=0)
    centre = _average_weights(viewers, used)
    positive = int(labels.sum())
    negative = len(labels) - positive
    weights, bias = centre, 0.0
    if positive and negative:
        logits = _logits(probabilities[:, used])
        slope, *own, bias = _fit(logits, labels, centre[used])
        weights = slope * centre
        weights[used] += own - np.sum(own) * centre[used]
    return ViewerFit(
        weights=tuple(map(float, weights)),
        bias=float(bias),
        positive=positive,
        negative=negative,
        notes=rating_notes(positive, negative),
    )


def add_viewer(
    model: _Model, name: str, inputs: Any, values: ArrayLike
) -> _Model:
    """Adds a viewer to a trained model from some ratings.

    Args:
        model: A trained `EvokedEmotionModel`, ST or MT, or a `Bundle`.
        name: Of the new viewer. One that was added before is replaced.
        inputs: Segments as `predict` takes them, N in all: a dict with
            "tokens" and "visual", or a dataset of `make_dataset`, not
            shuffled.
        values: float [N], ratings in [-1, 1], positive above 0; NaN where
            there is none. See `fit_viewer`.

    Returns:
        A new model or bundle with one more output, the last. The others
        answer to the bit as before. A model is not compiled.

    Raises:
        TypeError: If `model` is something else.
        ValueError: If the name is empty or that of a viewer that the model
            was trained for, or ratings make no sense.

    Example:
        ```python
        bundle = emt.add_viewer(predictor.bundle, "You", inputs, values)
        bundle.save("mine")
        ```
    """
    network = check_addable(model, name)
    viewers = network.known_viewers
    known = network.predict(inputs, verbose=0)[:, : len(viewers)]
    for viewer in getattr(model, "untrained_viewers", ()):
        known[:, viewers.index(viewer)] = np.nan
    return with_viewer(model, name, fit_viewer(viewers, known, values))


def with_viewer(model: _Model, name: str, fit: ViewerFit) -> _Model:
    """Adds a viewer that was fitted before; see `add_viewer`.

    Args:
        model: As there.
        name: Likewise.
        fit: Of `fit_viewer`, for the viewers of this model.

    Returns:
        As there.

    Raises:
        TypeError: If `model` is something else.
        ValueError: If the name or the fit does not suit the model.
    """
    network = check_addable(model, name)
    known: tuple[str, ...] = network.known_viewers
    if len(fit.weights) != len(known):
        raise ValueError(
            f"`fit` must have a weight per known viewer, {known}. "
            f"Received: {len(fit.weights)} weights"
        )
    others = {x: n for x, n in network.added.items() if x != name}
    added: dict[str, Any] = {**others, name: (fit.positive, fit.negative)}
    config = {**network.get_config(), "viewers": [*known, *added]}
    extended = type(network).from_config({**config, "added": added})
    for layer in network.layers:
        if layer.weights:
            extended.get_layer(layer.name).set_weights(layer.get_weights())
    mixture = extended.get_layer(f"{head_name(name)}_output")
    mixture.set_weights(
        [np.reshape(fit.weights, (-1, 1)), np.array([fit.bias])]
    )
    if network is model:
        return extended
    return dataclasses.replace(model, model=extended, folder=None)


def rating_notes(positive: int, negative: int) -> tuple[str, ...]:
    """Says in sentences what to expect of so many ratings."""
    notes = []
    total = positive + negative
    if not (positive and negative):
        side = "positive" if positive else "negative"
        notes.append(
            f"All {total} ratings are {side}: they do not tell this viewer "
            "from the average one, whose answers are given."
        )
    elif total < FEW:
        notes.append(
            f"{total} ratings are few: on average the answers are hardly "
            "better than those for the average viewer."
        )
    return tuple(notes)


def expected_gain(positive: int, negative: int) -> str:
    """Says what about as many ratings gained others; "" if nothing is known."""
    measured = [count for count in GAINS if count <= positive + negative]
    if not (positive and negative and measured):
        return ""
    low, high = GAINS[measured[-1]]
    return (
        f"With {measured[-1]} ratings of training films, answers for others "
        f"gained {low:+.1f} to {high:+.1f} points of balanced accuracy over "
        "those for the average viewer, depending on the corpus; with ratings "
        "of one new film less, or they lost (docs/new_viewer.md)."
    )


def _fit(
    logits: np.ndarray, labels: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Returns slope, a weight per viewer's difference, and bias."""
    average = logits @ centre
    differences = logits - average[:, None]
    inputs = np.column_stack([average, differences, np.ones(len(logits))])
    others = [DIFFERENCE_SPREAD] * len(centre)
    spread = np.array([SLOPE_SPREAD, *others, BIAS_SPREAD])
    mean = np.eye(1, len(spread))[0]
    return posterior_mode(inputs, labels, rating_weights(labels), mean, spread)


def rating_weights(labels: np.ndarray) -> np.ndarray:
    """Returns float64 [n], a weight per rating that balances the classes."""
    negative, positive = class_weights(labels[:, None])[0].astype("float64")
    return np.where(labels == 1, positive, negative)


def posterior_mode(
    inputs: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
) -> np.ndarray:
    """Returns the weights of a logistic regression with a Gaussian prior.

    Args:
        inputs: float64 [n, D].
        labels: float [n], 1.0 positive, 0.0 negative.
        weights: float64 [n], how much each counts.
        mean: float64 [D], of the prior.
        spread: float64 [D], its standard deviations.

    Returns:
        float64 [D], the likeliest weights after the ratings.
    """
    signs = 2 * labels - 1

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (inputs @ parameters)
        away = (parameters - mean) / spread
        value = -weights @ special.log_expit(margins) + away @ away / 2
        slope = -(weights * signs * special.expit(-margins)) @ inputs
        return float(value), slope + away / spread

    return optimize.minimize(loss, mean, jac=True, method="L-BFGS-B").x


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """Returns what `models.layers.Mixture` mixes."""
    least = LEAST_PROBABILITY
    return special.logit(np.clip(probabilities, least, 1 - least))


def _average_weights(viewers: Sequence[str], used: np.ndarray) -> np.ndarray:
    """Weights of the average viewer, or of the mean of all where none is."""
    average = used & (np.array(viewers) == paper.AVERAGE)
    chosen = average if average.any() else used
    return chosen / chosen.sum()


def _check_ratings(
    viewers: Sequence[str], known: ArrayLike, values: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Returns probabilities and labels of the rated segments."""
    matrix, ratings = np.asarray(known, "f8"), np.asarray(values, "f8")
    if matrix.ndim != 2 or matrix.shape[1] != len(viewers):
        raise ValueError(
            f"`known` must be [n, {len(viewers)}], a column per viewer. "
            f"Received shape: {list(matrix.shape)}"
        )
    if ratings.shape != matrix.shape[:1]:
        raise ValueError(
            f"`values` must be [{len(matrix)}], one per row of `known`. "
            f"Received shape: {list(ratings.shape)}"
        )
    rated = is_rated(ratings)
    if not rated.any() or np.abs(ratings[rated]).max() > 1:
        raise ValueError(
            "`values` must be ratings in [-1, 1], NaN where there is none, at "
            f"least one. Received {rated.sum()} ratings: {ratings[rated]}"
        )
    chosen = matrix[rated]
    untrained = np.isnan(chosen).all(axis=0)
    wrong = ~((chosen >= 0) & (chosen <= 1) | untrained).all(axis=1)
    if untrained.all() or wrong.any():
        raise ValueError(
            "`known` must be probabilities in [0, 1] where there is a rating. "
            f"Received: {chosen[wrong | untrained.all()][0]}"
        )
    return chosen, labels_from_values(ratings[rated])


def check_addable(model: Any, name: str) -> EvokedEmotionModel:
    """Returns the network of a model or bundle that can get this viewer.

    Raises:
        TypeError: See `add_viewer`.
        ValueError: If it cannot get a viewer of this name.
    """
    network = getattr(model, "model", model)
    if type(network) is not EvokedEmotionModel:
        raise TypeError(
            "`model` must be an EvokedEmotionModel or a bundle of one. "
            f"Received: {type(network).__name__}"
        )
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"`name` must be a name. Received: {name!r}")
    if name in network.known_viewers:
        raise ValueError(
            "`name` must not be that of a viewer that the model was trained "
            f"for, {network.known_viewers}. Received: {name!r}"
        )
    return network
