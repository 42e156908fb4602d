"""Seeds, the L1 penalty and the standardization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models

NAN = np.nan


class TestStreamSeed:
    def test_same_name_same_seed(self):
        assert models.stream_seed(3, "a", "b") == models.stream_seed(
            3, "a", "b"
        )

    def test_streams_differ(self):
        seeds = [
            models.stream_seed(*arguments)
            for arguments in ((0, "a"), (1, "a"), (0, "b"), (0, "a", "b"))
        ]
        seeds += [models.stream_seed(0, "ab"), models.stream_seed(0)]
        assert len(set(seeds)) == len(seeds)
        assert all(0 <= seed < 2**31 for seed in seeds)

    def test_numpy_integers_count_as_integers(self):
        assert models.stream_seed(np.int64(3), "a") == models.stream_seed(
            3, "a"
        )

    def test_the_value_is_fixed(self):
        # Frozen: first four bytes of sha256(b"(0, 'order')"), little-endian,
        # modulo 2**31. A change would change every result.
        assert models.stream_seed(0, "order") == 1906976191


class TestAdjustableL1:
    def test_equals_keras(self):
        x = tf.constant([[1.0, -2.0], [0.5, 0.0]])
        ours, theirs = models.AdjustableL1(0.3), keras.regularizers.L1(0.3)
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)
        np.testing.assert_allclose(ours(x), 0.3 * 3.5, rtol=1e-6)

    def test_strength_can_change_under_a_trace(self):
        penalty = models.AdjustableL1(1.0)
        compute = tf.function(lambda: penalty(tf.constant([2.0])))
        assert compute() == 2.0
        penalty.l1 = 3.0
        assert compute() == 6.0
        assert compute.experimental_get_tracing_count() == 1

    def test_config_is_exact(self):
        penalty = models.AdjustableL1(1e-5)
        config = keras.saving.serialize_keras_object(penalty)
        revived = keras.saving.deserialize_keras_object(config)
        assert revived.l1 == 1e-5

    @pytest.mark.parametrize("value", [-1.0, NAN, np.inf])
    def test_impossible_strength(self, value):
        with pytest.raises(ValueError, match="`l1` must be finite"):
            models.AdjustableL1(value)


class TestStandardization:
    x = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, -1.0]], "float32")

    def test_changes_nothing_at_first(self):
        np.testing.assert_array_equal(models.Standardization()(self.x), self.x)

    def test_standardizes(self):
        layer = models.Standardization()
        layer.build((None, 3))
        layer.set_statistics(self.x.mean(axis=0), self.x.var(axis=0))
        expected = [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]
        np.testing.assert_allclose(layer(self.x), expected, atol=1e-6)

    def test_a_feature_that_never_varied_is_ignored(self):
        layer = models.Standardization()
        layer.build((None, 3))
        layer.set_statistics(self.x.mean(axis=0), self.x.var(axis=0))
        np.testing.assert_array_equal(layer(self.x + 5.0)[:, 1], [0.0, 0.0])

    def test_statistics_can_change_under_a_trace(self):
        layer = models.Standardization()
        layer.build((None, 3))
        compute = tf.function(layer, jit_compile=True)
        compute(self.x)
        layer.set_statistics(np.ones(3), np.full(3, 4.0))
        np.testing.assert_allclose(compute(self.x), (self.x - 1.0) / 2.0)
        assert compute.experimental_get_tracing_count() == 1

    def test_does_not_train(self):
        layer = models.Standardization()
        layer.build((None, 3))
        assert layer.trainable_variables == []

    @pytest.mark.parametrize(
        ("mean", "variance", "message"),
        [
            (np.zeros(2), np.ones(3), r"`mean` must have shape \[3\]. Rec.*2"),
            (np.zeros(3), np.ones(4), r"`variance` must have shape \[3\]"),
            ([0, NAN, 0], np.ones(3), "`mean` must be finite"),
            (np.zeros(3), [1, np.inf, 1], "`variance` must be finite"),
            (np.zeros(3), [1, -1, 1], "`variance` must not be negative"),
        ],
    )
    def test_impossible_statistics(self, mean, variance, message):
        layer = models.Standardization()
        layer.build((None, 3))
        with pytest.raises(ValueError, match=message):
            layer.set_statistics(mean, variance)
