"""The layers that the models are put together from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import keras

from emotion_mt.models.dense import Dense
from emotion_mt.models.distinct import (
    POOL,
    DistinctWords,
    PlacedRows,
    TextConvolution,
)
from emotion_mt.models.fuzzy import (
    INITIAL_CENTRES,
    FuzzyConvolution,
    FuzzyWordConvolution,
)
from emotion_mt.models.regularizers import AdjustableL1
from emotion_mt.models.seeding import stream_seed


def head_name(viewer: str) -> str:
    """Returns the beginning of the names of a viewer's layers.

    Args:
        viewer: Any name. What a layer name cannot hold is written as its
            code point, so that different viewers get different names.
    """

    def escape(match: re.Match[str]) -> str:
        return f".{ord(match.group()):x}."

    return "head_" + re.sub(r"[^A-Za-z0-9_-]", escape, viewer)


def apply_layers(layers: Sequence[keras.Layer], x: Any) -> Any:
    """Returns what comes out of the last layer."""
    for layer in layers:
        x = layer(x)
    return x


#: Standard deviation of the normal distribution that initial word vectors are
#: drawn from, without what is more than twice as far from 0.
WORD_VECTOR_SPREAD = 1.0

#: What a layer calls the weight that it draws at random, and its initializer.
_DRAWN = {
    "kernel": "kernel_initializer",
    "embeddings": "embeddings_initializer",
}


def draw_again(
    layer: keras.Layer, seed: int, name: str
) -> tuple[keras.Variable, Any] | None:
    """Draws the initial values of a layer's weight anew.

    Args:
        layer: Built, of a `LayerFactory` of any seed.
        seed: As of a `LayerFactory`.
        name: Name that the layer would have there.

    Returns:
        The weight, which is not changed, and its initial values, the same
        bits as of a new layer; None for a layer that draws nothing.
    """
    for weight, attribute in _DRAWN.items():
        initializer = getattr(layer, attribute, None)
        if initializer is not None:
            config = {
                **initializer.get_config(),
                "seed": stream_seed(seed, name, "kernel"),
            }
            variable = getattr(layer, weight)
            draw = type(initializer).from_config(config)
            return variable, draw(variable.shape, dtype=variable.dtype)
    return None


@dataclasses.dataclass(frozen=True)
class LayerFactory:
    """Makes layers whose initial weights depend on seed and name only.

    Attributes:
        seed: Decides the initial weights.
        penalty: Regularizer of the kernels of dense layers.
        policy: Keras dtype policy of the layers.
    """

    seed: int
    penalty: AdjustableL1
    policy: Any

    def _seed(self, name: str) -> int:
        return stream_seed(self.seed, name, "kernel")

    def dense(self, name: str, units: int, **options: Any) -> keras.Layer:
        """Returns a dense layer, [B, n] → [B, units].

        Args:
            name: Name of the layer.
            units: Its width.
            **options: Further arguments of `Dense`.
        """
        return Dense(
            units,
            kernel_initializer=keras.initializers.GlorotUniform(
                seed=self._seed(name)
            ),
            kernel_regularizer=self.penalty,
            name=name,
            **{"dtype": self.policy, **options},
        )

    def hidden(self, prefix: str, units: Sequence[int]) -> list[keras.Layer]:
        """Returns dense layers with ReLU, "<prefix>_dense_0" and so on."""
        return [
            self.dense(f"{prefix}_dense_{i}", width, activation="relu")
            for i, width in enumerate(units)
        ]

    def head(self, viewer: str, units: Sequence[int]) -> list[keras.Layer]:
        """Returns one viewer's layers, [B, n] → float32 [B, 1] in [0, 1]."""
        prefix = head_name(viewer)
        # The sigmoid and the loss need float32 under any policy.
        output = self.dense(
            f"{prefix}_output", 1, activation="sigmoid", dtype="float32"
        )
        return [*self.hidden(prefix, units), output]

    def words(
        self,
        tokens: Any,
        vocabulary_size: int,
        dim: int,
        initializer: type[keras.Initializer] = keras.initializers.RandomUniform,
        **options: Any,
    ) -> tuple[Any, Any]:
        """Looks words up, int [B, words] → [U, dim] and int32 [B, words].

        Args:
            tokens: Numbers of the words.
            vocabulary_size: Rows of the embedding.
            dim: Length of a word vector.
            initializer: Class of initializer. Defaults to Keras's own for
                embeddings, uniform in ±0.05.
            **options: Its arguments, without the seed.

        Returns:
            Vectors of the distinct words, and where in `tokens` they stand.
        """
        words, places = DistinctWords(dtype=self.policy, name="text_words")(
            tokens
        )
        name = "text_embedding"
        embedding = keras.layers.Embedding(
            vocabulary_size,
            dim,
            embeddings_initializer=initializer(
                seed=self._seed(name), **options
            ),
            dtype=self.policy,
            name=name,
        )
        return embedding(words), places

    def placed(self, name: str, rows: Any, places: Any) -> Any:
        """Puts rows where they stand, [U, n] → [B, L, n].

        Args:
            name: Name of the layer.
            rows: One for each distinct item.
            places: int32 [B, L], numbers of rows.
        """
        return PlacedRows(dtype=self.policy, name=name)((rows, places))

    def fuzzy_convolution(
        self,
        name: str,
        kernels: int,
        height: int,
        of_words: bool = False,
        **options: Any,
    ) -> FuzzyConvolution:
        """Returns a fuzzy convolution, [B, L, C] → [B, L', kernels].

        Args:
            name: Name of the layer.
            kernels: Number of kernels.
            height: Their length.
            of_words: Whether it is a `FuzzyWordConvolution`. Defaults to
                False.
            **options: Further arguments of its class.
        """
        low, high = INITIAL_CENTRES
        layer = FuzzyWordConvolution if of_words else FuzzyConvolution
        return layer(
            kernels,
            height,
            kernel_initializer=keras.initializers.RandomUniform(
                low, high, seed=self._seed(name)
            ),
            dtype=self.policy,
            name=name,
            **options,
        )

    def text_branch(
        self,
        tokens: Any,
        vocabulary_size: int,
        embedding_dim: int,
        filters: int,
        widths: Sequence[int],
    ) -> Any:
        """Applies the text branch (Sect. III-C), int [B, words] → [B, n].

        Args:
            tokens: Numbers of the words.
            vocabulary_size: Rows of the embedding.
            embedding_dim: Length of a word vector.
            filters: Filters of each convolution.
            widths: Width of each convolution, in words.

        Raises:
            ValueError: If the convolutions leave nothing of `words`.
        """
        words = length = tokens.shape[1]
        for width in widths:
            length = (length - width + 1) // POOL
        if length < 1:
            raise ValueError(
                "`words` must leave something after the convolutions of "
                f"`text_widths`={tuple(widths)}. Received: words={words}"
            )
        # As large as in the authors' code. What comes out of the branch then
        # has 0.05 of the variance of a standardized visual feature (measured
        # on simulated subtitles); with Keras's ±0.05 it would have 0.00005.
        rows, places = self.words(
            tokens,
            vocabulary_size,
            embedding_dim,
            keras.initializers.TruncatedNormal,
            stddev=WORD_VECTOR_SPREAD,
        )
        for i, width in enumerate(widths):
            convolution = self._text_convolution(i, filters, width)
            rows, places = convolution((rows, places))
        x = self.placed("text_steps", rows, places)
        flatten = keras.layers.Flatten(dtype=self.policy, name="text_flatten")
        return flatten(x)

    def _text_convolution(
        self, i: int, filters: int, width: int
    ) -> TextConvolution:
        name = f"text_conv_{i}"
        return TextConvolution(
            filters,
            width,
            kernel_initializer=keras.initializers.GlorotUniform(
                seed=self._seed(name)
            ),
            dtype=self.policy,
            name=name,
        )
