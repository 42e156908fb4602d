"""COGNIMUSE's films, and what files and folders call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from emotion_mt import paper

#: Film code to the name used in the names of the trace files: the paper's
#: seven films, then the five others of the full release.
TRACE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "BMI": "BeautifulMind",
        "CHI": "Chicago",
        "CRA": "Crash",
        "DEP": "TheDeparted",
        "FNE": "FindingNemo",
        "GLA": "Gladiator",
        "LOR": "LOTRReturn",
        "ABE": "AmericanBeauty",
        "MDB": "MDB",
        "NCO": "NoCountry",
        "RAT": "Ratatouille",
        "SIL": "ShakespeareInLove",
    }
)

#: Code of the paper's films to the name of the folder of the video, which is
#: the year of the Academy Awards and the code.
VIDEO_FOLDERS: Mapping[str, str] = MappingProxyType(
    {
        name[4:]: name
        for name in (
            *("2002BMI", "2003CHI", "2006CRA", "2007DEP"),
            *("2004FNE", "2001GLA", "2004LOR"),
        )
    }
)

#: All twelve film codes.
FILM_CODES: tuple[str, ...] = tuple(TRACE_NAMES)


def _normalise(name: str) -> str:
    """Keeps letters and digits, in lower case, without a year at an end."""
    letters = re.sub(r"[\W_]", "", name).casefold()
    return re.sub(r"^(?:19|20)\d\d|(?:19|20)\d\d$", "", letters)


# Titles that are not those of the paper, nor the names above.
_TITLES = {"MDB": "Million Dollar Baby", "NCO": "No Country for Old Men"}

_CODES = {
    _normalise(name): code
    for names in (TRACE_NAMES, paper.MOVIE_TITLES, _TITLES)
    for code, title in names.items()
    for name in (code, title)
}


def film_code(name: str) -> str | None:
    """Returns the code of the film that a name stands for, or None.

    A name is a code ("BMI"), with or without a year ("2002BMI"), the name in
    trace files ("BeautifulMind") or the title ("A Beautiful Mind"); case,
    blanks and punctuation do not matter.
    """
    return _CODES.get(_normalise(name))
