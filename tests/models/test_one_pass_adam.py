"""TensorFlow's kernel moves the weights as Keras's Adam does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt.models import one_pass_adam

NAN = np.nan

OTHERS = {
    "another": lambda: keras.optimizers.SGD(0.1),
    "a kind of Adam": lambda: keras.optimizers.AdamW(0.1),
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "average": lambda: keras.optimizers.Adam(use_ema=True),
    "decay": lambda: keras.optimizers.Adam(weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(clipnorm=1.0),
    "clipped values": lambda: keras.optimizers.Adam(clipvalue=1.0),
    "clipped together": lambda: keras.optimizers.Adam(global_clipnorm=1.0),
    "scaled": lambda: keras.optimizers.Adam(loss_scale_factor=2.0),
    "accumulated": lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
    "none": lambda: None,
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_optimizers_step_themselves(name):
    assert not one_pass_adam.can_step(OTHERS[name]())
    assert one_pass_adam.can_step(keras.optimizers.Adam(0.1, epsilon=1e-3))


def test_steps_are_kerass_own(tiny, batch):
    """Four batches, of which the third has no label of the first viewer."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.5)
    models = []
    for eagerly in (False, True):
        model = tiny(l1=0.01)
        model.compile_for_training(
            optimizer=keras.optimizers.Adam(schedule, 0.8, 0.99, 1e-4),
            run_eagerly=eagerly,
            jit_compile=False,
        )
        models.append(model)
    steps = []
    for number in range(4):
        inputs, labels = batch(models[0], seed=number)
        # The same word many times, and words that are not in each batch.
        inputs["tokens"] = inputs["tokens"] % (2 + number)
        if number == 2:
            labels[:, 0] = NAN
        logs = [
            m.train_on_batch(inputs, labels, return_dict=True) for m in models
        ]
        assert logs[0] == pytest.approx(logs[1], rel=1e-5, nan_ok=True)
        steps.append([m.optimizer.iterations.numpy() for m in models])
    assert steps == [[n, n] for n in range(1, 5)]
    variables = [[*m.variables, *m.optimizer.variables] for m in models]
    for ours, theirs in zip(*variables, strict=True):
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-6
        )


def test_a_row_that_comes_several_times():
    """Keras adds up the squares of such rows, and so do we."""
    rows = tf.constant([3, 0, 3, 3])
    random = np.random.default_rng(0)
    variables, optimizers = [], []
    start = random.normal(size=(5, 2)).astype("float32")
    for _ in range(2):
        variables.append(keras.Variable(start))
        optimizers.append(keras.optimizers.Adam(0.1))
        optimizers[-1].build([variables[-1]])
    for _ in range(3):
        values = tf.constant(random.normal(size=(4, 2)).astype("float32"))
        gradient = tf.IndexedSlices(values, rows, (5, 2))
        one_pass_adam.step(
            optimizers[0], [gradient], [[variables[0]]], tf.constant([1.0])
        )
        optimizers[1].apply([gradient])
    for ours, theirs in zip(
        [variables[0], *optimizers[0].variables],
        [variables[1], *optimizers[1].variables],
        strict=True,
    ):
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-7
        )
    assert np.all(variables[0].numpy()[0] != start[0])
