"""How all figures look: colours, fonts, sizes, and files that repeat."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from emotion_mt.storage.atomic import replacing

# Colours of Okabe and Ito's palette, told apart with any colour vision. What
# they mean is always said a second time by shape, hatching or a symbol.
BLUE = "#0072B2"
ORANGE = "#D55E00"
PINK = "#CC79A7"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#E69F00"
GREY = "#767676"
PALE = "#D0D0D0"

#: Width of a figure in inches: the text width of a two-column page.
WIDTH_IN = 7.1

#: Smallest and usual size of letters, in points at `WIDTH_IN`.
SMALL_PT = 7.0
NORMAL_PT = 8.0

#: Stands above every figure of simulated data.
SIMULATED = "SIMULATED DATA"

_DPI = 150

#: What would make files of the same figure differ, by suffix.
_CHANGING = {".png": "Software", ".pdf": "CreationDate"}

_POINTS_PER_INCH = 72.0

#: Letters on a pixel grid are up to this much wider than their outlines.
_HINTING = 1.04

_RC: dict[str, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": ["DejaVu Sans"],
    "font.size": NORMAL_PT,
    "axes.labelsize": NORMAL_PT,
    "axes.titlesize": NORMAL_PT,
    "figure.titlesize": 9.0,
    "figure.titleweight": "bold",
    "hatch.linewidth": 0.6,
    "legend.fontsize": NORMAL_PT,
    "legend.frameon": False,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    # Letters as letters: searchable, and accepted by publishers.
    "pdf.fonttype": 42,
    # Names and subtitles may hold dollar signs.
    "text.parse_math": False,
}

#: Decorator that runs a function under the common style, whatever the user's
#: own is.
styled = matplotlib.style.context(["default", _RC])


@dataclasses.dataclass(frozen=True, eq=False)
class Drawing:
    """A figure and what a reader needs with it.

    Attributes:
        stem: File name without suffix.
        title: Short title.
        caption: What is to be seen, and how it was chosen or averaged.
        figure: The figure.
        data: What the figure shows as a table of texts, for readers who
            cannot see it; None where another table has the same numbers.
        table: Roman number of the table it belongs to; "" for none.
        html: What a page shows in its place; "" for the figure itself.
    """

    stem: str
    title: str
    caption: str
    figure: Figure
    data: pd.DataFrame | None = None
    table: str = ""
    html: str = ""

    @property
    def width_px(self) -> int:
        """Width at which its letters have the size of a text's."""
        return round(self.figure.get_size_inches()[0] * _DPI)


def new_figure(
    height_in: float,
    width_in: float = WIDTH_IN,
    layout: Literal["constrained", "compressed"] = "constrained",
) -> Figure:
    """Returns an empty figure that nothing else refers to."""
    figure = Figure(figsize=(width_in, height_in), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def panels(grid: np.ndarray, count: int) -> list[Axes]:
    """Returns the first axes of a grid, and hides the others."""
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return list(grid.flat[:count])


def add_legend(figure: Figure, labels: Sequence[str], columns: int) -> None:
    """Puts one legend for all axes under a figure.

    Labels stand in the given order; those that nothing has are left out.
    """
    found = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    shown = [label for label in labels if label in found]
    figure.legend(
        [found[label] for label in shown],
        shown,
        loc="outside lower center",
        ncols=columns,
    )


@styled
def save(figure: Figure, *paths: Path) -> None:
    """Writes a figure as .png or .pdf, each file all or nothing.

    The same figure gives the same bytes: no date and no program version is
    written into the files.

    Raises:
        ValueError: If a path has another suffix.
    """
    for path in paths:
        if path.suffix not in _CHANGING:
            raise ValueError(
                f"`paths` must end in {' or '.join(_CHANGING)}. "
                f"Received: {path}"
            )
        without = {_CHANGING[path.suffix]: None}
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=_DPI, metadata=without)


def set_title(figure: Figure, text: str, simulated: bool) -> None:
    """Writes a title over a figure; simulated data are always called so."""
    whole = f"{SIMULATED}. {text}" if simulated else text
    width_in = figure.get_size_inches()[0] - 0.2
    lines = wrap(whole, width_in, 9.0, bold=True)
    figure.suptitle("\n".join(lines))


@functools.cache
def _font(size_pt: float, bold: bool) -> FontProperties:
    weight, family = "bold" if bold else "normal", _RC["font.family"]
    return FontProperties(family=family, size=size_pt, weight=weight)


def text_width_in(text: str, size_pt: float, bold: bool = False) -> float:
    """Returns the width of one line of text in inches."""
    width, _, _ = text_to_path.get_text_width_height_descent(
        text, _font(size_pt, bold), ismath=False
    )
    return _HINTING * width / _POINTS_PER_INCH


def widest_in(names: Sequence[str], size_pt: float = SMALL_PT) -> float:
    """Returns the width of the widest of some names in inches."""
    return max(text_width_in(name, size_pt) for name in names)


@functools.cache
def _known_characters() -> frozenset[int]:
    path = font_manager.findfont(_font(NORMAL_PT, False))
    return frozenset(font_manager.get_font(path).get_charmap())


def printable(text: str) -> str:
    """Returns text in one line, with □ for characters the font lacks."""
    known = _known_characters()
    words = " ".join(text.split())
    return "".join(c if ord(c) in known else "□" for c in words)


def wrap(
    text: str,
    width_in: float,
    size_pt: float,
    bold: bool = False,
    max_lines: int | None = None,
) -> list[str]:
    """Breaks text into lines that fit, by the width of its letters.

    Words that are too long are broken anywhere. Empty text has no lines; if
    there are more than `max_lines`, the last that is kept ends in "…".
    """

    def fits(line: str) -> bool:
        return text_width_in(line, size_pt, bold) <= width_in

    # No letter but a combining one is narrower than a quarter of its size.
    most = 1 + int(4 * width_in * _POINTS_PER_INCH / size_pt)
    lines: list[str] = []
    rest = printable(text)
    while rest and (max_lines is None or len(lines) <= max_lines):
        # The longest beginning that fits, up to a blank if there is one.
        size = min(len(rest), most)
        while size > 1 and not fits(rest[:size]):
            size = max(rest.rfind(" ", 1, size), 0) or size - 1
        lines.append(rest[:size])
        rest = rest[size:].lstrip()
    if max_lines is not None and len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and not fits(f"{last}…"):
            last = last[:-1]
        return [*lines[: max_lines - 1], f"{last.rstrip()}…"]
    return lines


def short_names(names: Sequence[str], width_in: float = 1.3) -> list[str]:
    """Shortens names in the middle so that they fit at `NORMAL_PT`.

    They stay different: where two would look the same, each gets its position
    in front.
    """

    def shorten(name: str, width_in: float) -> str:
        text = whole = printable(name)
        kept = len(whole)
        while text_width_in(text, NORMAL_PT) > width_in and kept > 1:
            kept -= 1
            tail = whole[len(whole) - kept // 2 :]
            text = f"{whole[: (kept + 1) // 2]}…{tail}"
        return text

    short = [shorten(name, width_in) for name in names]
    numbered = [
        f"{number}: {shorten(name, width_in - 0.25)}"
        for number, name in enumerate(names, start=1)
    ]
    return [
        long if short.count(text) > 1 else text
        for text, long in zip(short, numbered, strict=True)
    ]
