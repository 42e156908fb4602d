"""Speed, memory and exactness of features and predictions, from a film's file.

    python benchmarks/extraction.py
    python benchmarks/extraction.py --dtype=bfloat16 --clip=VIDEO

A film (H.264, 1280×720) and subtitles as dense as COGNIMUSE's are written and
go through the I3D, then through `Predictor.predict` with a multimodal model of
random weights. It prints a Markdown table: windows per second of the network
and from the file, what share of the film's length a prediction takes, and the
peak memory for a short and a long film; docs/performance.md keeps a run. None
of it depends on the length, so that two minutes tell what half an hour takes.
With a real video of 16 s, bfloat16 is compared with float32, too.

Run it on a machine that does nothing else: ratios count, absolute figures of
different machines say little. `gpu_check.py` compares the I3D with the
machine's own matrix product and with PyTorch. `pip install imageio-ffmpeg`.
"""

from __future__ import annotations

import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import av
import imageio_ffmpeg
import keras
import numpy as np
import pandas as pd
import pysubs2
import tensorflow as tf
from absl import app, flags

from emotion_mt.corpus import SEGMENT_COLUMNS, Corpus
from emotion_mt.features import extract, load_i3d, model_digest
from emotion_mt.features.extraction import CPU_BATCH_WINDOWS, pooled_network
from emotion_mt.inference import Predictor, save_bundle
from emotion_mt.models import EvokedEmotionModel, make_tokenizer

_MINUTES = flags.DEFINE_float(
    "minutes", 2.0, "Length of the film.", lower_bound=0.3
)
_DTYPE = flags.DEFINE_string("dtype", "float32", "Arithmetic of the I3D.")
_CLIP = flags.DEFINE_string(
    "clip", None, "A real video of 16 s to compare bfloat16 with float32 on."
)
_PEAK = flags.DEFINE_string(
    "peak", None, "Internal: predict what is in this folder, print the peak."
)

#: COGNIMUSE's seven films have 2,696 cues in 3.7 hours, 2.5 s long on average.
_CUE_S, _EVERY_S = 2.5, 4.9

#: Lengths of the films whose peak memory is compared, in minutes.
_LENGTHS_MIN = (2, 12)

_FILM, _SUBTITLES, _BUNDLE = "film.mp4", "film.srt", "bundle"


def print_row(what: str, measured: str, ratio: str) -> None:
    """Prints a row of the table."""
    print(f"| {what} | {measured} | {ratio} |", flush=True)


def write_film(
    folder: pathlib.Path, length_s: float, every_s: float = _EVERY_S
) -> np.ndarray:
    """Writes a film of 25 fps and its subtitles; returns when cues start.

    Twenty seconds are encoded, and then copied as often as needed.
    """
    ffmpeg = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y")
    twenty, film = str(folder / "twenty.mp4"), str(folder / _FILM)
    picture = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25", "-t", "20")
    encoder = ("-c:v", "libx264", "-crf", "20")
    subprocess.run([*ffmpeg, *picture, *encoder, twenty], check=True)
    copied = ("-stream_loop", "-1", "-i", twenty, "-t", str(length_s))
    subprocess.run([*ffmpeg, *copied, "-c", "copy", film], check=True)
    starts_s = np.arange(0, length_s - _CUE_S, every_s)
    cues = pysubs2.SSAFile()
    cues.events = [
        pysubs2.SSAEvent(
            round(1000 * s),
            round(1000 * (s + _CUE_S)),
            "word1 word2 word3 word4 word5 word6",
        )
        for s in starts_s
    ]
    cues.save(str(folder / _SUBTITLES))
    return starts_s


def film_corpus(film: str, starts_s: np.ndarray, length_s: float) -> Corpus:
    """A corpus of segments of one film."""
    rows = [(f"S{s}", "FILM", s, s + length_s, "", film) for s in starts_s]
    segments = pd.DataFrame(rows, columns=list(SEGMENT_COLUMNS))
    return Corpus("film", segments, ("V1",), np.zeros((len(rows), 1), "f4"))


def network_rate(i3d: keras.Model) -> float:
    """Windows per second of the network with nothing beside it, best of 5."""
    network, best_s = pooled_network(i3d), math.inf
    batch = tf.zeros((CPU_BATCH_WINDOWS, 16, 224, 224, 3), tf.uint8)
    for _ in range(6):  # The first one traces.
        start = time.perf_counter()
        network(batch).numpy()
        best_s = min(best_s, time.perf_counter() - start)
    return CPU_BATCH_WINDOWS / best_s


def measure_extraction(
    i3d: keras.Model, folder: pathlib.Path, starts_s: np.ndarray
) -> None:
    """Compares the network alone with the whole way from the file.

    The seconds in which TensorFlow traces, once per call, are taken out.
    """
    windows, seconds = [], []
    for count in (2, len(starts_s)):
        corpus = film_corpus(str(folder / _FILM), starts_s[:count], _CUE_S)
        store = folder / f"store-{count}"
        report = extract(corpus, i3d, store, progress=False).report
        windows.append(report.windows)
        seconds.append(report.network_s + report.waiting_s)
    alone, rate = network_rate(i3d), np.diff(windows)[0] / np.diff(seconds)[0]
    print_row(
        f"file to feature, {_DTYPE.value}, 1280×720",
        f"{rate:.2f} windows/s",
        f"{rate / alone:.2f} × network alone ({alone:.2f})",
    )


def measure_prediction(
    i3d: keras.Model, folder: pathlib.Path, cues: int
) -> None:
    """Predicts the film after a warm-up, with random weights."""
    words = [f"word{i}" for i in range(3000)]
    save_bundle(
        folder / _BUNDLE,
        EvokedEmotionModel.multi_task(vocabulary_size=len(words) + 2),
        tokenizer=make_tokenizer(words),
        weights_digest=model_digest(i3d),
    )
    predictor = Predictor.load(folder / _BUNDLE, i3d)
    length_s = 60 * _MINUTES.value
    # Tracing is part of the first, not of every second of a film.
    for what in ("first prediction in a process", "prediction"):
        start, cpu_start = time.perf_counter(), time.process_time()
        predictor.predict(folder / _FILM, folder / _SUBTITLES, progress=False)
        spent_s = time.perf_counter() - start
        cpu_s = time.process_time() - cpu_start
        # The processor time says more where other work goes on besides.
        print_row(
            f"{what} of {length_s:.0f} s, {cues} cues, {_DTYPE.value}",
            f"{spent_s:.1f} s, {cpu_s:.1f} s of one core",
            f"{spent_s / length_s:.3f} × length, "
            f"{cpu_s / length_s:.3f} × with one core",
        )


def measure_agreement(clip: str, folder: pathlib.Path) -> None:
    """Cosine of the pooled features of bfloat16 with float32's."""
    corpus = film_corpus(clip, np.arange(0.0, 16.0, 4.0), 4.0)
    one, other = (
        extract(corpus, load_i3d(dtype=d), folder, progress=False).features
        for d in ("float32", "bfloat16")
    )
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines = np.sum(one * other, axis=1) / norms
    print_row(
        "bfloat16 against float32, real clip",
        f"{len(cosines)} segments",
        f"cosine ≥ {cosines.min():.5f}",
    )


def measure_memory(folder: pathlib.Path) -> None:
    """Peak memory for a short and a long film, a cue per minute."""
    peaks = []
    for minutes in _LENGTHS_MIN:
        write_film(folder, 60 * minutes, 60.0)
        command = [sys.executable, sys.argv[0], f"--peak={folder}"]
        command.append(f"--dtype={_DTYPE.value}")
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        peaks.append(float(done.stdout.split()[-1]))
    lengths = " and ".join(map(str, _LENGTHS_MIN))
    print_row(
        f"peak memory, films of {lengths} minutes, {_DTYPE.value}",
        f"{peaks[0]:.0f} and {peaks[1]:.0f} MiB",
        f"{peaks[1] / peaks[0]:.2f}",
    )


def print_peak(folder: pathlib.Path) -> None:
    """Predicts the film of a folder; prints this process's peak in MiB."""
    predictor = Predictor.load(folder / _BUNDLE, load_i3d(dtype=_DTYPE.value))
    predictor.predict(folder / _FILM, folder / _SUBTITLES, progress=False)
    # getrusage would count the process that started this one, too.
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.split("VmHWM:")[1].split()[0]) / 2**10)


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _PEAK.value is not None:
        print_peak(pathlib.Path(_PEAK.value))
        return
    print(
        f"{os.cpu_count()} processors ({platform.machine()}), TensorFlow "
        f"{tf.__version__}, Keras {keras.__version__}, PyAV {av.__version__}\n"
    )
    print("| what | measured | ratio |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        i3d = load_i3d(dtype=_DTYPE.value)
        starts_s = write_film(folder, 60 * _MINUTES.value)
        measure_extraction(i3d, folder, starts_s)
        measure_prediction(i3d, folder, len(starts_s))
        if _CLIP.value is not None:
            measure_agreement(_CLIP.value, folder)
        measure_memory(folder)


if __name__ == "__main__":
    app.run(main)
