"""Subtitle files (SubRip, WebVTT, ASS/SSA) to cues of plain text."""

from __future__ import annotations

import dataclasses
import html
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pysubs2
from pysubs2.formats.substation import parse_tags

from emotion_mt.corpus.captions import new_lines
from emotion_mt.corpus.corpus import CorpusError
from emotion_mt.corpus.subtitle_lines import UNREADABLE, Lines, find_lines
from emotion_mt.corpus.textfiles import plain_line, read_text

#: File name extensions of subtitle files.
SUBTITLE_EXTENSIONS = (".srt", ".vtt", ".ass", ".ssa")

#: A cue with more characters than this, markup included, is no subtitle.
#: (pysubs2 needs time and memory that grow with their square.)
MAX_CHARACTERS = 5000

#: Why cues are left out, besides those of `subtitle_lines`.
ENDS_BEFORE_START = "cue does not end after its start"
BEFORE_ZERO = "cue begins before the movie"
DRAWING = "drawing, no text"
TOO_LONG = f"more than {MAX_CHARACTERS} characters, no subtitle"
SAID_BEFORE = "repeats what was said before (automatic captions)"


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


@dataclasses.dataclass(frozen=True)
class Subtitles:
    """A subtitle file.

    Attributes:
        path: The file.
        format: "srt", "vtt", "ass" or "ssa", by content.
        encoding: The encoding it was read in.
        cues: All cues, in the order of the file.
        notes: What was guessed, moved or could not be read, with its line.
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

    @property
    def problems(self) -> tuple[str, ...]:
        """The notes, and a sentence per cue that is left out."""
        return self.notes + tuple(
            f"{self.path}, line {cue.line}: left out, {cue.left_out}"
            for cue in self.cues
            if cue.left_out not in ("", UNREADABLE)  # the notes have these
        )


def read_subtitles(
    path: str | os.PathLike[str], encoding: str | None = None
) -> Subtitles:
    """Reads a subtitle file.

    The format is recognised by content, not by name. A cue that cannot be
    used stays in the result with the reason: times that cannot be read, an
    end that is not after the start, more than `MAX_CHARACTERS`, comments,
    drawings. In automatic captions a line that is still on the screen is said
    once, and cues without a new line are left out. The time map of a WebVTT
    header moves the cues that follow.

    Args:
        path: The file.
        encoding: Encoding of a file that is not Unicode, see
            `textfiles.read_text`. Defaults to None, guess it.

    Returns:
        Its cues.

    Raises:
        ValueError: If there is no such encoding.
        CorpusError: If the file cannot be read, is empty, or holds no cue
            whose times can be read.
    """
    file = read_text(path, encoding)
    if not file.text.strip():
        raise CorpusError(
            f"{path}: expected subtitles (SRT, WebVTT or ASS). "
            "Received an empty file"
        )
    notes = list(file.notes)
    format_, found = find_lines(path, file.lines, notes)
    said = [_said(lines, format_ in ("srt", "vtt")) for lines in found]
    cues = [
        Cue(number, *lines[:3], " ".join(texts), reason)
        for number, (lines, (texts, reason)) in enumerate(
            zip(found, said, strict=True), 1
        )
    ]
    subtitles = Subtitles(
        Path(path), format_, file.encoding, tuple(cues), tuple(notes)
    )
    return _say_once(subtitles, [texts for texts, _ in said])


def _said(lines: Lines, html_like: bool) -> tuple[list[str], str]:
    """Plain lines of a cue, none empty, and why it is left out, or ""."""
    if len(lines.body) > MAX_CHARACTERS:
        return [], lines.left_out or TOO_LONG
    texts, drawn = _plain_lines(lines.body, html_like)
    if lines.left_out:
        reason = lines.left_out
    elif lines.end_s <= lines.start_s:
        reason = ENDS_BEFORE_START
    elif lines.start_s < 0:
        reason = BEFORE_ZERO
    else:
        reason = DRAWING if drawn and not texts else ""
    return texts, reason


_LINE_BREAK = re.compile(r"<\s*+br\s*+/?\s*+>", re.I)
# "I <3 you" is text; "<00:01.200>" is when the next word is said.
_TAG = re.compile(r"<\s*+/?\s*+(?:[a-zA-Z]|\d++:)[^>]*>")
# Character references need their semicolon: "R&B" and "AT&T" are text.
_REFERENCE = re.compile(r"&(?:[a-zA-Z]+|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def _plain_lines(body: str, html_like: bool) -> tuple[list[str], bool]:
    """Takes markup out; also says whether there was a drawing."""
    if html_like:
        body = _TAG.sub("", _LINE_BREAK.sub(" ", body))
    fragments = parse_tags(body)
    text = "".join(f for f, style in fragments if not style.drawing)
    plain = pysubs2.SSAEvent(text=text).plaintext
    plain = _REFERENCE.sub(lambda match: html.unescape(match[0]), plain)
    lines = [plain_line(line) for line in plain.split("\n")]
    drawn = any(style.drawing for _, style in fragments)
    return [line for line in lines if line], drawn


def _say_once(
    subtitles: Subtitles, texts: Sequence[Sequence[str]]
) -> Subtitles:
    """Takes out what automatic captions repeat."""
    shown = subtitles.usable
    new = new_lines(
        [(cue.start_s, cue.end_s, texts[cue.number - 1]) for cue in shown]
    )
    if new is None:
        return subtitles
    cues = list(subtitles.cues)
    for cue, lines in zip(shown, new, strict=True):
        cues[cue.number - 1] = dataclasses.replace(
            cue, text=" ".join(lines), left_out="" if lines else SAID_BEFORE
        )
    dropped = sum(not lines for lines in new)
    note = (
        f"{subtitles.path}: automatic captions; lines that are still on the "
        f"screen are not said twice, {dropped} of {len(shown)} cues say "
        "nothing new and are left out"
    )
    notes = (*subtitles.notes, note)
    return dataclasses.replace(subtitles, cues=tuple(cues), notes=notes)
