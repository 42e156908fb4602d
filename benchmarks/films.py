"""Films of many kinds against an independent decoder, the ffmpeg program.

    python benchmarks/films.py

makes films of many kinds (`kinds`) and compares the windows of cues with the
frames that ffmpeg shows at the same instants: time 0 is where the container
starts, and a frame is on the screen from its timestamp to that of the next one.
Windows may differ by 2 grey levels in the mean. It prints a Markdown table with
counts and ends with status 1 if a window differs by more; docs/reliability.md
keeps a run. `pip install imageio-ffmpeg`.

tests/features/test_film_grid.py does some of it in `make test`.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pandas as pd

from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.features import FeatureConfig
from emotion_mt.features.video import Video
from emotion_mt.features.windows import film_windows, segment_ticks

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()

#: Grey levels by which the mean of a window may differ.
TOLERANCE = 2.0

#: A frame may come this much after a tick, as in `features.video`.
LATE_S = 0.65e-3

#: Cues in seconds: at the start, off the grid of ticks, short, at the end.
CUES = ((0.0, 1.0), (1.31, 2.5), (2.9, 3.1), (3.2, 3.96))

#: Container to the codecs that it takes.
CONTAINERS = {
    "mp4": ("h264", "hevc", "mpeg4", "av1", "vp9"),
    "mov": ("h264", "hevc", "mpeg4", "dv", "prores", "mjpeg"),
    "mkv": ("h264", "hevc", "mpeg2", "mpeg4", "vp9", "av1", "theora", "ffv1"),
    "avi": ("h264", "mpeg4", "dv", "mjpeg"),
    "mpg": ("mpeg2",),
    "ts": ("h264", "hevc", "mpeg2"),
    "webm": ("vp9", "av1"),
    "ogv": ("theora",),
}

#: Codec to the arguments of its encoder.
ENCODERS = {
    "h264": "-c:v libx264 -preset veryfast -crf 18",
    "hevc": "-c:v libx265 -preset ultrafast -crf 18 -x265-params log-level=1",
    "mpeg2": "-c:v mpeg2video -q:v 3 -bf 2",
    "mpeg4": "-c:v mpeg4 -q:v 3 -bf 2",
    "dv": "-c:v dvvideo",
    "prores": "-c:v prores_ks",
    "mjpeg": "-c:v mjpeg -q:v 3",
    "vp9": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 20 -b:v 0",
    "av1": "-c:v libsvtav1 -preset 12 -crf 25 -svtav1-params progress=0",
    "theora": "-c:v libtheora -q:v 8",
    "ffv1": "-c:v ffv1",
}

#: Codecs that can be interlaced, with how.
INTERLACED = {
    "h264": "-flags +ilme+ildct",
    "mpeg2": "-flags +ilme+ildct",
    "mpeg4": "-flags +ilme+ildct",
    "dv": "",
}

#: Pixel formats beside the usual one, yuv420p.
PIXELS = {
    "h264": ("yuv422p", "yuv420p10le", "yuv422p10le"),
    "hevc": ("yuv422p", "yuv420p10le", "yuv422p10le"),
    "mpeg2": ("yuv422p",),
    "vp9": ("yuv422p", "yuv420p10le"),
    "av1": ("yuv420p10le",),
    "ffv1": ("yuv422p", "yuv420p10le", "yuv422p10le"),
    "theora": ("yuv422p",),
}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A film: container and codec, and what is special about it.

    Pixels are "" for the codec's usual format, scan is "" or "interlaced",
    how is "" or what is done to it, one of `_DONE`.
    """

    group: str
    container: str
    codec: str
    pixels: str = ""
    scan: str = ""
    how: str = ""

    def __str__(self) -> str:
        parts = (self.container, self.codec, self.pixels, self.scan, self.how)
        return "-".join(part for part in parts if part)


#: What is done to a film of one codec in several containers.
_DONE = (
    *("full range", "rotated", "variable rate", "cut", "late picture"),
    *("sound first", "cover", "two streams", "bt709", "23.976"),
)

#: More arguments of the encoder.
_FLAGS = {
    "full range": "-color_range pc",
    "bt709": "-colorspace bt709 -color_primaries bt709 -color_trc bt709",
    "variable rate": "-fps_mode vfr",
}

#: Seconds by which the picture is late.
_LATE_S = {"late picture": 2.0, "sound first": 0.4}

#: Seconds of another video stream before the film, and its flags.
_OTHERS = {
    "two streams": (4, "-disposition:v:1 default"),
    "cover": (0.04, "-c:v:0 png"),
}

#: How the film is copied; "cut" is in the middle between two key frames.
_COPIED = {"rotated": "-display_rotation 90 -i", "cut": "-ss 0.7 -i"}

#: Container to the codec of its sound, where that is not mp2.
_SOUNDS = {"webm": "libopus", "ogv": "libvorbis", "avi": "pcm_s16le"}


def kinds() -> Iterator[Kind]:
    """All kinds."""
    for container, codecs in CONTAINERS.items():
        for codec in codecs:
            yield Kind("container × codec", container, codec)
            if codec in INTERLACED:
                yield Kind("interlaced", container, codec, scan="interlaced")
            # AVI and Ogg are too old for some.
            for pixels in PIXELS.get(codec, ()):
                yield Kind("bits and chroma", container, codec, pixels)
    for how, container in itertools.product(_DONE, ("mp4", "mkv", "ts", "mov")):
        if how == "rotated" and container == "ts":
            continue
        if how == "cover" and container != "mkv":
            continue
        yield Kind(how, container, "h264", how=how)


def _run(*arguments: str | Path) -> None:
    command = [FFMPEG, "-v", "error", "-nostdin", "-y"]
    for argument in arguments:
        is_path = isinstance(argument, Path)
        command += [str(argument)] if is_path else argument.split()
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode()[-600:]}")


def _picture(kind: Kind) -> str:
    """FFmpeg's source of 4 s, 25 frames per second, that move."""
    size = "720x576" if kind.codec == "dv" else "192x144"
    rate = "24000/1001" if kind.how == "23.976" else "25"
    picture = f"testsrc2=size={size}:rate={'50' if kind.scan else rate}"
    # The brightness jumps from frame to frame.
    picture += ":duration=4,hue=b=2*sin(7*n)"
    if kind.scan:
        picture += ",tinterlace=interleave_top,setsar=1"
    picture += {
        "variable rate": ",select=lt(mod(n\\,25)\\,9)+gt(mod(n\\,25)\\,20)",
        "full range": ",scale=out_range=full",
        "bt709": ",scale=out_color_matrix=bt709",
    }.get(kind.how, "")
    return f"-f lavfi -i {picture}"


def _encoder(kind: Kind) -> str:
    """Arguments that encode picture and sound."""
    special = {"prores": "yuv422p10le", "mjpeg": "yuvj420p"}
    pixels = kind.pixels or special.get(kind.codec, "yuv420p")
    parts = [ENCODERS[kind.codec], f"-pix_fmt {pixels}"]
    if kind.scan:
        parts.append(INTERLACED[kind.codec])
    parts.append(_FLAGS.get(kind.how, ""))
    sound = "pcm_s16le" if kind.codec == "dv" else _SOUNDS.get(kind.container)
    if kind.container in ("mp4", "mov"):
        sound = "aac"
    parts.append(f"-c:a {sound or 'mp2'} -ac 2")
    return " ".join(parts)


def make(kind: Kind, folder: Path) -> Path:
    """Writes a film of 4 s, 25 frames per second, that moves; with sound."""
    path = folder / f"{kind}.{kind.container}".replace(" ", "_")
    first = folder / f"first.{kind.container}"
    picture, encoder = _picture(kind), _encoder(kind)
    sound = "-f lavfi -i sine=duration=4.5:sample_rate=48000"
    if kind.how in _LATE_S:
        _run(picture, "-an", encoder, first)
        late = f"-itsoffset {_LATE_S[kind.how]} -i"
        coded = encoder[encoder.rindex("-c:a") :]
        _run(sound, late, first, "-map 0 -map 1 -c copy", coded, path)
    elif kind.how in _OTHERS:
        length_s, flags = _OTHERS[kind.how]
        other = f"color=white:size=64x48:rate=25:duration={length_s}"
        flags = f"-map 0 -map 1 -map 2 -disposition:v:0 0 {flags}"
        _run(f"-f lavfi -i {other}", picture, sound, encoder, flags, path)
    elif kind.how in _COPIED:
        _run(picture, sound, encoder, "-g 50", first)
        _run(_COPIED[kind.how], first, "-c copy", path)
    else:
        _run(picture, sound, encoder, path)
    return path


def film_stream(kind: Kind) -> int:
    """Number of the stream that is the film."""
    second = kind.how in ("late picture", "sound first", "cover")
    # A transport stream flags no default.
    return int(
        second or (kind.how, kind.container != "ts") == ("two streams", 1)
    )


def reference_frames(path: Path, stream: int) -> tuple[list[float], np.ndarray]:
    """What ffmpeg shows of a video stream of a file.

    Returns:
        Seconds since the container's start, increasing, and uint8
        [N, 64, 64, 3] in RGB.
    """
    # With more threads it decodes Theora differently from run to run.
    command = [FFMPEG, "-hide_banner", "-nostdin", "-threads", "1"]
    command += ["-i", str(path)]
    command += ["-map", f"0:{stream}", "-fps_mode", "passthrough"]
    command += ["-vf", "showinfo", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    # Without it, the clock would not be the container's but the picture's.
    command += ["-map", "0:a?", "-f", "null", "-"]
    # Lines of several threads may run into each other in its log.
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, check=True)
        shown = re.findall(
            r"\] n: *\d+ pts: *-?\d+ pts_time:(-?[\d.]+).* s:(\d+)x(\d+)",
            done.stderr.decode(errors="replace"),
        )
        width, height = map(int, shown[0][1:])
        frames = np.frombuffer(done.stdout, np.uint8)
        frames = frames.reshape(-1, height, width, 3)
        if len(frames) == len(shown):
            small = [cv2.resize(frame, (64, 64)) for frame in frames]
            return [float(time_s) for time_s, *_ in shown], np.stack(small)
    raise RuntimeError(f"{path}: {len(frames)} frames, {len(shown)} in the log")


def differences(path: Path, stream: int = 0, shift: int = 0) -> list[float]:
    """Differences of the windows of `CUES` from ffmpeg's, in grey levels.

    Means over parts of a frame are compared, since decoders differ in how they
    spread the colours of four pixels. The film is moved by `shift` frames, to
    see that it is noticed.
    """
    times_s, frames = reference_frames(path, stream)
    found = collections.defaultdict(list)
    with Video(path) as video:
        for index, window in film_windows(video, CUES, 64, FeatureConfig()):
            found[index].append(window)
        end_s = video.end_s
    # A frame that comes a little late stands for the time before it.
    first_s = times_s[0] if times_s[0] > 1 else 0.0
    result = []
    for index, cue in enumerate(CUES):
        first, stop = segment_ticks(cue, 25.0, 16)
        ticks = [
            k for k in range(first, stop) if first_s <= k / 25 + LATE_S < end_s
        ]
        starts = range(0, len(ticks) - 15, 8)
        if len(found[index]) != (max(1, len(starts)) if ticks else 0):
            result.append(np.inf)
        for start, window in zip(starts, found[index], strict=False):
            instants = np.array(ticks[start : start + 16]) / 25 + LATE_S
            shown = np.searchsorted(times_s, instants, "right") - 1 + shift
            expected = frames[np.clip(shown, 0, len(frames) - 1)]
            difference = _parts(expected) - _parts(window)
            result.append(float(np.abs(difference).mean()))
    return result


def _parts(frames: np.ndarray) -> np.ndarray:
    """Float [N, 8, 8, 3], means of parts of frames of 64 pixels."""
    return frames.reshape(-1, 8, 8, 8, 8, 3).mean(axis=(2, 4))


def main() -> int:
    """Compares all kinds, and prints what was found."""
    rows, bad = [], []
    with tempfile.TemporaryDirectory() as name:
        for kind in kinds():
            try:
                path = make(kind, Path(name))
            except RuntimeError as error:
                print(f"not made: {kind}: {error}", file=sys.stderr)
                continue
            found = differences(path, film_stream(kind))
            beyond = sum(value > TOLERANCE for value in found)
            largest = max(found, default=0.0)
            rows.append((kind.group, 1, len(found), beyond, largest))
            if beyond or not found:
                bad.append(f"{kind}: {np.round(found, 2)}")
            path.unlink()
    columns = ["films", "how many", "windows", "different"]
    frame = pd.DataFrame(rows, columns=[*columns, "largest difference"])
    groups = frame.groupby("films", sort=False)
    table = groups[columns[1:]].sum()
    worst = groups["largest difference"].max().map("{:.2f}".format)
    print(markdown_table(table.join(worst).reset_index()))
    print("\n".join(bad), file=sys.stderr)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
