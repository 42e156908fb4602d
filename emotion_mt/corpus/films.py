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
        "BMI": "2002BMI",
        "CHI": "2003CHI",
        "CRA": "2006CRA",
        "DEP": "2007DEP",
        "FNE": "2004FNE",
        "GLA": "2001GLA",
        "LOR": "2004LOR",
    }
)

#: All twelve film codes.
FILM_CODES: tuple[str, ...] = tuple(TRACE_NAMES)

# Titles that are not those of the paper, nor the names above.
_OTHER_TITLES = {
    "MDB": "Million Dollar Baby",
    "NCO": "No Country for Old Men",
}


def _normalise(name: str) -> str:
    """Keeps letters and digits, in lower case, without a year at an end."""
    letters = re.sub(r"[\W_]", "", name).casefold()
    return re.sub(r"^(?:19|20)\d\d|(?:19|20)\d\d$", "", letters)


_CODES = {
    _normalise(name): code
    for names in (
        {code: code for code in FILM_CODES},
        TRACE_NAMES,
        paper.MOVIE_TITLES,
        _OTHER_TITLES,
    )
    for code, name in names.items()
}


def film_code(name: str) -> str | None:
    """Returns the code of the film that a name stands for, or None.

    A name is a code ("BMI"), with or without a year ("2002BMI"), the name in
    trace files ("BeautifulMind") or the title ("A Beautiful Mind"); case,
    blanks and punctuation do not matter.
    """
    return _CODES.get(_normalise(name))
