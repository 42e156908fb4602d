"""Folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from emotion_mt.storage.atomic import (
    folder_names,
    naming,
    remove_unheld,
    temporary_folder,
)


@contextlib.contextmanager
def replacing_folder(
    folder: str | os.PathLike[str], names: Collection[str], marker: str
) -> Iterator[Path]:
    """Yields a temporary folder that takes the place of `folder` at the end.

    The temporary folder lies beside `folder` and is renamed when all of it is
    on the disk. After an exception `folder` is as before and the temporary
    one is gone. (A process that is killed leaves a hidden folder behind, and
    `folder` whole; the next call for `folder` removes it.)

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
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}-"
    _remove_leftovers(folder, prefix)
    with (
        naming(folder),
        temporary_folder(folder.parent, prefix) as temporary,
    ):
        yield temporary
        for path in temporary.rglob("*"):
            if path.is_file():
                with path.open("rb+") as written:
                    os.fsync(written.fileno())
        # After an exchange, the old folder is the temporary one.
        _swap(temporary, folder)


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Removes what killed processes left of a folder."""
    names = folder_names(prefix)
    if folder.exists():
        # Else this is the only copy (see `_swap`).
        names += r"(\.old)?"
    remove_unheld(folder.parent, re.compile(names))


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


def _exchange(new: Path, folder: Path) -> bool:
    """Exchanges two folders in one step, where the system can (Linux)."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    names = os.fsencode(new), os.fsencode(folder)
    return rename(here, names[0], here, names[1], exchange) == 0


def _swap(new: Path, folder: Path) -> None:
    """Renames `new` to `folder`; what was there goes, or comes back."""
    if not folder.exists():
        new.rename(folder)
        return
    if _exchange(new, folder):
        # The caller removes what is now at `new`.
        return
    # Elsewhere there is a moment without the folder: a process that is killed
    # in it leaves the old one under a hidden name.
    old = new.with_name(f"{new.name}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)
