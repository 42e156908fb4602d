"""A model that is used again starts as a new one does."""

import dataclasses

import numpy as np
import pytest

from emotion_mt import models
from emotion_mt.training import networks, reuse

#: Names that are escaped in the names of layers, and one inside another.
VIEWERS = ("V 1", "V10", "viewer_1")


def arguments_of(config, viewers, visual_shape, seed=3):
    rows = 20 if "text" in config.modalities else None
    return networks.arguments(config, viewers, rows, visual_shape, seed)


@pytest.mark.parametrize(
    ("changes", "viewers", "visual_shape"),
    [
        ({}, VIEWERS, (8,)),
        ({"modalities": ("text",)}, VIEWERS[:1], None),
        ({"network": "baseline", "modalities": ("text",)}, ("V2",), None),
        (
            {"network": "baseline", "modalities": ("visual",)},
            ("V2",),
            (4, 7, 8),
        ),
    ],
    ids=["MT", "ST", "Baseline text", "Baseline visual"],
)
def test_initial_weights_are_those_of_a_new_model(
    tiny_config, changes, viewers, visual_shape
):
    config = dataclasses.replace(tiny_config, **changes)
    arguments = arguments_of(config, viewers, visual_shape)
    bench = reuse.workbench(config, arguments)
    new = networks.model_class(config)(**arguments)
    # Whatever was learned before.
    bench.model.set_weights([w + 1.0 for w in bench.model.get_weights()])
    initial = bench.initial_weights(arguments["seed"], viewers)
    bench.reset(initial, 0.0, np.ones((len(viewers), 2)), 0.1)
    for ours, theirs in zip(
        bench.model.get_weights(), new.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert all(not np.any(v) for v in bench.model.optimizer.variables[2:])
    other = bench.initial_weights(arguments["seed"] + 1, viewers)
    drawn = [
        np.any(np.asarray(a) != np.asarray(b))
        for (_, a), (_, b) in zip(initial, other, strict=True)
    ]
    assert any(drawn)
    described = bench.model_config(viewers, arguments["seed"], 0.5)
    expected = {**new.get_config(), "l1": 0.5}
    del expected["name"], expected["trainable"]
    assert described == expected


def test_predictions_are_the_models(tiny_config):
    config = dataclasses.replace(tiny_config, modalities=("visual",))
    bench = reuse.workbench(config, arguments_of(config, VIEWERS, (8,)))
    x = np.random.default_rng(0).normal(size=(700, 8)).astype("float32")
    np.testing.assert_allclose(
        bench.predict({"visual": x}),
        bench.model({"visual": x}, training=False),
        atol=1e-6,
    )
    assert bench.predict({"visual": x[:0]}).shape == (0, 3)


def test_one_bench_for_models_that_differ_in_what_is_assigned(tiny_config):
    config = dataclasses.replace(tiny_config, modalities=("visual",))
    one = arguments_of(config, VIEWERS, (8,))
    other = arguments_of(config, ("a", "b", "c"), (8,), seed=9)
    assert reuse.workbench(config, one) is reuse.workbench(config, other)
    wider = arguments_of(config, VIEWERS, (9,))
    assert reuse.workbench(config, one) is not reuse.workbench(config, wider)
    assert isinstance(
        reuse.workbench(config, one).model, models.EvokedEmotionModel
    )
