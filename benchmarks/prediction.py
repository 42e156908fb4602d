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
import tempfile
import time

import extraction
from absl import app, flags

from emotion_mt.features import load_i3d, model_digest
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
    count = int((length_s - _CUE_S) / every_s) + 1
    blocks = [
        f"{i + 1}\n{_srt_time(every_s * i)} --> "
        f"{_srt_time(every_s * i + _CUE_S)}\nA line of some six words.\n"
        for i in range(count)
    ]
    path.write_text("\n".join(blocks), "utf-8")
    return count


def _srt_time(seconds: float) -> str:
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"


def measure_time(folder: pathlib.Path) -> None:
    """Predicts the film after a warm-up, with random weights."""
    i3d = load_i3d(dtype=_DTYPE.value)
    words = [f"word{i}" for i in range(3000)]
    save_bundle(
        folder / _BUNDLE,
        EvokedEmotionModel.multi_task(vocabulary_size=len(words) + 2),
        tokenizer=make_tokenizer(words),
        weights_digest=model_digest(i3d),
    )
    predictor = Predictor.load(folder / _BUNDLE, i3d)
    # Tracing is part of every process, not of every second of a film.
    for name, length_s in (
        ("first prediction in a process", 5.0),
        ("prediction", 60 * _MINUTES.value),
    ):
        film = extraction.write_film(folder / _FILM, length_s, (640, 360))
        cues = write_subtitles(folder / _SUBTITLES, length_s, _EVERY_S)
        start, cpu_start = time.perf_counter(), time.process_time()
        predictor.predict(film, folder / _SUBTITLES, progress=False)
        spent_s = time.perf_counter() - start
        cpu_s = time.process_time() - cpu_start
        # The processor time says more where other work goes on besides.
        extraction.print_row(
            f"{name} of {length_s:.0f} s, {cues} cues, I3D in {_DTYPE.value}",
            f"{spent_s:.1f} s, {cpu_s:.1f} s of one core",
            f"{spent_s / length_s:.3f} × length, "
            f"{cpu_s / length_s:.3f} × with one core",
        )


def measure_memory(folder: pathlib.Path) -> None:
    """Peak memory for a short and a long film, a cue per minute."""
    peaks = []
    for minutes in _LENGTHS_MIN:
        extraction.write_film(folder / _FILM, 60 * minutes, (320, 180))
        write_subtitles(folder / _SUBTITLES, 60 * minutes, 60.0)
        peaks.append(extraction.peak_mib("peak", str(folder)))
    extraction.print_peaks(peaks, _LENGTHS_MIN)


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _PEAK.value is not None:
        folder = pathlib.Path(_PEAK.value)
        predictor = Predictor.load(folder / _BUNDLE)
        predictor.predict(folder / _FILM, folder / _SUBTITLES, progress=False)
        extraction.print_peak()
        return
    print(f"{os.cpu_count()} processors ({platform.machine()})\n")
    print("| what | measured | ratio |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        measure_time(pathlib.Path(name))
        if _MEMORY.value:
            measure_memory(pathlib.Path(name))


if __name__ == "__main__":
    app.run(main)
