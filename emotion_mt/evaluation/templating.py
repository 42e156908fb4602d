"""How the templates of reports and timelines are filled."""

from __future__ import annotations

import base64
import hashlib

import jinja2
import markupsafe

from emotion_mt._clock import clock
from emotion_mt._version import __version__


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


_LOADER = jinja2.PackageLoader("emotion_mt.evaluation")

#: In HTML every text is escaped that is not `Markup`.
ENVIRONMENT = jinja2.Environment(
    loader=_LOADER,
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def source(name: str) -> markupsafe.Markup:
    """Returns a file of the templates' folder, word for word."""
    return markupsafe.Markup(_LOADER.get_source(ENVIRONMENT, name)[0])


#: What makes every timeline of a page answer.
SCRIPT = source("timeline.js")

ENVIRONMENT.filters["base64"] = _base64
ENVIRONMENT.globals |= {
    "clock": clock,
    "version": __version__,
    "style": source("timeline.css"),
    "script": SCRIPT,
    # What the page's content security policy calls it.
    "script_hash": "sha256-"
    + _base64(hashlib.sha256(SCRIPT.encode()).digest()),
}
