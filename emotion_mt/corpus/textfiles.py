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
_NEARLY = 0.9

_BROKEN = "\ufffd"


@dataclasses.dataclass(frozen=True)
class TextFile:
    """A text file as read.

    Attributes:
        text: Its content without the byte order mark.
        encoding: The encoding it was read in.
        notes: What was guessed or replaced; names the file.
    """

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
    finds, if that leaves no other choice.

    Args:
        path: The file.
        encoding: Encoding of files that are not Unicode, such as "cp1250".
            Defaults to None, guess it.

    Returns:
        The text and how it was read.

    Raises:
        ValueError: If Python knows no `encoding` of that name.
        CorpusError: If the file cannot be opened, does not decode as its byte
            order mark or `encoding` promises, or may be in either of several
            encodings.
    """
    encoding = None if encoding is None else _known(encoding)
    data = _read_bytes(path)
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return TextFile(_decode(path, data, marked), marked)
    if data.count(0) > len(data) / 4:
        # No text in UTF-8 or an 8-bit encoding has so many zero bytes; in
        # UTF-16 each Latin letter has one, after it or before it.
        little = data[1::2].count(0) >= data[0::2].count(0)
        wide = "utf-16-le" if little else "utf-16-be"
        return TextFile(_decode(path, data, wide), wide)
    escaped = any(escape in data for escape in _ESCAPES)
    if encoding is not None and (escaped or data.isascii()):
        return TextFile(_decode(path, data, encoding), encoding)
    if not escaped:
        text = data.decode("utf-8", "replace")
        broken = text.count(_BROKEN) - data.count(_BROKEN.encode())
        if not broken:
            return TextFile(text, "utf-8")
        # By chance few letters of other encodings are also one in UTF-8.
        whole = sum(not c.isascii() for c in text) - broken
        likely = encoding is None and whole >= broken
        if likely or encoding == "utf-8":
            return TextFile(text, "utf-8", (_replaced(path, text, "UTF-8"),))
    if encoding is not None:
        return TextFile(_decode(path, data, encoding), encoding)
    return _detect(path, data)


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
    if Path(path).exists() and not Path(path).is_file():
        # A pipe would be waited for, a device read without end.
        raise CorpusError(
            f"{path}: expected a readable file. Received: a folder, pipe or "
            "device"
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{path}: expected a readable file. Received: {error.strerror}"
        ) from error


def _decode(path: str | os.PathLike[str], data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeError, LookupError) as error:  # such as "hex", no text
        raise CorpusError(
            f"{path}: expected text in {encoding}. Received bytes that do not "
            f"decode: {error}"
        ) from error


def _detect(path: str | os.PathLike[str], data: bytes) -> TextFile:
    """Reads what is not Unicode, unless it may be one thing or another."""
    guesses = chardet.detect_all(
        data, encoding_era=chardet.EncodingEra.MODERN_WEB
    )
    readings: dict[str, str] = {}
    for guess in guesses:
        name = guess["encoding"]
        if name and guess["confidence"] >= _NEARLY * guesses[0]["confidence"]:
            readings.setdefault(data.decode(name, "replace"), _known(name))
    if not readings:
        raise CorpusError(
            f"{path}: expected text. Received bytes that are none in any "
            "encoding that could be recognised"
        )
    if len(readings) > 1:
        shown = " or ".join(
            f"{name} ({_first_special(text)!r})"
            for text, name in readings.items()
        )
        raise CorpusError(
            f"{path}: expected UTF-8, or text whose encoding can be "
            f"recognised. Received what may be {shown}. Save it as UTF-8, or "
            f"say which it is: --encoding={[*readings.values()][0]}"
        )
    ((text, name),) = readings.items()
    notes = [f"{path}: not UTF-8, read as {name} (guessed)"]
    if _BROKEN in text:
        notes.append(_replaced(path, text, name))
    return TextFile(text, name, tuple(notes))


def _first_special(text: str) -> str:
    """The first line with a letter that is not ASCII, to compare guesses."""
    lines = (plain_line(line) for line in _LINE_END.split(text))
    return next((ln for ln in lines if not ln.isascii()), "")[:60]


def _replaced(path: str | os.PathLike[str], text: str, encoding: str) -> str:
    count = text.count(_BROKEN)
    line = len(_LINE_END.findall(text[: text.index(_BROKEN)])) + 1
    what = "1 character" if count == 1 else f"{count} characters"
    return (
        f"{path}, line {line}: {what} of the file broken in {encoding}, "
        f"replaced by {_BROKEN}"
    )
