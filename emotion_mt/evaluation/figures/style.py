"""How all figures look: colours, fonts, sizes, and files that repeat."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.style
import pandas as pd
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from emotion_mt.corpus.atomic import replacing

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

_Layout = Literal["constrained", "compressed"]
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


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
        html: What a page shows in its place; "" for the figure itself.
    """

    stem: str
    title: str
    caption: str
    figure: Figure
    data: pd.DataFrame | None = None
    html: str = ""


def styled(
    draw: Callable[_Parameters, _Result],
) -> Callable[_Parameters, _Result]:
    """Runs a function under the common style, whatever the user's own is."""

    @functools.wraps(draw)
    def inside(
        *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        with matplotlib.style.context(["default", _RC]):
            return draw(*args, **kwargs)

    return inside


def new_figure(
    height_in: float,
    width_in: float = WIDTH_IN,
    layout: _Layout = "constrained",
) -> Figure:
    """Returns an empty figure that nothing else refers to."""
    figure = Figure(figsize=(width_in, height_in), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def widest_in(names: Sequence[str], size_pt: float = SMALL_PT) -> float:
    """Returns the width of the widest of some names in inches."""
    return max(text_width_in(name, size_pt) for name in names)


def add_legend(figure: Figure, labels: Sequence[str], columns: int) -> None:
    """Puts one legend for all axes under a figure.

    Args:
        figure: The figure.
        labels: Labels in order; those that nothing has are left out.
        columns: Number of columns.
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
    """Writes a figure, each file all or nothing.

    The same figure gives the same bytes: no date and no program version is
    written into the files.

    Args:
        figure: The figure.
        *paths: Files to write, .png or .pdf.

    Raises:
        ValueError: If a path has another suffix.
    """
    for path in paths:
        if path.suffix not in _CHANGING:
            raise ValueError(
                f"`paths` must end in {' or '.join(_CHANGING)}. "
                f"Received: {path}"
            )
        with replacing(path) as temporary:
            figure.savefig(
                temporary, dpi=_DPI, metadata={_CHANGING[path.suffix]: None}
            )


def width_px(figure: Figure) -> int:
    """Returns the width of a figure's PNG in pixels."""
    return round(figure.get_size_inches()[0] * _DPI)


def set_title(figure: Figure, text: str, simulated: bool) -> None:
    """Writes a title over a figure; simulated data are always called so."""
    whole = f"{SIMULATED}. {text}" if simulated else text
    width_in = figure.get_size_inches()[0] - 0.2
    lines = wrap(whole, width_in, 9.0, bold=True)
    figure.suptitle("\n".join(lines))


@functools.cache
def _font(size_pt: float, bold: bool) -> FontProperties:
    weight = "bold" if bold else "normal"
    return FontProperties(
        family=_RC["font.family"], size=size_pt, weight=weight
    )


def text_width_in(text: str, size_pt: float, bold: bool = False) -> float:
    """Returns the width of one line of text in inches."""
    width, _, _ = text_to_path.get_text_width_height_descent(
        text, _font(size_pt, bold), ismath=False
    )
    return _HINTING * width / _POINTS_PER_INCH


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

    Args:
        text: The text; words that are too long are broken anywhere.
        width_in: Width of a line in inches.
        size_pt: Size of the letters in points.
        bold: Whether the letters are bold.
        max_lines: Lines to keep; the last ends in "…" if there are more.

    Returns:
        The lines, none for empty text.
    """

    def fits(line: str) -> bool:
        return text_width_in(line, size_pt, bold) <= width_in

    lines: list[str] = []
    line = ""
    for word in printable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if fits(longer):
            line = longer
            continue
        if line:
            lines.append(line)
        while not fits(word) and len(word) > 1:
            cut = next(
                n
                for n in range(len(word) - 1, 0, -1)
                if n == 1 or fits(word[:n])
            )
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    lines += [line] if line else []
    if max_lines is not None and len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and not fits(f"{last}…"):
            last = last[:-1]
        return [*lines[: max_lines - 1], f"{last.rstrip()}…"]
    return lines


def short_names(names: Sequence[str], width_in: float = 1.3) -> list[str]:
    """Shortens names in the middle so that they fit and stay different.

    Args:
        names: Names of viewers or films.
        width_in: Longest width in inches at `NORMAL_PT`.

    Returns:
        One text per name; where two would look the same, each gets its
        position in front.
    """

    def shorten(name: str, width_in: float) -> str:
        whole = printable(name)
        if text_width_in(whole, NORMAL_PT) <= width_in:
            return whole
        for kept in range(len(whole) - 1, 1, -1):
            head = (kept + 1) // 2
            text = f"{whole[:head]}…{whole[len(whole) - kept // 2 :]}"
            if text_width_in(text, NORMAL_PT) <= width_in:
                return text
        return f"{whole[:1]}…"

    short = [shorten(name, width_in) for name in names]
    return [
        f"{number}: {shorten(name, width_in - 0.25)}"
        if short.count(text) > 1
        else text
        for number, (name, text) in enumerate(
            zip(names, short, strict=True), start=1
        )
    ]
