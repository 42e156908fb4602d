"""Cuts a subtitle file into cues and checks them, for pysubs2 to parse.

pysubs2 is lenient: whatever it does not recognise as the head of a cue
becomes text of the cue before, an ASS line with too few fields gets default
times, and its fields are read in the standard order whatever the file
declares. So each file is cut here into one block per cue, faults are found
with their line numbers, and the blocks are written in a form that pysubs2
cannot misread.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Sequence

from emotion_mt.corpus import textfiles
from emotion_mt.corpus.corpus import CorpusError

#: A cue with more characters than this, markup included, is no subtitle: it
#: is left out. (pysubs2 needs time and memory that grow with their square.)
MAX_CHARACTERS = 5000


@dataclasses.dataclass(frozen=True)
class Block:
    """A cue as found in the file.

    Attributes:
        line: Line of its times, from 1.
        times: Its times, "start --> end" (SRT, VTT) or None (ASS).
        body: Its text lines that are not blank, or the whole event line
            (ASS).
    """

    line: int
    times: str | None
    body: tuple[str, ...]

    @property
    def too_long(self) -> bool:
        """Whether it has more than `MAX_CHARACTERS`."""
        return sum(map(len, self.body)) > MAX_CHARACTERS


@dataclasses.dataclass(frozen=True)
class Blocks:
    """The cues of a file, not yet parsed.

    Attributes:
        format: "srt", "vtt", "ass" or "ssa".
        blocks: One per cue, in the order of the file; at least one.
        canonical: The same as text for pysubs2.
        notes: What a user should know and that stops nothing.
    """

    format: str
    blocks: tuple[Block, ...]
    canonical: str
    notes: tuple[str, ...] = ()


def cut(path: str | os.PathLike[str], text: str) -> Blocks:
    """Cuts a subtitle file into its cues.

    Args:
        path: The file, for messages.
        text: Its content; not blank.

    Returns:
        The cues.

    Raises:
        CorpusError: If there is no cue, or one whose head cannot be read.
    """
    lines = textfiles.split_lines(text)
    format_ = _format_of(lines)
    if format_ in ("ass", "ssa"):
        blocks = _ass_blocks(path, lines, format_)
        return Blocks(format_, tuple(blocks), _canonical_ass(blocks, format_))
    blocks = _timed_blocks(path, lines, format_)
    return Blocks(
        format_,
        tuple(blocks),
        _canonical_timed(blocks, format_),
        _stray_lines(path, lines, blocks[0].line, format_),
    )


def _format_of(lines: Sequence[str]) -> str:
    filled = [line.strip() for line in lines if line.strip()]
    if filled[0].startswith("WEBVTT"):
        return "vtt"
    sections = {
        line.partition("]")[0].casefold()
        for line in filled
        if line.startswith("[")
    }
    if "[v4+ styles" in sections:
        return "ass"
    if "[v4 styles" in sections:
        return "ssa"
    # A script without styles is still a script.
    return "ass" if "[script info" in sections else "srt"


# --- SubRip and WebVTT -----------------------------------------------------

_STAMPS = {
    "srt": r"\d{1,2}:[0-5]?\d:[0-5]?\d[.,]\d{1,3}",
    "vtt": r"(?:\d{2,4}:)?[0-5]\d:[0-5]\d\.\d{3}",
}
_TIMES = {
    format_: re.compile(rf"^\s*({stamp})\s*-->\s*({stamp})(?:\s.*)?$")
    for format_, stamp in _STAMPS.items()
}
_EXAMPLES = {
    "srt": "00:00:01,000 --> 00:00:02,500",
    "vtt": "00:00:01.000 --> 00:00:02.500",
    "ass": "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Text",
    "ssa": "Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Text",
}
_ARROW = "-->"
_LIKE_TIME = re.compile(r"\d+:\d+:\d")
# A line that is longer is no head, whatever is in it.
_LONGEST_HEAD = 200
# Karaoke times in WebVTT, which pysubs2 would take for the head of a cue.
_INLINE_TIME = re.compile(r"<\d+:[\d:.,]+>")
_CLOCK = re.compile(r"\d:\d{1,2}[.,]\d")
_LINE_BREAK_TAG = re.compile(r"<\s*br\s*/?\s*>", re.I)


def _timed_blocks(
    path: str | os.PathLike[str], lines: Sequence[str], format_: str
) -> list[Block]:
    heads: list[tuple[int, str]] = []
    broken: list[int] = []
    for i, line in enumerate(lines):
        match = _TIMES[format_].match(line)
        if match:
            heads.append((i, f"{match[1]} {_ARROW} {match[2]}"))
        elif _ARROW in line or _is_like_times(line):
            broken.append(i + 1)
    _refuse_broken(path, lines, broken, format_)
    _refuse_none(path, lines, heads, format_)
    ends = [i for i, _ in heads[1:]] + [len(lines)]
    blocks = []
    for number, ((start, times), end) in enumerate(
        zip(heads, ends, strict=True), 1
    ):
        body = lines[start + 1 : end]
        if format_ == "vtt":
            body = _until_blank(body)
        elif number < len(heads):
            body = _without_next_number(body, number + 1)
        kept = tuple(line for line in body if line.strip())
        blocks.append(Block(start + 1, times, kept))
    return blocks


def _is_like_times(line: str) -> bool:
    """Says whether a line is two clock times with something else between."""
    words = line.split() if len(line) <= _LONGEST_HEAD else []
    return (
        2 <= len(words) <= 3
        and _LIKE_TIME.match(words[0].removeprefix("-")) is not None
        and _LIKE_TIME.search(words[-1]) is not None
    )


def _until_blank(lines: Sequence[str]) -> Sequence[str]:
    """Returns the text of a WebVTT cue.

    What follows a blank line is the next cue's name, or a NOTE or STYLE.
    """
    blank = (i for i, line in enumerate(lines) if not line.strip())
    return lines[: next(blank, len(lines))]


def _without_next_number(
    lines: Sequence[str], next_number: int
) -> Sequence[str]:
    """Returns the text of a SubRip cue without the number of the next.

    The number stands right above the next times. With blank lines between,
    it is taken for a number only if it is the one expected, since a
    subtitle may well say "42".
    """
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if not filled:
        return []
    last = filled[-1]
    adjacent = last == len(lines) - 1
    word = lines[last].strip()
    # (Python refuses to read a number of thousands of digits.)
    is_number = word.isdecimal() and len(word) < 20
    if is_number and (adjacent or int(word) == next_number):
        return lines[:last]
    return lines


def _canonical_timed(blocks: Sequence[Block], format_: str) -> str:
    """Writes the blocks so that pysubs2 cannot misread them.

    pysubs2 strips a last line that is a number, as the number of the next
    cue; so each block, the last one too, is followed by a number.
    """
    parts = ["WEBVTT\n"] if format_ == "vtt" else []
    parts.append("1")
    for number, block in enumerate(blocks, 2):
        kept = () if block.too_long else block.body
        body = [_INLINE_TIME.sub("", line) for line in kept]
        body = [_LINE_BREAK_TAG.sub(" ", line) for line in body]
        parts += [str(block.times), *_without_clocks(body), "", str(number)]
    return "\n".join(parts) + "\n"


def _without_clocks(lines: Sequence[str]) -> Iterator[str]:
    """Breaks lines with two clock times, which pysubs2 takes for heads."""
    for line in lines:
        yield from line.split() if len(_CLOCK.findall(line)) > 1 else [line]


def _stray_lines(
    path: str | os.PathLike[str],
    lines: Sequence[str],
    first_head: int,
    format_: str,
) -> tuple[str, ...]:
    """Reports text before the first cue of a SubRip file."""
    if format_ == "vtt":
        return ()
    before = [line.strip() for line in lines[: first_head - 1]]
    stray = [line for line in before if line and not line.isdigit()]
    if not stray:
        return ()
    return (f"{path}: ignored text before the first cue: {stray[0][:80]!r}",)


# --- ASS and SSA -----------------------------------------------------------

_EVENT = re.compile(r"^\s*(Dialogue|Comment):", re.I)
_ASS_TIME = re.compile(r"\s*\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}\s*")
_ASS_FIELDS = {
    first: [
        first, "start", "end", "style", "name",
        "marginl", "marginr", "marginv", "effect", "text",
    ]
    for first in ("layer", "marked")
}  # fmt: skip


def _ass_blocks(
    path: str | os.PathLike[str], lines: Sequence[str], format_: str
) -> list[Block]:
    expected = _ASS_FIELDS["layer" if format_ == "ass" else "marked"]
    in_events = False
    blocks: list[Block] = []
    broken: list[int] = []
    for number, line in enumerate(lines, 1):
        if re.match(r"^\s*\[[^\]]*\]\s*$", line):
            in_events = line.strip().casefold() == "[events]"
        elif in_events and line.strip().casefold().startswith("format:"):
            _check_fields(path, number, line, expected)
        elif in_events and _EVENT.match(line):
            if _is_event(line, len(expected)):
                blocks.append(Block(number, None, (line.strip(),)))
            else:
                broken.append(number)
    _refuse_broken(path, lines, broken, format_)
    _refuse_none(path, lines, blocks, format_)
    return blocks


def _check_fields(
    path: str | os.PathLike[str],
    number: int,
    line: str,
    expected: Sequence[str],
) -> None:
    fields = line.partition(":")[2].casefold().replace(" ", "").split(",")
    # "Actor" is what older programs call the name.
    fields = ["name" if field == "actor" else field for field in fields]
    if fields != list(expected):
        raise CorpusError(
            f"{path}, line {number}: expected the event fields "
            f"{', '.join(expected)}. Received: {', '.join(fields)}"
        )


def _is_event(line: str, fields: int) -> bool:
    parts = line.partition(":")[2].split(",", fields - 1)
    return len(parts) == fields and all(
        _ASS_TIME.fullmatch(part) for part in parts[1:3]
    )


def _canonical_ass(blocks: Sequence[Block], format_: str) -> str:
    """Writes the events only: styles and fonts cannot spoil them then."""
    version = "+" if format_ == "ass" else ""
    head = ["[Script Info]", "", f"[V4{version} Styles]", "", "[Events]"]
    events = []
    for block in blocks:
        kind, _, fields = block.body[0].partition(":")
        if block.too_long:
            # All but the text; none of the others is longer than needed.
            start, end = fields.split(",", 3)[1:3]
            fields = f"0,{start},{end},,,0,0,0,,"
        events.append(f"{kind.capitalize()}: {fields.strip()}")
    return "\n".join([*head, *events]) + "\n"


# --- Errors ----------------------------------------------------------------


def _refuse_broken(
    path: str | os.PathLike[str],
    lines: Sequence[str],
    broken: Sequence[int],
    format_: str,
) -> None:
    """Raises if there are lines (1-based) that look like a broken cue."""
    if broken:
        more = len(broken) - 1
        raise CorpusError(
            f"{path}, line {broken[0]}: expected a cue such as "
            f"{_EXAMPLES[format_]!r}. Received: "
            f"{lines[broken[0] - 1].strip()[:80]!r}"
            + (f" (and {more} more such lines)" if more else "")
        )


def _refuse_none(
    path: str | os.PathLike[str],
    lines: Sequence[str],
    found: Sequence[object],
    format_: str,
) -> None:
    """Raises if there is no cue at all."""
    if not found:
        first = next(line for line in lines if line.strip()).strip()
        raise CorpusError(
            f"{path}: expected at least one cue such as "
            f"{_EXAMPLES[format_]!r}. Received no cue; the file begins with "
            f"{first[:80]!r}"
        )
