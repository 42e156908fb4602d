"""Times in a film: how every picture and page writes and marks them."""

from __future__ import annotations

import math

#: Seconds that may lie between two marks of a time axis.
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def clock(seconds: float) -> str:
    """12.5 -> "0:12.5", 80 -> "1:20"."""
    minutes, rest = divmod(round(float(seconds), 1), 60)
    form = "02.0f" if rest.is_integer() else "04.1f"
    return f"{int(minutes)}:{rest:{form}}"


def round_times(start_s: float, end_s: float, most: float) -> list[float]:
    """Returns round times between two times, for the marks of an axis.

    Args:
        start_s: Start in seconds.
        end_s: End in seconds.
        most: Number of steps from mark to mark that there may be; of the
            steps that keep to it, the shortest is taken.

    Returns:
        Times in seconds, increasing; an end is among them if it is round.
    """
    length_s = end_s - start_s
    step = next((s for s in _STEPS_S if length_s <= most * s), _STEPS_S[-1])
    first, last = math.ceil(start_s / step), math.floor(end_s / step)
    return [float(number * step) for number in range(first, last + 1)]
