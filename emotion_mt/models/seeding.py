"""Random streams of their own for everything that is random."""

from __future__ import annotations

import hashlib


def stream_seed(seed: int, *names: str) -> int:
    """Returns the seed of one named stream.

    Streams of different names have nothing in common, so that adding a layer,
    a viewer or a job does not change the random numbers of the others.

    Args:
        seed: The seed of the run.
        *names: What the stream is for.

    Returns:
        An integer in [0, 2**31).
    """
    text = repr((int(seed), *map(str, names)))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "little") % 2**31
