import doctest
import inspect

import keras
import numpy as np
import pytest

from emotion_mt import models
from emotion_mt.models import baseline, fuzzy

TEXT, VISUAL = models.BaselineTextModel, models.BaselineVisualModel

#: A value for each argument that is not its default.
OTHER = {
    TEXT: {
        "viewers": ("Ann",),
        "vocabulary_size": 9,
        "words": 6,
        "embedding_dim": 4,
        "kernels": 5,
        "heights": (2, 3),
        "l1": 3e-4,
        "seed": 9,
        "dtype": "float64",
        "name": "other",
    },
    VISUAL: {
        "viewers": ("Ann",),
        "frames": 8,
        "channels": 2,
        "bins": 3,
        "kernels": (4, 5),
        "height": 2,
        "l1": 3e-4,
        "seed": 9,
        "dtype": "float64",
        "name": "other",
    },
}

BOTH = pytest.mark.parametrize("kind", [TEXT, VISUAL], ids=["text", "visual"])


@pytest.fixture
def build():
    """Builds a small model; keywords replace arguments."""

    def make(kind, **changes):
        small = {**OTHER[kind], "dtype": "float32", "name": None}
        return kind(**{**small, **changes})

    return make


def inputs_of(model, rows=8, seed=0):
    random = np.random.default_rng(seed)
    if model.modalities == ("text",):
        shape = (rows, model.words)
        tokens = random.integers(0, model.vocabulary_size, shape)
        return {"tokens": tokens.astype("int32")}
    shape = (rows, model.frames, model.channels, model.bins)
    return {"visual": random.dirichlet([1.0] * shape[-1], shape[:-1])}


def predict(model, inputs):
    return np.asarray(model(inputs, training=False))


def fuzzy_reference(layer, x):
    """The layer in other terms: one kernel and function after the other."""
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    centres = np.asarray(layer.centres)
    widths = np.asarray(layer.widths)
    height = kernel.shape[0]
    if layer.pool:
        before = (height - 1) // 2
        x = np.pad(x, [(0, 0), (before, height - 1 - before), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, height, axis=1)
    strengths = []
    for m in range(2):
        degree = np.exp(-(((centres[m] - kernel) / widths[m]) ** 2))
        fired = np.einsum("btch,hcn->btn", windows, degree) + bias[m]
        fired = np.maximum(fired, 0.0)
        if layer.pool is None:
            strengths.append(fired.max(axis=1))
        else:
            odd = fired.shape[1] % 2
            fired = np.pad(fired, [(0, 0), (0, odd), (0, 0)])
            strengths.append(np.maximum(fired[:, ::2], fired[:, 1::2]))
    low, high = (strength + fuzzy.EPSILON for strength in strengths)
    return (centres[0] * low + centres[1] * high) / (low + high)


def sigmoid_layer(model, x):
    kernel, bias = (w.numpy() for w in model.layers[-1].weights)
    return 1 / (1 + np.exp(-(x @ kernel + bias)))


class TestPaper:
    """Sizes of Sect. II-A."""

    def test_text(self):
        model = TEXT(("Vavg",), vocabulary_size=2000)
        counts = [100 * (h * 128 + 2 + 2 + 2) for h in (3, 4, 5)]
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == 2000 * 128 + sum(counts) + 301
        assert model.input["tokens"].shape == (None, 18)
        assert model.output_shape == (None, 1)

    def test_visual(self):
        model = VISUAL(("Vavg",))
        counts = [
            n * (3 * c + 6) for n, c in ((64, 7 * 32), (96, 64), (128, 96))
        ]
        # 16 frames → 8 → 4 → 2 steps of 128 kernels.
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == sum(counts) + 2 * 128 + 1
        assert model.input["visual"].shape == (None, 16, 7, 32)


class TestForward:
    def test_text(self, build):
        model = build(TEXT)
        inputs = inputs_of(model)
        x = np.asarray(model.get_layer("text_embedding").embeddings)
        x = x[inputs["tokens"]]
        convolutions = [model.get_layer(f"text_fuzzy_conv_{i}") for i in (0, 1)]
        x = np.concatenate(
            [fuzzy_reference(layer, x) for layer in convolutions], axis=1
        )
        received = predict(model, inputs)
        assert received.dtype == "float32"
        np.testing.assert_allclose(
            received, sigmoid_layer(model, x), rtol=1e-4, atol=1e-5
        )

    def test_visual(self, build):
        model = build(VISUAL)
        inputs = inputs_of(model)
        x = inputs["visual"].reshape(8, 8, 6)
        model.adapt(inputs)
        x = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
        for i in range(2):
            x = fuzzy_reference(model.get_layer(f"visual_fuzzy_conv_{i}"), x)
        np.testing.assert_allclose(
            predict(model, inputs),
            sigmoid_layer(model, x.reshape(8, -1)),
            rtol=1e-4,
            atol=1e-5,
        )

    def test_one_convolution(self, build):
        model = build(TEXT, heights=(6,))
        assert predict(model, inputs_of(model)).shape == (8, 1)

    @BOTH
    def test_is_float32_under_any_policy(self, build, kind):
        model = build(kind, dtype="mixed_bfloat16")
        assert predict(model, inputs_of(model)).dtype == "float32"


@BOTH
class TestConfig:
    def test_holds_every_argument(self, kind):
        parameters = inspect.signature(kind).parameters
        names = set(parameters) - {"kwargs"}
        assert set(OTHER[kind]) == names
        config = kind(**OTHER[kind]).get_config()
        assert set(config) == names | {"frozen"}
        for name in names:
            assert OTHER[kind][name] != parameters[name].default, name

    def test_round_trip(self, kind, tmp_path):
        model = kind(**OTHER[kind])
        config = model.get_config()
        twin = kind.from_config(config)
        assert twin.get_config() == config
        inputs = inputs_of(model)
        expected = predict(model, inputs)
        # Same seed and names: even the untrained weights are equal.
        np.testing.assert_array_equal(predict(twin, inputs), expected)
        model.set_weights([w + 0.1 for w in model.get_weights()])
        model.save(tmp_path / "model.keras")
        revived = keras.saving.load_model(tmp_path / "model.keras")
        assert type(revived) is kind
        assert revived.get_config() == config
        np.testing.assert_array_equal(
            predict(revived, inputs), predict(model, inputs)
        )
        assert np.any(predict(revived, inputs) != expected)

    def test_weights_depend_on_seed_and_layer_only(self, kind, build):
        def kernels(**changes):
            model = build(kind, **changes)
            return [
                layer.kernel.numpy()
                for layer in model.layers
                if isinstance(layer, models.FuzzyConvolution)
            ]

        first, second = kernels(viewers=("Ann",)), kernels(viewers=("Bob",))
        np.testing.assert_array_equal(first[0], second[0])
        assert np.any(kernels(seed=1)[0] != first[0])
        assert not np.array_equal(first[0].ravel()[:8], first[1].ravel()[:8])


@BOTH
class TestTraining:
    def test_learns(self, build, kind):
        larger = {"kernels": (16, 24)}
        if kind is TEXT:
            larger = {"kernels": 24}
        model = build(kind, l1=0.0, **larger)
        inputs = inputs_of(model, rows=16)
        model.adapt(inputs)
        values = next(iter(inputs.values())).reshape(16, -1)
        labels = np.float32(values[:, :1] > np.median(values[:, 0]))
        model.compile(models.LazyAdam(0.02), jit_compile=False)
        history = model.fit(
            inputs, labels, batch_size=16, epochs=30, shuffle=False, verbose=0
        ).history
        assert history["Ann_accuracy"][-1] == 1.0
        assert history["bce"][-1] < 0.2 * history["bce"][0]

    def test_a_batch_without_labels_changes_nothing(self, build, kind):
        model = build(kind, l1=0.1)
        inputs = inputs_of(model)
        model.compile(run_eagerly=True)
        model.train_on_batch(inputs, np.ones((8, 1), "float32"))
        before = model.get_weights()
        model.train_on_batch(inputs, np.full((8, 1), np.nan, "float32"))
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        model.train_on_batch(inputs, np.ones((8, 1), "float32"))
        assert np.any(model.get_weights()[-1] != before[-1])

    def test_the_penalty_is_on_the_output_kernel(self, build, kind):
        model = build(kind, l1=0.25)
        kernel = model.head_weights("Ann")[0].numpy()
        penalty = float(sum(model.losses))
        assert penalty == pytest.approx(0.25 * np.abs(kernel).sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (TEXT, {"viewers": ("A", "B")}, "exactly one.*'A', 'B'"),
        (VISUAL, {"viewers": ("A", "B")}, "exactly one.*'A', 'B'"),
        (VISUAL, {"viewers": ()}, "distinct names, at least one"),
        (TEXT, {"heights": ()}, r"`heights` must name .*Received: \(\)"),
        (
            TEXT,
            {"heights": (7,)},
            r"none higher than `words`=6. Received: \(7,\)",
        ),
        (VISUAL, {"kernels": ()}, r"`kernels` must name .*Received: \(\)"),
    ],
)
def test_impossible_arguments(build, kind, change, message):
    with pytest.raises(ValueError, match=message):
        build(kind, **change)


def test_the_examples_of_the_docstrings():
    results = doctest.testmod(baseline)
    assert results.attempted > 1
    assert results.failed == 0
