import cv2
import keras
import numpy as np
import pytest

from emotion_mt.features import architecture, weights
from emotion_mt.features.i3d import build_i3d


def clip_of(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, shape).astype(np.float32)


def test_units_are_those_of_the_published_network():
    units = architecture.units()
    shapes = architecture.variable_shapes()
    assert len(units) == 58
    # 57 units with four variables and the class scores with two.
    assert len(shapes) == 230
    # DESIGN.md: 12,704,544 values.
    assert sum(int(np.prod(s)) for s in shapes.values()) == 12_704_544
    assert units["Mixed_5c/Branch_0/Conv3d_0a_1x1"].inputs == 832


@pytest.mark.parametrize("frames", [8, 16, 24])
def test_mixed_5c_equals_a_second_implementation(
    tools, small_i3d, small_variables, frames
):
    clip = clip_of((2, frames, 32, 32, 3))
    expected = tools.reference_mixed_5c(small_variables, clip).numpy()
    received = np.asarray(small_i3d(clip))
    assert received.shape == (2, frames // 8, 1, 1, 32)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


def test_class_scores_equal_a_second_implementation(tools, small_variables):
    model = build_i3d(include_top=True, image_size_px=32, width=tools.width)
    weights.assign(model, small_variables)
    clip = clip_of((2, 24, 32, 32, 3))
    expected = tools.reference_logits(small_variables, clip).numpy()
    assert expected.shape == (2, 400)
    np.testing.assert_allclose(
        np.asarray(model(clip)), expected, rtol=1e-4, atol=1e-5
    )


def test_full_size_shapes_and_names():
    model = build_i3d()
    assert model.input_shape == (None, None, 224, 224, 3)
    assert model.output_shape == (None, None, 7, 7, 1024)
    for unit in architecture.units().values():
        if unit.name != architecture.LOGITS_UNIT:
            layer = model.get_layer(unit.layer_name)
            assert layer.kernel.shape[-1] == unit.outputs
    assert model.get_layer("Mixed_5c") is model.layers[-1]


def test_random_weights_depend_on_the_seed_only():
    def digest(seed):
        model = build_i3d(image_size_px=32, width=1 / 32, seed=seed)
        return weights.model_digest(model)

    assert digest(0) == digest(0)
    assert digest(0) != digest(1)


def test_bfloat16_keeps_inputs_outputs_and_variables(
    tools, small_i3d, small_variables
):
    model = build_i3d(dtype="bfloat16", image_size_px=32, width=tools.width)
    weights.assign(model, small_variables)
    assert weights.model_digest(model) == weights.model_digest(small_i3d)
    clip = clip_of((2, 16, 32, 32, 3))
    output = model(clip)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    a, b = np.asarray(output).ravel(), np.asarray(small_i3d(clip)).ravel()
    assert not np.array_equal(a, b)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert cosine > 0.999


def test_windows_do_not_see_each_other(small_i3d):
    clip = clip_of((4, 16, 32, 32, 3))
    together = np.asarray(small_i3d(clip))
    alone = np.asarray(small_i3d(clip[2:3]))
    np.testing.assert_allclose(together[2:3], alone, rtol=1e-5, atol=1e-6)


def test_saved_and_reloaded(small_i3d, tmp_path):
    path = tmp_path / "i3d.keras"
    small_i3d.save(path)
    clip = clip_of((1, 16, 32, 32, 3))
    np.testing.assert_array_equal(
        np.asarray(keras.saving.load_model(path)(clip)),
        np.asarray(small_i3d(clip)),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "int8"}, "`dtype` must be one of .* Received: 'int8'"),
        ({"image_size_px": 100}, "`image_size_px` must be .* Received: 100"),
        ({"width": 0}, "`width` must be positive. Received: 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_i3d(**arguments)


def test_known_class_scores_of_the_real_clip(clip, real_variables):
    # Frozen; source: DESIGN.md, "Known answers".
    capture = cv2.VideoCapture(str(clip))
    frames = [capture.read()[1] for _ in range(80)][64:]
    capture.release()
    resized = [cv2.resize(f, (224, 224))[..., ::-1] for f in frames]
    model = build_i3d(include_top=True)
    weights.assign(model, real_variables)
    window = np.stack(resized)[None].astype(np.float32) / 127.5 - 1
    scores = np.asarray(model(window))[0]
    best = np.argsort(-scores)[:3]
    assert best.tolist() == [88, 59, 318]
    np.testing.assert_allclose(scores[best], [25.26, 24.48, 22.70], atol=0.01)
