import inspect

import numpy as np
import pytest

from emotion_mt import models

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
    },
}

BOTH = pytest.mark.parametrize("kind", [TEXT, VISUAL], ids=["text", "visual"])


@pytest.fixture
def build():
    """Builds a small model; keywords replace arguments."""

    def make(kind, **changes):
        small = {**OTHER[kind], "dtype": "float32"}
        return kind(**{**small, **changes})

    return make


def predict(model, inputs):
    return np.asarray(model(inputs, training=False))


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
    """The convolutions are tested in test_fuzzy.py."""

    def test_text(self, build, batch):
        model = build(TEXT)
        inputs = batch(model)[0]
        x = np.asarray(model.get_layer("text_embedding").embeddings)
        x = x[inputs["tokens"]]
        convolutions = [model.get_layer(f"text_fuzzy_conv_{i}") for i in (0, 1)]
        x = np.concatenate(
            [np.asarray(layer(x)) for layer in convolutions], axis=1
        )
        received = predict(model, inputs)
        assert received.dtype == "float32"
        np.testing.assert_allclose(
            received, sigmoid_layer(model, x), rtol=1e-4, atol=1e-5
        )

    def test_visual(self, build, batch):
        model = build(VISUAL)
        inputs = batch(model)[0]
        x = inputs["visual"].reshape(8, 8, 6)
        model.adapt(inputs)
        x = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
        for i in range(2):
            x = model.get_layer(f"visual_fuzzy_conv_{i}")(x)
        np.testing.assert_allclose(
            predict(model, inputs),
            sigmoid_layer(model, np.reshape(x, (8, -1))),
            rtol=1e-4,
            atol=1e-5,
        )


@BOTH
class TestConfig:
    def test_holds_every_argument(self, kind):
        parameters = inspect.signature(kind).parameters
        names = set(parameters) - {"kwargs"}
        assert set(OTHER[kind]) == names
        config = kind(**OTHER[kind]).get_config()
        assert set(config) == names | {"frozen", "name"}
        for name in names:
            assert OTHER[kind][name] != parameters[name].default, name

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
    def test_learns(self, build, batch, kind):
        larger = {"kernels": (16, 24)}
        if kind is TEXT:
            larger = {"kernels": 24}
        model = build(kind, l1=0.0, **larger)
        inputs = batch(model, rows=16)[0]
        model.adapt(inputs)
        values = next(iter(inputs.values())).reshape(16, -1)
        labels = np.float32(values[:, :1] > np.median(values[:, 0]))
        model.compile(models.LazyAdam(0.02), jit_compile=False)
        history = model.fit(
            inputs, labels, batch_size=16, epochs=30, shuffle=False, verbose=0
        ).history
        assert history["Ann_accuracy"][-1] == 1.0
        assert history["bce"][-1] < 0.2 * history["bce"][0]

    def test_the_penalty_is_on_the_output_kernel(self, build, kind):
        model = build(kind, l1=0.25)
        kernel = model.head_weights("Ann")[0].numpy()
        penalty = float(sum(model.losses))
        assert penalty == pytest.approx(0.25 * np.abs(kernel).sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (TEXT, {"viewers": ("A", "B")}, "at most 1.*'A', 'B'"),
        (VISUAL, {"viewers": ("A", "B")}, "at most 1.*'A', 'B'"),
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
