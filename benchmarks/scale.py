"""Long films and many films: is memory flat, and is time linear?

Writes films of growing length (64×48 pixels, 25 fps, sixty subtitles spread
over each) and manifests of growing numbers of short films, and sends each
through `inspect_corpus`, `extract_features` and the list of Table II's jobs
with their keys. Each size has a process of its own, so that its peak memory is
its own. The network is a small one of the same form as the I3D: what grows
with the input is decoding and bookkeeping, and those are measured.

    python benchmarks/scale.py
    python benchmarks/scale.py --hours=0.05,0.1,0.2 --films=5,10,20

It prints a Markdown table. Peak memory is that of the process (resident set),
beside what it had when all was imported.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import app, flags

_HOURS = flags.DEFINE_list("hours", ["0.75", "1.5", "3"], "Lengths of a film.")
_FILMS = flags.DEFINE_list("films", ["50", "100", "200"], "Numbers of films.")

_FPS = 25
_SIZE_PX = (64, 48)
_CUES = 60
_SHORT_S = 5.0


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one size took.

    Attributes:
        segments: Segments of the corpus.
        seconds: Of "inspect", "extract" and "jobs".
        jobs: Jobs of Table II; 0 for too few films.
        imported_mib: Resident set once all was imported.
        peak_mib: Largest resident set.
    """

    segments: int
    seconds: dict[str, float]
    jobs: int
    imported_mib: float
    peak_mib: float


def write_film(path: Path, seconds: float, number: int) -> None:
    """Writes a film in which a bar wanders; each number has its own bar."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*"mp4v"), _FPS, _SIZE_PX
    )
    width, height = _SIZE_PX
    for tick in range(round(seconds * _FPS)):
        frame = np.full((height, width, 3), number % 200, np.uint8)
        left = (tick // 5 + number) % (width - 8)
        frame[:, left : left + 8] = 255
        writer.write(frame)
    writer.release()


def write_manifest(folder: Path, films: dict[str, tuple[float, int]]) -> None:
    """Writes a manifest; each film has its seconds and number of segments."""
    segments = ["segment_id,movie,start_s,end_s,text,video"]
    ratings = ["segment_id,viewer,value"]
    for number, (movie, (seconds, cues)) in enumerate(films.items()):
        write_film(folder / f"{movie}.mp4", seconds, number)
        for cue in range(cues):
            id_ = f"{movie}-{cue}"
            start_s = cue * (seconds - 1) / max(cues - 1, 1)
            times = f"{start_s:.2f},{start_s + 1:.2f}"
            segments.append(f"{id_},{movie},{times},some words,{movie}.mp4")
            ratings += [
                f"{id_},V{viewer},{0.5 - (cue + viewer) % 2}"
                for viewer in (1, 2)
            ]
    (folder / "segments.csv").write_text("\n".join(segments))
    (folder / "annotations.csv").write_text("\n".join(ratings))


def measure(folder: Path) -> Measured:
    """Runs the three steps on a manifest."""
    import keras

    from emotion_mt.corpus import folds, inspect_corpus
    from emotion_mt.evaluation.specs import table2_spec
    from emotion_mt.features import extract_features
    from emotion_mt.training import TrainingConfig

    frames = keras.Input((None, 32, 32, 3))
    network = keras.Model(frames, keras.layers.Conv3D(8, 8, 8)(frames))
    imported_mib = _peak_mib()
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = step()
        seconds[name] = time.perf_counter() - start
        return result

    corpus = timed("inspect", lambda: inspect_corpus(folder)).corpus
    timed(
        "extract",
        lambda: extract_features(
            corpus, network, folder / "features", progress=False
        ),
    )

    def plan() -> int:
        if len(corpus.movies) < 3:
            return 0
        jobs = table2_spec().jobs(
            corpus.viewers, folds(corpus.movies), (0,), TrainingConfig()
        )
        digest = corpus.digest()
        return len({job.key(digest, "features") for job in jobs})

    jobs = timed("jobs", plan)
    return Measured(len(corpus), seconds, jobs, imported_mib, _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(name: str, films: dict[str, tuple[float, int]]) -> str:
    """Measures one size and returns its row."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ProcessPoolExecutor(1, context) as pool,
    ):
        write_manifest(Path(folder), films)
        found = pool.submit(measure, Path(folder)).result()
    film_s = sum(seconds for seconds, _ in films.values())
    times = found.seconds
    return (
        f"| {name} | {found.segments} | {times['inspect']:.2f} "
        f"| {times['extract']:.1f} | {1000 * times['extract'] / film_s:.2f} "
        f"| {found.jobs} | {times['jobs']:.2f} "
        f"| {found.imported_mib:.0f} | {found.peak_mib:.0f} |"
    )


def main(_: list[str]) -> None:
    """Measures all sizes."""
    print(
        "| input | segments | inspect, s | extract, s "
        "| extract, ms per second of film | jobs | list of jobs, s "
        "| memory after imports, MiB | peak memory, MiB |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for hours in map(float, _HOURS.value):
        films = {"film": (3600 * hours, _CUES)}
        print(run(f"one film of {hours:g} h", films), flush=True)
    for count in map(int, _FILMS.value):
        films = {f"film{number}": (_SHORT_S, 4) for number in range(count)}
        name = f"{count} films of {_SHORT_S:g} s"
        print(run(name, films), flush=True)


if __name__ == "__main__":
    app.run(main)
