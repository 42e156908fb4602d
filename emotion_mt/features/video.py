"""Decodes films by their own clock."""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import av
from av.video.reformatter import VideoReformatter

from emotion_mt.features.container import (
    VideoError,
    open_film,
    stated_length_s,
)
from emotion_mt.features.frames import Frame, Stillness

#: Some containers round timestamps to whole milliseconds. A frame that is at
#: most this much after an instant counts as on the screen at that instant. (Not
#: a multiple of 1/24000 s or 1/30000 s, in which the usual rates would tie.)
TIMESTAMP_TOLERANCE_S = 0.65e-3

#: Neighbouring frames further apart than this are a hole in the film, unless
#: the first one's own duration or sound that goes on says that it stays.
LONGEST_FRAME_S = 10.0

#: A first frame that is no later than this stands for the time before it.
LATEST_START_S = 1.0

#: A film whose frames end this much before the length that its file states
#: has broken off.
SHORTFALL_TOLERANCE_S = 0.2

#: A segment may run this much past the film, as subtitles do, or into a hole.
OVERRUN_TOLERANCE_S = 1.0

#: Frames that `Video.scan` decodes.
_SCANNED_FRAMES = 50

#: Packets among which the order of decoding becomes that of time.
_REORDERED = 32

#: Codecs that FFmpeg 8 decodes differently from run to run if several threads
#: decode several frames at once.
_RACY = {"theora", "vp3", "vp4"}

#: Broadcasts count 2^33 steps of 1/90000 s and begin anew. A jump back looks
#: like that.
_WRAP_S = 2**33 / 90_000

#: FFmpeg's flag of formats whose timestamps may jump (AVFMT_TS_DISCONT).
_TS_DISCONT = 0x200


class Hole(NamedTuple):
    """From when a frame ends, in seconds, to when the next one comes."""

    start_s: float
    end_s: float


class Seen(NamedTuple):
    """What was found in a film, as far as it was decoded; fits into JSON.

    Attributes:
        problems: What is wrong with it, a sentence each.
        frames: Number of frames.
        end_s: Time in seconds at which the last one ends.
        tolerance_s: Seconds that a segment may reach past that.
        holes: See `Hole`.
    """

    problems: Sequence[str] = ()
    frames: int = 0
    end_s: float = math.inf
    tolerance_s: float = 0.0
    holes: Sequence[tuple[float, float]] = ()


class Video:
    """A film that is decoded once, from its first frame on.

    Its clock is the file's: time 0 is where the container starts, be that
    with a frame or with sound, and a frame is on the screen from its
    timestamp to that of the next one.

    Attributes:
        fps: Mean number of frames per second that the file states.
        frames: Number of frames decoded so far.
        end_s: Time in seconds at which the last decoded frame ends.
        holes: See `Hole`; those that were passed so far.
        cancelled: Set it, and decoding ends soon, also in another thread.

    Raises:
        VideoError: If there is no such file, or no film in it that can be
            decoded.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._container, self._stream, self._problems = open_film(self.path)
        context = self._stream.codec_context
        self.codec = context.codec.canonical_name
        context.thread_type = "SLICE" if self.codec in _RACY else "AUTO"
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.fps = float(rate or 0)
        self.frames = 0
        self.end_s = 0.0
        self.holes: list[Hole] = []
        self.cancelled = False
        self._start_s = (self._container.start_time or 0) / av.time_base
        self._previous_s: float | None = None
        self._shift_s = 0.0
        self._unstamped = self._damaged = 0
        # Whole seconds in which packets of the film, and of sound, begin.
        self._fed: set[int] = set()
        self._heard: set[int] = set()
        self._stillness = Stillness(context.codec.lossy)
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[tuple[float, Frame]]:
        """Yields (time in seconds, frame); times increase.

        A frame whose timestamp is missing or does not increase follows its
        predecessor by 1/fps. Where the stamps jump back by more than
        `LONGEST_FRAME_S`, as in joined recordings, what comes follows what
        was before.
        """
        for packet in self._packets():
            for decoded in self._decode(packet):
                time_s = self._on_clock(
                    self._stamp_s(decoded), self._seconds(decoded.duration)
                )
                self._see(decoded)
                yield time_s, Frame(decoded, self._reformatter)
        if not self.cancelled:
            self.check()

    def _see(self, decoded: av.VideoFrame) -> None:
        self._stillness.see(decoded)
        self.frames += 1

    def scan(self) -> None:
        """Finds `end_s`, `holes` and `seen` nearly as decoding does.

        It decodes the first frames only, and reads at the speed of the disk.
        """
        coming: list[tuple[float, float]] = []
        newest_s, count = -math.inf, 0
        for packet in self._packets():
            if self.frames < _SCANNED_FRAMES:
                for decoded in self._decode(packet):
                    self._see(decoded)
            if (stamp_s := _packet_s(packet)) is None:
                continue
            # All that was before a jump back comes before it.
            keep = 0 if stamp_s < newest_s - LONGEST_FRAME_S else _REORDERED
            while len(coming) > keep:
                self._on_clock(*heapq.heappop(coming))
            newest_s, count = stamp_s, count + 1
            length_s = self._seconds(packet.duration) or 0.0
            heapq.heappush(coming, (stamp_s, length_s))
        while coming:
            self._on_clock(*heapq.heappop(coming))
        self.check()
        self.frames = count

    def at(self, time_s: float) -> Frame | None:
        """The frame that is on the screen at an instant, None if none is.

        Looks for it from a key frame before, so that it may be called in any
        order, but not while the film is iterated over.
        """
        for back_s in (0.0, 2.0, 15.0, math.inf):
            from_s = self._start_s + max(0.0, time_s - back_s)
            try:
                self._container.seek(int(from_s * av.time_base))
            except av.FFmpegError:
                continue
            shown, end_s = None, 0.0
            frames = (f for p in self._packets() for f in self._decode(p))
            for decoded in frames:
                if (stamp_s := self._stamp_s(decoded)) is None:
                    continue
                stamp_s -= self._start_s
                if stamp_s > time_s + TIMESTAMP_TOLERANCE_S:
                    if shown is None and stamp_s <= LATEST_START_S:
                        return Frame(decoded, self._reformatter)
                    end_s += LONGEST_FRAME_S
                    break
                shown = decoded
                length_s = self._seconds(decoded.duration)
                end_s = stamp_s + (length_s or 1 / self.fps)
            if shown is not None:
                late = time_s >= end_s
                return None if late else Frame(shown, self._reformatter)
        return None

    @property
    def stated_end_s(self) -> float:
        """Length in seconds that the file states, 0 if it does not."""
        return max(0, self._container.duration or 0) / av.time_base

    @property
    def seen(self) -> Seen:
        """What was found so far."""
        found = self._problems + [
            f"no frames from {start_s:.2f} to {end_s:.2f} s, by the "
            "timestamps of those around it"
            for start_s, end_s in self.holes
        ]
        if self._damaged:
            found.append(
                f"{self._damaged} packets of {self.codec} could not be "
                "decoded and were left out"
            )
        if self._unstamped:
            found.append(
                f"{self._unstamped} frames have no timestamp or one that does "
                f"not increase; they follow their predecessor by "
                f"1/{self.fps:.3f} s"
            )
        stated_s = stated_length_s(self._stream, self._start_s)
        breaks_off = stated_s - self.end_s > SHORTFALL_TOLERANCE_S
        tolerance_s = 1 / self.fps if breaks_off else OVERRUN_TOLERANCE_S
        return Seen(found, self.frames, self.end_s, tolerance_s, self.holes)

    def _packets(self) -> Iterator[av.Packet]:
        """The packets of the film; notes when there is something to hear."""
        sounds = self._container.streams.audio
        packets = self._container.demux([self._stream, *sounds])
        while not self.cancelled:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self._problems.append(
                    f"breaks off after {self.end_s:.2f} s: {error}"
                )
                # What the decoder still holds.
                yield av.Packet()
                return
            if packet is None:
                return
            film = packet.stream.index == self._stream.index
            if (stamp_s := _packet_s(packet)) is not None:
                seconds = self._fed if film else self._heard
                seconds.add(int(stamp_s - self._start_s + self._shift_s))
            if film:
                self._stillness.feed(packet)
                yield packet

    def _decode(self, packet: av.Packet) -> Sequence[av.VideoFrame]:
        try:
            if packet.size == 0:
                return self._stream.codec_context.decode(None)
            return packet.decode()
        except av.FFmpegError:
            self._damaged += 1
            return ()

    def _stamp_s(self, frame: av.VideoFrame) -> float | None:
        # AVI knows the order of decoding only; what FFmpeg makes of it for
        # frames that are shown in another order is not even increasing.
        avi = self._container.format.name == "avi" and frame.dts is not None
        return self._seconds(frame.dts if avi else frame.pts)

    def _seconds(self, stamp: int | None) -> float | None:
        base = self._stream.time_base
        return None if stamp is None else float(stamp * (base or 0))

    def _on_clock(
        self, stamp_s: float | None, duration_s: float | None
    ) -> float:
        """Puts the next frame on the film's clock, and returns its time."""
        previous_s, time_s = self._previous_s, 0.0
        if stamp_s is not None:
            time_s = stamp_s - self._start_s + self._shift_s
            if previous_s is not None and time_s > previous_s + _WRAP_S / 2:
                time_s -= _WRAP_S
            if previous_s is not None and time_s < previous_s - LONGEST_FRAME_S:
                self._problems.append(
                    f"at {self.end_s:.2f} s the timestamps jump back by "
                    f"{self.end_s - time_s:.2f} s, as where recordings are "
                    "joined; what comes then is taken to follow"
                )
                self._shift_s += self.end_s - time_s
                time_s = self.end_s
        if stamp_s is None or (previous_s is not None and time_s <= previous_s):
            self._unstamped += 1
            time_s = 0.0 if previous_s is None else previous_s + 1 / self.fps
        if previous_s is None:
            if time_s > LATEST_START_S:
                self.holes.append(Hole(0.0, time_s))
        elif self._is_hole(self.end_s, time_s):
            self.holes.append(Hole(self.end_s, time_s))
        self._previous_s = time_s
        self.end_s = time_s + (duration_s or 1 / self.fps)
        return time_s

    def _is_hole(self, start_s: float, end_s: float) -> bool:
        """Whether nothing says that a frame stays for so long."""
        if end_s - start_s <= LONGEST_FRAME_S:
            return False
        within = range(int(start_s) + 1, int(end_s))
        if any(second in self._fed for second in within):
            return True  # There were packets that gave no frames.
        if sum(second in self._heard for second in within) >= len(within) / 2:
            return False
        # Broadcasts jump. Elsewhere somebody set the stamps on purpose,
        # unless the sound jumps too.
        before = range(int(start_s - LONGEST_FRAME_S), int(start_s) + 1)
        jumps = self._container.format.flags & _TS_DISCONT
        return bool(jumps) or any(second in self._heard for second in before)

    def check(self) -> None:
        """Raises VideoError if what was decoded is not to be believed."""
        if not self.frames:
            raise VideoError(
                f"{self.path}: expected a video with frames. Received "
                f"{self._stillness.packets} packets of {self.codec}, not one "
                "of which could be decoded"
            )
        if not self._stillness.believable:
            raise VideoError(
                f"{self.path}: expected frames that differ, as the packets of "
                f"{self.codec} do. Received {self.frames} that are all alike"
            )


def _packet_s(packet: av.Packet) -> float | None:
    """When a packet is shown, in seconds, or else decoded."""
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None or packet.is_discard:
        return None
    return float(stamp * (packet.time_base or 0))


def on_screen(
    video: Video, fps: float | None
) -> Iterator[tuple[int, float, Frame] | Hole]:
    """Samples a film at a constant rate, by timestamp; or takes all frames.

    Tick k is the instant k/fps; its frame is the last one whose timestamp is
    not later (by more than `TIMESTAMP_TOLERANCE_S`). Without `fps`, tick k is
    frame k.

    Yields:
        (k, time in seconds, frame) for k = 0, 1, 2, …, the same frame again
        where it is on the screen at several ticks; each `Hole`, of whose ticks
        there is none; and at the end the `Hole` after the last frame.
    """
    holes = tick = 0
    shown: Frame | None = None

    def ticks(until_s: float) -> Iterator[tuple[int, float, Frame]]:
        nonlocal tick
        if fps is None or shown is None:
            return
        while tick / fps + TIMESTAMP_TOLERANCE_S < until_s:
            yield tick, tick / fps, shown
            tick += 1

    for time_s, frame in video:
        if len(video.holes) == holes:
            yield from ticks(time_s)
        else:
            hole, holes = video.holes[-1], holes + 1
            yield from ticks(hole.start_s)
            yield hole
            if fps is not None:
                last_s = hole.end_s - TIMESTAMP_TOLERANCE_S
                tick = max(tick, math.ceil(last_s * fps))
        if fps is None:
            yield tick, time_s, frame
            tick += 1
        shown = frame
    yield from ticks(video.end_s)
    yield Hole(video.end_s, math.inf)
