"""Keeps TensorFlow's start-up chatter off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# Lines that TensorFlow writes to stderr, before any log level applies, on a
# machine without a GPU: nothing is wrong and nothing can be done about them.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} .*(port|cudart_stub|cuda_platform|cpu_feature_guard)\.cc:"
    rb"|To enable the following instructions:"
)


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Drops known start-up lines from stderr while something is imported.

    Everything else that is written to stderr appears when the block ends.
    """
    try:
        sys.stderr.flush()
        original = os.dup(2)
    except (AttributeError, OSError):
        # No stderr, as in a windowed Python: nothing to keep clean.
        yield
        return
    with tempfile.TemporaryFile() as collected:
        os.dup2(collected.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            collected.seek(0)
            for line in collected:
                if not _CHATTER.match(line):
                    os.write(2, line)
