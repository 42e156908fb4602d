"""One stream of random numbers for each random choice."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Returns the random numbers of one choice.

    Another film, another viewer or a longer list of words changes no other
    choice, since each has a stream that is named by what it decides.

    Args:
        seed: Seed of the corpus, at least 0.
        *names: What the numbers are for, such as "shots", "BMI".

    Raises:
        ValueError: If `seed` is negative.
    """
    if seed < 0:
        raise ValueError(f"`seed` must be at least 0. Received: {seed}")
    digest = hashlib.sha256(repr(names).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
