"""Measures a simulated corpus against what the real one is known to be."""

from __future__ import annotations

from pathlib import Path

import cv2
import joblib

from emotion_mt import paper
from emotion_mt.corpus.simulation import writer
from emotion_mt.corpus.simulation.report.film_measures import (
    measure_content,
    measure_cues,
    measure_traces,
)
from emotion_mt.corpus.simulation.report.measure import Measure, between
from emotion_mt.corpus.simulation.report.viewer_measures import (
    measure_correlations,
    measure_difficulty,
    measure_shares,
)
from emotion_mt.corpus.simulation.state import SimulatedState


def measure_corpus(state: SimulatedState) -> list[Measure]:
    """Measures everything that needs no video file and no trained network.

    Args:
        state: A corpus with all seven films and viewers. Shares and
            correlations are what the targets say from about 60 segments per
            film on.

    Returns:
        The measures, in groups.
    """
    return [
        *measure_cues(state),
        *measure_traces(state),
        *measure_shares(state),
        *measure_correlations(state),
        *measure_content(state),
        *measure_difficulty(state),
    ]


def measure_files(folder: Path, seconds: float | None) -> list[Measure]:
    """Measures the files of a corpus of 60 segments per film.

    Args:
        folder: A folder that `simulate_corpus` wrote.
        seconds: How long that took, or None if it is not known.

    Returns:
        The measures.
    """
    group = "Files"
    files = [path for path in folder.rglob("*") if path.is_file()]
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    videos = [p for p in files if p.suffix == writer.VIDEO_EXTENSION]
    rates = {_frames_per_s(path) for path in videos}
    return [
        between(group, "size on disk, MB", size_mb, 0, 60),
        Measure(
            group,
            "videos, frames per second",
            f"{len(paper.MOVIES)}, {paper.FPS:g}",
            f"{len(videos)}, {', '.join(f'{rate:g}' for rate in rates)}",
            len(videos) == len(paper.MOVIES) and rates == {paper.FPS},
        ),
        Measure(
            group,
            f"time to simulate, s (here {joblib.cpu_count()} processors)",
            "under 120 on 2",
            "not measured" if seconds is None else f"{seconds:.0f}",
            None if seconds is None else seconds < 120,
        ),
    ]


def _frames_per_s(path: Path) -> float:
    capture = cv2.VideoCapture(str(path))
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    return rate
