"""The same models and the same numbers on another backend of Keras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="jax is not installed")

#: Ten steps, from weights that come from a file, on labels with gaps.
SCRIPT = """
import json, sys
import keras, numpy as np
from emotion_mt import models

folder, first = sys.argv[1], sys.argv[2] == "first"
random = np.random.default_rng(0)
inputs = {
    "tokens": random.integers(0, 7, (40, 6)).astype("int32"),
    "visual": random.normal(2, 3, (40, 5)).astype("float32"),
}
found = {"backend": keras.config.backend(), "modules": sorted(sys.modules)}
for name, viewers, heads in (("ST", ["V1"], ()), ("MT", ["V1", "V2"], (3,))):
    model = models.EvokedEmotionModel(
        viewers, (4, 3), heads, vocabulary_size=7, words=6, embedding_dim=3,
        visual_features=5, text_filters=2, text_widths=(2,), l1=0.01,
    )
    labels = random.integers(0, 2, (40, len(viewers))).astype("float32")
    labels[random.random(labels.shape) < 0.3] = np.nan
    labels[12:16, 0] = np.nan
    path = f"{folder}/{name}.weights.h5"
    if first:
        model.save_weights(path)
    model.load_weights(path)
    model.adapt(inputs)
    model.compile(
        models.LazyAdam(0.01),
        class_weights=[[1.0, 2.0]] * len(viewers),
    )
    logs = model.fit(
        inputs, labels, batch_size=4, shuffle=False, verbose=0,
        validation_data=(inputs, labels),
    ).history
    model.save(f"{folder}/{name}.keras")
    revived = keras.saving.load_model(f"{folder}/{name}.keras")
    np.testing.assert_array_equal(
        revived.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
    found[name] = {
        "logs": {k: v[0] for k, v in logs.items()},
        "weights": [w.tolist() for w in model.get_weights()],
        "answers": revived.predict(inputs, verbose=0).tolist(),
    }
print(json.dumps(found))
"""


def run(backend, folder, order):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), order],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parents[2],
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_same_numbers_as_tensorflow(tmp_path):
    tensorflow = run("tensorflow", tmp_path, "first")
    jax = run("jax", tmp_path, "second")
    assert (tensorflow["backend"], jax["backend"]) == ("tensorflow", "jax")
    # The models need no TensorFlow to be imported.
    assert "emotion_mt.models.evoked" in jax["modules"]
    for kind in ("ST", "MT"):
        ours, theirs = jax[kind], tensorflow[kind]
        assert ours["logs"] == pytest.approx(theirs["logs"], abs=1e-4)
        np.testing.assert_allclose(
            ours["answers"], theirs["answers"], atol=1e-4
        )
        for one, other in zip(ours["weights"], theirs["weights"], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
