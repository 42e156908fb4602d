"""The check of a GPU checks itself on a processor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NETWORKS = {
    f"{network}, {dtype}"
    for network in ("ST", "MT", "I3D")
    for dtype in ("float32", "bfloat16")
}


def run(backend, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **{"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
            **{"CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(REPOSITORY)},
        },
        capture_output=True,
        text=True,
    )


def test_a_processor_agrees_with_itself():
    # JAX compiles the I3D for minutes on a processor.
    done = run("tensorflow", "benchmarks/gpu_check.py", "--tiny")
    assert done.returncode == 0, done.stderr
    lines = [line.split(" | ") for line in done.stdout.splitlines()]
    table = {cells[0].removeprefix("| "): cells[1:] for cells in lines}
    assert set(table) > NETWORKS
    for name in NETWORKS:
        distance, step_ms, *_ = table[name]
        assert float(distance) <= 1e-3
        assert float(step_ms) > 0


def test_models_and_i3d_need_no_tensorflow():
    pytest.importorskip("jax", reason="jax is not installed")
    code = (
        "import emotion_mt.models, emotion_mt.features.i3d, sys\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = run("jax", "-c", code)
    assert done.returncode == 0, done.stderr
