import numpy as np
import pytest

from emotion_mt.features import files, weights

UNIT = "RGB/inception_i3d/Conv3d_1a_7x7"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop(f"{UNIT}/conv_3d/w"), "conv_3d/w: missing"),
        (
            lambda v: v.update({f"{UNIT}/batch_norm/beta": np.zeros(3)}),
            r"beta: shape \(3,\), not \(64,\)",
        ),
        (
            lambda v: v.update({f"{UNIT}/batch_norm/beta": [np.nan] * 64}),
            "beta: not finite numbers",
        ),
        (lambda v: v.clear(), r"Received 0 variables, 230 .*; …"),
    ],
)
def test_checked_refuses_what_is_no_i3d(full_variables, change, message):
    variables = dict(full_variables)
    change(variables)
    with pytest.raises(weights.WeightsError, match=f"here: .*{message}"):
        weights.checked(variables, "here")


def test_digest_depends_on_names_shapes_and_values():
    a = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2, np.float32)}
    digest = weights.variables_digest(a)
    assert digest == weights.variables_digest(dict(reversed(a.items())))
    others = [
        {**a, "b": np.full(2, 2, np.float32)},
        {**a, "a": np.zeros((3, 2), np.float32)},
        {"a": a["a"], "c": a["b"]},
    ]
    digests = {weights.variables_digest(other) for other in others}
    assert len(digests | {digest}) == 4


@pytest.fixture(scope="module")
def converted(full_variables, tmp_path_factory):
    path = tmp_path_factory.mktemp("converted") / "weights.npz"
    files.write_npz(path, full_variables)
    assert [p.name for p in path.parent.iterdir()] == ["weights.npz"]
    return path


@pytest.mark.parametrize("damage", [0.0, 0.001, 0.5, 0.99, "bit"])
def test_a_damaged_converted_file_is_refused(converted, tmp_path, damage):
    content = bytearray(converted.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 1
    else:
        del content[int(len(content) * damage) :]
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    with pytest.raises(weights.WeightsError, match=r"weights\.npz: expected"):
        weights.load_variables(path)


def test_a_file_of_objects_is_not_unpickled(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(weights.WeightsError, match="allow_pickle=False"):
        weights.load_variables(path)
