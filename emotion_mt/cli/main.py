"""`emotion-mt COMMAND --flags`: finds the command and runs it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from absl import flags

from emotion_mt._version import __version__
from emotion_mt.cli import console
from emotion_mt.cli.commands import COMMANDS
from emotion_mt.cli.interrupts import STOPPED, STOPPED_MESSAGE
from emotion_mt.cli.parsing import HELP_FLAGS, PROGRAM, Command

_BY_NAME = {command.name: command for command in COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Finds the command and runs it, or explains what there is.

    Args:
        arguments: What follows the program's name; None for `sys.argv`.

    Returns:
        The exit status: 0 for success, 1 when something failed, 2 for wrong
        usage, 130 after Ctrl-C.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name in HELP_FLAGS:
        print(_overview())
    elif name == "--version":
        print(f"{PROGRAM} {__version__}")
    elif name in _BY_NAME:
        return run(_BY_NAME[name], rest)
    else:
        received = f"Unknown command: {name}" if name else "No command given."
        console.say(
            f"{received}\nCommands: {', '.join(_BY_NAME)}\nSee {PROGRAM} --help"
        )
        return 2
    return 0


def _overview() -> str:
    """The list of commands."""
    listed = "\n".join(
        f"  {c.name:12}{c.summary.splitlines()[0]}" for c in COMMANDS
    )
    return (
        f"{PROGRAM}: how films make individual viewers feel.\n\n"
        f"Usage: {PROGRAM} COMMAND [--flags]\n\nCommands:\n{listed}\n\n"
        f"{PROGRAM} COMMAND --help explains the flags of a command."
    )


def run(command: Command, arguments: Sequence[str] | None = None) -> int:
    """Runs a command with its flags; arguments and result are as of `main`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    handler = console.AboveBars()
    logging.getLogger().addHandler(handler)
    try:
        if HELP_FLAGS & set(arguments):
            print(command.help())
            return 0
        return command.run(command.parse(arguments))
    except flags.Error as error:
        console.say(f"{error}\nSee {command.program} --help")
        return 2
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain
        # once more when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        console.say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        console.say(STOPPED_MESSAGE)
        return STOPPED
    finally:
        logging.getLogger().removeHandler(handler)
