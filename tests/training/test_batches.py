import keras
import numpy as np
import pytest

from emotion_mt.training import batches, data

NAN = np.nan
COUNT, SIZE = 7, 3


@pytest.fixture
def segments():
    numbers = np.arange(1, COUNT + 1, dtype="float32")
    return data.Segments(
        rows=np.arange(COUNT),
        inputs={
            "tokens": np.stack([numbers, -numbers], axis=1).astype("int32"),
            "visual": numbers[:, None],
        },
        labels=np.stack([numbers % 2, np.full(COUNT, NAN)], 1).astype("f4"),
        left_out={},
    )


def epochs_of(segments, seed, epochs=4, first=0):
    """Numbers of the segments, per epoch, in the order of the batches."""
    dataset = batches.training_stream(segments, SIZE, epochs, seed, first)
    seen = []
    for inputs, labels in dataset.as_numpy_iterator():
        numbers = inputs["visual"][:, 0]
        assert labels.shape == (SIZE, 2)
        assert inputs["tokens"].dtype == "int32"
        np.testing.assert_array_equal(inputs["tokens"][:, 0], numbers)
        empty = numbers == 0
        assert np.all(np.isnan(labels[empty]))
        np.testing.assert_array_equal(labels[~empty, 0], numbers[~empty] % 2)
        seen.append(numbers.astype(int))
    return np.concatenate(seen).reshape(epochs - first, -1).tolist()


def test_each_epoch_has_every_segment_once_and_is_filled_up(segments):
    steps = batches.steps(segments, SIZE)
    assert steps == 3
    for epoch in epochs_of(segments, seed=0):
        assert sorted(epoch[:COUNT]) == list(range(1, COUNT + 1))
        assert epoch[COUNT:] == [0] * (steps * SIZE - COUNT)


def test_epochs_have_orders_of_their_own(segments):
    orders = {tuple(epoch) for epoch in epochs_of(segments, seed=0)}
    assert len(orders) == 4


def test_a_later_beginning_leaves_the_orders_as_they_are(segments):
    whole = epochs_of(segments, seed=0)
    assert epochs_of(segments, seed=0, first=3) == whole[3:]


def test_order_depends_on_the_seed_alone(segments):
    keras.utils.set_random_seed(1)
    first = epochs_of(segments, seed=0)
    keras.utils.set_random_seed(2)
    assert epochs_of(segments, seed=0) == first
    assert epochs_of(segments, seed=1) != first


def test_longer_training_begins_the_same(segments):
    assert epochs_of(segments, 0, epochs=6)[:4] == epochs_of(segments, 0)


def test_iterated_twice_it_is_the_same(segments):
    dataset = batches.training_stream(segments, SIZE, 2, seed=0)
    one, two = (
        [x["visual"].tolist() for x, _ in dataset.as_numpy_iterator()]
        for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize("size", [1, 3, 7, 10])
def test_fixed_batches_keep_the_order(segments, size):
    parts = list(batches.fixed_batches(segments, size).as_numpy_iterator())
    assert len(parts) == batches.steps(segments, size)
    numbers = np.concatenate([x["visual"][:, 0] for x, _ in parts])
    labels = np.concatenate([y for _, y in parts])
    np.testing.assert_array_equal(numbers[:COUNT], np.arange(1, COUNT + 1))
    np.testing.assert_array_equal(labels[:COUNT], segments.labels)
    assert np.all(np.isnan(labels[COUNT:]))
    assert len(numbers) % size == 0
