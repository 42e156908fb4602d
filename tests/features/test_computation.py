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


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: ["gpu"]
    )


def test_auto_takes_a_fast_type(speeds):
    speeds(bfloat16=1.8)
    assert computation.choose_dtype("auto") == "bfloat16"


def test_auto_leaves_a_slow_type(speeds):
    speeds(bfloat16=1.1)
    assert computation.choose_dtype("auto") == "float32"


def test_auto_on_a_gpu_considers_float16(speeds, gpu):
    speeds(bfloat16=1.5, float16=2.5)
    assert computation.choose_dtype("auto") == "float16"
    speeds(bfloat16=2.5, float16=1.5)
    assert computation.choose_dtype("auto") == "bfloat16"


def test_a_slow_type_is_used_with_a_warning(speeds, monkeypatch):
    messages = []
    monkeypatch.setattr(
        computation.logging,
        "warning",
        lambda text, *a: messages.append(text % a),
    )
    speeds(bfloat16=0.25)
    assert computation.choose_dtype("bfloat16") == "bfloat16"
    assert "bfloat16 is slower than in float32" in messages[0]
    assert "0.25 times" in messages[0]
    speeds(bfloat16=1.9)
    computation.choose_dtype("bfloat16")
    assert len(messages) == 1


def test_float16_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(ValueError, match="'float16' needs a GPU"):
        computation.choose_dtype("float16")


def test_unknown_type():
    with pytest.raises(ValueError, match=r"`dtype` must be .* 'int8'"):
        computation.choose_dtype("int8")


def test_float32_is_not_measured(speeds):
    speeds()
    assert computation.choose_dtype("float32") == "float32"


def test_speedup_is_a_ratio_of_times(monkeypatch):
    # A clock on which float32 always takes 4 and the other type 2.
    ticks = iter([0, 4, 4, 6] * 10)
    monkeypatch.setattr(
        computation.time, "perf_counter", lambda: float(next(ticks))
    )
    assert computation.measure_speedup("bfloat16", repeats=2) == 2.0


def test_speedup_of_this_machine_is_positive():
    assert computation.measure_speedup("bfloat16", repeats=1) > 0
