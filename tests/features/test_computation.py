import pytest
import tensorflow as tf

from emotion_mt.features import computation


@pytest.fixture
def speeds(monkeypatch):
    def measured(**by_name):
        monkeypatch.setattr(
            computation, "measure_speedup", lambda name: by_name[name]
        )

    return measured


def test_a_slow_type_is_used_with_a_warning(speeds, monkeypatch):
    messages = []
    monkeypatch.setattr(
        computation.logging,
        "warning",
        lambda text, *a: messages.append(text % a),
    )
    speeds(bfloat16=0.25)
    computation.check_dtype("bfloat16")
    assert "bfloat16 is slower than in float32" in messages[0]
    assert "0.25 times" in messages[0]
    speeds(bfloat16=1.9)
    computation.check_dtype("bfloat16")
    assert len(messages) == 1


def test_float16_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(ValueError, match="'float16' needs a GPU"):
        computation.check_dtype("float16")


def test_unknown_type():
    for name in ("int8", "auto"):
        with pytest.raises(ValueError, match=rf"`dtype` must be .* '{name}'"):
            computation.check_dtype(name)


def test_float32_is_not_measured(speeds):
    speeds()
    computation.check_dtype("float32")


def test_speedup_is_a_ratio_of_times(monkeypatch):
    # A clock on which float32 always takes 4 and the other type 2.
    ticks = iter([0, 4, 4, 6] * 10)
    monkeypatch.setattr(
        computation.time, "perf_counter", lambda: float(next(ticks))
    )
    assert computation.measure_speedup("bfloat16", repeats=2) == 2.0


def test_speedup_of_this_machine_is_positive():
    assert computation.measure_speedup("bfloat16", repeats=1) > 0
