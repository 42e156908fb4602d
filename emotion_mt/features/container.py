"""Opens film files, and finds the film in them."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections import Counter
from collections.abc import Sequence

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from emotion_mt.features import files

#: What is in a video stream beside the film.
_NO_FILM = (
    Disposition.attached_pic
    | Disposition.still_image
    | Disposition.timed_thumbnails
)

#: Lists of other files, which nobody asked for.
_LISTS = {"concat", "dash", "hls", "imf"}

#: How Matroska states the length of a stream.
_DURATION = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")

_CONVERT = (
    "Convert it with a program that plays it, for instance to H.264: "
    "ffmpeg -i FILE -c:v libx264 NEW.mp4"
)


class VideoError(ValueError):
    """Films that do not give the frames that were asked for.

    Attributes:
        problems: One message per film; each names the file, what was
            expected and what was received.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        """Joins the messages, one a line."""
        if isinstance(problems, str):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def open_film(path: str) -> tuple[InputContainer, VideoStream, list[str]]:
    """The container of a film, its stream that is the film, and what is odd.

    The codec and a frame rate are known.
    """
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(_open(path))
        stream, odd = _choose(path, container)
        rate = stream.average_rate or stream.guessed_rate
        if stream.codec_context is None:
            raise VideoError(
                f"{path}: expected a video of a codec that FFmpeg decodes. "
                f"Received: {_contents(container)}. {_CONVERT}"
            )
        if not rate or rate <= 0:
            raise VideoError(
                f"{path}: expected a video that states its frame rate. "
                f"Received: {rate}"
            )
        # It stays open.
        stack.pop_all()
    return container, stream, odd


def _open(path: str) -> InputContainer:
    _require_file(path)
    try:
        container = av.open(
            # "file:", or what is before a colon is taken for a protocol.
            f"file:{path}",
            metadata_errors="replace",
            options={"protocol_whitelist": "file"},
        )
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(
            f"{path}: expected a video that FFmpeg can open. Received a file "
            f"of {os.path.getsize(path)} bytes that it cannot: {error}"
        ) from error
    if container.format.name in _LISTS:
        container.close()
        raise VideoError(
            f"{path}: expected a video. Received a list of other files "
            f"({container.format.name})"
        )
    return container


def _choose(
    path: str, container: InputContainer
) -> tuple[VideoStream, list[str]]:
    """The stream that is the film, and whether there was a choice."""
    videos = container.streams.video
    films = [s for s in videos if not s.disposition & _NO_FILM]
    if not films:
        raise VideoError(
            f"{path}: expected a video. Received: {_contents(container)}"
        )
    if len(films) > 1:
        # A cover that nobody flagged has one packet.
        moving = _moving_streams(path)
        films = [s for s in films if s.index in moving] or films
    default = [s for s in films if s.disposition & Disposition.default]
    chosen = (default or films)[0]
    if len(films) == 1:
        return chosen, []
    which = "default" if default else "first"
    return chosen, [
        f"has {len(films)} video streams; the film is taken to be stream "
        f"{chosen.index}, the {which} one"
    ]


def _moving_streams(path: str) -> set[int]:
    """Numbers of the video streams that have more than one packet."""
    seen: Counter[int] = Counter()
    with contextlib.suppress(av.FFmpegError), _open(path) as container:
        packets = container.demux(container.streams.video)
        for packet in itertools.islice(packets, 500):
            seen[packet.stream.index] += packet.size > 0
    return {index for index, count in seen.items() if count > 1}


def _contents(container: InputContainer) -> str:
    """What is in a file: "Video: none (XYZ9 / 0x395A5958)"."""
    # FFmpeg tells it to its log only.
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        text = container.dumps_format()  # type: ignore[attr-defined]
    finally:
        av.logging.set_level(level)
    streams = re.findall(r"Stream #\S+ (\w+: [^,\n]+)", text)
    return ", ".join(streams) or "no streams"


def stated_length_s(stream: VideoStream, start_s: float) -> float:
    """Seconds that a file states of the film itself, 0 if it does not.

    (The container's may be the length of the sound.)
    """
    if stream.duration is not None and stream.time_base is not None:
        end = (stream.start_time or 0) + stream.duration
        return float(end * stream.time_base) - start_s
    tag = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    parts = zip((3600, 60, 1), tag.groups(), strict=True) if tag else ()
    return sum(unit * float(part) for unit, part in parts)


def fingerprint(path: str | os.PathLike[str]) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a video file.

    No cheaper digest is sure to tell two films, or two cuts of one, apart.
    """
    _require_file(os.fspath(path))
    return os.path.getsize(path), files.file_sha256(path)


def _require_file(path: str) -> None:
    if not os.path.isfile(path):
        raise VideoError(
            f"{path}: expected a video file. Received: no such file"
        )
