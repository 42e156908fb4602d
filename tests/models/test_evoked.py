import itertools

import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models, paper


def predict(model, inputs):
    return np.asarray(model(inputs, training=False))


#: What Figures 1 and 2 show, from the input to the trunk.
BRANCHES = ["InputLayer", "Embedding", *["Conv1D", "MaxPooling1D"] * 2]
BRANCHES += ["InputLayer", "Flatten", "FeatureNormalization", "Concatenate"]


class TestPaper:
    """Figures 1 and 2; sizes of Sect. III-A and III-B."""

    TEXT = 4000 * 320 + (2 * 320 + 1) * 300 + (3 * 300 + 1) * 300
    # 18 words → 17 → 8 → 6 → 3 positions of 300 filters.
    FUSED = 900 + 1024

    def kinds(self, model):
        return [type(layer).__name__ for layer in model.layers]

    def count(self, *widths):
        return sum((a + 1) * b for a, b in itertools.pairwise(widths))

    def test_figure_2(self):
        model = models.EvokedEmotionModel.single_task(vocabulary_size=4000)
        assert self.kinds(model) == [*BRANCHES, *["Dense"] * 3, "Dense"]
        widths = [layer.units for layer in model.layers[-4:]]
        assert widths == [1024, 512, 256, 1]
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == self.TEXT + self.count(self.FUSED, *widths)
        assert model.viewers == ("Vavg",)
        assert model.output_shape == (None, 1)

    def test_figure_1(self):
        model = models.EvokedEmotionModel.multi_task(vocabulary_size=4000)
        dense = ["Dense"] * (2 + 4 * 8)
        assert self.kinds(model) == [*BRANCHES, *dense, "Concatenate"]
        assert [x.units for x in model.layers[10:12]] == [2048, 1024]
        for viewer in paper.ALL_VIEWERS:
            own = [x for x in model.layers if f"head_{viewer}_" in x.name]
            assert [x.units for x in own] == [512, 256, 128, 1]
        trunk = self.count(self.FUSED, 2048, 1024)
        head = self.count(1024, 512, 256, 128, 1)
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) == self.TEXT + trunk + 8 * head
        assert model.viewers == paper.ALL_VIEWERS
        assert model.output_shape == (None, 8)

    def test_text_is_not_drowned_by_the_visual_feature(self):
        """Whose variance is 1: it is standardized."""
        model = models.EvokedEmotionModel.single_task(vocabulary_size=200)
        vectors = np.asarray(model.get_layer("text_embedding").embeddings)
        # A normal distribution cut at 2 has standard deviation 0.88.
        assert vectors.std() == pytest.approx(0.88, abs=0.01)

    def test_one_modality(self):
        build = models.EvokedEmotionModel.single_task
        text = build("V3", modalities=("text",), vocabulary_size=10)
        visual = build(modalities="visual")
        for model, name, width in (
            (text, "tokens", 900),
            (visual, "visual", 1024),
        ):
            assert set(model.input) == {name}
            kernel = model.get_layer("trunk_dense_0").kernel
            assert kernel.shape == (width, 1024)
        assert visual.get_config()["modalities"] == ["visual"]


def test_layers_are_named_and_columns_are_the_heads_in_order(tiny, batch):
    shared = "tokens visual text_embedding text_conv_0 text_pool_0 text_flatten"
    shared += " visual_normalization fusion trunk_dense_0 trunk_dense_1"
    own = ("dense_0", "output")
    heads = [f"head_{v}_{part}" for v in ("V1", "V2", "V10") for part in own]
    model = tiny()
    names = {layer.name for layer in model.layers}
    assert names == {*shared.split(), *heads, "probabilities"}
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
    outputs = [x for x in model.layers if x.name.endswith("_output")]
    assert len(outputs) == len(names)
    inputs, labels = batch(model)
    model.compile(run_eagerly=True)
    logs = model.train_on_batch(inputs, labels, return_dict=True)
    assert "Jürgen Müller_accuracy" in logs


def test_fit_shows_each_viewer(tiny, batch, capsys):
    model = tiny()
    model.compile(run_eagerly=True)
    inputs, labels = batch(model)
    labels[:, 1] = np.nan
    data = {"validation_data": (inputs, labels), "batch_size": 3}
    history = model.fit(inputs, labels, verbose=2, **data).history
    line = capsys.readouterr().out
    for name in ("V1_accuracy", "V10_accuracy", "mean_accuracy", "bce"):
        assert f" {name}: " in line
        assert f" val_{name}: " in line
        assert np.isfinite(history[f"val_{name}"][0])
    assert np.isnan(history["val_V2_accuracy"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"viewers": ()}, r"`viewers` must be distinct names.*Received: \(\)"),
        ({"viewers": ("a", "a")}, "`viewers` must be distinct"),
        ({"viewers": ("a", "")}, "`viewers` must be distinct"),
        ({"added": {"V1": (1, 2)}}, r"`added` must name the last of .*V1"),
        ({"added": {"V10": (1, True)}}, "`added` must name .*True"),
        ({"added": {"V10": (0, 0)}}, r"`added` must name .*0, 0"),
        ({"added": {"V10": (3, -1)}}, "`added` must name .*-1"),
        ({"added": {"V10": (3,)}}, "`added` must name .*3"),
        ({"added": ["V10"]}, "`added` must name .*V10"),
        ({"modalities": ()}, "`modalities` must be one or both"),
        ({"modalities": ("audio",)}, r"Received: \('audio',\)"),
        ({"modalities": ("text", "text")}, "`modalities` must be one or both"),
        ({"vocabulary_size": None}, "`vocabulary_size` must be given"),
        ({"words": 2}, r"`words` must leave something.*Received: words=2"),
        ({"l1": -1.0}, "expected a non-negative float.*l1=-1.0"),
    ],
)
def test_impossible_arguments(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        tiny(**change)


def test_adapt_standardizes_the_visual_feature(tiny, batch):
    """From arrays or in batches, as Keras's `Normalization`."""
    inputs, labels = batch(tiny(), rows=20)
    x = inputs["visual"] * 3.0 + 5.0
    whole, parts, reference = tiny(), tiny(), tiny()
    whole.adapt({**inputs, "visual": x})
    data = tf.data.Dataset.from_tensor_slices(
        ({**inputs, "visual": x}, labels)
    ).batch(6)
    parts.adapt(data)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    received = predict(whole, {**inputs, "visual": x})
    expected = predict(reference, {**inputs, "visual": z})
    np.testing.assert_allclose(received, expected, atol=1e-5)
    again = predict(parts, {**inputs, "visual": x})
    np.testing.assert_array_equal(received, again)
    # What is text is left alone.
    text = tiny(modalities=("text",))
    before = text.get_weights()
    text.adapt(batch(text)[0])
    np.testing.assert_equal(text.get_weights(), before)
