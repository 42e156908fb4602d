import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models

NAN = np.nan
LABELS = np.array([[1.0, NAN, 0.0], [NAN, NAN, 1.0]], "float32")
FILLED = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "float32")
OBSERVED = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], "float32")


def check(filled, observed, rows=slice(None)):
    np.testing.assert_array_equal(filled, FILLED[rows])
    np.testing.assert_array_equal(observed, OBSERVED[rows])
    assert np.asarray(filled).dtype == np.asarray(observed).dtype == "float32"


def test_eager():
    check(*models.split_missing(LABELS))


def test_leaves_its_input_alone():
    labels = LABELS.copy()
    models.split_missing(labels)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("jit", [False, True])
def test_compiled(jit):
    check(*tf.function(models.split_missing, jit_compile=jit)(LABELS))


def test_in_a_dataset_row_by_row_and_batched():
    rows = tf.data.Dataset.from_tensor_slices(LABELS)
    for i, parts in enumerate(rows.map(models.split_missing)):
        check(*parts, rows=i)
    (parts,) = rows.batch(2).map(models.split_missing)
    check(*parts)


def test_nothing_missing():
    filled, observed = models.split_missing(FILLED)
    np.testing.assert_array_equal(filled, FILLED)
    assert np.all(np.asarray(observed) == 1.0)
