"""ST, MT and the Baseline do what a user of Keras expects of a model."""

import inspect
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models

NAN = np.nan


def predict(model, inputs):
    return np.asarray(model(inputs, training=False))


def check_same_weights(one, other):
    np.testing.assert_equal(one.get_weights(), other.get_weights())


def two_steps(model, batch):
    inputs, labels = batch(model)
    labels[0] = NAN
    model.adapt(inputs)
    model.compile(run_eagerly=True)  # Tracing takes seconds.
    for _ in range(2):
        model.train_on_batch(inputs, labels)
    return model, inputs, labels


@pytest.fixture
def trained(build, batch):
    """A compiled model that has taken two steps, and its data."""
    return two_steps(build(), batch)


@pytest.fixture
def fitted(tiny, batch):
    """The same of an MT model; all models share how they are fit."""
    return two_steps(tiny(), batch)


def test_plot_model(tiny, tmp_path):
    pytest.importorskip("pydot", reason="pydot is not installed")
    if shutil.which("dot") is None:
        pytest.skip("graphviz is not installed")
    keras.utils.plot_model(tiny(), tmp_path / "model.png", show_shapes=True)
    assert (tmp_path / "model.png").stat().st_size > 1000


def test_config_holds_every_argument(kind):
    cls, arguments = kind
    parameters = inspect.signature(cls).parameters
    model = cls(**arguments, dtype="float64", name="other")
    config = model.get_config()
    assert set(config) == set(parameters) - {"kwargs"} | {"frozen", "name"}
    assert config["name"] == "other"
    assert config["dtype"]["config"]["name"] == "float64"
    for name, value in arguments.items():
        expected = list(value) if isinstance(value, tuple) else value
        assert config[name] == expected, name
        # Or it could not be told from one that is forgotten; ST has no layers.
        assert value != parameters[name].default or name == "head_units"
    assert type(model).from_config(config).get_config() == config


def weights(model):
    return {v.path: np.asarray(v) for v in model.variables}


def test_initial_weights_depend_on_the_seed_and_nothing_else(kind, build):
    keras.utils.set_random_seed(1)
    one = weights(build(seed=1))
    keras.utils.set_random_seed(2)
    same, other = weights(build(seed=1)), weights(build(seed=2))
    # The last known viewer's head is of the same name.
    known = [v for v in kind[1]["viewers"] if v not in kind[1].get("added", ())]
    alone = {
        "viewers": known[-1:],
        **({"added": {}} if "added" in kind[1] else {}),
    }
    few = weights(build(seed=1, **alone))
    # The mixture of an added viewer starts at zero.
    mixed = {f"head_{viewer}_output" for viewer in kind[1].get("added", ())}
    values, drawn = set(), 0
    for path, value in one.items():
        np.testing.assert_array_equal(same[path], value)
        if path in few:
            np.testing.assert_array_equal(few[path], value)
        if path.endswith(("kernel", "embeddings")) and not any(
            name in path for name in mixed
        ):
            assert np.all(other[path] != value), path
            values.add(value.ravel()[:2].tobytes())
            drawn += 1
    assert len(values) == drawn
    assert any("head_" in path for path in one.keys() & few.keys())


def test_l1_is_on_dense_layers_only(build):
    model = build(l1=0.5)
    penalty = sum(
        0.5 * np.abs(np.asarray(layer.kernel)).sum()
        for layer in model.layers
        if isinstance(layer, keras.layers.Dense)
    )
    np.testing.assert_allclose(sum(map(float, model.losses)), penalty, 1e-5)


def test_clone(trained):
    """Keras makes a plain functional model of it."""
    model, inputs, labels = trained
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        predict(clone, inputs), predict(model, inputs)
    )
    assert isinstance(clone.optimizer, models.LazyAdam)
    assert np.isfinite(clone.train_on_batch(inputs, labels)).all()


def test_saved_and_loaded_goes_on_as_before(trained, tmp_path):
    """With a layer that is frozen, and stays so."""
    model, inputs, labels = trained
    frozen = next(x for x in model.layers if x.trainable_variables)
    for freeze in (False, True):
        if freeze:
            frozen.trainable = False
            model.compile(run_eagerly=True)
            model.train_on_batch(inputs, labels)
        before = frozen.get_weights()
        model.save(tmp_path / "model.keras")
        revived = keras.saving.load_model(tmp_path / "model.keras")
        assert type(revived) is type(model)
        assert revived.get_config() == model.get_config()
        assert revived.get_layer(frozen.name).trainable == (not freeze)
        np.testing.assert_array_equal(
            predict(revived, inputs), predict(model, inputs)
        )
        for either in (model, revived):
            either.train_on_batch(inputs, labels)
        check_same_weights(revived, model)
    np.testing.assert_equal(frozen.get_weights(), before)


def test_export(trained, tmp_path):
    model, inputs, _ = trained
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(
        exported.serve(inputs), predict(model, inputs), rtol=1e-5
    )


def test_compiled_again_with_other_parts(trained):
    model, inputs, labels = trained
    labels = np.nan_to_num(labels)
    for optimizer in ("sgd", keras.optimizers.RMSprop(0.01, momentum=0.9)):
        before = model.get_weights()
        model.compile(optimizer, "binary_crossentropy", run_eagerly=True)
        logs = model.fit(inputs, labels, verbose=0).history
        # Keras's own, over all labels, and the penalty.
        assert logs["loss"][0] >= logs["bce"][0] * 0.99
        assert not np.array_equal(before[-1], model.get_weights()[-1])
    area = models.ViewerAUC(model.viewers, name="area")
    for options, expected in (
        ({"loss": lambda y, p: p, "metrics": []}, {"loss"}),
        ({"metrics": [area]}, {"area", "loss"}),
    ):
        model.compile(**options, run_eagerly=True)
        assert set(model.fit(inputs, labels, verbose=0).history) == expected


@pytest.mark.parametrize(
    "metric", ["bce", "mean_accuracy", "balanced_accuracy", "auc"]
)
def test_callbacks_know_the_direction(tiny, batch, metric, tmp_path):
    model = tiny(modalities=("visual",), head_units=())
    inputs, labels = batch(model)
    monitor = f"val_{metric}"
    model.compile(run_eagerly=True)
    stopping = keras.callbacks.EarlyStopping(
        monitor, patience=1, restore_best_weights=True
    )
    history = model.fit(
        inputs,
        labels,
        epochs=3,
        verbose=0,
        validation_data=(inputs, labels),
        callbacks=[
            stopping,
            keras.callbacks.ReduceLROnPlateau(monitor),
            keras.callbacks.ModelCheckpoint(
                tmp_path / "best.keras", monitor, save_best_only=True
            ),
        ],
    ).history[monitor]
    best = min(history) if metric == "bce" else max(history)
    assert history[stopping.best_epoch] == best
    restored = keras.saving.load_model(tmp_path / "best.keras")
    check_same_weights(restored, model)


def test_half_precision(build, batch):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build()
    finally:
        keras.config.set_dtype_policy("float32")
    inputs, labels = batch(model)
    model.compile(run_eagerly=True)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    logs = model.fit(inputs, labels, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    answers = model(inputs)
    assert answers.dtype == "float32"
    full = build()
    full.set_weights(model.get_weights())
    np.testing.assert_allclose(answers, full(inputs), atol=1e-2)


class TestLabels:
    def test_one_viewer_may_come_flat(self, batch):
        results = []
        for shape in ((-1, 1), (-1,)):
            model = models.BaselineTextModel(("V1",), 7, words=6, kernels=3)
            inputs, labels = batch(model)
            labels[1] = NAN
            model.compile(run_eagerly=True)
            model.fit(inputs, labels.reshape(shape), shuffle=False, verbose=0)
            results.append(model.get_weights())
        np.testing.assert_equal(*results)

    @pytest.mark.parametrize("wrong", [-1.0, 0.5, 2.0])
    def test_others_are_refused_and_never_a_number(self, fitted, wrong):
        model, inputs, labels = fitted
        bad = labels.copy()
        bad[1] = wrong
        message = rf"`y` must be 1 .*NaN.*Received: \[{wrong}\]"
        with pytest.raises(ValueError, match=message):
            model.fit(inputs, bad)
        with pytest.raises(ValueError, match=message):
            model.fit(inputs, labels, validation_data=(inputs, bad))
        logs = model.evaluate(inputs, bad, verbose=0, return_dict=True)
        assert np.isnan([logs["loss"], logs["bce"], logs["auc"]]).all()

    def test_others_in_a_dataset_are_said(self, fitted):
        model, inputs, labels = fitted
        labels[1] = -1.0
        data = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(4)
        with pytest.warns(UserWarning, match="a label is none of 0, 1 and NaN"):
            model.fit(data, epochs=3, shuffle=False, verbose=0)

    def test_gaps_under_a_loss_that_does_not_know_them(self, fitted):
        model, inputs, labels = fitted
        model.compile(loss="binary_crossentropy", run_eagerly=True)
        with pytest.warns(UserWarning, match="is not a number after epoch 1"):
            history = model.fit(inputs, labels, epochs=3, verbose=0).history
        assert len(history["loss"]) == 1

    def test_weights_of_classes(self, fitted):
        """By number of a viewer they are refused."""
        model, inputs, labels = fitted
        message = r"compile\(class_weights=\.\.\.\)"
        with pytest.raises(ValueError, match=message):
            model.fit(inputs, labels, class_weight={0: 1.0, 1: 2.0})
        with pytest.raises(ValueError, match="row per viewer, 3,"):
            model.compile(class_weights=np.ones((4, 2)))
        with pytest.raises(ValueError, match="the default loss"):
            model.compile(loss="mse", class_weights=np.ones((3, 2)))


def test_two_replicas():
    """Of which only one sees a label of the first viewer."""
    script = """
        import numpy as np, tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        from emotion_mt import models
        random = np.random.default_rng(0)
        x = random.normal(size=(8, 5)).astype("float32")
        full = random.integers(0, 2, (8, 3)).astype("float32")
        gaps = full.copy()
        gaps[:4, 0] = np.nan  # Replica 2 has labels of the first viewer,
        gaps[:, 1] = np.nan  # neither has one of the second.

        def train(strategy, *batches):
            with strategy.scope():
                model = models.EvokedEmotionModel(
                    ("V1", "V2", "V3"), (4,), (3,), modalities=("visual",),
                    visual_features=5, l1=0.01,
                )
                model.compile(models.LazyAdam(0.05), jit_compile=False)
            history = []
            for labels in batches:
                data = tf.data.Dataset.from_tensor_slices(
                    ({"visual": x}, labels)
                ).batch(8)
                model.fit(data, verbose=0, shuffle=False)
                history.append({
                    v: [np.asarray(w).copy() for w in model.head_weights(v)]
                    for v in model.viewers
                })
            return history

        mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        two = train(mirrored, full, gaps, np.full_like(full, np.nan))
        same = lambda a, b: all(
            np.array_equal(x, y) for x, y in zip(a, b, strict=True)
        )
        assert same(two[0]["V2"], two[1]["V2"])
        assert not same(two[0]["V1"], two[1]["V1"])
        assert not same(two[0]["V3"], two[1]["V3"])
        assert all(same(two[1][v], two[2][v]) for v in two[1])
        one = train(tf.distribute.get_strategy(), full)
        for v in one[0]:
            for a, b in zip(one[0][v], two[0][v], strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5)
        print("checked")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=180,
    )
    assert done.stdout.strip().endswith("checked"), done.stderr
