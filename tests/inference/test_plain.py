import numpy as np
import pytest

from emotion_mt.inference.plain import to_plain


def test_numpy_tuples_and_missing_numbers():
    value = {
        "a": np.float32(0.5),
        "b": (1, np.int64(2), np.array([[True], [False]])),
        "c": [float("nan"), float("inf"), None, np.nan],
        "d": {"e": "ü", "f": np.str_("g")},
    }

    plain = to_plain(value, "scores")

    assert plain == {
        "a": 0.5,
        "b": [1, 2, [[True], [False]]],
        "c": [None, None, None, None],
        "d": {"e": "ü", "f": "g"},
    }
    assert type(plain["a"]) is float
    assert type(plain["b"][1]) is int
    assert type(plain["d"]["f"]) is str


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2, 3}]}, r"`scores\['a'\]\[1\]` .*Received: \{2, 3\} \(se"),
        ({1: "a"}, r"`scores` must be plain JSON.*Received: \{1: 'a'\}"),
        ([b"x"], r"`scores\[0\]`.*\(bytes\)"),
    ],
)
def test_says_what_is_not_plain(value, message):
    with pytest.raises(TypeError, match=message):
        to_plain(value, "scores")
