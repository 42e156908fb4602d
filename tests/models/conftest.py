"""Fixtures for the models: tiny networks and batches with gaps."""

import numpy as np
import pytest
import tensorflow as tf

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
            shape = (rows, model.visual_features)
            inputs["visual"] = random.normal(size=shape).astype("float32")
        shape = (rows, len(model.viewers))
        labels = random.integers(0, 2, shape).astype("float32")
        return inputs, labels

    return build


@pytest.fixture
def count_traces(monkeypatch):
    """Counts how often a model's training step is traced."""

    def watch(model):
        calls = []
        step = type(model).train_step

        def train_step(data):
            calls.append(tf.executing_eagerly())
            return step(model, data)

        monkeypatch.setattr(model, "train_step", train_step)
        return calls

    return watch
