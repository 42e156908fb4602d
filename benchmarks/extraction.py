"""Speed, memory and exactness of the feature extraction, as ratios.

Everything is measured in one run on one machine, in turn, the best of
several rounds counting; absolute figures of different machines say little.
Run it on a machine that does nothing else:

    python benchmarks/extraction.py

It prints a Markdown table: the network against the machine's own matrix
product, bfloat16 against float32, a film's file against the bare network,
the cost by the number of windows, and the peak memory for a 10-minute and a
60-minute film. docs/performance.md keeps a run.

PyTorch with the I3D of piergiaj/pytorch-i3d and our weights is measured
beside it where it is installed: `pip install torch`, clone that repository
from GitHub, and add --pytorch_i3d=FOLDER_OF_THE_CLONE.
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
from collections.abc import Callable, Iterator

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import torch_peer
from absl import app, flags

from emotion_mt import paper
from emotion_mt.corpus import (
    SEGMENT_COLUMNS,
    Corpus,
    load_corpus,
    simulate_corpus,
)
from emotion_mt.features import (
    architecture,
    build_i3d,
    extract,
    pipeline,
    sources,
    weights as weights_lib,
)

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
    "clip",
    "../shared/clips/v_GGSY1Qvo990.mp4",
    "A real video for the comparison of bfloat16 with float32.",
)
_MEMORY_FILM = flags.DEFINE_string(
    "memory_film",
    None,
    "Internal: extract from this film and print the peak memory in MiB.",
)

#: Length of the segments in seconds: 100 frames, 11 windows.
_SEGMENT_S = 4.0
_SEGMENT_WINDOWS = 11

#: Sides of the matrices that are multiplied.
_MATRICES = (2048, 4096)

#: Name, measured, ratio.
Row = tuple[str, str, str]


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


def network_rows(
    models: dict[str, keras.Model], variables: dict[str, np.ndarray]
) -> tuple[list[Row], dict[str, float]]:
    """The network against matrix products and the peer.

    Args:
        models: Computation type to network.
        variables: The weights, for the peer.

    Returns:
        Rows of the table, and seconds per window of each type.
    """
    batch = _BATCH.value
    shape = (batch, 16, 224, 224, 3)
    windows = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    tensor = tf.constant(windows)
    product = tf.function(tf.linalg.matmul)
    work: dict[str, Callable[[], object]] = {}
    for size in _MATRICES:
        matrix = tf.random.normal((size, size))
        work[str(size)] = functools.partial(_run, product, matrix, matrix)
    for dtype, model in models.items():
        network = pipeline.pooled_network(model)
        work[dtype] = functools.partial(_run, network, tensor)
    missing = ""
    try:
        peer, version = torch_peer.load_peer(
            _PYTORCH_I3D.value, variables, windows
        )
        error = float(np.abs(peer() - np.asarray(work["float32"]())).max())
        work["peer"] = peer
    except torch_peer.PeerMissingError as reason:
        missing = str(reason)
    best = best_times(work)

    gflop = batch * window_gflop()
    products = {n: 2 * n**3 / 1e9 / best[str(n)] for n in _MATRICES}
    rows = [
        (f"matrix product {n}×{n}, float32", f"{rate:.0f} GFLOP/s", "")
        for n, rate in products.items()
    ]
    for dtype in models:
        rate = gflop / best[dtype]
        ratio = f"{rate / max(products.values()):.2f} × matrix product"
        if dtype != "float32":
            ratio = f"{best['float32'] / best[dtype]:.2f} × float32"
        speed = f"{batch / best[dtype]:.2f} windows/s, {rate:.0f} GFLOP/s"
        rows.append((f"network, {dtype}", speed, ratio))
    if missing:
        rows.append(("PyTorch, pytorch-i3d", "left out", missing))
    else:
        speed = f"{batch / best['peer']:.2f} windows/s ({version})"
        ours = (f"{best['peer'] / best[d]:.1f} × it in {d}" for d in models)
        name = f"PyTorch, pytorch-i3d (features agree within {error:.0e})"
        rows.append((name, speed, "we: " + ", ".join(ours)))
    return rows, {dtype: best[dtype] / batch for dtype in models}


def film_frames(count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Frames of a texture that moves; uint8 [H, W, 3]."""
    width, height = size
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (height // 8, width // 4, 3), np.uint8)
    texture = cv2.resize(texture, (2 * width, height))
    for number in range(count):
        start = 3 * number % width
        yield np.ascontiguousarray(texture[:, start : start + width])


def write_film(
    path: pathlib.Path, seconds: float, size: tuple[int, int]
) -> str:
    """Writes a film of 25 fps (MPEG-4) and returns its path."""
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), codec, 25.0, size)
    for frame in film_frames(round(seconds * 25), size):
        writer.write(frame)
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


def film_rows(
    models: dict[str, keras.Model],
    network_s: dict[str, float],
    folder: pathlib.Path,
) -> list[Row]:
    """From the file to the feature: three lengths, and the slope."""
    counts = [_SEGMENTS.value * factor for factor in (1, 2, 4)]
    size = (640, 360)
    film = write_film(folder / "film.mp4", counts[-1] * _SEGMENT_S, size)
    rows = []
    for dtype, model in models.items():
        seconds, waiting_s = [], 0.0
        for count in counts:
            starts = [_SEGMENT_S * n for n in range(count)]
            report = extract(
                film_corpus(film, starts),
                model,
                folder / f"store-{dtype}-{count}",
                progress=False,
                batch_windows=_BATCH.value,
            ).report
            seconds.append(report.total_s)
            waiting_s = report.waiting_s
        windows = [count * _SEGMENT_WINDOWS for count in counts]
        slope_s, fixed_s = np.polyfit(windows, seconds, 1)
        points = ", ".join(
            f"{n}: {s:.1f} s" for n, s in zip(windows, seconds, strict=True)
        )
        rows += [
            (
                f"file to feature, {dtype}, {size[0]}×{size[1]}",
                f"{1 / slope_s:.2f} windows/s",
                f"{network_s[dtype] / slope_s:.2f} × network only",
            ),
            (
                f"cost by windows, {dtype}",
                points,
                f"{slope_s:.3f} s/window + {fixed_s:.1f} s; waited "
                f"{waiting_s:.1f} s for frames",
            ),
        ]
    return rows


def agreement_rows(
    models: dict[str, keras.Model], folder: pathlib.Path
) -> list[Row]:
    """Cosine of the pooled features of each type with float32's."""
    corpora = {}
    if os.path.exists(_CLIP.value):
        corpora["real clip"] = film_corpus(_CLIP.value, [0.0, 4.0, 8.0, 12.0])
    simulated = folder / "simulated"
    simulate_corpus(simulated, segments_per_movie=2, progress=False)
    corpora["simulated films"] = load_corpus(simulated)
    rows = []
    for name, corpus in corpora.items():
        features = {
            dtype: extract(
                corpus, model, folder / "store", progress=False
            ).features
            for dtype, model in models.items()
        }
        expected = features.pop("float32")
        for dtype, received in features.items():
            norms = np.linalg.norm(received, axis=1)
            norms = norms * np.linalg.norm(expected, axis=1)
            cosines = np.sum(received * expected, axis=1) / norms
            rows.append(
                (
                    f"{dtype} against float32, {name}",
                    f"{len(cosines)} segments",
                    f"cosine ≥ {cosines.min():.5f}",
                )
            )
    return rows


def memory_rows(folder: pathlib.Path) -> list[Row]:
    """Peak memory of a process that extracts from a short and a long film."""
    rows = []
    for minutes in (10, 60):
        film = write_film(folder / f"{minutes}.mp4", 60 * minutes, (320, 180))
        command = [sys.executable, __file__, f"--memory_film={film}"]
        command += [f"--batch_windows={_BATCH.value}"]
        output = subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout
        mebibytes = output.strip().splitlines()[-1]
        rows.append((f"peak memory, {minutes}-minute film", mebibytes, ""))
        os.remove(film)
    return rows


def print_memory(film: str) -> None:
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
    # Linux gives KiB, macOS bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{peak:.0f} MiB")


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _MEMORY_FILM.value is not None:
        print_memory(_MEMORY_FILM.value)
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
        rows, network_s = network_rows(models, variables)
        _print(rows)
        _print(film_rows(models, network_s, folder))
        _print(agreement_rows(models, folder))
        _print(memory_rows(folder))


def _print(rows: list[Row]) -> None:
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    app.run(main)
