import doctest
import inspect
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models, paper
from emotion_mt.models import evoked, layers

#: A value for each argument that is not its default.
OTHER = {
    "viewers": ("Ann", "Bob"),
    "trunk_units": (4, 3),
    "head_units": (3, 2),
    "modalities": ("text", "visual"),
    "vocabulary_size": 7,
    "words": 6,
    "visual_features": 5,
    "embedding_dim": 3,
    "text_filters": 2,
    "text_widths": (2,),
    "l1": 3e-4,
    "seed": 9,
    "dtype": "float64",
    "name": "other",
}


def predict(model, inputs):
    return np.asarray(model(inputs, training=False))


class TestPaper:
    """Sizes of Sect. III-A and III-B."""

    TEXT = 4000 * 320 + (2 * 320 + 1) * 300 + (3 * 300 + 1) * 300
    # 18 words → 17 → 8 → 6 → 3 positions of 300 filters.
    FUSED = 900 + 1024

    def count(self, *widths):
        return sum((a + 1) * b for a, b in itertools.pairwise(widths))

    def test_single_task(self):
        model = models.EvokedEmotionModel.single_task(vocabulary_size=4000)
        dense = self.count(self.FUSED, 1024, 512, 256, 1)
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == self.TEXT + dense
        assert model.viewers == ("Vavg",)
        assert model.output_shape == (None, 1)

    def test_text_is_not_drowned_by_the_visual_feature(self):
        """Whose variance is 1: it is standardized."""
        model = models.EvokedEmotionModel.single_task(vocabulary_size=200)
        vectors = model.get_layer("text_embedding").embeddings.numpy()
        # A normal distribution cut at 2 has standard deviation 0.88.
        assert vectors.std() == pytest.approx(0.88, abs=0.01)
        branch = keras.Model(
            model.inputs[0], model.get_layer("text_flatten").output
        )
        tokens = np.random.default_rng(0).integers(2, 200, (64, 18))
        tokens[:, 6:] = 0
        assert branch(tokens).numpy().var(axis=0).mean() > 0.02

    def test_multi_task(self):
        model = models.EvokedEmotionModel.multi_task(vocabulary_size=4000)
        trunk = self.count(self.FUSED, 2048, 1024)
        head = self.count(1024, 512, 256, 128, 1)
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == self.TEXT + trunk + 8 * head
        assert model.viewers == paper.ALL_VIEWERS
        assert model.output_shape == (None, 8)

    def test_one_modality(self):
        text = models.EvokedEmotionModel.single_task(
            "V3", modalities=("text",), vocabulary_size=10
        )
        assert set(text.input) == {"tokens"}
        assert text.get_layer("trunk_dense_0").kernel.shape == (900, 1024)
        visual = models.EvokedEmotionModel.single_task(modalities=["visual"])
        assert set(visual.input) == {"visual"}
        assert visual.get_layer("trunk_dense_0").kernel.shape == (1024, 1024)

    def test_sizes_may_be_replaced(self):
        model = models.EvokedEmotionModel.multi_task(
            viewers=("a", "b"),
            modalities=("visual",),
            trunk_units=(3,),
            head_units=(),
        )
        names = [layer.name for layer in model.layers]
        assert "trunk_dense_0" in names
        assert "trunk_dense_1" not in names
        assert "head_a_dense_0" not in names
        assert "head_a_output" in names


def test_layers_are_named(tiny):
    names = {layer.name for layer in tiny().layers}
    assert names == {
        "tokens",
        "visual",
        "text_embedding",
        "text_conv_0",
        "text_steps",
        "text_words",
        "text_flatten",
        "visual_standardization",
        "fusion",
        "trunk_dense_0",
        "trunk_dense_1",
        "head_V1_dense_0",
        "head_V1_output",
        "head_V2_dense_0",
        "head_V2_output",
        "head_V10_dense_0",
        "head_V10_output",
        "probabilities",
    }


def test_columns_are_the_heads_in_order(tiny, batch):
    model = tiny()
    inputs, _ = batch(model)
    for column, viewer in enumerate(model.viewers):
        before = predict(model, inputs)
        output = model.get_layer(f"head_{viewer}_output")
        output.bias.assign([5.0])
        changed = np.any(predict(model, inputs) != before, axis=0)
        assert changed.tolist() == [c == column for c in range(3)]


def test_any_viewer_name_will_do(tiny, batch):
    names = ("Jürgen Müller", "a/b", "a b", "a_b", "V1", "観客", "_")
    model = tiny(viewers=names)
    prefixes = {layers.head_name(name) for name in names}
    assert len(prefixes) == len(names)
    inputs, labels = batch(model)
    model.compile_for_training(run_eagerly=True)
    logs = model.train_on_batch(inputs, labels, return_dict=True)
    assert "Jürgen Müller_accuracy" in logs


def test_every_argument_survives_get_config():
    arguments = set(inspect.signature(models.EvokedEmotionModel).parameters)
    assert arguments - {"kwargs"} == set(OTHER)
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(
            models.EvokedEmotionModel
        ).parameters.items()
    }
    config = models.EvokedEmotionModel(**OTHER).get_config()
    for name, value in OTHER.items():
        if name not in ("modalities",):
            assert value != defaults[name]
        expected = list(value) if isinstance(value, tuple) else value
        if name == "dtype":
            expected = keras.dtype_policies.serialize(
                keras.dtype_policies.get(value)
            )
        assert config[name] == expected, name
    one = models.EvokedEmotionModel(**{**OTHER, "modalities": "visual"})
    assert one.get_config()["modalities"] == ["visual"]


@pytest.mark.parametrize("compiled", [False, True])
def test_saved_and_reloaded(tmp_path, batch, compiled):
    model = models.EvokedEmotionModel(**{**OTHER, "dtype": None})
    model.set_feature_statistics(np.full(5, 0.3), np.full(5, 2.0))
    inputs, labels = batch(model)
    if compiled:
        weights = [[1.0, 2.0], [0.5, 3.0]]
        model.compile_for_training(weights, jit_compile=False)
        model.train_on_batch(inputs, labels)
    path = tmp_path / "model.keras"
    model.save(path)
    revived = keras.saving.load_model(path)
    assert type(revived) is models.EvokedEmotionModel
    assert revived.get_config() == model.get_config()
    np.testing.assert_array_equal(
        predict(revived, inputs), predict(model, inputs)
    )
    if compiled:
        for a_model in (model, revived):
            a_model.train_on_batch(inputs, labels)
        assert revived.loss.get_config()["class_weights"] == weights
        for ours, theirs in zip(
            revived.get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_l1_is_on_trunk_and_heads_only(tiny):
    model = tiny(l1=0.5)
    regularized = {
        v.path for v in model.trainable_variables if v.regularizer is not None
    }
    assert regularized == {
        f"{name}/kernel"
        for name in (
            "trunk_dense_0",
            "trunk_dense_1",
            *(
                f"head_{v}_{part}"
                for v in model.viewers
                for part in ("dense_0", "output")
            ),
        )
    }
    penalty = sum(
        0.5 * np.abs(np.asarray(v)).sum()
        for v in model.trainable_variables
        if v.path in regularized
    )
    np.testing.assert_allclose(sum(map(float, model.losses)), penalty, 1e-5)
    model.l1 = 0.25
    np.testing.assert_allclose(sum(map(float, model.losses)), penalty / 2, 1e-5)
    assert model.get_config()["l1"] == 0.25


class TestInitialWeights:
    def weights(self, model):
        return {v.path: np.asarray(v) for v in model.variables}

    def test_depend_on_the_seed(self, tiny):
        one, same, other = tiny(seed=1), tiny(seed=1), tiny(seed=2)
        for path, value in self.weights(one).items():
            np.testing.assert_array_equal(self.weights(same)[path], value)
            different = self.weights(other)[path]
            if path.endswith(("kernel", "embeddings")):
                assert np.all(different != value), path

    def test_do_not_depend_on_the_other_viewers(self, tiny):
        few = self.weights(tiny(viewers=("V1", "V10")))
        many = self.weights(tiny(viewers=("V10", "V7", "V1")))
        assert set(few) < set(many)
        for path, value in few.items():
            np.testing.assert_array_equal(many[path], value)

    def test_do_not_depend_on_the_global_seed(self, tiny):
        keras.utils.set_random_seed(1)
        one = self.weights(tiny())
        keras.utils.set_random_seed(2)
        for path, value in self.weights(tiny()).items():
            np.testing.assert_array_equal(one[path], value)

    def test_layers_differ(self, tiny):
        model = tiny()
        first, second = (
            np.asarray(model.get_layer(f"head_{v}_dense_0").kernel)
            for v in ("V1", "V2")
        )
        assert np.all(first != second)

    def test_have_the_spread_of_glorot(self):
        model = models.EvokedEmotionModel.single_task(modalities="visual")
        kernel = np.asarray(model.get_layer("trunk_dense_0").kernel)
        limit = np.sqrt(6.0 / (1024 + 1024))
        assert np.abs(kernel).max() <= limit
        np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.01)


def test_strength_and_class_weights_change_without_tracing_again(
    tiny, batch, count_traces
):
    model = tiny(modalities=("visual",), viewers=("V1", "V2"))
    traces = count_traces(model)
    model.compile_for_training(jit_compile=False)
    inputs, labels = batch(model)
    first = model.test_on_batch(inputs, labels, return_dict=True)
    model.train_on_batch(inputs, labels)
    model.l1 = 0.1
    model.set_class_weights([[3.0, 3.0], [3.0, 3.0]])
    model.set_feature_statistics(np.ones(5), np.ones(5))
    model.train_on_batch(inputs, labels)
    assert len(traces) == 1
    # Metrics of *_on_batch stream on.
    model.reset_metrics()
    model.set_feature_statistics(np.zeros(5), np.ones(5))
    second = model.test_on_batch(inputs, labels, return_dict=True)
    assert second["bce"] > 2.5 * first["bce"]


def test_class_weights_need_the_models_own_loss(tiny):
    model = tiny()
    model.compile(loss="binary_crossentropy")
    with pytest.raises(ValueError, match="after `compile_for_training`"):
        model.set_class_weights(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"one row per viewer, 3. .*\[2, 2\]"):
        model.compile_for_training(np.ones((2, 2)))


def test_fit_shows_each_viewer(tiny, batch, capsys):
    model = tiny()
    model.compile_for_training(jit_compile=False)
    inputs, labels = batch(model)
    labels[:, 1] = np.nan
    history = model.fit(
        inputs,
        labels,
        batch_size=3,
        epochs=1,
        verbose=2,
        validation_data=(inputs, labels),
    ).history
    line = capsys.readouterr().out
    for name in ("V1_accuracy", "V10_accuracy", "mean_accuracy", "bce"):
        assert f" {name}: " in line
        assert f" val_{name}: " in line
        assert np.isfinite(history[f"val_{name}"][0])
    assert np.isnan(history["val_V2_accuracy"][0])
    # After the epoch: over all labels, not the mean over batches.
    answers = predict(model, inputs) > 0.5
    expected = np.mean(answers[:, 0] == (labels[:, 0] == 1.0))
    assert history["val_V1_accuracy"][0] == pytest.approx(expected)


def test_tensorboard_shows_each_viewer(tiny, batch, tmp_path):
    accumulators = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    model = tiny(modalities=("visual",))
    model.compile_for_training(jit_compile=False)
    inputs, labels = batch(model)
    history = model.fit(
        inputs,
        labels,
        epochs=2,
        verbose=0,
        validation_data=(inputs, labels),
        callbacks=[keras.callbacks.TensorBoard(tmp_path, write_graph=False)],
    ).history
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = accumulators.EventAccumulator(str(tmp_path / part))
        events.Reload()
        for viewer in model.viewers:
            points = events.Tensors(f"epoch_{viewer}_accuracy")
            values = [float(tf.make_ndarray(p.tensor_proto)) for p in points]
            expected = history[f"{prefix}{viewer}_accuracy"]
            assert values == pytest.approx(expected)


def test_plain_compile_works_too(tiny, batch):
    model = tiny(viewers=("V1", "V2"))
    inputs, labels = batch(model)
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)
    first = model.train_on_batch(inputs, labels)
    for _ in range(20):
        last = model.train_on_batch(inputs, labels)
    assert last < first


def test_it_can_overfit(tiny, batch):
    """Eight segments, three viewers with gaps, all learned by heart."""
    model = tiny(trunk_units=(32,), head_units=(16,), l1=0.0)
    model.compile_for_training(learning_rate=0.01, jit_compile=False)
    inputs, labels = batch(model)
    labels[1, 0] = labels[5, 2] = labels[6, 1] = np.nan
    for _ in range(80):
        model.train_on_batch(inputs, labels)
    scores = model.evaluate(inputs, labels, verbose=0, return_dict=True)
    for viewer in model.viewers:
        assert scores[f"{viewer}_accuracy"] == 1.0


def test_half_precision_gives_full_precision_answers(tiny, batch):
    model = tiny(dtype="mixed_float16")
    inputs, labels = batch(model)
    assert model.get_layer("trunk_dense_0").compute_dtype == "float16"
    answers = model(inputs)
    assert answers.dtype == "float32"
    reference = tiny()(inputs)
    np.testing.assert_allclose(answers, reference, atol=5e-3)
    model.compile_for_training(run_eagerly=True)
    logs = model.train_on_batch(inputs, labels, return_dict=True)
    assert np.isfinite(logs["loss"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"viewers": ()}, r"`viewers` must be distinct names.*Received: \(\)"),
        ({"viewers": ("a", "a")}, "`viewers` must be distinct"),
        ({"viewers": ("a", "")}, "`viewers` must be distinct"),
        ({"modalities": ()}, "`modalities` must be one or both"),
        ({"modalities": ("audio",)}, r"Received: \('audio',\)"),
        ({"modalities": ("text", "text")}, "`modalities` must be one or both"),
        ({"vocabulary_size": None}, "`vocabulary_size` must be given"),
        ({"words": 2}, r"`words` must leave something.*Received: words=2"),
        ({"l1": -1.0}, "`l1` must be finite and not negative"),
    ],
)
def test_impossible_arguments(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        tiny(**change)


def test_statistics_need_the_visual_modality(tiny):
    model = tiny(modalities=("text",))
    with pytest.raises(ValueError, match="need the modality 'visual'"):
        model.set_feature_statistics(np.zeros(5), np.ones(5))


def test_the_example_of_the_docstring():
    results = doctest.testmod(evoked, extraglobs={"np": np})
    assert results.attempted > 0
    assert results.failed == 0
