"""Automatic captions: each line stays while the next one is spoken."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

#: A line that stays is on the screen again after so many seconds at most.
_GAP_S = 0.1

#: A cue that is shorter, in seconds, cannot be read; it only moves lines up.
_BLINK_S = 0.05

#: Start and end of a cue in seconds, and its lines, none empty.
Shown = tuple[float, float, Sequence[str]]


def new_lines(cues: Sequence[Shown]) -> list[Sequence[str]] | None:
    """Returns what each cue, in order of time, says that is not there yet.

    Captions are taken for automatic, else None is returned, if at least half
    of the cues begin with the lines that the cue before ended with, without a
    pause, and one of them says more than that or is too short to be read. So
    somebody who says "No!" twice in ordinary subtitles says it twice.
    """
    stay, proven = [0], False
    for before, after in itertools.pairwise(cues):
        stay.append(_staying(before, after))
        short = min(before[1] - before[0], after[1] - after[0]) <= _BLINK_S
        proven |= stay[-1] > 0 and (short or len(after[2]) > stay[-1])
    if not proven or sum(map(bool, stay)) < (len(cues) - 1) / 2:
        return None
    return [lines[n:] for (_, _, lines), n in zip(cues, stay, strict=True)]


def _staying(before: Shown, after: Shown) -> int:
    """How many of the first lines stood last in the cue before."""
    if after[0] - before[1] > _GAP_S:
        return 0
    old, new = before[2], after[2]
    most = min(len(old), len(new))
    return next((n for n in range(most, 0, -1) if old[-n:] == new[:n]), 0)
