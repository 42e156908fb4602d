"""Which lines of a subtitle file belong to which cue, and when it is shown.

pysubs2 takes for text what it does not recognise (notes and style sheets of
WebVTT, broken times) and reads a minus or 60 seconds as something else. So the
lines are told apart here, and pysubs2 reads the markup.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence

from emotion_mt.corpus.corpus import CorpusError

#: Why cues are left out.
UNREADABLE = "its times cannot be read"
COMMENT = "comment, not a subtitle"

_Path = str | os.PathLike[str]

# Start and end in seconds.
_Span = tuple[float, float]

# Line, times if they can be read, text, and why it is left out or "".
_Found = tuple[int, _Span | None, str, str]


@dataclasses.dataclass(frozen=True)
class Cue:
    """One subtitle.

    Attributes:
        number: Position in the file, from 1.
        line: Line of the file that holds its times, from 1.
        start_s: Start in seconds; NaN if it cannot be read.
        end_s: End in seconds; NaN if it cannot be read.
        text: Plain text in one line (`textfiles.plain_line`), markup
            removed. May be empty.
        left_out: Why it cannot be used, or "".
    """

    number: int
    line: int
    start_s: float
    end_s: float
    text: str
    left_out: str = ""


def find_cues(
    path: _Path, lines: Sequence[str], notes: list[str]
) -> tuple[str, list[Cue]]:
    """Returns the format, by content, and the cues in the order of the file.

    Their texts still have markup and line feeds. `notes` receives what a user
    should know, such as each line that looks like times and cannot be read; a
    file without a cue that can is refused (CorpusError). One line at least is
    not blank.
    """
    format_ = _format_of(lines)
    find = {"vtt": _vtt_cues, "srt": _srt_cues}.get(format_, _ass_cues)
    cues = [
        Cue(number, line, *times, text, left_out)
        if times
        else Cue(number, line, math.nan, math.nan, "", left_out or UNREADABLE)
        for number, (line, times, text, left_out) in enumerate(
            find(path, lines, notes), 1
        )
    ]
    bad = [cue.line for cue in cues if cue.left_out == UNREADABLE]
    expected = f"expected a cue such as {_EXAMPLES[format_]!r}. Received"
    if not cues:
        first = next(line for line in lines if line.strip()).strip()
        raise CorpusError(
            f"{path}: {expected} no cue; the file begins with {first[:80]!r}"
        )
    shown = [f"{expected}: {lines[n - 1].strip()[:80]!r}" for n in bad]
    if len(bad) == len(cues):
        more = f" (and {len(bad) - 1} more such lines)" if bad[1:] else ""
        raise CorpusError(f"{path}, line {bad[0]}: {shown[0]}{more}")
    for line, fault in zip(bad, shown, strict=True):
        notes.append(f"{path}, line {line}: left out, {fault}")
    return format_, cues


def _format_of(lines: Sequence[str]) -> str:
    filled = [line.strip() for line in lines if line.strip()]
    if filled[0].startswith("WEBVTT"):
        return "vtt"
    sections = {line.partition("]")[0].casefold() for line in filled}
    if "[v4 styles" in sections:
        return "ssa"
    # A script without styles is still a script.
    ass = {"[v4+ styles", "[script info"} & sections
    return "ass" if ass else "srt"


_EXAMPLES = {
    "srt": "00:00:01,000 --> 00:00:02,500",
    "vtt": "00:00:01.000 --> 00:00:02.500",
    "ass": "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Text",
    "ssa": "Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Text",
}


# --- SubRip and WebVTT -----------------------------------------------------

_STAMP = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*+{_STAMP}\s*+-->\s*+{_STAMP}(?:\s.*)?")
_ARROW = "-->"
_LIKE_TIME = re.compile(r"\d+:\d+:\d")
# A line that is longer is no head, whatever is in it.
_LONGEST_HEAD = 200


def _is_head(line: str) -> bool:
    """Says whether a line holds a cue's times, readable or not."""
    if _ARROW in line:
        return True
    words = line.split() if len(line) <= _LONGEST_HEAD else []
    return (
        2 <= len(words) <= 3
        and _LIKE_TIME.match(words[0].removeprefix("-")) is not None
        and _LIKE_TIME.search(words[-1]) is not None
    )


def _seconds(hours: str | None, *rest: str) -> float:
    minutes, seconds, fraction = rest
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return (whole * 1000 + int(fraction.ljust(3, "0"))) / 1000


def _times(head: str, shift_s: float = 0.0) -> _Span | None:
    found = _TIMES.fullmatch(head)
    if found is None:
        return None
    start, end = found.groups()[:4], found.groups()[4:]
    return _seconds(*start) + shift_s, _seconds(*end) + shift_s


def _srt_cues(
    path: _Path, lines: Sequence[str], notes: list[str]
) -> Iterator[_Found]:
    heads = [i for i, line in enumerate(lines) if _is_head(line)]
    before = [line.strip() for line in lines[: heads[0] if heads else 0]]
    if stray := [line for line in before if line and not line.isdigit()]:
        notes.append(
            f"{path}: ignored text before the first cue: {stray[0][:80]!r}"
        )
    ends = [*heads[1:], None]
    for number, (head, end) in enumerate(zip(heads, ends, strict=False), 1):
        body = lines[head + 1 : end]
        if end is not None:
            body = _without_number(body, number + 1)
        yield head + 1, _times(lines[head]), "\n".join(body), ""


def _without_number(lines: Sequence[str], next_number: int) -> Sequence[str]:
    """Returns the text of a SubRip cue without the number of the next.

    The number stands right above the next times. With blank lines between,
    it is taken for a number only if it is the one expected, since a
    subtitle may well say "42".
    """
    last = max((i for i, ln in enumerate(lines) if ln.strip()), default=-1)
    word = lines[last].strip() if lines else ""
    adjacent = last == len(lines) - 1
    # (Python refuses to read a number of thousands of digits.)
    is_number = word.isdecimal() and len(word) < 20
    cut = is_number and (adjacent or int(word) == next_number)
    return lines[:last] if cut else lines


_NOT_CUES = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s.*)?")
_MAP = "X-TIMESTAMP-MAP"
_MAP_PARTS = (
    re.compile(rf"[=,]\s*LOCAL:{_STAMP}\s*(?:,|$)"),
    re.compile(r"[=,]\s*MPEGTS:(\d{1,15})\s*(?:,|$)"),
)
_MAP_TICKS_PER_S = 90_000


def _vtt_cues(
    path: _Path, lines: Sequence[str], notes: list[str]
) -> Iterator[_Found]:
    """Only an empty line ends a block; a line with a blank is text."""
    shift_s, stray = 0.0, []
    ends = [i for i, line in enumerate(lines) if not line]
    for before, end in itertools.pairwise([-1, *ends, len(lines)]):
        first, block = before + 1, lines[before + 1 : end]
        if not block:
            continue
        heads = [i for i, line in enumerate(block) if _is_head(line)]
        if block[0].lstrip().startswith("WEBVTT"):
            heads = [i for i in heads if i]
            header = block[: heads[0] if heads else len(block)]
            shift_s = _shift_s(path, first, header, notes)
        elif not heads and not _NOT_CUES.fullmatch(block[0]):
            stray += [first + 1] if "".join(block).strip() else []
        hidden = COMMENT if _NOT_CUES.fullmatch(block[0]) else ""
        for head, stop in itertools.pairwise([*heads, len(block)]):
            body = block[head + 1 : stop]
            if stop < len(block) and body and body[-1].strip().isdecimal():
                body = body[:-1]  # the name of the next cue
            times = _times(block[head], shift_s)
            yield first + head + 1, times, "\n".join(body), hidden
    if stray:
        more = f" and {len(stray) - 1} more" if stray[1:] else ""
        notes.append(
            f"{path}, line {stray[0]}{more}: ignored text without times: "
            f"{lines[stray[0] - 1].strip()[:80]!r}"
        )


def _shift_s(
    path: _Path, first: int, header: Sequence[str], notes: list[str]
) -> float:
    """What a header's time map adds to the times that follow, in seconds."""
    for number, line in enumerate(header, first + 1):
        if not line.strip().startswith(_MAP):
            continue
        local, ticks = (part.search(line) for part in _MAP_PARTS)
        if local is None or ticks is None:
            raise CorpusError(
                f"{path}, line {number}: expected a time map such as "
                f"'{_MAP}=LOCAL:00:00:00.000,MPEGTS:900000'. "
                f"Received: {line.strip()[:80]!r}"
            )
        shift_s = int(ticks[1]) / _MAP_TICKS_PER_S - _seconds(*local.groups())
        if shift_s:
            notes.append(
                f"{path}, line {number}: the time map moves the cues that "
                f"follow by {shift_s:+.3f} s"
            )
        return shift_s
    return 0.0


# --- ASS and SSA -----------------------------------------------------------

_EVENT = re.compile(r"\s*(Dialogue|Comment)\s*:(.*)", re.I | re.S)
_SECTION = re.compile(r"\s*\[[^\]]*\]\s*")
_ASS_TIME = re.compile(r"\s*(\d{1,2}):([0-5]?\d):([0-5]?\d)[.,](\d{1,3})\s*")
_ASS_FIELDS = (
    "layer", "start", "end", "style", "name",
    "marginl", "marginr", "marginv", "effect", "text",
)  # fmt: skip


def _ass_cues(
    path: _Path, lines: Sequence[str], notes: list[str]
) -> Iterator[_Found]:
    in_events, fields = False, list(_ASS_FIELDS)
    for number, line in enumerate(lines, 1):
        if _SECTION.fullmatch(line):
            in_events = line.strip().casefold() == "[events]"
        elif in_events and line.strip().casefold().startswith("format:"):
            # The fields of the events that follow, in the file's own order.
            names = line.partition(":")[2].casefold().replace(" ", "")
            fields = names.split(",")
            if not {"start", "end"} <= set(fields) or fields[-1] != "text":
                raise CorpusError(
                    f"{path}, line {number}: expected the event fields Start, "
                    "End and, as the last, Text. "
                    f"Received: {', '.join(fields)[:200]}"
                )
        elif in_events and (event := _EVENT.fullmatch(line)):
            cells = event[2].split(",", len(fields) - 1)
            cell = dict(zip(fields, cells, strict=False))
            start, end = (
                _ASS_TIME.fullmatch(cell.get(name, ""))
                for name in ("start", "end")
            )
            times = None
            if start and end and "text" in cell:
                times = (_seconds(*start.groups()), _seconds(*end.groups()))
            hidden = times and event[1].casefold() == "comment"
            yield number, times, cell.get("text", ""), COMMENT * bool(hidden)
