"""Messages for the page: they name files, but never where those lie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

# A path from the root on: "/a/b c" ends at the blank, hence the known folders
# are taken away first. What follows a letter, a digit or another slash is no
# start of a path: "1/25", "frames/s", "https://…".
_POSIX = re.compile(r"(?<![\w/.:<])(?:/[^\s/'\"`:;,()<>]+)+/?")
_WINDOWS = re.compile(r"(?<!\w)[A-Za-z]:\\[^\s'\"`:;,()<>]+")


class DemoError(ValueError):
    """Something about an upload that its owner should read."""


def without_paths(
    text: str, folders: Iterable[str | os.PathLike[str]] = ()
) -> str:
    """Shortens every absolute path in a message to its last part.

    Args:
        text: A message, of an error for example.
        folders: Folders whose files' names may hold blanks and the like; they
            are taken away wherever they stand before a name.

    Returns:
        The message; "/srv/x/clip.mp4: no such file" becomes
        "clip.mp4: no such file".
    """
    for folder in sorted(
        (os.fspath(f) for f in folders), key=len, reverse=True
    ):
        for form in dict.fromkeys((folder, os.path.realpath(folder))):
            text = text.replace(form.rstrip(os.sep) + os.sep, "")
    text = _POSIX.sub(lambda found: _last(found[0], "/"), text)
    return _WINDOWS.sub(lambda found: _last(found[0], "\\"), text)


def _last(path: str, separator: str) -> str:
    return path.rstrip(separator).rpartition(separator)[2]
