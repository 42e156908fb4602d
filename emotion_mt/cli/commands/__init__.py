"""The subcommands of `emotion-mt`.

Each module imports what it needs when it runs, so that help and messages
about wrong usage come at once.
"""

from emotion_mt.cli.commands import (
    demo,
    extract,
    inspect,
    predict,
    simulate,
    tables,
    train,
    weights,
)

#: In the order in which a new user meets them.
COMMANDS = (
    simulate.COMMAND,
    inspect.COMMAND,
    weights.COMMAND,
    extract.COMMAND,
    train.COMMAND,
    tables.COMMAND,
    predict.COMMAND,
    demo.COMMAND,
)

__all__ = ["COMMANDS"]
