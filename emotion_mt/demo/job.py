"""One prediction for the page: checks, prediction, pictures."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.demo.frames import FrameStrip, read_frames
from emotion_mt.demo.limits import MAX_SUBTITLES_MB, Limits
from emotion_mt.demo.messages import DemoError, without_paths
from emotion_mt.inference import Predictor

#: Shortest segment in seconds that a film may be cut into.
MIN_SEGMENT_S = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """What the page shows.

    Attributes:
        names: Names of the files, without folders.
        table: What `Predictor.predict` returned.
        viewers: The viewers, the average first.
        frames: Pictures of the film, or None.
        notes: What a user should know; no path of this machine.
        simulated: Whether the model was trained on simulated data.
    """

    names: tuple[str, ...]
    table: pd.DataFrame
    viewers: tuple[str, ...]
    frames: FrameStrip | None
    notes: tuple[str, ...]
    simulated: bool

    def probabilities(self, viewer: str) -> np.ndarray:
        """Of "positive": float [N] in [0, 1], NaN where there is none."""
        return self.table[f"{viewer}_probability"].to_numpy(float)

    @property
    def starts_s(self) -> np.ndarray:
        """Start of each segment in seconds: float [N]."""
        return self.table["start_s"].to_numpy(float)

    @property
    def ends_s(self) -> np.ndarray:
        """End of each segment in seconds: float [N]."""
        return self.table["end_s"].to_numpy(float)

    @property
    def texts(self) -> list[str]:
        """Text of each segment, maybe ""."""
        return [str(text) for text in self.table["text"]]

    @property
    def known(self) -> np.ndarray:
        """Which segments have a probability for one viewer at least: [N]."""
        values = [self.probabilities(viewer) for viewer in self.viewers]
        return np.asarray(np.isfinite(values).any(axis=0))

    @property
    def span_s(self) -> tuple[float, float]:
        """Start and end of the timeline in seconds, if there is one."""
        # Cues beyond the end of the film have no probability.
        end_s = float(self.ends_s[self.known].max())
        if self.frames is not None:
            return 0.0, max(end_s, self.frames.end_s)
        start_s = float(self.starts_s[self.known].min())
        # An excerpt from the middle of a film need not begin with emptiness.
        return (0.0 if start_s < end_s / 2 else start_s), end_s

    def row_at(self, time_s: float) -> int | None:
        """The segment at a time, the last to start; None between them."""
        inside = (self.starts_s <= time_s) & (time_s < self.ends_s)
        found = np.flatnonzero(inside)
        return int(found[-1]) if found.size else None


def average_first(viewers: Sequence[str]) -> tuple[str, ...]:
    """The viewers, the average in front, otherwise in their order."""
    return tuple(sorted(viewers, key=lambda name: name != paper.AVERAGE))


def check_given(
    predictor: Predictor, video: object | None, subtitles: object | None
) -> None:
    """Says what is still to be chosen.

    Args:
        predictor: Knows what its model looks at.
        video: Whatever was chosen, or None.
        subtitles: Whatever was chosen, or None.

    Raises:
        DemoError: If something is missing.
    """
    missing = []
    if "visual" in predictor.modalities and video is None:
        missing.append("a video")
    if "text" in predictor.modalities and subtitles is None:
        missing.append("a subtitle file")
    if missing:
        raise DemoError(
            f"Please choose {' and '.join(missing)}: this model looks at "
            + " and ".join(
                {"visual": "pictures", "text": "subtitles"}[modality]
                for modality in predictor.modalities
            )
            + "."
        )


def run(
    predictor: Predictor,
    video: Path | None,
    subtitles: Path | None,
    segment_s: float | None,
    limits: Limits,
) -> Result:
    """Predicts one clip.

    Args:
        predictor: The predictor.
        video: The film, or None.
        subtitles: Its subtitles, or None.
        segment_s: Length of the segments where there are no subtitles; None
            for the predictor's own.
        limits: What is taken.

    Returns:
        What the page shows.

    Raises:
        DemoError: If something is missing or beyond a limit.
        ValueError: If a file cannot be used; see `Predictor.predict`.
    """
    check_given(predictor, video, subtitles)
    given = [path for path in (video, subtitles) if path is not None]
    for path in given:
        _check_size(path, limits.max_upload_mb)
    if subtitles is not None:
        _check_size(subtitles, MAX_SUBTITLES_MB)
        segment_s = None
    elif segment_s is not None and not segment_s >= MIN_SEGMENT_S:
        raise DemoError(
            f"Segments must last at least {MIN_SEGMENT_S:g} s. "
            f"Received: {segment_s:g}"
        )
    # First of all, since it finds out whether the film decodes and how long
    # it is.
    frames = None if video is None else read_frames(video, limits.max_minutes)
    table = predictor.predict(video, subtitles, segment_s, progress=False)
    folders = [path.parent for path in given]
    return Result(
        names=tuple(path.name for path in given),
        table=table,
        viewers=average_first(predictor.viewers),
        frames=frames,
        notes=tuple(
            without_paths(problem, folders)
            for problem in table.attrs["problems"]
        ),
        simulated=predictor.bundle.simulated,
    )


def _check_size(path: Path, max_mb: float) -> None:
    size = os.path.getsize(path)
    if size > max_mb * 1e6:
        raise DemoError(
            f"{path.name}: expected a file of at most {max_mb:g} MB. "
            f"Received {size / 1e6:.1f} MB"
        )
