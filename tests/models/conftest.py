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


KINDS = {
    "ST": lambda: models.EvokedEmotionModel(
        ("V1",), **{**TINY, "head_units": ()}, l1=0.01, seed=3
    ),
    "MT": lambda: models.EvokedEmotionModel(
        ("V1", "V2", "V10"), **TINY, l1=0.01, seed=3
    ),
    "Baseline-Text": lambda: models.BaselineTextModel(
        ("V1",), 7, words=6, embedding_dim=3, kernels=4, heights=(2, 3), seed=3
    ),
    "Baseline-Visual": lambda: models.BaselineVisualModel(
        ("V1",), frames=8, channels=2, bins=3, kernels=(4, 5), l1=0.01, seed=3
    ),
}


@pytest.fixture(params=KINDS)
def build(request):
    """Builds small models of each kind, the same each time."""
    return KINDS[request.param]


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
