"""A head without labels does not move; everything else does (Fig. 1)."""

import keras
import numpy as np
import pytest

from emotion_mt import models

NAN = np.nan

#: Which viewers of ("V1", "V2", "V10") have labels in a batch.
PATTERNS = {
    "first": (True, False, False),
    "last": (False, False, True),
    "all but the first": (False, True, True),
}


def hide(labels, pattern):
    return np.where(pattern, labels, NAN).astype("float32")


def state(model):
    """Weights and optimizer variables by path, as bytes."""
    everything = [*model.variables, *model.optimizer.variables]
    return {v.path: np.asarray(v).tobytes() for v in everything}


def moved(before, after):
    return {path for path in before if before[path] != after[path]}


def of_head(viewer, paths):
    """Those of a head: its weights, and their moments by name."""
    starts = (f"head_{viewer}_dense", f"head_{viewer}_output")
    return {path for path in paths if any(start in path for start in starts)}


def warm_up(model, inputs, labels, steps=3):
    """Fills momenta, so that weights would move without a gradient."""
    for _ in range(steps):
        model.train_on_batch(inputs, labels)


def check_rule(model, inputs, labels):
    for pattern in PATTERNS.values():
        before = state(model)
        model.train_on_batch(inputs, hide(labels, pattern))
        changed = moved(before, state(model))
        for viewer, there in zip(model.viewers, pattern, strict=True):
            own = {w.path for w in model.head_weights(viewer)}
            if there:
                assert own <= changed
            else:
                assert not of_head(viewer, changed)
        assert "trunk_dense_0/kernel" in changed


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("float32", {"jit_compile": True}),
        ("float32", {"jit_compile": False}),
        ("float32", {"run_eagerly": True}),
        ("mixed_float16", {"run_eagerly": True}),
    ],
)
def test_the_default_optimizer(tiny, batch, policy, options):
    keras.config.set_dtype_policy(policy)
    try:
        model = tiny(l1=0.01)
        model.compile(models.LazyAdam(0.05), **options)
    finally:
        keras.config.set_dtype_policy("float32")
    inputs, labels = batch(model)
    warm_up(model, inputs, labels)
    check_rule(model, inputs, labels)
    if policy != "float32":
        scaled = keras.optimizers.LossScaleOptimizer
        assert isinstance(model.optimizer, scaled)
        return
    before = state(model)
    empty = np.full_like(labels, NAN)
    logs = model.train_on_batch(inputs, empty, return_dict=True)
    changed = moved(before, state(model))
    (counted,) = {path for path in changed if "metric" not in path}
    assert counted.endswith("/iteration")
    assert np.isfinite(logs["loss"])


def test_plain_gradient_descent_keeps_the_rule_too(tiny, batch):
    model = tiny(l1=0.01)
    model.compile(keras.optimizers.SGD(0.05), run_eagerly=True)
    check_rule(model, *batch(model))


@pytest.mark.parametrize(
    "options",
    [
        {"amsgrad": True},
        {"clipnorm": 0.1},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_of_the_default_optimizer(tiny, batch, options):
    model = tiny(l1=0.01, modalities=("visual",))
    model.compile(models.LazyAdam(0.05, **options), run_eagerly=True)
    inputs, labels = batch(model)
    warm_up(model, inputs, labels, steps=4)
    pattern = PATTERNS["last"]
    before = state(model)
    for _ in range(2):
        model.train_on_batch(inputs, hide(labels, pattern))
    changed = of_head("V1", moved(before, state(model)))
    # Averages go on approaching their weights, which stay.
    assert all(path.endswith("_average") for path in changed)
    assert changed == set() or options == {"use_ema": True}
    if options == {"use_ema": True}:
        # `fit` ends by writing the averages into the weights.
        model = tiny(modalities=("visual",))
        model.compile(models.LazyAdam(0.05, **options), run_eagerly=True)
        before = [np.asarray(w) for w in model.head_weights("V1")]
        model.fit(inputs, hide(labels, pattern), batch_size=4, verbose=0)
        for weight, old in zip(model.head_weights("V1"), before, strict=True):
            np.testing.assert_allclose(weight, old, rtol=1e-6)


class TestAgainstNumPy:
    """Steps of a small network, written out."""

    LEARNING_RATE, L1, BETA_1, BETA_2, EPSILON = 0.05, 0.01, 0.9, 0.999, 1e-7
    CLASS_WEIGHTS = np.array([[0.5, 2.0], [1.5, 1.0]])
    STEPS = ((True, True), (True, False), (True, False), (True, True))

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
            logit = head @ w[f"{i}out/kernel"] + w[f"{i}out/bias"]  # [B, 1]
            p = 1.0 / (1.0 + np.exp(-logit[:, 0]))
            weight = self.CLASS_WEIGHTS[i][y[:, i].astype(int)]
            d_logit = (there[:, i] * weight * (p - y[:, i]) / count)[:, None]
            g[f"{i}out/kernel"] = head.T @ d_logit
            g[f"{i}out/bias"] = d_logit.sum(axis=0)
            d_head = (d_logit @ w[f"{i}out/kernel"].T) * (head_in > 0)
            g[f"{i}/kernel"] = trunk.T @ d_head
            g[f"{i}/bias"] = d_head.sum(axis=0)
            d_trunk += d_head @ w[f"{i}/kernel"].T
        d_trunk *= trunk_in > 0
        g["trunk/kernel"] = x.T @ d_trunk
        g["trunk/bias"] = d_trunk.sum(axis=0)
        for name in g:
            if name.endswith("kernel"):
                g[name] = g[name] + self.L1 * np.sign(w[name])
        return g

    def test_adam(self, tiny, batch):
        model = tiny(
            viewers=("V1", "V10"),
            trunk_units=(4,),
            modalities=("visual",),
            l1=self.L1,
            seed=5,
        )
        model.compile(
            models.LazyAdam(self.LEARNING_RATE),
            class_weights=self.CLASS_WEIGHTS,
            # Compiled steps are the same: see tests/training.
            run_eagerly=True,
        )
        layers = {"trunk": "trunk_dense_0"}
        for i, viewer in enumerate(model.viewers):
            layers[str(i)] = f"head_{viewer}_dense_0"
            layers[f"{i}out"] = f"head_{viewer}_output"
        weights = {
            f"{short}/{part}": getattr(model.get_layer(name), part)
            for short, name in layers.items()
            for part in ("kernel", "bias")
        }
        w = {name: np.float64(value) for name, value in weights.items()}
        m = {name: np.zeros_like(value) for name, value in w.items()}
        v = {name: np.zeros_like(value) for name, value in w.items()}

        for step, pattern in enumerate(self.STEPS):
            inputs, labels = batch(model, seed=step)
            labels = hide(labels, pattern)
            model.train_on_batch(inputs, labels)
            g = self.gradients(w, inputs["visual"].astype("float64"), labels)
            time = step + 1
            for name in w:
                owner = name[0]
                if owner.isdigit() and not pattern[int(owner)]:
                    continue
                m[name] += (1 - self.BETA_1) * (g[name] - m[name])
                v[name] += (1 - self.BETA_2) * (g[name] ** 2 - v[name])
                rate = self.LEARNING_RATE * np.sqrt(1 - self.BETA_2**time)
                rate /= 1 - self.BETA_1**time
                w[name] -= rate * m[name] / (np.sqrt(v[name]) + self.EPSILON)

        for name, weight in weights.items():
            np.testing.assert_allclose(weight, w[name], atol=2e-5)


class TestLazyAdam:
    def test_a_word_that_recurs_counts_with_the_sum(self):
        """Keras alone would add up the squares for the second moment."""
        embedding = keras.layers.Embedding(3, 1)
        model = keras.Sequential([keras.Input((4,)), embedding])
        model.compile(models.LazyAdam(0.1), loss=lambda y, p: p)
        tokens = np.array([[1, 1, 1, 2]])
        model.train_on_batch(tokens, np.zeros((1, 4, 1)))
        (velocity,) = [
            np.asarray(v)
            for v in model.optimizer.variables
            if v.path.endswith("velocity")
        ]
        # The mean over four places: gradients 3/4 and 1/4.
        expected = 0.001 * np.array([[0.0], [0.75**2], [0.25**2]])
        np.testing.assert_allclose(velocity, expected, rtol=1e-5)

    def test_a_gradient_that_is_no_number_is_not_overlooked(self):
        variable = keras.Variable([1.0, 2.0])
        optimizer = models.LazyAdam(0.1)
        optimizer.apply([np.array([NAN, 0.0], "float32")], [variable])
        assert np.isnan(np.asarray(variable)[0])
