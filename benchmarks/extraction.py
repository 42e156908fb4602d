"""Speed, memory and exactness of the feature extraction, as ratios.

Everything is measured in one run on one machine, in turn, the best of
several rounds counting; absolute figures of different machines say little.
Run it on a machine that does nothing else:

    python benchmarks/extraction.py --other=CHECKOUT

It prints a Markdown table: the network against the machine's own matrix
product, bfloat16 against float32, a film's file (H.264, 1280×720) against the
bare network, and the peak memory for a short and a long film; the last two also
of another version, whose checkout is given (git worktree add CHECKOUT COMMIT).
docs/performance.md keeps a run.

PyTorch with the I3D of piergiaj/pytorch-i3d and our weights is measured
beside it with --pytorch_i3d=FOLDER_OF_THE_CLONE: `pip install torch`, and
clone that repository from GitHub.
"""

from __future__ import annotations

import functools
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import av
import cv2
import imageio_ffmpeg
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from absl import app, flags

from emotion_mt import features
from emotion_mt.corpus import SEGMENT_COLUMNS, Corpus
from emotion_mt.features import i3d as i3d_lib, sources, weights as weights_lib
from emotion_mt.features.extraction import pooled_network

_WEIGHTS = flags.DEFINE_string(
    "weights", "auto", "Source of the I3D's weights; see load_i3d."
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 5, "Rounds of which the best counts.", lower_bound=1
)
_BATCH = flags.DEFINE_integer(
    "batch_windows", 4, "Windows per call of the network.", lower_bound=1
)
_OTHER = flags.DEFINE_string(
    "other", None, "Checkout of another version to measure in turn."
)
_PYTORCH_I3D = flags.DEFINE_string(
    "pytorch_i3d", None, "Folder of a clone of piergiaj/pytorch-i3d."
)
_CLIP = flags.DEFINE_string(
    "clip", None, "A real video of 16 s to compare bfloat16 with float32 on."
)
_WORKER = flags.DEFINE_list(
    "worker", None, "Internal: what to measure, and on which film."
)

#: Length of the segments in seconds: 100 frames, 11 windows.
_SEGMENT_S = 4.0
_SEGMENT_WINDOWS = 11

#: Side of the matrices that are multiplied.
_MATRIX = 4096

#: Segments of two extractions from a film; the slope is the cost of a window.
_SEGMENTS = (2, 8)

#: Lengths of the films whose peak memory is compared, in minutes.
_LENGTHS_MIN = (2, 12)

#: Size of the films.
_SIZE = (1280, 720)

Models = dict[str, keras.Model]


def print_row(what: str, measured: str, ratio: str = "") -> None:
    """Prints a row of the table."""
    print(f"| {what} | {measured} | {ratio} |", flush=True)


def window_gflop() -> float:
    """GFLOP of the convolutions for one window of 16 frames."""
    positions = {"1": 8 * 112**2, "2": 8 * 56**2, "3": 8 * 28**2}
    positions |= {"4": 4 * 14**2, "5": 2 * 7**2}
    total = 0
    for unit in i3d_lib.units().values():
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
        network = pooled_network(model)
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


def write_h264(path: pathlib.Path, seconds: int) -> str:
    """Writes a film of 25 fps, one second again and again, in H.264."""
    pattern = ("-f", "lavfi", "-i", f"testsrc2=s={_SIZE[0]}x{_SIZE[1]}:r=25")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *pattern]
    command += ["-t", "20", "-c:v", "libx264", "-crf", "20"]
    twenty = path.with_name("twenty.mp4")
    subprocess.run([*command, str(twenty)], check=True)
    command = [command[0], "-v", "error", "-y", "-stream_loop", "-1"]
    command += ["-i", str(twenty), "-t", str(seconds), "-c", "copy", str(path)]
    subprocess.run(command, check=True)
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


def work(what: str, film: str, length_s: float) -> None:
    """Measures one thing in a process of its own, and prints it.

    "speed" prints windows per second of the network and from the file, "peak"
    the peak memory in MiB of an extraction from start, middle and end.
    """
    i3d = features.load_i3d(_WEIGHTS.value)
    with tempfile.TemporaryDirectory() as folder:

        def seconds(starts_s: list[float]) -> float:
            start = time.perf_counter()
            store = pathlib.Path(folder) / str(len(starts_s))
            corpus = film_corpus(film, starts_s)
            features.extract(corpus, i3d, store, progress=False)
            return time.perf_counter() - start

        if what == "peak":
            last_s = length_s - _SEGMENT_S
            seconds([0.0, last_s / 2, last_s])
            print_peak()
            return
        network = pooled_network(i3d)
        batch = tf.zeros((_BATCH.value, 16, 224, 224, 3), tf.uint8)
        best_s = best_times({"network": lambda: network(batch).numpy()})
        few, many = (
            seconds([_SEGMENT_S * n for n in range(count)])
            for count in _SEGMENTS
        )
        windows = (_SEGMENTS[1] - _SEGMENTS[0]) * _SEGMENT_WINDOWS
        print(_BATCH.value / best_s["network"], windows / (many - few))


def run_worker(checkout: str, *what: str) -> list[float]:
    """What `work` prints, with the package of a checkout."""
    command = [sys.executable, sys.argv[0], f"--worker={','.join(what)}"]
    command += [f"--weights={_WEIGHTS.value}", f"--rounds={_ROUNDS.value}"]
    output = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": checkout},
    ).stdout
    return [float(value) for value in output.split()[-2:]]


def measure_films(folder: pathlib.Path) -> None:
    """From the file to the feature, and peak memory, of the versions."""
    here = str(pathlib.Path(__file__).resolve().parents[1])
    versions = {"this version": here}
    if _OTHER.value is not None:
        versions["other version"] = _OTHER.value
    length_s = _SEGMENTS[-1] * _SEGMENT_S + 1
    film = write_h264(folder / "film.mp4", round(length_s))
    best = dict.fromkeys(versions, (0.0, 0.0))
    for _ in range(2):
        for name, checkout in versions.items():
            network, file = run_worker(checkout, "speed", film, str(length_s))
            best[name] = max(best[name][0], network), max(best[name][1], file)
    for name, (network, file) in best.items():
        print_row(
            f"file to feature, float32, {_SIZE[0]}×{_SIZE[1]}, {name}",
            f"{file:.2f} windows/s",
            f"{file / network:.2f} × network only ({network:.2f})",
        )
    films = [
        write_h264(folder / f"{minutes}.mp4", 60 * minutes)
        for minutes in _LENGTHS_MIN
    ]
    for name, checkout in versions.items():
        found = [
            run_worker(checkout, "peak", film, str(60 * minutes))[-1]
            for film, minutes in zip(films, _LENGTHS_MIN, strict=True)
        ]
        print_peaks(found, _LENGTHS_MIN, f", {name}")


def measure_agreement(models: Models, folder: pathlib.Path) -> None:
    """Cosine of the pooled features of bfloat16 with float32's."""
    if _CLIP.value is None:
        return
    corpus = film_corpus(_CLIP.value, [0.0, 4.0, 8.0, 12.0])
    expected, received = (
        features.extract(corpus, model, folder / "s", progress=False).features
        for model in models.values()
    )
    norms = np.linalg.norm(received, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = np.sum(received * expected, axis=1) / norms
    print_row(
        "bfloat16 against float32, real clip",
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
    # getrusage would count the process that started this one, too.
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.split("VmHWM:")[1].split()[0]) / 2**10)


def print_peaks(
    peaks: list[float], lengths_min: tuple[int, int], what: str = ""
) -> None:
    """Prints the row of the peaks of a short and a long film."""
    lengths = " and ".join(map(str, lengths_min))
    print_row(
        f"peak memory, films of {lengths} minutes{what}",
        f"{peaks[0]:.0f} and {peaks[1]:.0f} MiB",
        f"{peaks[1] / peaks[0]:.2f}",
    )


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _WORKER.value is not None:
        what, film, length_s = _WORKER.value
        work(what, film, float(length_s))
        return
    variables = sources.find_variables(_WEIGHTS.value)
    models = {d: features.build_i3d(dtype=d) for d in ("float32", "bfloat16")}
    for model in models.values():
        weights_lib.assign(model, variables)
    print(
        f"{os.cpu_count()} processors ({platform.machine()}), TensorFlow "
        f"{tf.__version__}, Keras {keras.__version__}, PyAV {av.__version__}; "
        f"{window_gflop():.1f} GFLOP per window, batches "
        f"of {_BATCH.value}, best of {_ROUNDS.value}\n"
    )
    print("| what | measured | ratio |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        measure_network(models, variables)
        measure_agreement(models, folder)
        del models
        measure_films(folder)


if __name__ == "__main__":
    app.run(main)
