"""What is computed once per distinct word is the usual convolution."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from emotion_mt import models
from emotion_mt.models import distinct

WORDS, DIM, FILTERS = 9, 4, 5

#: Batches of tokens, [B, WORDS].
BATCHES = {
    "random": np.random.default_rng(0).integers(0, 20, (6, WORDS)),
    "one segment": np.arange(WORDS)[None],
    "padding only": np.zeros((3, WORDS), int),
    "one word again and again": np.full((2, WORDS), 7),
    "the same segment twice": np.tile(np.arange(WORDS) % 4, (2, 1)),
    "short ones": np.triu(np.ones((WORDS, WORDS), int))[::-1] * 3,
}


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.fixture(params=BATCHES)
def tokens(request):
    return BATCHES[request.param].astype("int32")


def text_model(widths, **changes):
    """A small text model whose weights are all different."""
    arguments = {
        "viewers": ("V1",),
        "trunk_units": (3,),
        "modalities": ("text",),
        "vocabulary_size": 20,
        "words": WORDS,
        "embedding_dim": DIM,
        "text_filters": FILTERS,
        "text_widths": widths,
        "l1": 0.0,
    }
    model = models.EvokedEmotionModel(**{**arguments, **changes})
    draw = np.random.default_rng(2)
    model.set_weights([draw.normal(0, 0.5, w.shape) for w in model.weights])
    return model


def kerass_own(model):
    """The same network of Keras's layers, with the same weights."""
    inputs = keras.Input((WORDS,), dtype="int32")
    x = keras.layers.Embedding(model.vocabulary_size, DIM)(inputs)
    for width in model.text_widths:
        x = keras.layers.Conv1D(FILTERS, width, activation="relu")(x)
        x = keras.layers.MaxPooling1D(2)(x)
    x = keras.layers.Flatten()(x)
    for units in model.trunk_units:
        x = keras.layers.Dense(units, activation="relu")(x)
    twin = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    twin.set_weights(model.get_weights())
    return twin


def gradients(model, inputs):
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(model(inputs) - 0.3))
    weights = [w.value for w in model.trainable_variables]
    return tape.gradient(loss, weights)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_convolution_equals_loops(random, width):
    rows = random.normal(size=(7, DIM)).astype("float32")
    places = random.integers(0, 7, (3, 6)).astype("int32")
    kernel = random.normal(size=(width, DIM, FILTERS)).astype("float32")
    received = distinct.convolve(rows, places, kernel).numpy()
    expected = np.zeros((3, 7 - width, FILTERS))
    for sequence in range(3):
        for t in range(7 - width):
            for k in range(width):
                expected[sequence, t] += (
                    rows[places[sequence, t + k]] @ kernel[k]
                )
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("span", [2, 3, 7])
@pytest.mark.parametrize("items", [2, 5, 2**31 - 1])
def test_windows_are_numbered_by_content(random, span, items):
    alphabet = random.integers(0, items, 3)
    windows = random.choice(alphabet, (50, span)).astype("int32")
    first, numbers = distinct.number_windows(windows, items)
    first, numbers = first.numpy(), numbers.numpy()
    _, expected = np.unique(windows, axis=0, return_inverse=True)
    pairs = set(zip(numbers.tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == len(set(numbers)) == expected.max() + 1 == len(first)
    np.testing.assert_array_equal(windows[first][numbers], windows)
    for number, place in enumerate(first):
        assert place == np.flatnonzero(numbers == number)[0]


@pytest.mark.parametrize("widths", [(2, 3), (1,), (3, 1), (1, 1, 1), (8,)])
class TestTextBranch:
    def test_gives_what_keras_gives(self, tokens, widths):
        model = text_model(widths)
        np.testing.assert_allclose(
            model({"tokens": tokens}),
            kerass_own(model)(tokens),
            rtol=1e-4,
            atol=1e-6,
        )

    def test_has_the_same_gradient(self, tokens, widths):
        model = text_model(widths)
        ours = gradients(model, {"tokens": tokens})
        theirs = gradients(kerass_own(model), tokens)
        # Each word of the batch comes once.
        words = np.unique(tokens)
        np.testing.assert_array_equal(np.sort(ours[0].indices), words)
        for our, their in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(
                tf.convert_to_tensor(our),
                tf.convert_to_tensor(their),
                rtol=1e-3,
                atol=1e-6,
            )


def test_no_segment():
    model = text_model((2, 3))
    tokens = np.zeros((0, WORDS), "int32")
    assert model({"tokens": tokens}).shape == (0, 1)
    for gradient in gradients(model, {"tokens": tokens}):
        assert not np.any(tf.convert_to_tensor(gradient))


def test_a_batch_changes_nothing_in_another_one():
    """Rows of a larger batch are those of the segment alone."""
    model = text_model((2, 3))
    tokens = BATCHES["random"].astype("int32")
    together = model({"tokens": tokens}).numpy()
    alone = [model({"tokens": tokens[i : i + 1]}).numpy()[0] for i in range(6)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_adam_takes_a_word_of_a_batch_once():
    """A step of Adam, in NumPy, from the gradient that Keras finds."""
    model = text_model((2, 3))
    tokens = BATCHES["short ones"].astype("int32")
    labels = np.arange(len(tokens))[:, None] % 2 * 1.0
    twin = kerass_own(model)
    with tf.GradientTape() as tape:
        loss = keras.losses.binary_crossentropy(labels, twin(tokens))
        loss = tf.reduce_mean(loss)
    gradient = tape.gradient(loss, twin.layers[1].embeddings.value)
    gradient = tf.convert_to_tensor(gradient).numpy()
    before = model.get_layer("text_embedding").embeddings.numpy()
    model.compile_for_training(learning_rate=0.1)
    model.train_on_batch({"tokens": tokens}, labels)
    after = model.get_layer("text_embedding").embeddings.numpy()
    momentum, velocity = 0.1 * gradient, 0.001 * gradient**2
    step = momentum / 0.1 / (np.sqrt(velocity / 0.001) + 1e-7)
    strong = np.abs(gradient) > 1e-5
    assert strong.any()
    np.testing.assert_allclose(
        (before - after)[strong], 0.1 * step[strong], rtol=1e-3
    )


def test_is_left_out_of_xla():
    """XLA would compute for as many words as a batch has places."""
    model = text_model((2, 3))
    model.compile_for_training(jit_compile=True)
    inputs = {"tokens": BATCHES["random"].astype("int32")}
    model.train_on_batch(inputs, np.ones((6, 1), "float32"))
    assert not model._xla
    visual = models.EvokedEmotionModel.single_task(modalities=("visual",))
    visual.compile_for_training()
    assert visual._xla


def test_half_precision():
    model = text_model((2, 3), dtype="mixed_bfloat16")
    tokens = BATCHES["random"].astype("int32")
    received = model({"tokens": tokens}).numpy()
    assert received.dtype == "float32"
    assert model.get_layer("text_conv_1").output[0].dtype == "bfloat16"
    np.testing.assert_allclose(received, kerass_own(model)(tokens), atol=0.02)


def test_config_round_trip():
    layer = distinct.TextConvolution(
        3, 2, kernel_initializer=keras.initializers.RandomNormal(seed=3)
    )
    rows = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    places = np.array([[0, 1, 2, 3, 3], [3, 3, 3, 3, 3]], "int32")
    expected = [x.numpy() for x in layer((rows, places))]
    assert expected[0].shape == (3, 3)
    assert expected[1].tolist() == [[0, 1], [2, 2]]
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert revived.get_config() == layer.get_config()
    for ours, theirs in zip(revived((rows, places)), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
