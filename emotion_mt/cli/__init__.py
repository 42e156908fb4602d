"""The command line: flags in, one call down, text out; no logic.

Importing it costs next to nothing: TensorFlow comes with the first command
that needs it.
"""

from emotion_mt.cli.interrupts import end_imports_at_ctrl_c

# First: what follows is imported, and later TensorFlow.
end_imports_at_ctrl_c()

from emotion_mt.cli.commands.tables import table_command  # noqa: E402
from emotion_mt.cli.main import run  # noqa: E402

__all__ = ["run", "table_command"]
