import numpy as np
import pytest

from emotion_mt import models

SMALL = {
    "text": (
        models.BaselineTextModel,
        {
            **{"vocabulary_size": 9, "words": 6, "embedding_dim": 4},
            **{"kernels": 5, "heights": (2, 3), "l1": 3e-4},
        },
    ),
    "visual": (
        models.BaselineVisualModel,
        {
            **{"frames": 8, "channels": 2, "bins": 3, "kernels": (4, 5)},
            **{"height": 2, "l1": 3e-4},
        },
    ),
}
BOTH = pytest.mark.parametrize("kind", SMALL)


def build(kind, **changes):
    model_class, arguments = SMALL[kind]
    return model_class(**{"viewers": ("Ann",), **arguments, **changes})


def test_sizes_of_the_paper():
    """Sect. II-A."""
    model = models.BaselineTextModel(("Vavg",), vocabulary_size=2000)
    counts = [100 * (h * 128 + 2 + 2 + 2) for h in (3, 4, 5)]
    sizes = [np.prod(v.shape) for v in model.trainable_variables]
    assert sum(sizes) == 2000 * 128 + sum(counts) + 301
    assert model.input["tokens"].shape == (None, 18)
    assert model.output_shape == (None, 1)

    model = models.BaselineVisualModel(("Vavg",))
    counts = [n * (3 * c + 6) for n, c in ((64, 7 * 32), (96, 64), (128, 96))]
    # 16 frames → 8 → 4 → 2 steps of 128 kernels.
    sizes = [np.prod(v.shape) for v in model.trainable_variables]
    assert sum(sizes) == sum(counts) + 2 * 128 + 1
    assert model.input["visual"].shape == (None, 16, 7, 32)


@BOTH
def test_forward(kind, batch):
    """The convolutions are tested in test_fuzzy.py."""
    model = build(kind)
    inputs = batch(model)[0]
    model.adapt(inputs)
    convolutions = [model.get_layer(f"{kind}_fuzzy_conv_{i}") for i in range(2)]
    if kind == "text":
        x = np.asarray(model.get_layer("text_embedding").embeddings)
        x = x[inputs["tokens"]]
        x = np.hstack([np.asarray(layer(x)) for layer in convolutions])
    else:
        x = inputs["visual"].reshape(8, 8, 6)
        x = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
        for layer in convolutions:
            x = layer(x)
    kernel, bias = (np.asarray(w) for w in model.layers[-1].weights)
    expected = 1 / (1 + np.exp(-(np.reshape(x, (8, -1)) @ kernel + bias)))
    received = np.asarray(model(inputs, training=False))
    assert received.dtype == "float32"
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


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
def test_impossible_arguments(kind, change, message):
    with pytest.raises(ValueError, match=message):
        build(kind, **change)
