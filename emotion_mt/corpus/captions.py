"""Automatic captions: each line stays while the next one is spoken."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

#: A line that stays is on the screen again after so many seconds at most.
_GAP_S = 0.1

#: A cue that is shorter, in seconds, cannot be read; it only moves lines up.
_BLINK_S = 0.05

#: Lines with the start and the end of their cue in seconds.
Shown = tuple[float, float, Sequence[str]]


def new_lines(cues: Sequence[Shown]) -> list[Sequence[str]] | None:
    """Tells what is new in each cue of automatic captions.

    Captions are taken for automatic if at least half of the cues begin with
    the lines that the cue before ended with, without a pause, and one of them
    says more than that or is too short to be read. So somebody who says "No!"
    twice in ordinary subtitles says it twice.

    Args:
        cues: In order of time, without empty lines.

    Returns:
        The lines of each cue that were not on the screen before; None if they
        are no automatic captions.
    """
    stay = [0]
    proven = False
    for before, after in itertools.pairwise(cues):
        rolled = _rolled(before, after)
        stay.append(rolled)
        blinks = any(
            end - start <= _BLINK_S for start, end, _ in (before, after)
        )
        proven |= rolled > 0 and (blinks or len(after[2]) > rolled)
    if not proven or sum(map(bool, stay)) < (len(cues) - 1) / 2:
        return None
    return [cue[2][n:] for cue, n in zip(cues, stay, strict=True)]


def _rolled(before: Shown, after: Shown) -> int:
    """How many of the first lines stood last in the cue before."""
    if after[0] - before[1] > _GAP_S:
        return 0
    old, new = before[2], after[2]
    most = min(len(old), len(new))
    fits = (n for n in range(most, 0, -1) if old[-n:] == new[:n])
    return next(fits, 0)
