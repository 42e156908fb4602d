"""One property of a corpus, its target and whether it is met."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Measure:
    """One property of a corpus.

    Attributes:
        group: What it belongs to.
        name: What is measured.
        target: What it should be, in words; empty where there is no target.
        achieved: What it is, in words.
        met: Whether it is as it should be; None where there is no target.
    """

    group: str
    name: str
    target: str
    achieved: str
    met: bool | None


def between(
    group: str,
    name: str,
    value: float,
    low: float,
    high: float,
    tolerance: float = 0.0,
) -> Measure:
    """Returns the measure of a value that should be in [low, high].

    Args:
        group: Its group.
        name: Its name.
        value: What was found.
        low: The least that is wanted.
        high: The most that is wanted.
        tolerance: How far outside is still good enough.
    """
    target = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if tolerance:
        target += f" ± {tolerance:g}"
    # A tolerance of 0.01 is meant to include 0.01.
    slack = tolerance + 1e-9
    met = low - slack <= value <= high + slack
    return Measure(group, name, target, f"{value:.2f}", met)


def without_target(group: str, name: str, value: float) -> Measure:
    """Returns the measure of a value that is only shown."""
    return Measure(group, name, "", f"{value:.2f}", None)


def listed(items: Mapping[str, float], form: str) -> str:
    """Returns "name value, name value", or "none"."""
    parts = [f"{name} {value:{form}}" for name, value in items.items()]
    return ", ".join(parts) or "none"


#: Marks of a measure that is met, is missed, or has no target.
MARKS: Mapping[bool | None, str] = {True: "yes", False: "NO", None: "–"}
