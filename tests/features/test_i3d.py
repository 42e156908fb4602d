import cv2
import keras
import numpy as np
import pytest

from emotion_mt.features import build_i3d, i3d, weights


def clip_of(batch, frames):
    rng = np.random.default_rng(0)
    shape = (batch, frames, 32, 32, 3)
    return rng.uniform(-1, 1, shape).astype(np.float32)


def test_units_are_those_of_the_published_network():
    units, shapes = i3d.units(), weights.variable_shapes()
    assert len(units) == 58
    # 57 units with four variables and the class scores with two.
    assert len(shapes) == 230
    # DESIGN.md: 12,704,544 values.
    assert sum(int(np.prod(s)) for s in shapes.values()) == 12_704_544
    model = build_i3d()
    assert model.input_shape == (None, None, 224, 224, 3)
    assert model.output_shape == (None, None, 7, 7, 1024)
    for unit in units.values():
        if unit.has_batch_norm:
            layer = model.get_layer(unit.layer_name)
            assert layer.kernel.shape == next(iter(unit.variables.values()))
    assert model.get_layer("Mixed_5c") is model.layers[-1]


@pytest.mark.parametrize("frames", [8, 16, 24])
def test_mixed_5c_equals_a_second_implementation(
    tools, small_i3d, small_variables, frames
):
    clip = clip_of(2, frames)
    expected = tools.reference_mixed_5c(small_variables, clip).numpy()
    received = np.asarray(small_i3d(clip))
    assert received.shape == (2, frames // 8, 1, 1, 32)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)
    # Windows do not see each other.
    alone = np.asarray(small_i3d(clip[1:]))
    np.testing.assert_allclose(received[1:], alone, rtol=1e-5, atol=1e-6)


def test_class_scores_equal_a_second_implementation(tools, small_variables):
    model = tools.small_network(small_variables, include_top=True)
    clip = clip_of(2, 24)
    expected = tools.reference_logits(small_variables, clip).numpy()
    received = np.asarray(model(clip))
    assert expected.shape == (2, 400)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


def test_random_weights_depend_on_the_seed_only():
    a, b, c = (
        weights.model_digest(build_i3d(image_size_px=32, width=1 / 32, seed=s))
        for s in (0, 0, 1)
    )
    assert a == b != c


def test_bfloat16_keeps_inputs_outputs_and_variables(
    tools, small_i3d, small_variables
):
    model = tools.small_network(small_variables, dtype="bfloat16")
    assert weights.model_digest(model) == weights.model_digest(small_i3d)
    clip = clip_of(2, 16)
    output = model(clip)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    a, b = np.asarray(output).ravel(), np.asarray(small_i3d(clip)).ravel()
    assert not np.array_equal(a, b)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert cosine > 0.999


def test_saved_and_reloaded(small_i3d, tmp_path):
    path = tmp_path / "i3d.keras"
    small_i3d.save(path)
    clip = clip_of(1, 16)
    np.testing.assert_array_equal(
        np.asarray(keras.saving.load_model(path)(clip)),
        np.asarray(small_i3d(clip)),
    )


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
