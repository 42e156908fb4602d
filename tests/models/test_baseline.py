import numpy as np
import pytest

from emotion_mt import models

TEXT, VISUAL = models.BaselineTextModel, models.BaselineVisualModel


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


@pytest.fixture
def text():
    """Builds a small model; keywords replace arguments."""

    def build(**changes):
        small = {"vocabulary_size": 9, "words": 6, "embedding_dim": 4}
        small |= {"kernels": 5, "heights": (2, 3), "l1": 3e-4}
        return TEXT(**{"viewers": ("Ann",), **small, **changes})

    return build


@pytest.fixture
def visual():
    def build(**changes):
        small = {"frames": 8, "channels": 2, "bins": 3, "kernels": (4, 5)}
        small |= {"height": 2, "l1": 3e-4}
        return VISUAL(**{"viewers": ("Ann",), **small, **changes})

    return build


class TestForward:
    """The convolutions are tested in test_fuzzy.py."""

    def test_text(self, text, batch):
        model = text()
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

    def test_visual(self, visual, batch):
        model = visual()
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


@pytest.mark.parametrize("kind", ["text", "visual"])
def test_weights_and_penalty(kind, request):
    """Weights depend on seed and layer only, the penalty on the output."""
    build = request.getfixturevalue(kind)

    def kernels(**changes):
        layers = build(**changes).layers
        fuzzy = [x for x in layers if isinstance(x, models.FuzzyConvolution)]
        return [layer.kernel.numpy() for layer in fuzzy]

    first, second = kernels(viewers=("Ann",)), kernels(viewers=("Bob",))
    np.testing.assert_array_equal(first[0], second[0])
    assert np.any(kernels(seed=1)[0] != first[0])
    assert not np.array_equal(first[0].ravel()[:8], first[1].ravel()[:8])
    model = build(l1=0.25)
    expected = 0.25 * np.abs(model.head_weights("Ann")[0].numpy()).sum()
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("text", {"viewers": ("A", "B")}, "at most 1.*'A', 'B'"),
        ("visual", {"viewers": ("A", "B")}, "at most 1.*'A', 'B'"),
        ("visual", {"viewers": ()}, "distinct names, at least one"),
        ("text", {"heights": ()}, r"`heights` must name .*Received: \(\)"),
        ("text", {"heights": (7,)}, r"than `words`=6. Received: \(7,\)"),
        ("visual", {"kernels": ()}, r"`kernels` must name .*Received: \(\)"),
    ],
)
def test_impossible_arguments(request, kind, change, message):
    with pytest.raises(ValueError, match=message):
        request.getfixturevalue(kind)(**change)
