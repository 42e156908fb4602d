"""How all figures look: colours, letters, sizes, and files that repeat."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.style
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion_mt.storage.atomic import replacing

# Colours of Okabe and Ito's palette, told apart with any colour vision. What
# they mean is always said a second time by shape, hatching or a symbol.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
PINK, SKY, YELLOW = "#CC79A7", "#56B4E9", "#E69F00"
GREY, PALE = "#767676", "#D0D0D0"

#: Width of a figure in inches: the text width of a two-column page.
WIDTH_IN = 7.1

#: Smallest and usual size of letters, in points at `WIDTH_IN`.
SMALL_PT, NORMAL_PT = 7.0, 8.0

#: Width of a capital letter of the smallest size.
LETTER_IN = 0.062

#: Stands above every figure of simulated data.
SIMULATED = "SIMULATED DATA"

_DPI = 150

#: What would make files of the same figure differ, by suffix.
_CHANGING = {".png": "Software", ".pdf": "CreationDate"}

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


def new_figure(
    height_in: float, width_in: float = WIDTH_IN, layout: Any = "constrained"
) -> Figure:
    """Returns an empty figure that nothing else refers to."""
    figure = Figure(figsize=(width_in, height_in), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def panels(figure: Figure, count: int, across: int) -> list[Axes]:
    """Returns axes in rows of `across` that share their vertical axis."""
    down = math.ceil(count / across)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return list(grid.flat[:count])


def add_legend(
    figure: Figure, labels: Sequence[str] = (), columns: int = 10
) -> None:
    """Puts one legend for all axes under a figure.

    Labels stand in the given order, or as they were drawn; those that nothing
    has are left out.
    """
    found = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    shown = [label for label in labels or found if label in found]
    figure.legend(
        [found[label] for label in shown],
        shown,
        loc="outside lower center",
        ncols=min(columns, len(shown)),
        frameon=False,
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
        suffix = path.suffix.lower()
        if suffix not in _CHANGING:
            raise ValueError(
                f"`path` must end in {' or '.join(_CHANGING)}. Received: {path}"
            )
        with replacing(path) as temporary:
            metadata = {_CHANGING[suffix]: None}
            figure.savefig(temporary, dpi=_DPI, metadata=metadata)


def set_title(figure: Figure, text: str, simulated: bool) -> None:
    """Writes a title over a figure; simulated data are always called so."""
    whole = f"{SIMULATED}. {text}" if simulated else text
    figure.suptitle(printable(whole), wrap=True)


def printable(text: str) -> str:
    """Returns text in one line, with □ for characters the font lacks."""
    font = font_manager.get_font(font_manager.findfont(_RC["font.family"][0]))
    known, words = font.get_charmap(), " ".join(text.split())
    return "".join(c if ord(c) in known else "□" for c in words)


def short_names(names: Sequence[str], most: int = 18) -> list[str]:
    """Shortens names in the middle to so many letters.

    They stay different: where two would look the same, each gets its position
    in front.
    """

    def shorten(name: str, most: int) -> str:
        text, half = printable(name), most // 2
        long = len(text) > most
        return f"{text[:half]}…{text[1 - half :]}" if long else text

    short = [shorten(name, most) for name in names]
    twice = [i for i, text in enumerate(short) if short.count(text) > 1]
    for i in twice:
        short[i] = f"{i + 1}: {shorten(names[i], most - 4)}"
    return short
