"""Text files of unknown encoding and line ending."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path

from emotion_mt.corpus.corpus import CorpusError

# UTF-32 comes first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Encodings that `read_text` falls back to when a file is not Unicode.
FALLBACK_ENCODINGS = ("cp1252", "latin-1")

# "\r\r\n" is what a text-mode copy makes of "\r\n"; it is one line end.
_LINE_END = re.compile(r"\r*\n|\r")


def read_text(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Reads a text file whose encoding is not known.

    A byte order mark decides; without one UTF-16 is tried if there are many
    zero bytes, otherwise UTF-8, then Windows-1252, then Latin-1, which
    decodes anything.

    Args:
        path: The file.

    Returns:
        The text without its byte order mark, and the encoding used.

    Raises:
        CorpusError: If the file cannot be opened, or does not decode as
            its byte order mark promises.
    """
    if Path(path).exists() and not Path(path).is_file():
        # A pipe would be waited for, a device read without end.
        raise CorpusError(
            f"{path}: expected a readable file. Received: a folder, pipe or "
            "device"
        )
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{path}: expected a readable file. Received: {error.strerror}"
        ) from error
    candidates = _encodings(data)
    for encoding in candidates:
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise CorpusError(
        f"{path}: expected text in {' or '.join(candidates)}. "
        "Received bytes that do not decode"
    )


# What has no width and no meaning for words: control characters that are no
# blanks, byte order marks inside the text, zero-width and direction marks.
# (The joiner of emoji, U+200D, and soft hyphens stay.)
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)


def plain_line(text: str) -> str:
    """Returns a text in one line, without what cannot be seen.

    Control characters, direction marks and zero-width blanks are removed;
    line breaks and runs of blanks become one blank.
    """
    return " ".join(_INVISIBLE.sub("", text).split())


def split_lines(text: str) -> list[str]:
    r"""Splits at "\n", "\r\n" and "\r" only.

    `str.splitlines` also splits at form feeds and Unicode separators, which
    are no line ends in subtitles; line numbers would be wrong.
    """
    return _LINE_END.split(text)


def _encodings(data: bytes) -> tuple[str, ...]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return (encoding,)
    if data.count(0) > len(data) / 4:
        # No text in UTF-8 or an 8-bit encoding has so many zero bytes; in
        # UTF-16 each Latin letter has one, after it or before it.
        little = data[1::2].count(0) >= data[0::2].count(0)
        return ("utf-16-le" if little else "utf-16-be",)
    return ("utf-8", *FALLBACK_ENCODINGS)
