"""The same models and the same numbers on another backend of Keras."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from emotion_mt import models

pytest.importorskip("jax", reason="jax is not installed")


def train(folder, first):
    """Ten steps, from weights that come from a file, on labels with gaps."""
    random = np.random.default_rng(0)
    inputs = {
        "tokens": random.integers(0, 7, (40, 6)).astype("int32"),
        "visual": random.normal(2, 3, (40, 5)).astype("float32"),
    }
    model = models.EvokedEmotionModel(
        ["V1", "V2"],
        trunk_units=(4, 3),
        head_units=(3,),
        vocabulary_size=7,
        words=6,
        embedding_dim=3,
        visual_features=5,
        text_filters=2,
        text_widths=(2,),
        l1=0.01,
    )
    labels = random.integers(0, 2, (40, 2)).astype("float32")
    labels[random.random(labels.shape) < 0.3] = np.nan
    labels[12:16, 0] = np.nan
    path = f"{folder}/first.weights.h5"
    if first:
        model.save_weights(path)
    model.load_weights(path)
    model.adapt(inputs)
    model.compile(models.LazyAdam(0.01), class_weights=[[1.0, 2.0]] * 2)
    how = {"batch_size": 4, "shuffle": False, "verbose": 0}
    how["validation_data"] = (inputs, labels)
    logs = model.fit(inputs, labels, **how).history
    model.save(f"{folder}/model.keras")
    revived = keras.saving.load_model(f"{folder}/model.keras")
    answers = revived.predict(inputs, verbose=0)
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_array_equal(answers, expected)
    return {
        "logs": {k: v[0] for k, v in logs.items()},
        "weights": [w.tolist() for w in model.get_weights()],
        "answers": answers.tolist(),
    }


SCRIPT = f"""
import json, sys
import keras, numpy as np
from emotion_mt import models
{inspect.getsource(train)}
assert keras.config.backend() == "jax"
print(json.dumps(train(sys.argv[1], first=False)))
"""


def test_same_numbers_as_tensorflow(tmp_path):
    tensorflow = train(tmp_path, first=True)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parents[2],
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = json.loads(done.stdout.splitlines()[-1]), tensorflow
    assert ours["logs"] == pytest.approx(theirs["logs"], abs=1e-4)
    np.testing.assert_allclose(ours["answers"], theirs["answers"], atol=1e-4)
    for one, other in zip(ours["weights"], theirs["weights"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
