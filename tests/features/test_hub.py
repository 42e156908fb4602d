import cv2
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt.features import sources, weights
from emotion_mt.features.i3d import build_i3d

#: What a module may do to its input before the network.
PREPROCESS = {
    "[-1, 1]": None,
    "[0, 1]": lambda x: x * 2.0 - 1.0,
    "[0, 255]": lambda x: x / 127.5 - 1.0,
}


@pytest.mark.parametrize("wanted", list(PREPROCESS))
def test_module_on_disk(tools, small_variables, tmp_path, wanted, monkeypatch):
    said = []
    monkeypatch.setattr(
        sources.logging, "info", lambda text, *a: said.append(text % a)
    )
    folder = tmp_path / "m"
    tools.write_hub_module(folder, small_variables, 32, PREPROCESS[wanted])
    received = sources.from_hub(str(folder), 32, tools.width)
    for name, value in small_variables.items():
        np.testing.assert_array_equal(received[name], value)
    assert f"TF-Hub module {folder} takes pixels in {wanted}" in said


def test_a_module_that_does_something_else_is_noticed(
    tools, small_variables, tmp_path
):
    folder = str(tmp_path / "m")
    tools.write_hub_module(folder, small_variables, 32, lambda x: x[..., ::-1])
    with pytest.raises(weights.WeightsError, match="Received the differences"):
        sources.from_hub(folder, 32, tools.width)


def test_a_graph_without_mixed_5c(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {"x": x}, {"default": tf.identity(x)}
        )
        folder = str(tmp_path / "m")
        builder = tf.compat.v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            session, tags=[], signature_def_map={"default": signature}
        )
        builder.save()
    (tmp_path / "m" / "tfhub_module.pb").write_bytes(b"\x08\x03")
    with pytest.raises(weights.WeightsError, match=r"m: .* tensor RGB/"):
        sources.from_hub(folder)


def test_a_folder_that_is_no_module(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"half a file")
    (tmp_path / "tfhub_module.pb").write_bytes(b"\x08\x03")
    with pytest.raises(
        weights.WeightsError, match=f"{tmp_path}: expected a TF-Hub module"
    ):
        sources.find_variables(tmp_path)


def test_a_refused_download(monkeypatch):
    """403 and no network are OSErrors of urllib."""

    def refuse(*arguments, **more):
        raise OSError("HTTP Error 403: Forbidden")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("tensorflow_hub.resolve", refuse)
    monkeypatch.setattr("tensorflow_hub.module_v2.resolve", refuse)
    with pytest.raises(
        weights.WeightsError, match=r"i3d-kinetics-400.*HTTP Error 403"
    ):
        sources.find_variables("tfhub")


def test_full_size_module_with_the_real_weights(
    tools, clip, real_variables, tmp_path
):
    tools.write_hub_module(tmp_path / "m", real_variables, 224)
    received = sources.find_variables(tmp_path / "m")
    assert weights.variables_digest(received) == weights.KINETICS_400_DIGEST
    model = build_i3d()
    weights.assign(model, received)
    capture = cv2.VideoCapture(str(clip))
    frames = [capture.read()[1] for _ in range(16)]
    capture.release()
    resized = [cv2.resize(f, (224, 224))[..., ::-1] for f in frames]
    window = np.stack(resized)[None].astype(np.float32) / 127.5 - 1
    expected = tools.reference_mixed_5c(real_variables, window).numpy()
    np.testing.assert_allclose(expected, np.asarray(model(window)), atol=1e-4)
