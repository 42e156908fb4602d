"""Limits: defaults and nonsense."""

import math

import pytest

from emotion_mt.demo import Limits


def test_bytes():
    assert Limits(max_upload_mb=1.5).max_upload_bytes == 1_500_000
    assert Limits(max_upload_mb=1e-9).max_upload_bytes == 1


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["max_upload_mb", "max_minutes", "queue_size"])
def test_refused(name, value):
    with pytest.raises(
        ValueError, match=rf"`{name}` must be a positive number. Received: "
    ):
        Limits(**{name: value})
