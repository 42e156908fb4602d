"""Folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from absl import logging

from emotion_mt.storage.atomic import flush, naming, workspace


@contextlib.contextmanager
def replacing_folder(
    folder: str | os.PathLike[str], names: Collection[str], marker: str
) -> Iterator[Path]:
    """Yields a temporary folder that takes the place of `folder` at the end.

    When all of it is on the disk, the earlier folder is renamed to a hidden
    name, the new one is renamed to `folder`, and the earlier one is removed. A
    reader finds the earlier one whole, then for the moment between the renames
    no folder, then the new one whole; who reads several files across that
    moment reads of both. A process that is killed in it leaves the earlier one
    whole under its hidden name, where `find_folder` finds it; the next call
    removes it once `folder` is there. After an exception `folder` is as
    before.

    Args:
        folder: Folder to write. It must not exist, be empty, or hold what
            this function wrote before; anything else is not overwritten.
        names: Files and folders that it may hold.
        marker: The one of them that it always holds.

    Yields:
        The folder to write to.

    Raises:
        ValueError: If something else lies at `folder`.
        OSError: If it cannot be written; names `folder` where the system's
            own error names no file.
    """
    folder = Path(folder).resolve()
    _refuse_strangers(folder, names, marker)
    with naming(folder), workspace(folder) as space:
        new = space / folder.name
        new.mkdir()
        yield new
        flush(new)
        earlier = _earlier(folder)
        if folder.exists():
            shutil.rmtree(earlier, ignore_errors=True)
            folder.rename(earlier)
        new.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)


def find_folder(folder: str | os.PathLike[str]) -> Path:
    """Returns where a folder of `replacing_folder` is to be read.

    Where it is absent because a process was killed while it was replaced, that
    is the earlier one.
    """
    folder = Path(folder)
    earlier = _earlier(folder.resolve())
    if folder.exists() or not earlier.exists():
        return folder
    logging.warning(
        "%s: absent, since replacing it was interrupted; %s, which was there "
        "before, is read instead",
        folder,
        earlier,
    )
    return earlier


def _earlier(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _refuse_strangers(
    folder: Path, names: Collection[str], marker: str
) -> None:
    """Raises unless `folder` may be replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(
            f"{folder}: expected a folder, or nothing. Received: a file"
        )
    found = {path.name for path in folder.iterdir()}
    strangers = sorted(found - set(names))
    if found and (strangers or marker not in found):
        raise ValueError(
            f"{folder}: expected a new or empty folder, or one that holds "
            f"nothing but {', '.join(sorted(names))}; it would be replaced as "
            f"a whole. Received a folder with: "
            f"{', '.join(strangers[:5] or sorted(found)[:5])}"
        )
