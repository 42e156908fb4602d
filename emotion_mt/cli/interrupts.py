"""Ctrl-C while modules are imported, which takes seconds for TensorFlow.

An import that an exception interrupts may swallow it, turn it into another or
leave half a module behind. There is nothing to clean up that early.
"""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

#: Exit status after Ctrl-C, as shells have it, and what is said then.
STOPPED = 130
STOPPED_MESSAGE = "Stopped. The same command continues where it was."


def end_imports_at_ctrl_c() -> None:
    """Lets Ctrl-C end this process with one line while it imports.

    At other times, and where somebody else decides, it does what it did.
    """
    # Shells have programs in the background ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    stderr = None  # While TensorFlow is imported, file 2 is not the terminal.
    with contextlib.suppress(OSError):
        stderr = os.dup(2)

    def handle(number: int, frame: FrameType | None) -> None:
        if _imports(frame):
            if stderr is not None:
                with contextlib.suppress(OSError):
                    os.write(stderr, f"{STOPPED_MESSAGE}\n".encode())
            os._exit(STOPPED)
        signal.default_int_handler(number, frame)

    # Only the main thread may; others import as a library does.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, handle)


def _imports(frame: FrameType | None) -> bool:
    """Says whether a frame is part of an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib."):
            return True
        frame = frame.f_back
    return False
