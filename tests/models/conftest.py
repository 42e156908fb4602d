"""Fixtures for the models: tiny networks and batches with gaps."""

import numpy as np
import pytest

from emotion_mt import models

TINY = {
    "trunk_units": (4, 3),
    "head_units": (3,),
    "vocabulary_size": 7,
    "words": 6,
    "visual_features": 5,
    "embedding_dim": 3,
    "text_filters": 2,
    "text_widths": (2,),
}


@pytest.fixture
def tiny():
    """Builds a tiny model; keywords replace arguments."""

    def build(**changes):
        arguments = {"viewers": ("V1", "V2", "V10"), **TINY, **changes}
        return models.EvokedEmotionModel(**arguments)

    return build


#: Class and arguments; none that decides weights or answers is a default.
KINDS = {
    "ST": (
        models.EvokedEmotionModel,
        {**TINY, "viewers": ("V1",), "head_units": (), "l1": 0.01, "seed": 3},
    ),
    "MT": (
        models.EvokedEmotionModel,
        {**TINY, "viewers": ("V1", "V2", "V10"), "l1": 0.01, "seed": 3},
    ),
    "MT and an added viewer": (
        models.EvokedEmotionModel,
        {
            **{**TINY, "viewers": ("V1", "V2", "V10"), "l1": 0.01, "seed": 3},
            "added": {"V10": [3, 4]},
        },
    ),
    "Baseline-Text": (
        models.BaselineTextModel,
        {
            **{"viewers": ("V1",), "vocabulary_size": 7, "words": 6},
            **{"embedding_dim": 3, "kernels": 4, "heights": (2, 3)},
            **{"l1": 0.02, "seed": 3},
        },
    ),
    "Baseline-Visual": (
        models.BaselineVisualModel,
        {
            **{"viewers": ("V1",), "frames": 8, "channels": 2, "bins": 3},
            **{"kernels": (4, 5), "height": 2, "l1": 0.01, "seed": 3},
        },
    ),
}


@pytest.fixture(params=KINDS)
def kind(request):
    """Class and arguments of a model of each kind."""
    return KINDS[request.param]


@pytest.fixture
def build(kind):
    """Builds small models of each kind, the same each time."""
    return lambda **changes: kind[0](**{**kind[1], **changes})


@pytest.fixture
def batch():
    """Builds inputs for a model, and labels that are all there."""

    def build(model, rows=8, seed=0):
        random = np.random.default_rng(seed)
        inputs = {}
        if "text" in model.modalities:
            shape = (rows, model.words)
            tokens = random.integers(0, model.vocabulary_size, shape)
            inputs["tokens"] = tokens.astype("int32")
        if "visual" in model.modalities:
            shape = (rows, *model.input["visual"].shape[1:])
            inputs["visual"] = random.normal(size=shape).astype("float32")
        shape = (rows, len(model.viewers))
        labels = random.integers(0, 2, shape).astype("float32")
        return inputs, labels

    return build
