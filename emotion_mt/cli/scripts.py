"""How a script in experiments/ starts and ends.

Exit status: 0 for success, 1 when something failed, 2 for wrong usage.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import app, flags

from emotion_mt.cli import experiment_flags
from emotion_mt.cli.experiment_flags import FLAGS
from emotion_mt.cli.interrupts import STOPPED, STOPPED_MESSAGE
from emotion_mt.cli.parsing import HELP_FLAGS


def run(main: Callable[[], int]) -> None:
    """Runs a script's `main` and turns its outcome into an exit status.

    Args:
        main: Called with the flags parsed; returns the exit status.
    """

    def guarded(_: list[str]) -> int:
        try:
            return main()
        except flags.Error as error:
            _leave(2, str(error))
        except (ValueError, OSError, RuntimeError, ImportError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(STOPPED_MESSAGE, file=sys.stderr)
            return STOPPED

    # absl shows every library's messages; those of the PDF writer are noise.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.run(guarded, flags_parser=_parse)


def _parse(argv: Sequence[str]) -> list[str]:
    """Parses flags; wrong usage ends with status 2 and a short message."""
    if HELP_FLAGS & set(argv):
        print(sys.modules["__main__"].__doc__ or "")
        print(FLAGS.module_help(experiment_flags))
        sys.exit(0)
    try:
        rest = FLAGS(argv)
    except flags.Error as error:
        _leave(2, str(error))
    if len(rest) > 1:
        _leave(2, f"Only --flags are taken. Received: {' '.join(rest[1:])}")
    return rest


def _leave(status: int, message: str) -> NoReturn:
    print(f"{message}\nSee --help.", file=sys.stderr)
    sys.exit(status)
