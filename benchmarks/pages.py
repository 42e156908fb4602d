"""Puts generated parts into pages that people wrote."""

from __future__ import annotations

from pathlib import Path

from emotion_mt.storage import atomic


def replace_between_markers(page: Path, name: str, content: str) -> None:
    """Replaces a generated part of a Markdown page and nothing else.

    The part stands between the lines `<!-- begin NAME -->` and
    `<!-- end NAME -->`. A page that does not exist is made; a page without
    the lines gets them at its end.

    Args:
        page: The page.
        name: Name of the part.
        content: What shall stand between the lines.

    Raises:
        ValueError: If the page has only one of the lines, or one twice, or
            the end before the beginning.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    counts = (text.count(begin), text.count(end))
    if counts == (0, 0):
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n".lstrip()
    elif counts != (1, 1) or text.index(begin) > text.index(end):
        raise ValueError(
            f"{page}: expected the line {begin!r} once and after it "
            f"{end!r} once. Received them {counts[0]} and {counts[1]} times"
        )
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    atomic.write_text(page, f"{before}{begin}\n{content.strip()}\n{end}{after}")
