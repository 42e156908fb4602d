"""Text files of unknown encoding and line ending."""

from __future__ import annotations

import codecs
import dataclasses
import os
import re
import unicodedata
from pathlib import Path

import chardet

from emotion_mt.corpus.corpus import CorpusError

# UTF-32 comes first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# "\r\r\n" is what a text-mode copy makes of "\r\n"; it is one line end.
_LINE_END = re.compile(r"\r*\n|\r")

# What starts the other alphabets of ISO-2022, which are plain ASCII as bytes.
_ESCAPES = (b"\x1b$", b"\x1b(")

#: A second encoding that is this likely, compared with the first, and reads
#: other letters, is not ruled out.
_NEARLY = 0.85

_BROKEN = "\ufffd"


@dataclasses.dataclass(frozen=True)
class TextFile:
    """A text file, how it was read, and what was guessed or replaced."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        r"""Its lines, which end at "\n", "\r\n" and "\r" only.

        `str.splitlines` also splits at form feeds and Unicode separators,
        which are no line ends in subtitles; line numbers would be wrong.
        """
        return _LINE_END.split(self.text)


def read_text(
    path: str | os.PathLike[str], encoding: str | None = None
) -> TextFile:
    """Reads a text file whose encoding is not known.

    A byte order mark decides; without one many zero bytes mean UTF-16. Next
    comes UTF-8, in which a few broken bytes cost a character each. What is
    not UTF-8 is read in `encoding`; without it, in what the detector chardet
    finds, if that leaves no other choice. An `encoding` that Python does not
    know is a ValueError; a file that does not open, does not decode as its
    mark or `encoding` promises, or may be either of several, a CorpusError.
    """
    encoding = None if encoding is None else _known(encoding)
    data = _read_bytes(path)
    sure = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if sure is None and data.count(0) > len(data) / 4:
        # No text in UTF-8 or an 8-bit encoding has so many zero bytes; in
        # UTF-16 each Latin letter has one, after it or before it.
        little = data[1::2].count(0) >= data[0::2].count(0)
        sure = "utf-16-le" if little else "utf-16-be"
    escaped = any(escape in data for escape in _ESCAPES)
    if sure in (None, "utf-8") and not escaped:
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        broken = text.count(_BROKEN) - data.count(_BROKEN.encode())
        # By chance few letters of other encodings are also one in UTF-8.
        likely = sum(not c.isascii() for c in text) >= 2 * broken
        if not broken:
            plain = encoding is not None and data.isascii()
            sure = sure or (None if plain else "utf-8")
        elif encoding == "utf-8" or (encoding is None and likely):
            return TextFile(text, "utf-8", (_replaced(path, text, "UTF-8"),))
    if sure is None and encoding is None:
        return _detect(path, data)
    name = sure or encoding or ""
    try:
        return TextFile(data.decode(name).removeprefix("\ufeff"), name)
    except (UnicodeError, LookupError) as error:  # such as "hex", no text
        raise CorpusError(
            f"{path}: expected text in {name}. Received bytes that do not "
            f"decode: {error}"
        ) from error


# What has no width and no meaning for words: control characters that are no
# blanks, byte order marks inside the text, zero-width and direction marks.
# (The joiner of emoji, U+200D, and soft hyphens stay.)
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)


def plain_line(text: str) -> str:
    """Returns a text in one line, composed, without what cannot be seen.

    Control characters, direction marks and zero-width blanks are removed;
    line breaks and runs of blanks become one blank; letters and their accents
    become one character where Unicode has it (NFC).
    """
    seen = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return " ".join(seen.split())


def _known(encoding: str) -> str:
    """Returns Python's own name of an encoding."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(
            "`encoding` must be one that Python knows, such as cp1250, "
            f"shift_jis or gb18030. Received: {encoding!r}"
        ) from None


def _read_bytes(path: str | os.PathLike[str]) -> bytes:
    fault = "a folder, pipe or device"
    try:
        # A pipe would be waited for, a device read without end.
        if not Path(path).exists() or Path(path).is_file():
            return Path(path).read_bytes()
    except OSError as error:
        fault = str(error.strerror)
    raise CorpusError(f"{path}: expected a readable file. Received: {fault}")


def _detect(path: str | os.PathLike[str], data: bytes) -> TextFile:
    """Reads what is not Unicode, unless it may be one thing or another."""
    era = chardet.EncodingEra.MODERN_WEB
    guesses = chardet.detect_all(data, encoding_era=era)
    readings: dict[str, str] = {}
    for guess in guesses:
        name = guess["encoding"]
        if name and guess["confidence"] >= _NEARLY * guesses[0]["confidence"]:
            readings.setdefault(data.decode(name, "replace"), _known(name))
    if not readings:
        raise CorpusError(
            f"{path}: expected text. Received bytes in no encoding that "
            "could be recognized"
        )
    text, name = next(iter(readings.items()))
    if len(readings) > 1:
        shown = " or ".join(
            f"{n} ({_line_that_tells(t)!r})" for t, n in readings.items()
        )
        raise CorpusError(
            f"{path}: expected UTF-8, or text whose encoding can be "
            f"recognized. Received what may be {shown}. Save it as UTF-8, or "
            f"say which it is: --encoding={name}"
        )
    notes = [f"{path}: not UTF-8, read as {name} (guessed)"]
    if _BROKEN in text:
        notes.append(_replaced(path, text, name))
    return TextFile(text, name, tuple(notes))


def _line_that_tells(text: str) -> str:
    """The first line whose letters depend on the encoding."""
    lines = map(plain_line, _LINE_END.split(text))
    return next((line for line in lines if not line.isascii()), "")[:60]


def _replaced(path: str | os.PathLike[str], text: str, encoding: str) -> str:
    line = len(_LINE_END.findall(text[: text.index(_BROKEN)])) + 1
    return (
        f"{path}, line {line}: {text.count(_BROKEN)} character(s) broken in "
        f"{encoding}, replaced by {_BROKEN}"
    )
