"""The command line: flags in, one call down, text out; no logic.

`emotion-mt` is in `main`; what the scripts in experiments/ share is here.
Importing it costs next to nothing: TensorFlow comes with the first command
that needs it.
"""

from emotion_mt.cli.interrupts import end_imports_at_ctrl_c

# First: what follows is imported, and later TensorFlow.
end_imports_at_ctrl_c()

from emotion_mt.cli.experiment_flags import (  # noqa: E402
    FLAGS,
    define_experiment_flags,
    experiment_from_flags,
)
from emotion_mt.cli.scripts import run  # noqa: E402

__all__ = [
    "FLAGS",
    "define_experiment_flags",
    "experiment_from_flags",
    "run",
]
