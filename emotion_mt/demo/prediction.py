"""One prediction for the page, and its errors without the server's paths."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2
import numpy as np

from emotion_mt import _progress
from emotion_mt.demo.limits import Limits
from emotion_mt.demo.rating import Clip
from emotion_mt.features.video import Hole, Video, on_screen
from emotion_mt.inference import Predictor

#: Subtitles of a long film are some 200 kB.
MAX_SUBTITLES_MB = 10

#: Pictures per second of a film, and their largest size in pixels.
_PICTURES_PER_S = 2.0
_PICTURE_PX = (240, 180)

# A path from the root on. What follows a letter, a digit or another slash is
# no start of a path: "1/25", "frames/s", "https://…".
_PATH = re.compile(r"(?<![\w/.:<])(?:[A-Za-z]:\\|/)[^\s'\"`:;,()<>]+")


def predict(
    predictor: Predictor,
    video: Path | None,
    subtitles: Path | None,
    segment_s: float | None,
    limits: Limits,
) -> Clip:
    """Predicts one clip.

    `segment_s` counts without subtitles only.

    Raises:
        ValueError: If something is beyond a limit or cannot be used; see
            `Predictor.predict`.
    """
    given = [path for path in (video, subtitles) if path is not None]
    if subtitles is not None:
        size_mb = os.path.getsize(subtitles) / 1e6
        if size_mb > MAX_SUBTITLES_MB:
            raise ValueError(
                f"{subtitles.name}: expected subtitles of at most "
                f"{MAX_SUBTITLES_MB} MB. Received {size_mb:.1f} MB"
            )
        segment_s = None
    # First of all, since it finds out whether the film decodes and how long
    # it is.
    film = None if video is None else _read_film(video, limits.max_minutes)
    table = predictor.predict(video, subtitles, segment_s, progress=False)
    problems = table.attrs["problems"] = [
        without_paths(problem, *given) for problem in table.attrs["problems"]
    ]
    if table.filter(like="_probability").isna().all(axis=None):
        raise ValueError(
            "There is no segment that could be predicted. "
            + "; ".join(problems[:3])
        )
    middles = (table["start_s"] + table["end_s"]) / 2 * _PICTURES_PER_S
    pictures = None if film is None else [film.get(int(m)) for m in middles]
    names = tuple(path.name for path in given)
    return Clip(given[0].stem, names, predictor.bundle, table, pictures)


def without_paths(text: str, *uploads: Path) -> str:
    """Shortens every path in a message to its last part.

    Args:
        text: A message, of an error for example.
        *uploads: Files whose names and folders may hold blanks and the like.

    Returns:
        The message; "/srv/x/clip.mp4: no such file" becomes
        "clip.mp4: no such file".
    """
    for path in uploads:
        for form in (os.fspath(path), os.path.realpath(path)):
            text = text.replace(form, path.name)
    return _PATH.sub(
        lambda found: re.split(r"[\\/]", found[0].rstrip("\\/"))[-1], text
    )


def _read_film(path: Path, max_minutes: float) -> dict[int, bytes]:
    """Small JPEG files of a film by tick, at a constant rate.

    Raises:
        ValueError: If the film is longer, by what it states or by what it
            holds, or does not decode.
    """
    pictures = {}
    with Video(path) as film:
        _check_length(path, film.stated_end_s, max_minutes)
        length_s = film.stated_end_s or max_minutes * 60
        # Not shown on stderr; the page follows it all the same.
        with _progress.progress(
            "Reading the film",
            total=round(length_s * _PICTURES_PER_S),
            unit=" frames",
            shown=False,
        ) as bar:
            for item in on_screen(film, _PICTURES_PER_S):
                if isinstance(item, Hole):
                    continue
                tick, time_s, frame = item
                _check_length(path, time_s, max_minutes)
                pictures[tick] = _jpeg(frame.bgr())
                bar.update(1)
    return pictures


def _check_length(path: Path, length_s: float, max_minutes: float) -> None:
    if length_s > max_minutes * 60:
        raise ValueError(
            f"{path.name}: expected a film of at most {max_minutes:g} minutes. "
            f"Received at least {length_s / 60:.3g} minutes"
        )


def _jpeg(frame: np.ndarray) -> bytes:
    """uint8 [H, W, 3] in BGR to a small JPEG file."""
    height, width = frame.shape[:2]
    scale = min(1.0, _PICTURE_PX[0] / width, _PICTURE_PX[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return encoded.tobytes()
