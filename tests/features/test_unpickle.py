import builtins
import io
import os
import pickle
import subprocess

import numpy as np
import pytest

from emotion_mt.features.unpickle import load_arrays


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def load(value, protocol=4):
    return load_arrays(io.BytesIO(pickle.dumps(value, protocol)))


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_in_containers(protocol):
    value = {
        "params": {"w": np.arange(6, dtype=np.float32).reshape(2, 3)},
        "list": [np.zeros((1, 1, 1, 1, 4)), (np.int64([1]), "text", 2.5)],
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    received = load(value, protocol)
    np.testing.assert_array_equal(received["params"]["w"], value["params"]["w"])
    np.testing.assert_array_equal(received["fortran"], value["fortran"])
    assert received["list"][1][1:] == ("text", 2.5)


def test_names_of_numpy_1():
    text = pickle.dumps(np.arange(3), 4)
    old = text.replace(
        b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray"
    )
    # The frame is one byte shorter.
    old = old[:3] + (len(old) - 11).to_bytes(8, "little") + old[11:]
    np.testing.assert_array_equal(load_arrays(io.BytesIO(old)), [0, 1, 2])


@pytest.mark.parametrize(
    "function",
    [
        os.system,
        builtins.eval,
        builtins.exec,
        builtins.getattr,
        builtins.__import__,
        subprocess.Popen,
        np.fromfile,
        np.load,
        np.save,
    ],
)
def test_hostile_calls_are_refused_by_name(function, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(pickle.UnpicklingError, match="a pickle that asks for"):
        load({"w": np.zeros(3), "bad": Calls(function, str(mark))})
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_call_in_every_protocol(protocol, tmp_path):
    mark = tmp_path / "mark"
    hostile = Calls(os.mkdir, str(mark))
    with pytest.raises(pickle.UnpicklingError, match=r"asks for posix\.mkdir"):
        load(hostile, protocol)
    assert not mark.exists()
    # The sample is a real one: pickle itself makes the folder.
    pickle.loads(pickle.dumps(hostile, protocol))  # noqa: S301
    assert mark.exists()


def test_a_dotted_name_reaches_nothing():
    content = b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93N\x85R."
    with pytest.raises(pickle.UnpicklingError, match=r"ndarray\.tofile"):
        load_arrays(io.BytesIO(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Pid\n.", "persistent"),
        (b"\x80\x02\x82\x01.", "extension"),
    ],
)
def test_persistent_ids_and_extensions_are_refused(content, message):
    with pytest.raises(pickle.UnpicklingError, match=message):
        load_arrays(io.BytesIO(content))


def test_arrays_of_objects_are_refused():
    value = {"deep": [(np.array([{"a": 1}, None], dtype=object),)]}
    with pytest.raises(pickle.UnpicklingError, match="array of Python objects"):
        load(value)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04\x8c\x05num"])
def test_damaged(content):
    with pytest.raises(pickle.UnpicklingError, match=r"expected|truncated"):
        load_arrays(io.BytesIO(content))


def test_half_a_pickle():
    content = pickle.dumps({"w": np.arange(1000.0)}, 4)
    with pytest.raises(pickle.UnpicklingError, match=r"truncated|expected"):
        load_arrays(io.BytesIO(content[: len(content) // 2]))
