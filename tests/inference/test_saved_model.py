import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from emotion_mt.inference import BundleError, export, load_bundle
from emotion_mt.models import tokenize

TEXTS = ["Good SHIP, don’t run!", "", "Straße unknown sea", "É", "run " * 30]

# Runs where this package cannot be imported.
ALONE = """
import json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "emotion_mt":
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import numpy as np
import tensorflow as tf

model = tf.saved_model.load(sys.argv[1])
tensors = {
    name: tf.constant(values, "string" if name == "texts" else "float32")
    for name, values in json.load(sys.stdin).items()
}
signature = model.signatures["serving_default"](**tensors)
answers = {
    "served": model.serve(**tensors)["probabilities"].numpy().tolist(),
    "signature": signature["probabilities"].numpy().tolist(),
    "viewers": [v.decode() for v in model.viewers().numpy()],
}
assert not [name for name in sys.modules if name.startswith("emotion_mt")]
print(json.dumps(answers))
"""


VISUAL = np.random.default_rng(0).normal(size=(5, 64)).astype("float32")


def test_runs_where_only_tensorflow_is(saved, tmp_path):
    folder = saved(("text", "visual"), untrained_viewers=("anna b.",))
    bundle = load_bundle(folder)
    inputs = {"tokens": tokenize(bundle.tokenizer, TEXTS), "visual": VISUAL}
    expected = np.array(bundle.model(inputs))
    expected[:, 1] = np.nan
    assert np.ptp(expected[:, 0]) > 0.01
    target = export(folder, tmp_path / "exported")
    assert target == tmp_path / "exported"

    answer = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(target)],
        input=json.dumps({"texts": TEXTS, "visual": VISUAL.tolist()}),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    received = json.loads(answer.stdout)
    for key in ("served", "signature"):
        np.testing.assert_allclose(
            np.array(received[key], float), expected, atol=1e-6
        )
    assert received["viewers"] == ["V1", "anna b.", "Vavg"]


def test_single_modalities_and_readme(saved, tmp_path):
    target = tmp_path / "exported"
    texts = load_bundle(saved(("text",), "text"))
    simulated = {"corpus": {"simulated": True}}
    pictures = load_bundle(saved(("visual",), "v", training=simulated))
    tokens = tokenize(texts.tokenizer, TEXTS)
    for bundle, inputs, given in (
        (texts, {"tokens": tokens}, {"texts": tf.constant(TEXTS)}),
        (pictures, {"visual": VISUAL}, {"visual": VISUAL}),
    ):
        export(bundle.folder, target)
        model = tf.saved_model.load(target)
        served = model.serve(**given)
        np.testing.assert_allclose(
            served["probabilities"], bundle.model(inputs), atol=1e-6
        )
    readme = (target / "README.md").read_text("utf-8")
    assert "SIMULATED DATA" in readme
    assert "model.serve(visual=tf.zeros([1, 64]))" in readme
    assert pictures.weights_digest in readme
    assert "Viewers: V1, anna b., Vavg." in readme


def test_what_cannot_be_exported_changes_nothing(saved, tmp_path):
    folder, target = saved(("visual",)), tmp_path / "exported"
    target.mkdir()
    (target / "thesis.doc").write_text("precious")
    with pytest.raises(ValueError, match=r"exported: .*with: thesis\.doc"):
        export(folder, target)
    (folder / "README.md").write_text("altered")
    with pytest.raises(BundleError, match=r"README\.md: .*altered content"):
        export(folder, tmp_path / "other")
    assert [p.name for p in target.iterdir()] == ["thesis.doc"]
    assert not (tmp_path / "other").exists()
