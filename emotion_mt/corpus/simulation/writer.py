"""Writes the files of a simulated corpus, film by film, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
from joblib.externals import loky

from emotion_mt import _progress, paper
from emotion_mt.corpus import films
from emotion_mt.corpus.simulation import language, streams
from emotion_mt.corpus.simulation.config import SimulationConfig
from emotion_mt.corpus.simulation.pictures import rendering
from emotion_mt.corpus.simulation.state import SimulatedFilm, SimulatedState
from emotion_mt.corpus.simulation.timeline import STEP_MS, Timeline
from emotion_mt.corpus.simulation.traces import DECIMALS
from emotion_mt.storage import atomic

# MPEG-4 in AVI: what the OpenCV of the wheels writes and reads on all
# systems, quickly, and what the real films come in.
_CODEC = "XVID"
VIDEO_EXTENSION = ".avi"


def write_texts(root: Path, state: SimulatedState) -> None:
    """Writes all subtitles and traces below a folder, as COGNIMUSE has them.

    Args:
        root: The folder.
        state: The corpus.
    """
    for film in state.films:
        movie = film.profile.movie
        rng = streams.stream(state.seed, "markup", movie)
        subtitles = language.to_subrip(film.texts, film.timeline, rng)
        _write(_media_path(root, movie, ".srt"), subtitles)
        for path, trace in _trace_files(root, film, state.config):
            _write(path, format_trace(trace))


def write_videos(
    root: Path, state: SimulatedState, jobs: int, progress: bool
) -> None:
    """Renders the films that are not yet below a folder.

    Args:
        root: The folder.
        state: The corpus.
        jobs: Number of processes. The files do not depend on it.
        progress: Whether to show a progress bar.

    Raises:
        RuntimeError: If OpenCV cannot write a video.
    """
    missing = [
        film
        for film in state.films
        if not video_path(root, film.profile.movie).exists()
    ]
    # The longest first, so that no process is left alone with it.
    missing.sort(key=lambda film: -film.timeline.frames)
    tasks = (
        joblib.delayed(_write_video)(
            video_path(root, film.profile.movie),
            film.profile.movie,
            film.timeline,
            film.content,
            state.seed,
            state.config,
        )
        for film in missing
    )
    bar = _progress.progress(
        desc="Rendering films",
        total=sum(film.timeline.frames for film in missing),
        unit=" frames",
        shown=progress,
    )
    processes = max(1, min(jobs, len(missing)))
    workers = joblib.Parallel(processes, return_as="generator_unordered")
    try:
        with bar:
            for frames in workers(tasks):
                bar.update(frames)
    finally:
        if processes > 1:
            # They would stay for minutes, with all their memory.
            loky.get_reusable_executor().shutdown(wait=True)


def video_path(root: Path, movie: str) -> Path:
    """Returns where the video of a film is below a folder."""
    return _media_path(root, movie, VIDEO_EXTENSION)


def describe_files(root: Path) -> dict[str, dict[str, Any]]:
    """Returns path -> size and SHA-256 of each file below a folder."""
    described = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(root).as_posix()
            described[name] = {
                "bytes": path.stat().st_size,
                "sha256": digest,
            }
    return described


def format_trace(trace: np.ndarray) -> str:
    """Formats a trace as COGNIMUSE does: `time_s valence arousal`.

    Args:
        trace: float64 [T, 2], a row every `timeline.STEP_MS`.

    Returns:
        The content of a `.dat` file.
    """
    rows = []
    for i, (valence, arousal) in enumerate(trace.tolist()):
        seconds, milliseconds = divmod(i * STEP_MS, 1000)
        part = f"{milliseconds:03}".rstrip("0")
        time_s = f"{seconds}.{part}" if part else f"{seconds}"
        rows.append(f"{time_s} {valence:.{DECIMALS}f} {arousal:.{DECIMALS}f}\n")
    return "".join(rows)


def _media_path(root: Path, movie: str, extension: str) -> Path:
    folder = films.VIDEO_FOLDERS[movie]
    return root / "Data" / folder / f"{movie}{extension}"


def _trace_files(
    root: Path, film: SimulatedFilm, config: SimulationConfig
) -> list[tuple[Path, np.ndarray]]:
    """Returns path and float64 [T, 2] of each trace of a film."""
    folder = root / "Emotion Annotation"
    name = films.TRACE_NAMES[film.profile.movie]
    found = []
    column = 0
    for viewer in config.viewers:
        subject = paper.VIEWERS.index(viewer.name) + 1
        for number in range(1, viewer.passes + 1):
            path = folder / "experienced" / f"subj{subject}_{number}_{name}.dat"
            found.append((path, film.traces[:, column]))
            column += 1
    for number, trace in enumerate(film.intended.swapaxes(0, 1), 1):
        found.append(
            (folder / "intended" / f"intended_{number}_{name}.dat", trace)
        )
    return found


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Line ends are part of the text.
    path.write_text(text, encoding="utf-8", newline="")


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
    try:
        with atomic.replacing(path) as temporary:
            _encode(
                temporary,
                rendering.render_frames(movie, timeline, content, seed, config),
                config,
            )
            _check_video(temporary, timeline.frames)
    finally:
        cv2.setNumThreads(threads)
    return timeline.frames


def _encode(
    path: Path, frames: Iterator[np.ndarray], config: SimulationConfig
) -> None:
    """Writes frames to a video."""
    writer = cv2.VideoWriter(
        str(path),
        cv2.VideoWriter.fourcc(*_CODEC),
        paper.FPS,
        (config.width_px, config.height_px),
    )
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


def _check_video(path: Path, frames: int) -> None:
    """Raises if a video is not whole; a full disk gives no other sign."""
    capture = cv2.VideoCapture(str(path))
    found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    if found != frames:
        raise RuntimeError(
            f"{path}: expected a video of {frames} frames. Received {found}; "
            "is the disk full?"
        )
