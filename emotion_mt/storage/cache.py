"""The folder that keeps what was downloaded or computed once."""

from __future__ import annotations

import os
import pathlib

#: Environment variable with the folder.
CACHE_VARIABLE = "EMOTION_MT_CACHE"


def cache_folder(cache_dir: str | os.PathLike[str] | None) -> pathlib.Path:
    """The folder of converted weights, features and downloaded ratings.

    Args:
        cache_dir: A folder, or None for `$EMOTION_MT_CACHE` or, where that is
            not set, `~/.cache/emotion_mt`.
    """
    if cache_dir is not None:
        return pathlib.Path(cache_dir)
    if chosen := os.environ.get(CACHE_VARIABLE):
        return pathlib.Path(chosen)
    return pathlib.Path.home() / ".cache" / "emotion_mt"
