"""How long and how much memory `Predictor.predict` takes for a film.

    python benchmarks/prediction.py --minutes=2

A film and subtitles as dense as COGNIMUSE's are written, a multimodal model
with random weights predicts them, and a Markdown table says how long it took
as a share of the film's length, and the peak memory for a short and a long
film. The share does not depend on the length, so that two minutes tell what
half an hour takes. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time

import extraction
from absl import app, flags

from emotion_mt import paper
from emotion_mt.features import FeatureConfig, load_i3d, model_digest
from emotion_mt.features.windows import plan_segment
from emotion_mt.inference import Predictor, save_bundle
from emotion_mt.models import EvokedEmotionModel, make_tokenizer

_MINUTES = flags.DEFINE_float("minutes", 2.0, "Length of the film.")
_DTYPE = flags.DEFINE_string(
    "dtype", "float32", "Arithmetic of the I3D; the default is `Predictor`'s."
)
_MEMORY = flags.DEFINE_bool("memory", True, "Whether to measure memory.")
_PEAK = flags.DEFINE_string(
    "peak", None, "Internal: predict what is in this folder, print the peak."
)

#: COGNIMUSE's seven films have 2,696 cues in 3.7 hours, 2.5 s long on average.
_CUE_S, _EVERY_S = 2.5, 4.9

#: Lengths of the films whose peak memory is compared, in minutes.
_LENGTHS_MIN = (2, 30)

_FILM, _SUBTITLES, _BUNDLE = "film.mp4", "film.srt", "bundle"


def write_subtitles(path: pathlib.Path, length_s: float, every_s: float) -> int:
    """Writes cues at equal distances; returns their number."""
    starts = [
        every_s * i for i in range(int((length_s - _CUE_S) / every_s) + 1)
    ]
    blocks = [
        f"{i}\n{_srt_time(start)} --> {_srt_time(start + _CUE_S)}\n"
        "A line of some six words.\n"
        for i, start in enumerate(starts, 1)
    ]
    path.write_text("\n".join(blocks), "utf-8")
    return len(starts)


def _srt_time(seconds: float) -> str:
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"


def write_bundle(folder: pathlib.Path, digest: str) -> None:
    """Saves a model of the paper's size with random weights."""
    words = [f"word{i}" for i in range(3000)]
    save_bundle(
        folder,
        EvokedEmotionModel.multi_task(vocabulary_size=len(words) + 2),
        tokenizer=make_tokenizer(words),
        weights_digest=digest,
    )


def time_rows(folder: pathlib.Path) -> list[extraction.Row]:
    """Predicts the film after a warm-up; returns rows of the table."""
    i3d = load_i3d(dtype=_DTYPE.value)
    write_bundle(folder / _BUNDLE, model_digest(i3d))
    predictor = Predictor.load(folder / _BUNDLE, i3d)
    length_s = 60 * _MINUTES.value
    times = {}
    # Tracing is part of every process, not of every second of a film.
    for name, seconds in (("warm-up", 5.0), ("film", length_s)):
        film = extraction.write_film(folder / _FILM, seconds, (640, 360))
        cues = write_subtitles(folder / _SUBTITLES, seconds, _EVERY_S)
        start, cpu_start = time.perf_counter(), time.process_time()
        predictor.predict(film, folder / _SUBTITLES, progress=False)
        times[name] = time.perf_counter() - start
        cpu_s = time.process_time() - cpu_start
    config = FeatureConfig()
    plan = plan_segment(0.0, _CUE_S, config.fps or paper.FPS, config)
    windows = cues * plan.windows
    dtype = " and ".join(sorted({x.compute_dtype for x in i3d.layers}))
    return [
        (
            f"prediction of {length_s:.0f} s, {cues} cues, {windows} windows, "
            f"I3D in {dtype}",
            # The latter says more on a machine that does other things too:
            # a share of 0.5 takes a quarter of the length on two cores.
            f"{times['film']:.1f} s, {cpu_s:.1f} s of one core",
            f"{times['film'] / length_s:.3f} × length, "
            f"{cpu_s / length_s:.3f} × with one core",
        ),
        ("first prediction in a process, 5 s", f"{times['warm-up']:.1f} s", ""),
    ]


def memory_rows(folder: pathlib.Path) -> list[extraction.Row]:
    """Peak memory for a short and a long film, a cue per minute."""
    peaks = []
    for minutes in _LENGTHS_MIN:
        film = folder / _FILM
        extraction.write_film(film, 60 * minutes, (320, 180))
        write_subtitles(folder / _SUBTITLES, 60 * minutes, 60.0)
        output = subprocess.run(
            [sys.executable, __file__, f"--peak={folder}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        peaks.append(float(output.split()[-1]))
    return [
        (
            f"peak memory, films of {_LENGTHS_MIN[0]} and {_LENGTHS_MIN[1]} "
            "minutes",
            " and ".join(f"{peak:.0f} MiB" for peak in peaks),
            f"{peaks[1] / peaks[0]:.2f}",
        )
    ]


def print_peak(folder: pathlib.Path) -> None:
    """Predicts the film in a folder; prints the peak memory in MiB."""
    predictor = Predictor.load(folder / _BUNDLE)
    predictor.predict(folder / _FILM, folder / _SUBTITLES, progress=False)
    # Linux gives KiB, macOS bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _PEAK.value is not None:
        print_peak(pathlib.Path(_PEAK.value))
        return
    print(f"{os.cpu_count()} processors ({platform.machine()})\n")
    print("| what | measured | ratio |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        for part in (time_rows, memory_rows)[: 1 + _MEMORY.value]:
            for row in part(pathlib.Path(name)):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    app.run(main)
