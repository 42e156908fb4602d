"""Speed, memory and exactness of the feature extraction, as ratios.

Everything is measured in one run on one machine, in turn, the best of
several rounds counting; absolute figures of different machines say little.
Run it on a machine that does nothing else:

    python benchmarks/extraction.py

It prints a Markdown table: the network against the machine's own matrix
product, bfloat16 against float32, a film's file against the bare network,
and the peak memory for a 10-minute and a 60-minute film. docs/performance.md
keeps a run.

PyTorch with the I3D of piergiaj/pytorch-i3d and our weights is measured
beside it with --pytorch_i3d=FOLDER_OF_THE_CLONE: `pip install torch`, and
clone that repository from GitHub.
"""

from __future__ import annotations

import functools
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from absl import app, flags

from emotion_mt import paper
from emotion_mt.corpus import SEGMENT_COLUMNS, Corpus, load_corpus
from emotion_mt.features import (
    architecture,
    build_i3d,
    extract,
    pipeline,
    sources,
    weights as weights_lib,
)
from emotion_mt.simulation import simulate_corpus

_WEIGHTS = flags.DEFINE_string(
    "weights", "auto", "Source of the I3D's weights; see load_i3d."
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 5, "Rounds of which the best counts.", lower_bound=1
)
_BATCH = flags.DEFINE_integer(
    "batch_windows", 4, "Windows per call of the network.", lower_bound=1
)
_SEGMENTS = flags.DEFINE_integer(
    "segments",
    2,
    "Segments of the shortest of three extractions from a film, 11 windows "
    "each; the others have twice and four times as many.",
    lower_bound=1,
)
_PYTORCH_I3D = flags.DEFINE_string(
    "pytorch_i3d", None, "Folder of a clone of piergiaj/pytorch-i3d."
)
_CLIP = flags.DEFINE_string(
    "clip", None, "A real video of 16 s to compare bfloat16 with float32 on."
)
_MEMORY_FILM = flags.DEFINE_string(
    "memory_film",
    None,
    "Internal: extract from this film and print the peak memory in MiB.",
)

#: Length of the segments in seconds: 100 frames, 11 windows.
_SEGMENT_S = 4.0
_SEGMENT_WINDOWS = 11

#: Side of the matrices that are multiplied.
_MATRIX = 4096

#: Lengths of the films whose peak memory is compared, in minutes.
_LENGTHS_MIN = (10, 60)

Models = dict[str, keras.Model]


def print_row(what: str, measured: str, ratio: str = "") -> None:
    """Prints a row of the table."""
    print(f"| {what} | {measured} | {ratio} |", flush=True)


def window_gflop() -> float:
    """GFLOP of the convolutions for one window of 16 frames."""
    positions = {"1": 8 * 112**2, "2": 8 * 56**2, "3": 8 * 28**2}
    positions |= {"4": 4 * 14**2, "5": 2 * 7**2}
    total = 0
    for unit in architecture.units().values():
        if unit.has_batch_norm:
            # "Conv3d_2c_3x3" and "Mixed_5b/…": the stage sets the resolution.
            stage = unit.name.split("_")[1][0]
            products = unit.kernel**3 * unit.inputs * unit.outputs
            total += 2 * products * positions[stage]
    return total / 1e9


def best_times(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Best time in seconds of each, all of them in turn, round by round."""
    for function in work.values():
        function()
    best = dict.fromkeys(work, float("inf"))
    for _ in range(_ROUNDS.value):
        for name, function in work.items():
            start = time.perf_counter()
            function()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def _run(function: Callable[..., tf.Tensor], *tensors: tf.Tensor) -> np.ndarray:
    return function(*tensors).numpy()


def measure_network(
    models: Models, variables: dict[str, np.ndarray]
) -> dict[str, float]:
    """Compares the network with a matrix product and the peer.

    Args:
        models: Computation type to network.
        variables: The weights, for the peer.

    Returns:
        Seconds per window of each type.
    """
    batch = _BATCH.value
    shape = (batch, 16, 224, 224, 3)
    windows = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    tensor = tf.constant(windows)
    matrix = tf.random.normal((_MATRIX, _MATRIX))
    product = tf.function(tf.linalg.matmul)
    work = {"product": functools.partial(_run, product, matrix, matrix)}
    for dtype, model in models.items():
        network = pipeline.pooled_network(model)
        work[dtype] = functools.partial(_run, network, tensor)
    if _PYTORCH_I3D.value is not None:
        from torch_peer import load_peer

        peer = load_peer(_PYTORCH_I3D.value, variables, windows)
        error = float(np.abs(peer() - work["float32"]()).max())
        work["peer"] = peer
    best = best_times(work)

    product_rate = 2 * _MATRIX**3 / 1e9 / best["product"]
    name = f"matrix product {_MATRIX}×{_MATRIX}, float32"
    print_row(name, f"{product_rate:.0f} GFLOP/s")
    for dtype in models:
        rate = batch * window_gflop() / best[dtype]
        print_row(
            f"network, {dtype}",
            f"{batch / best[dtype]:.2f} windows/s, {rate:.0f} GFLOP/s",
            f"{rate / product_rate:.2f} × matrix product, "
            f"{best['float32'] / best[dtype]:.2f} × float32",
        )
    if "peer" in best:
        ours = (f"{best['peer'] / best[d]:.1f} × it in {d}" for d in models)
        print_row(
            f"PyTorch, pytorch-i3d (features agree within {error:.0e})",
            f"{batch / best['peer']:.2f} windows/s",
            f"we: {', '.join(ours)}",
        )
    return {dtype: best[dtype] / batch for dtype in models}


def write_film(
    path: pathlib.Path, seconds: float, size: tuple[int, int]
) -> str:
    """Writes a film of 25 fps (MPEG-4) and returns its path."""
    width, height = size
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (height // 8, width // 4, 3), np.uint8)
    texture = cv2.resize(texture, (2 * width, height))
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), codec, 25.0, size)
    for number in range(round(seconds * 25)):
        start = 3 * number % width
        frame = texture[:, start : start + width]
        writer.write(np.ascontiguousarray(frame))
    writer.release()
    return str(path)


def film_corpus(video: str, starts_s: list[float]) -> Corpus:
    """A corpus of segments of `_SEGMENT_S` in one film."""
    rows = [
        (f"S{start}", "FILM", start, start + _SEGMENT_S, "", video)
        for start in starts_s
    ]
    segments = pd.DataFrame(rows, columns=list(SEGMENT_COLUMNS))
    values = np.zeros((len(rows), 1), np.float32)
    return Corpus("benchmark", segments, ("V1",), values)


def measure_films(
    models: Models, network_s: dict[str, float], folder: pathlib.Path
) -> None:
    """From the file to the feature: three lengths, and the slope."""
    counts = [_SEGMENTS.value * factor for factor in (1, 2, 4)]
    windows = [count * _SEGMENT_WINDOWS for count in counts]
    size = (640, 360)
    film = write_film(folder / "film.mp4", counts[-1] * _SEGMENT_S, size)
    for dtype, model in models.items():
        seconds, waiting_s = [], 0.0
        for count in counts:
            report = extract(
                film_corpus(film, [_SEGMENT_S * n for n in range(count)]),
                model,
                folder / f"store-{dtype}-{count}",
                progress=False,
                batch_windows=_BATCH.value,
            ).report
            seconds.append(report.total_s)
            waiting_s = report.waiting_s
        slope_s, fixed_s = np.polyfit(windows, seconds, 1)
        points = zip(windows, seconds, strict=True)
        print_row(
            f"file to feature, {dtype}, {size[0]}×{size[1]}",
            f"{1 / slope_s:.2f} windows/s",
            f"{network_s[dtype] / slope_s:.2f} × network only",
        )
        print_row(
            f"cost by windows, {dtype}",
            ", ".join(f"{n}: {s:.1f} s" for n, s in points),
            f"{slope_s:.3f} s/window + {fixed_s:.1f} s; waited "
            f"{waiting_s:.1f} s for frames",
        )


def measure_agreement(models: Models, folder: pathlib.Path) -> None:
    """Cosine of the pooled features of bfloat16 with float32's."""
    simulated = folder / "simulated"
    simulate_corpus(simulated, segments_per_movie=2, progress=False)
    corpora = {"simulated films": load_corpus(simulated)}
    if _CLIP.value is not None:
        starts = [0.0, 4.0, 8.0, 12.0]
        corpora["real clip"] = film_corpus(_CLIP.value, starts)
    for name, corpus in corpora.items():
        expected, received = (
            extract(corpus, model, folder / "store", progress=False).features
            for model in models.values()
        )
        norms = np.linalg.norm(received, axis=1)
        norms = norms * np.linalg.norm(expected, axis=1)
        cosines = np.sum(received * expected, axis=1) / norms
        print_row(
            f"bfloat16 against float32, {name}",
            f"{len(cosines)} segments",
            f"cosine ≥ {cosines.min():.5f}",
        )


def peak_mib(flag: str, value: str, *more: str) -> float:
    """Runs this program's caller with a flag; returns what it prints last."""
    command = [sys.executable, sys.argv[0], f"--{flag}={value}", *more]
    output = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout
    return float(output.split()[-1])


def print_peak() -> None:
    """Prints the peak memory of this process in MiB."""
    # Linux gives KiB, macOS bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def print_peaks(peaks: list[float], lengths_min: tuple[int, int]) -> None:
    """Prints the row of the peaks of a short and a long film."""
    print_row(
        f"peak memory, films of {lengths_min[0]} and {lengths_min[1]} minutes",
        f"{peaks[0]:.0f} and {peaks[1]:.0f} MiB",
        f"{peaks[1] / peaks[0]:.2f}",
    )


def measure_memory(folder: pathlib.Path) -> None:
    """Peak memory of a process that extracts from a short and a long film."""
    peaks = []
    for minutes in _LENGTHS_MIN:
        film = write_film(folder / "long.mp4", 60 * minutes, (320, 180))
        batch = f"--batch_windows={_BATCH.value}"
        peaks.append(peak_mib("memory_film", film, batch))
    print_peaks(peaks, _LENGTHS_MIN)


def extract_from(film: str) -> None:
    """Extracts from start, middle and end of a film; prints the peak."""
    capture = cv2.VideoCapture(film)
    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    last_s = frames / paper.FPS - _SEGMENT_S
    corpus = film_corpus(film, [0.0, last_s / 2, last_s])
    with tempfile.TemporaryDirectory() as folder:
        extract(
            corpus,
            build_i3d(),
            folder,
            progress=False,
            batch_windows=_BATCH.value,
        )
    print_peak()


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _MEMORY_FILM.value is not None:
        extract_from(_MEMORY_FILM.value)
        return
    variables = sources.find_variables(_WEIGHTS.value)
    models = {d: build_i3d(dtype=d) for d in ("float32", "bfloat16")}
    for model in models.values():
        weights_lib.assign(model, variables)
    print(
        f"{os.cpu_count()} processors ({platform.machine()}), TensorFlow "
        f"{tf.__version__}, Keras {keras.__version__}, OpenCV "
        f"{cv2.__version__}; {window_gflop():.1f} GFLOP per window, batches "
        f"of {_BATCH.value}, best of {_ROUNDS.value}\n"
    )
    print("| what | measured | ratio |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        network_s = measure_network(models, variables)
        measure_films(models, network_s, folder)
        measure_agreement(models, folder)
        measure_memory(folder)


if __name__ == "__main__":
    app.run(main)
