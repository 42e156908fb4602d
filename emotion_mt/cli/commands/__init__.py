"""The subcommands of `emotion-mt`.

They import what they need when they run, so that help and messages about
wrong usage come at once.
"""

from emotion_mt.cli.commands import corpus, features, models, tables

#: In the order in which a new user meets them.
COMMANDS = (
    *(corpus.SIMULATE, corpus.INSPECT, features.WEIGHTS, features.EXTRACT),
    *(models.TRAIN, tables.TABLES, models.PREDICT),
    *(models.ADD_VIEWER, models.DEMO),
)

__all__ = ["COMMANDS"]
