"""A head without labels does not move; everything else does."""

import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest

from emotion_mt.models import update_rule

NAN = np.nan

#: Which viewers of ("V1", "V2", "V10") have labels in a batch.
PATTERNS = {
    "first": (True, False, False),
    "last": (False, False, True),
    "all but the first": (False, True, True),
}

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.05),
    "amsgrad": lambda: keras.optimizers.Adam(0.05, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "rmsprop": lambda: keras.optimizers.RMSprop(
        0.05, momentum=0.9, centered=True
    ),
    "adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "adadelta": lambda: keras.optimizers.Adadelta(0.05),
    "adafactor": lambda: keras.optimizers.Adafactor(0.05),
    "adamax": lambda: keras.optimizers.Adamax(0.05),
    "nadam": lambda: keras.optimizers.Nadam(0.05),
    "ftrl": lambda: keras.optimizers.Ftrl(0.05),
    "lion": lambda: keras.optimizers.Lion(0.05),
    "average": lambda: keras.optimizers.Adam(0.05, use_ema=True),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.05), initial_scale=8.0
    ),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.5)
    ),
    "accumulation": lambda: keras.optimizers.Adam(
        0.05, gradient_accumulation_steps=2
    ),
}


def hide(labels, pattern):
    return np.where(pattern, labels, NAN).astype("float32")


def state(model):
    """Weights and optimizer variables by a name, as bytes."""
    everything = list(model.variables) + list(model.optimizer.variables)
    return {id(v): (v.path, np.asarray(v).tobytes()) for v in everything}


def moved(before, after):
    return {key for key in before if before[key] != after[key]}


def warm_up(model, inputs, labels, steps=3):
    """Fills momenta, so that weights would move without a gradient."""
    for _ in range(steps):
        model.train_on_batch(inputs, labels)


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "xla"])
def test_compiled_step(tiny, batch, jit):
    model = tiny(l1=0.01)
    model.compile_for_training(learning_rate=0.05, jit_compile=jit)
    inputs, labels = batch(model)
    warm_up(model, inputs, labels)
    for pattern in PATTERNS.values():
        check_rule(model, inputs, labels, pattern)
    before = state(model)
    empty = np.full_like(labels, NAN)
    logs = model.train_on_batch(inputs, empty, return_dict=True)
    assert not moved(before, state(model))
    assert np.isfinite(logs["loss"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_optimizer(tiny, batch, name):
    model = tiny(l1=0.01, modalities=("visual",))
    model.compile_for_training(optimizer=OPTIMIZERS[name](), run_eagerly=True)
    inputs, labels = batch(model)
    warm_up(model, inputs, labels)
    check_rule(model, inputs, labels, PATTERNS["last"])


def check_rule(model, inputs, labels, pattern):
    before = state(model)
    model.train_on_batch(inputs, hide(labels, pattern))
    changed = moved(before, state(model))
    for viewer, there in zip(model.viewers, pattern, strict=True):
        own = {id(v) for v in model.head_weights(viewer)}
        slots = set().union(*(slots_of(model, w) for w in own))
        if there:
            assert own <= changed
        else:
            assert not changed & (own | slots)
    trunk = model.get_layer("trunk_dense_0").trainable_variables
    assert {id(v) for v in trunk} <= changed


def slots_of(model, weight):
    """Slots of one weight, by the order in which the optimizer made them.

    Independent of the code under test: the optimizer's own index.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    weights = optimizer._trainable_variables
    (index,) = [i for i, w in enumerate(weights) if id(w) == weight]
    names = (
        "_momentums momentums _velocities _velocity_hats _accumulators "
        "_accumulated_grads _accumulated_delta_vars _average_gradients "
        "_linears _m _u _r _c _v _model_variables_moving_average "
        "_accumulated_gradients"
    )
    found = set()
    for name in names.split():
        slots = getattr(optimizer, name, None)
        if slots:
            found.add(id(slots[index]))
    return found


@pytest.mark.parametrize("name", ["adam", "nadam", "accumulation"])
def test_nothing_moves_without_any_label(tiny, batch, name):
    model = tiny(l1=0.01, modalities=("visual",))
    model.compile_for_training(optimizer=OPTIMIZERS[name](), run_eagerly=True)
    inputs, labels = batch(model)
    warm_up(model, inputs, labels)
    before = state(model)
    model.train_on_batch(inputs, np.full_like(labels, NAN))
    assert not moved(before, state(model))


def test_the_loss_scale_moves_only_with_labels(tiny, batch):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = tiny(l1=0.01, modalities=("visual",))
        model.compile_for_training(learning_rate=0.05, jit_compile=False)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    inputs, labels = batch(model)
    warm_up(model, inputs, labels)
    check_rule(model, inputs, labels, PATTERNS["first"])


def test_a_step_with_all_labels_is_kerass_own(tiny, batch):
    weights = []
    for step in (None, keras.Model.train_step):
        model = tiny(l1=0.01)
        if step is not None:
            model.train_step = lambda data, s=step, m=model: s(m, data)
        model.compile_for_training(learning_rate=0.05, run_eagerly=True)
        inputs, labels = batch(model)
        warm_up(model, inputs, labels)
        weights.append(model.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_sample_weights_still_work(tiny, batch):
    """A row of weight 0 counts for nothing but the divisor."""
    results = []
    for change in (0.0, 1.0):
        model = tiny(l1=0.0, modalities=("visual",))
        model.compile_for_training(run_eagerly=True)
        inputs, labels = batch(model)
        labels[0] = change
        rows = np.ones(len(labels), "float32")
        rows[0] = 0.0
        model.train_on_batch(inputs, labels, sample_weight=rows)
        results.append(model.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


class TestAgainstNumPy:
    """Three steps of a small network, written out."""

    LEARNING_RATE, L1, BETA_1, BETA_2, EPSILON = 0.05, 0.01, 0.9, 0.999, 1e-7
    CLASS_WEIGHTS = np.array([[0.5, 2.0], [1.5, 1.0]])
    STEPS = ((True, True), (True, False), (False, False), (True, True))

    def gradients(self, w, x, labels):
        """Of data term and penalty; w is a dict of float64 arrays."""
        there = ~np.isnan(labels)
        y = np.where(there, labels, 0.0)
        count = max(there.sum(), 1)
        trunk_in = x @ w["trunk/kernel"] + w["trunk/bias"]
        trunk = np.maximum(trunk_in, 0.0)
        d_trunk = np.zeros_like(trunk)
        g = {}
        for i in range(2):
            head_in = trunk @ w[f"{i}/kernel"] + w[f"{i}/bias"]
            head = np.maximum(head_in, 0.0)
            logit = head @ w[f"{i}/out"] + w[f"{i}/out_bias"]  # [B, 1]
            p = 1.0 / (1.0 + np.exp(-logit[:, 0]))
            weight = self.CLASS_WEIGHTS[i][y[:, i].astype(int)]
            d_logit = (there[:, i] * weight * (p - y[:, i]) / count)[:, None]
            g[f"{i}/out"] = head.T @ d_logit
            g[f"{i}/out_bias"] = d_logit.sum(axis=0)
            d_head = (d_logit @ w[f"{i}/out"].T) * (head_in > 0)
            g[f"{i}/kernel"] = trunk.T @ d_head
            g[f"{i}/bias"] = d_head.sum(axis=0)
            d_trunk += d_head @ w[f"{i}/kernel"].T
        d_trunk *= trunk_in > 0
        g["trunk/kernel"] = x.T @ d_trunk
        g["trunk/bias"] = d_trunk.sum(axis=0)
        for name in g:
            if not name.endswith("bias"):
                g[name] = g[name] + self.L1 * np.sign(w[name])
        return g

    def test_adam(self, tiny, batch):
        model = tiny(
            viewers=("V1", "V10"),
            trunk_units=(4,),
            head_units=(3,),
            modalities=("visual",),
            l1=self.L1,
            seed=5,
        )
        model.compile_for_training(
            self.CLASS_WEIGHTS, learning_rate=self.LEARNING_RATE
        )
        layers = {"trunk": "trunk_dense_0"}
        for i, viewer in enumerate(model.viewers):
            layers[str(i)] = f"head_{viewer}_dense_0"
        w = {}
        for short, name in layers.items():
            kernel, bias = model.get_layer(name).get_weights()
            w[f"{short}/kernel"], w[f"{short}/bias"] = kernel, bias
        for i, viewer in enumerate(model.viewers):
            out, bias = model.get_layer(f"head_{viewer}_output").get_weights()
            w[f"{i}/out"], w[f"{i}/out_bias"] = out, bias
        w = {name: value.astype("float64") for name, value in w.items()}
        m = {name: np.zeros_like(value) for name, value in w.items()}
        v = {name: np.zeros_like(value) for name, value in w.items()}

        time = 0
        for step, pattern in enumerate(self.STEPS):
            inputs, labels = batch(model, seed=step)
            labels = hide(labels, pattern)
            model.train_on_batch(inputs, labels)
            if not any(pattern):
                continue
            time += 1
            g = self.gradients(w, inputs["visual"].astype("float64"), labels)
            for name in w:
                owner = name.split("/")[0]
                if owner != "trunk" and not pattern[int(owner)]:
                    continue
                m[name] += (1 - self.BETA_1) * (g[name] - m[name])
                v[name] += (1 - self.BETA_2) * (g[name] ** 2 - v[name])
                rate = self.LEARNING_RATE * np.sqrt(1 - self.BETA_2**time)
                rate /= 1 - self.BETA_1**time
                w[name] -= rate * m[name] / (np.sqrt(v[name]) + self.EPSILON)

        for short, name in layers.items():
            kernel, bias = model.get_layer(name).get_weights()
            np.testing.assert_allclose(kernel, w[f"{short}/kernel"], atol=2e-5)
            np.testing.assert_allclose(bias, w[f"{short}/bias"], atol=2e-5)
        for i, viewer in enumerate(model.viewers):
            out, bias = model.get_layer(f"head_{viewer}_output").get_weights()
            np.testing.assert_allclose(out, w[f"{i}/out"], atol=2e-5)
            np.testing.assert_allclose(bias, w[f"{i}/out_bias"], atol=2e-5)


def test_slots_of_an_unknown_kind_are_refused(tiny):
    class Odd(keras.optimizers.SGD):
        def build(self, variables):
            super().build(variables)
            self.cache = self.add_variable((3,), name="cache")

    model = tiny(modalities=("visual",))
    optimizer = Odd(0.1)
    optimizer.build(model.trainable_variables)
    message = "`optimizer` Odd must keep one slot per weight.*cache"
    with pytest.raises(ValueError, match=message):
        update_rule.optimizer_slots(optimizer)


def test_every_variable_is_in_one_group(tiny):
    model = tiny()
    model.compile_for_training()
    heads = [model.head_weights(viewer) for viewer in model.viewers]
    movable = update_rule.Movable.of(model.optimizer, heads)
    groups = [movable.shared, *movable.heads]
    sorted_out = [id(v) for group in groups for v in group]
    everything = [*model.trainable_variables, *model.optimizer.variables]
    assert sorted(sorted_out) == sorted(id(v) for v in everything)
    # Two layers × (kernel, bias) × (weight, two moments).
    assert [len(group) for group in movable.heads] == [12, 12, 12]


def test_under_a_distribution_strategy():
    """Two replicas, of which only one sees a label of the first viewer."""
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
                model.compile_for_training(
                    learning_rate=0.05, jit_compile=False
                )
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
        timeout=120,
    )
    assert done.stdout.strip().endswith("checked"), done.stderr
