"""Uploaded files: taken out of the upload folder, used, deleted."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emotion_mt.demo.messages import DemoError


@contextlib.contextmanager
def claimed(
    *uploads: str | None, folder: str | os.PathLike[str]
) -> Iterator[tuple[Path | None, ...]]:
    """Takes uploads out of the upload folder, and deletes them at the end.

    Each is moved to a folder of its own, where no other job and no clean-up
    by age can reach it, and keeps its name.

    Args:
        *uploads: Paths of uploads, or None.
        folder: The upload folder; a path that does not lie in it is refused,
            since what is claimed is deleted.

    Yields:
        Where each lies now; None for None.

    Raises:
        DemoError: If an upload is not, or no longer, in the folder.
    """
    with tempfile.TemporaryDirectory(prefix="job-", dir=folder) as own:
        # All are moved before one is complained about: none may stay behind.
        paths: list[Path | None] = []
        missing: list[str] = []
        for number, upload in enumerate(uploads):
            if upload is None:
                paths.append(None)
                continue
            path = Path(own, str(number), Path(upload).name)
            path.parent.mkdir()
            if _take(Path(upload), Path(folder), path):
                paths.append(path)
            else:
                missing.append(path.name)
        if missing:
            raise DemoError(
                f"{' and '.join(missing)}: no longer here, since uploads are "
                "deleted after use. Please choose again"
            )
        yield tuple(paths)


def _take(upload: Path, folder: Path, path: Path) -> bool:
    """Moves an upload; returns whether it was there to be moved."""
    inside = upload.resolve().is_relative_to(folder.resolve())
    if not inside or upload.is_symlink() or not upload.is_file():
        return False
    shutil.move(upload, path)
    # Each upload came in a folder of its own; others may lie there meanwhile.
    with contextlib.suppress(OSError):
        upload.parent.rmdir()
    return True
