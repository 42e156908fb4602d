"""Seeds and the normalization of visual features."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_mt import models
from emotion_mt.models.layers import stream_seed

NAN = np.nan


class TestStreamSeed:
    def test_the_value_is_fixed(self):
        # Frozen: first four bytes of sha256(b"(0, 'order')"), little-endian,
        # modulo 2**31. A change would change every result.
        assert stream_seed(0, "order") == 1906976191
        assert stream_seed(np.int64(0), "order") == 1906976191


class TestFeatureNormalization:
    x = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, -1.0]], "float32")

    @pytest.fixture
    def layer(self):
        layer = models.FeatureNormalization()
        layer.build((None, 3))
        return layer

    def test_changes_nothing_at_first(self, layer):
        np.testing.assert_array_equal(layer(self.x), self.x)

    def test_standardizes(self, layer):
        layer.adapt(self.x)
        expected = [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]
        np.testing.assert_allclose(layer(self.x), expected, atol=1e-6)

    def test_a_feature_that_never_varied_is_ignored(self, layer):
        layer.adapt(self.x)
        np.testing.assert_array_equal(layer(self.x + 5.0)[:, 1], [0.0, 0.0])

    def test_statistics_reach_a_compiled_call(self, layer):
        compute = tf.function(layer, jit_compile=True)
        compute(self.x)
        layer.adapt(self.x)
        np.testing.assert_allclose(compute(self.x), layer(self.x), atol=1e-6)
        assert compute.experimental_get_tracing_count() == 1

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ([[0.0, NAN, 0.0]], "finite.* 1 that are not finite"),
            (np.zeros((0, 3)), r"at least one row. Received shape \[0, 3\]"),
        ],
    )
    def test_impossible_data(self, layer, data, message):
        with pytest.raises(ValueError, match=message):
            layer.adapt(data)
