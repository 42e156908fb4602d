"""Subtitle files (SubRip, WebVTT, ASS/SSA) to cues of plain text."""

from __future__ import annotations

import dataclasses
import html
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pysubs2
from pysubs2.formats.substation import parse_tags

from emotion_mt.corpus.corpus import CorpusError
from emotion_mt.corpus.subtitle_lines import UNREADABLE, Cue, find_cues
from emotion_mt.corpus.textfiles import plain_line, read_text

#: File name extensions of subtitle files.
SUBTITLE_EXTENSIONS = (".srt", ".vtt", ".ass", ".ssa")

#: A cue with more characters than this, markup included, is no subtitle.
#: (pysubs2 needs time and memory that grow with their square.)
MAX_CHARACTERS = 5000


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

    The format is recognized by content, not by name. A cue that cannot be
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
    format_, raw = find_cues(path, file.lines, notes)
    too_long = f"more than {MAX_CHARACTERS} characters, no subtitle"
    texts, cues = [], []
    for cue in raw:
        lines, drawn = _plain_lines(cue.text, format_ in ("srt", "vtt"))
        faults = {
            too_long: len(cue.text) > MAX_CHARACTERS,
            "cue does not end after its start": cue.end_s <= cue.start_s,
            "cue begins before the movie": cue.start_s < 0,
            "drawing, no text": drawn and not lines,
        }
        found = (fault for fault, is_so in faults.items() if is_so)
        reason = cue.left_out or next(found, "")
        texts.append(lines)
        plain = " ".join(lines)
        cues.append(dataclasses.replace(cue, text=plain, left_out=reason))
    about = (Path(path), format_, file.encoding)
    return _say_once(Subtitles(*about, tuple(cues), tuple(notes)), texts)


_LINE_BREAK = re.compile(r"<\s*+br\s*+/?\s*+>", re.I)
# "I <3 you" is text; "<00:01.200>" is when the next word is said.
_TAG = re.compile(r"<\s*+/?\s*+(?:[a-zA-Z]|\d++:)[^>]*>")
# Character references need their semicolon: "R&B" and "AT&T" are text.
_REFERENCE = re.compile(r"&(?:[a-zA-Z]+|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def _plain_lines(body: str, html_like: bool) -> tuple[list[str], bool]:
    """Takes markup out, and empty lines; was there a drawing?"""
    if len(body) > MAX_CHARACTERS:
        return [], False
    if html_like:
        body = _TAG.sub("", _LINE_BREAK.sub(" ", body))
    fragments = parse_tags(body)
    text = "".join(f for f, style in fragments if not style.drawing)
    plain = pysubs2.SSAEvent(text=text).plaintext
    plain = _REFERENCE.sub(lambda match: html.unescape(match[0]), plain)
    lines = [plain_line(line) for line in plain.split("\n")]
    drawn = any(style.drawing for _, style in fragments)
    return [line for line in lines if line], drawn


#: A line that stays is on the screen again after so many seconds at most.
_GAP_S = 0.1

#: A cue that is shorter, in seconds, cannot be read; it only moves lines up.
_BLINK_S = 0.05


def _say_once(
    subtitles: Subtitles, texts: Sequence[Sequence[str]]
) -> Subtitles:
    """Takes out what automatic captions repeat: a line stays for a while.

    Captions are taken for automatic if at least half of the cues begin with
    the lines that the cue before ended with, without a pause, and one of them
    says more than that or is too short to be read. So somebody who says "No!"
    twice in ordinary subtitles says it twice.
    """
    shown = subtitles.usable
    stay, proven = [0] * len(shown), False
    for place, (before, after) in enumerate(itertools.pairwise(shown), 1):
        old, new = texts[before.number - 1], texts[after.number - 1]
        most = min(len(old), len(new))
        if after.start_s - before.end_s <= _GAP_S:
            same = (n for n in range(most, 0, -1) if old[-n:] == new[:n])
            stay[place] = next(same, 0)
        lengths = (before.end_s - before.start_s, after.end_s - after.start_s)
        more = min(lengths) <= _BLINK_S or len(new) > stay[place]
        proven |= stay[place] > 0 and more
    if not proven or sum(map(bool, stay)) < (len(shown) - 1) / 2:
        return subtitles
    cues, dropped = list(subtitles.cues), 0
    for cue, staying in zip(shown, stay, strict=True):
        lines = texts[cue.number - 1][staying:]
        dropped += not lines
        said = (
            "" if lines else "repeats what was said before (automatic captions)"
        )
        cues[cue.number - 1] = dataclasses.replace(
            cue, text=" ".join(lines), left_out=said
        )
    note = (
        f"{subtitles.path}: automatic captions; lines that are still on the "
        f"screen are not said twice, {dropped} of {len(shown)} cues say "
        "nothing new and are left out"
    )
    notes = (*subtitles.notes, note)
    return dataclasses.replace(subtitles, cues=tuple(cues), notes=notes)
