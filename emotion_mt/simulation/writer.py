"""`simulate_corpus`: a folder in COGNIMUSE's layout, made from nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
from joblib.externals import loky

from emotion_mt import _progress, _version, paper
from emotion_mt.corpus import CorpusError
from emotion_mt.corpus.films import TRACE_NAMES, VIDEO_FOLDERS
from emotion_mt.corpus.load import SIMULATION_FILE
from emotion_mt.corpus.traces import DIMENSIONS
from emotion_mt.simulation import streams
from emotion_mt.simulation.config import SIMULATION_VERSION, SimulationConfig
from emotion_mt.simulation.pictures import render_frames
from emotion_mt.simulation.state import (
    SimulatedState,
    ceiling_accuracies,
    simulate_state,
)
from emotion_mt.simulation.timeline import STEP_MS, Timeline
from emotion_mt.simulation.traces import DECIMALS
from emotion_mt.simulation.words import to_subrip
from emotion_mt.storage import atomic, claims

# MPEG-4 in AVI: what the OpenCV of the wheels writes and reads on all
# systems, quickly, and what the real films come in.
_CODEC = "XVID"

# A process takes seconds to start, and as long for some thousand frames.
_FRAMES_PER_PROCESS = 5000

# In an unfinished folder: what it will be.
_PLAN_FILE = ".plan.json"

# Settings of earlier releases, which are fixed now: corpora that were made
# with these are the same.
_FIXED = {
    "film_taste": 0.2,
    "staging": 1.5,
    "style_strength": 0.15,
    "pause_scale": 0.9,
    "scene_s": 10.0,
    "shot_s": 4.0,
}


def simulate_corpus(
    folder: str | os.PathLike[str],
    seed: int = 0,
    segments_per_movie: int = 60,
    config: SimulationConfig | None = None,
    progress: bool = True,
) -> Path:
    """Writes a corpus of simulated films, viewers and ratings.

    The folder is laid out as COGNIMUSE's release and `load_corpus` reads it:
    `Data/2002BMI/BMI.avi` (MPEG-4, 25 fps) with `BMI.srt` beside it for each
    film, `Emotion Annotation/experienced/subj{S}_{I}_{Film}.dat`,
    `Emotion Annotation/intended/intended_{I}_{Film}.dat`, and
    `simulation.json`, which says how it was made and how well a predictor
    could do that knows what is hidden (`ceiling`).

    A folder that exists with the same seed, size and configuration is used
    as it is. The folder appears when everything is written; a run that was
    stopped leaves a hidden folder beside it, and the next run continues with
    the films that are missing there.

    Args:
        folder: The folder to make.
        seed: Seed, at least 0. The same seed gives the same bytes of traces
            and subtitles and the same decoded frames.
        segments_per_movie: Mean number of rated cues per film, at least 2;
            films have cues in proportion to the real ones.
        config: Films, viewers and knobs. Default: `SimulationConfig()`,
            which follows the paper; see docs/simulation.md.
        progress: Whether to show a progress bar.

    Returns:
        `folder`.

    Raises:
        ValueError: If an argument is out of range.
        CorpusError: If the folder holds something else, or a corpus that was
            simulated with other arguments, or one with files missing.
        RuntimeError: If OpenCV cannot write a video.

    Example:
        ```python
        corpus = emt.load_corpus(emt.simulate_corpus("simulated", seed=1))
        ```
    """
    folder = Path(folder)
    config = SimulationConfig() if config is None else config
    recipe = {
        "simulated": True,
        "version": SIMULATION_VERSION,
        "seed": seed,
        "segments_per_movie": segments_per_movie,
        # As it comes back from a file: with lists in the place of tuples.
        "config": json.loads(json.dumps(asdict(config))),
    }
    target = folder.resolve()
    partial = target.with_name(f".{target.name}.partial")
    # Other runs for the same folder wait.
    claim = claims.Claim(target.with_name(f".{target.name}.lock"), -1)
    try:
        if _is_complete(target, recipe):
            return folder
        state = simulate_state(seed, segments_per_movie, config)
        _prepare(partial, recipe)
        _write_texts(partial, state)
        _write_videos(partial, state, progress)
        content = {**recipe, **_describe(state, partial)}
        atomic.write_json(partial / SIMULATION_FILE, content)
        (partial / _PLAN_FILE).unlink()
        if target.exists():
            target.rmdir()  # it is empty, or we would not be here
        partial.rename(target)
    finally:
        claim.release()
    return folder


def _is_complete(folder: Path, recipe: Mapping[str, Any]) -> bool:
    """Says whether a folder holds the corpus of a recipe.

    Raises:
        CorpusError: If it holds anything else.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise CorpusError(f"{folder}: expected a folder. Received a file")
    if not any(folder.iterdir()):
        return False
    found = _read(folder / SIMULATION_FILE)
    if found is None:
        raise CorpusError(
            f"{folder}: expected a new or empty folder, or a corpus that was "
            f"simulated. Received a folder without a readable {SIMULATION_FILE}"
        )
    differences = _differences(found, recipe)
    if differences:
        raise CorpusError(
            f"{folder}: expected a new folder, or one simulated with the same "
            f"arguments. Received one with {', '.join(differences)}. Choose "
            "another folder or remove this one"
        )
    changed = [
        name
        for name, file in found.get("files", {}).items()
        if not (folder / name).is_file()
        or (folder / name).stat().st_size != file["bytes"]
    ]
    if changed:
        raise CorpusError(
            f"{folder}: expected the files that were simulated. Missing or "
            f"changed: {', '.join(changed[:3])} ({len(changed)} in all). "
            "Remove the folder to simulate it again"
        )
    return True


def _differences(
    found: Mapping[str, Any], recipe: Mapping[str, Any]
) -> list[str]:
    """Lists what is in `simulation.json` and is another in the recipe."""
    names = ("version", "seed", "segments_per_movie")
    pairs = [(name, found.get(name), recipe[name]) for name in names]
    old, new = found.get("config"), recipe["config"]
    if not isinstance(old, dict):
        old = new = {}
        pairs.append(("config", None, "settings"))
    elif _FIXED.keys() <= old.keys():
        new = {**_FIXED, **new}
    for name in sorted({*old, *new}):
        pairs.append((f"config.{name}", old.get(name), new.get(name)))
    return [f"{n}={a!r} instead of {b!r}" for n, a, b in pairs if a != b]


def _read(path: Path) -> dict[str, Any] | None:
    """Returns the JSON object in a file, or None."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _prepare(partial: Path, recipe: Mapping[str, Any]) -> None:
    """Makes the folder to write in; what fits the recipe in there is kept."""
    if partial.exists() and _read(partial / _PLAN_FILE) != recipe:
        shutil.rmtree(partial)
    for path in [partial, *partial.rglob("*")]:
        atomic.sweep(path)  # left by a run that was killed
    atomic.write_json(partial / _PLAN_FILE, recipe)


def _describe(state: SimulatedState, root: Path) -> dict[str, Any]:
    """Returns what `simulation.json` holds besides the recipe."""
    files = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name not in (SIMULATION_FILE, _PLAN_FILE):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(root).as_posix()
            files[name] = {"bytes": path.stat().st_size, "sha256": digest}
    return {
        "package_version": _version.__version__,
        "ceiling": {
            name: ceiling_accuracies(state, name) for name in DIMENSIONS
        },
        "films": {
            film.profile.movie: {
                "segments": film.timeline.rated,
                "cues_past_end": film.profile.cues_past_end,
                "frames": film.timeline.frames,
                "traces_end_s": float(film.timeline.trace_time_s[-1]),
            }
            for film in state.films
        },
        "viewers": {
            viewer.name: {
                name: dict(zip(DIMENSIONS, scale[row].tolist(), strict=True))
                for name, scale in vars(state.scales).items()
            }
            for row, viewer in enumerate(state.config.viewers)
        },
        "files": files,
    }


def _write_texts(root: Path, state: SimulatedState) -> None:
    """Writes all subtitles and traces below a folder, as COGNIMUSE has them."""
    for film in state.films:
        movie = film.profile.movie
        rng = streams.stream(state.seed, "markup", movie)
        subtitles = to_subrip(film.texts, film.timeline, rng)
        _write(_media_path(root, movie, ".srt"), subtitles)
        folder = root / "Emotion Annotation"
        columns = iter(film.traces.swapaxes(0, 1))
        for viewer in state.config.viewers:
            subject = paper.VIEWERS.index(viewer.name) + 1
            for number in range(1, viewer.passes + 1):
                name = f"subj{subject}_{number}_{TRACE_NAMES[movie]}.dat"
                _write(folder / "experienced" / name, _rows(next(columns)))
        for number, trace in enumerate(film.intended.swapaxes(0, 1), 1):
            name = f"intended_{number}_{TRACE_NAMES[movie]}.dat"
            _write(folder / "intended" / name, _rows(trace))


def _media_path(root: Path, movie: str, extension: str) -> Path:
    return root / "Data" / VIDEO_FOLDERS[movie] / f"{movie}{extension}"


def _rows(trace: np.ndarray) -> str:
    """Formats a trace [T, 2] as COGNIMUSE does: `time_s valence arousal`."""
    rows = []
    for i, (valence, arousal) in enumerate(trace.tolist()):
        time_s = f"{i * STEP_MS / 1000:.2f}".rstrip("0").removesuffix(".")
        rows.append(f"{time_s} {valence:.{DECIMALS}f} {arousal:.{DECIMALS}f}\n")
    return "".join(rows)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Line ends are part of the text.
    path.write_text(text, encoding="utf-8", newline="")


def _write_videos(root: Path, state: SimulatedState, progress: bool) -> None:
    """Renders the films that are not yet below a folder, in parallel."""
    tasks, frames = [], 0
    # The longest first, so that no process is left alone with it.
    for film in sorted(state.films, key=lambda film: -film.timeline.frames):
        movie, line = film.profile.movie, film.timeline
        path = _media_path(root, movie, ".avi")
        if not path.exists():
            shown = (movie, line, film.content, state.seed, state.config)
            tasks.append(joblib.delayed(_write_video)(path, *shown))
            frames += line.frames
    wanted = min(joblib.cpu_count(), 1 + frames // _FRAMES_PER_PROCESS)
    processes = max(1, min(wanted, len(tasks)))
    workers = joblib.Parallel(processes, return_as="generator_unordered")
    bar = _progress.progress(
        desc="Rendering films", total=frames, unit=" frames", shown=progress
    )
    try:
        with bar:
            for finished in workers(tasks):
                bar.update(finished)
    finally:
        if processes > 1:
            # They would stay for minutes, with all their memory.
            loky.get_reusable_executor().shutdown(wait=True)


def _write_video(
    path: Path,
    movie: str,
    timeline: Timeline,
    content: np.ndarray,
    seed: int,
    config: SimulationConfig,
) -> int:
    """Renders a film to a file and returns its number of frames."""
    threads = cv2.getNumThreads()
    # The films are the parallel part; threads within one only cost.
    cv2.setNumThreads(1)
    frames = render_frames(movie, timeline, content, seed, config)
    try:
        with atomic.replacing(path) as temporary:
            size = (config.width_px, config.height_px)
            written = _encode(temporary, frames, size)
            if written != timeline.frames:
                raise RuntimeError(
                    f"{path}: expected a video of {timeline.frames} frames. "
                    f"Received {written}; is the disk full?"
                )
    finally:
        cv2.setNumThreads(threads)
    return timeline.frames


def _encode(
    path: Path, frames: Iterator[np.ndarray], size: tuple[int, int]
) -> int:
    """Writes a video and returns how many frames there are in it then."""
    codec = cv2.VideoWriter.fourcc(*_CODEC)
    writer = cv2.VideoWriter(str(path), codec, paper.FPS, size)
    if not writer.isOpened():
        raise RuntimeError(
            f"{path}: expected an OpenCV that writes {_CODEC} videos, as the "
            f"wheels do. Received OpenCV {cv2.__version__}, which does not"
        )
    try:
        for picture in frames:
            writer.write(picture)
    finally:
        writer.release()
    # Counted again, as a full disk gives no other sign.
    capture = cv2.VideoCapture(str(path))
    found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    return found
