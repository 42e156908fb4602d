"""What a command writes: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any


def write_json(content: Any) -> None:
    """Writes strict JSON to stdout.

    Args:
        content: Plain JSON; missing numbers are None.
    """
    print(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False))


def say(text: str) -> None:
    """Tells the user something that is no result."""
    print(text, file=sys.stderr, flush=True)


class _AboveBars(logging.Handler):
    """Writes log lines to stderr without breaking a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)


def set_up_logging() -> logging.Handler:
    """Sends warnings of this package and its libraries to stderr, plainly.

    Returns:
        The handler, to be removed from the root logger in the end.
    """
    handler = _AboveBars()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    return handler
