"""What a command writes: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from absl import flags


def write_json(content: Any) -> None:
    """Writes plain JSON to stdout; missing numbers are None."""
    print(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False))


def write_result(values: flags.FlagValues, content: Any, text: str) -> int:
    """Writes a result, with --json as JSON; returns the exit status."""
    if values.json:
        write_json(content)
    else:
        print(text)
    return 0


def say(text: str) -> None:
    """Tells the user something that is no result."""
    print(text, file=sys.stderr, flush=True)


class AboveBars(logging.Handler):
    """Writes warnings to stderr without breaking a progress bar."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
