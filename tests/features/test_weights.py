import numpy as np
import pytest

from emotion_mt.features import architecture, weights

UNIT = f"{architecture.SCOPE}/Conv3d_1a_7x7"


def test_checked_takes_statistics_of_both_shapes(tools, small_variables):
    shaped = {
        name: value.reshape(1, 1, 1, 1, -1) if "batch_norm" in name else value
        for name, value in small_variables.items()
    }
    result = weights.checked(shaped, "here", tools.width)
    assert list(result) == list(architecture.variable_shapes(tools.width))
    for name, value in small_variables.items():
        np.testing.assert_array_equal(result[name], value)


def test_checked_leaves_out_what_the_network_does_not_have(
    tools, small_variables
):
    more = {**small_variables, "global_step": np.zeros(())}
    result = weights.checked(more, "here", tools.width)
    assert "global_step" not in result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop(f"{UNIT}/conv_3d/w"), "conv_3d/w: missing"),
        (
            lambda v: v.update({f"{UNIT}/batch_norm/beta": np.zeros(3)}),
            r"beta: shape \(3,\), not \(2,\)",
        ),
        (
            lambda v: v.update({f"{UNIT}/batch_norm/beta": [np.nan, 0]}),
            "beta: not finite numbers",
        ),
        (lambda v: v.clear(), r"Received 0 variables, 230 .*; …"),
    ],
)
def test_checked_refuses_what_is_no_i3d(
    tools, small_variables, change, message
):
    variables = dict(small_variables)
    change(variables)
    with pytest.raises(weights.WeightsError, match=f"here: .*{message}"):
        weights.checked(variables, "here", tools.width)


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


def test_folding_equals_batch_normalisation(small_variables, tools):
    unit = architecture.units(tools.width)["Mixed_3b/Branch_0/Conv3d_0a_1x1"]
    prefix = f"{architecture.SCOPE}/{unit.name}"
    v = {k: a.astype(np.float64) for k, a in small_variables.items()}
    x = np.random.default_rng(1).normal(size=(50, unit.inputs))
    kernel = v[f"{prefix}/conv_3d/w"][0, 0, 0]
    norm = f"{prefix}/batch_norm"
    expected = (x @ kernel - v[f"{norm}/moving_mean"]) / np.sqrt(
        v[f"{norm}/moving_variance"] + 0.001
    ) + v[f"{norm}/beta"]
    folded, bias = weights.fold_batch_norm(small_variables, unit)
    assert folded.dtype == bias.dtype == np.float32
    np.testing.assert_allclose(x @ folded[0, 0, 0] + bias, expected, atol=1e-5)


def test_converted_file_round_trip(tools, small_variables, tmp_path):
    path = tmp_path / "weights.npz"
    weights.save_variables(path, small_variables)
    loaded = weights.load_variables(path, tools.width)
    assert weights.variables_digest(loaded) == weights.variables_digest(
        small_variables
    )
    assert [p.name for p in tmp_path.iterdir()] == ["weights.npz"]


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_half_a_converted_file_is_refused(
    tools, small_variables, tmp_path, keep
):
    path = tmp_path / "weights.npz"
    weights.save_variables(path, small_variables)
    content = path.read_bytes()
    length = keep if isinstance(keep, int) else int(len(content) * keep)
    path.write_bytes(content[:length])
    with pytest.raises(weights.WeightsError, match=r"weights\.npz: expected"):
        weights.load_variables(path, tools.width)


def test_one_flipped_bit_is_noticed(tools, small_variables, tmp_path):
    path = tmp_path / "weights.npz"
    weights.save_variables(path, small_variables)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    try:
        loaded = weights.load_variables(path, tools.width)
    except weights.WeightsError:
        return
    digests = [weights.variables_digest(v) for v in (loaded, small_variables)]
    assert digests[0] == digests[1]


def test_a_file_of_objects_is_not_unpickled(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(weights.WeightsError, match="allow_pickle=False"):
        weights.load_variables(path)


def test_assign_fills_every_layer(tools, small_variables, small_i3d):
    for unit in architecture.units(tools.width).values():
        if unit.name != architecture.LOGITS_UNIT:
            layer = small_i3d.get_layer(unit.layer_name)
            kernel, bias = weights.fold_batch_norm(small_variables, unit)
            np.testing.assert_array_equal(layer.kernel, kernel)
            np.testing.assert_array_equal(layer.bias, bias)
