"""Subtitle files (SubRip, WebVTT, ASS/SSA) to cues of plain text.

pysubs2 parses the cues and their markup, from blocks that
`subtitle_blocks.cut` has checked; it has to return one event for each.
"""

from __future__ import annotations

import dataclasses
import html
import os
import re
import warnings
from pathlib import Path

import pysubs2
from pysubs2.formats.substation import parse_tags

from emotion_mt.corpus import subtitle_blocks, textfiles
from emotion_mt.corpus.corpus import CorpusError
from emotion_mt.corpus.subtitle_blocks import Block, Blocks

#: File name extensions of subtitle files.
SUBTITLE_EXTENSIONS = (".srt", ".vtt", ".ass", ".ssa")

#: Why cues are left out.
ENDS_BEFORE_START = "cue does not end after its start"
COMMENT = "comment line, not a subtitle"
DRAWING = "drawing, no text"
TOO_LONG = f"more than {subtitle_blocks.MAX_CHARACTERS} characters, no subtitle"


@dataclasses.dataclass(frozen=True)
class Cue:
    """One subtitle.

    Attributes:
        number: Position in the file, from 1.
        line: Line of the file that holds its times, from 1.
        start_s: Start in seconds.
        end_s: End in seconds.
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


@dataclasses.dataclass(frozen=True)
class Subtitles:
    """A subtitle file.

    Attributes:
        path: The file.
        format: "srt", "vtt", "ass" or "ssa", by content.
        encoding: The encoding it was read in.
        cues: All cues, in the order of the file.
        notes: What a user should know and that stops nothing.
    """

    path: Path
    format: str
    encoding: str
    cues: tuple[Cue, ...]
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Cue, ...]:
        """The cues that are not left out, in order of time."""
        cues = [cue for cue in self.cues if not cue.left_out]
        return tuple(sorted(cues, key=lambda cue: (cue.start_s, cue.number)))


def read_subtitles(path: str | os.PathLike[str]) -> Subtitles:
    """Reads a subtitle file.

    The format is recognised by content, not by name. Encodings: with byte
    order mark UTF-8, UTF-16 and UTF-32; without one UTF-8, UTF-16,
    Windows-1252 and Latin-1. Cues whose end is not after their start, cues
    of more than `subtitle_blocks.MAX_CHARACTERS`, ASS comments and ASS
    drawings stay in the result with a reason for leaving them out.

    Args:
        path: The file.

    Returns:
        Its cues.

    Raises:
        CorpusError: If the file cannot be read, is empty, holds no cue, or
            has a cue whose head cannot be read.
    """
    text, encoding = textfiles.read_text(path)
    if not text.strip():
        raise CorpusError(
            f"{path}: expected subtitles (SRT, WebVTT or ASS). "
            "Received an empty file"
        )
    found = subtitle_blocks.cut(path, text)
    notes = found.notes
    if encoding in textfiles.FALLBACK_ENCODINGS:
        notes = (f"{path}: not UTF-8, read as {encoding}", *notes)
    events = _parse(path, found)
    cues = tuple(
        _cue(number, block, event)
        for number, (block, event) in enumerate(
            zip(found.blocks, events, strict=True), 1
        )
    )
    return Subtitles(Path(path), found.format, encoding, cues, notes)


def _parse(
    path: str | os.PathLike[str], found: Blocks
) -> list[pysubs2.SSAEvent]:
    try:
        with warnings.catch_warnings():
            # Margins and layers that are no numbers; we need neither.
            warnings.simplefilter("ignore", RuntimeWarning)
            events = list(
                pysubs2.SSAFile.from_string(
                    found.canonical, format_=found.format
                )
            )
    except (pysubs2.Pysubs2Error, ValueError) as error:
        raise CorpusError(
            f"{path}: expected subtitles in {found.format}. Received a file "
            f"that pysubs2 cannot read: {error}"
        ) from error
    if len(events) != len(found.blocks):
        raise CorpusError(
            f"{path}: expected {len(found.blocks)} cues, one for each pair of "
            f"times. Received {len(events)} from pysubs2"
        )
    return events


def _cue(number: int, block: Block, event: pysubs2.SSAEvent) -> Cue:
    fragments = parse_tags(event.text)
    drawn = any(style.drawing for _, style in fragments)
    text = _plain_text(
        "".join(f for f, style in fragments if not style.drawing)
    )
    if event.is_comment:
        left_out = COMMENT
    elif block.too_long:
        left_out = TOO_LONG
    elif drawn and not text:
        left_out = DRAWING
    elif event.end <= event.start:
        left_out = ENDS_BEFORE_START
    else:
        left_out = ""
    return Cue(
        number=number,
        line=block.line,
        start_s=event.start / 1000,
        end_s=event.end / 1000,
        text=text,
        left_out=left_out,
    )


# Character references need their semicolon: "R&B" and "AT&T" are text.
_REFERENCE = re.compile(r"&(?:[a-zA-Z]+|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def _plain_text(text: str) -> str:
    """Turns the text of an event without overrides into one plain line."""
    plain = pysubs2.SSAEvent(text=text).plaintext
    plain = _REFERENCE.sub(lambda match: html.unescape(match[0]), plain)
    return textfiles.plain_line(plain)
