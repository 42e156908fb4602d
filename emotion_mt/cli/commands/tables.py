"""`emotion-mt tables`, and the scripts that make one of the tables."""

from __future__ import annotations

import functools
import sys

from absl import flags

from emotion_mt.cli.experiment_flags import EXPERIMENT, experiment_from_flags
from emotion_mt.cli.parsing import Command


def _run(values: flags.FlagValues, number: str = "") -> int:
    experiment = experiment_from_flags(values)
    from emotion_mt.evaluation.specs import SPECS, table2_spec
    from emotion_mt.runs import run_tables

    specs = None
    if number == "II":
        specs = [table2_spec(experiment.training.modalities)]
    elif number:
        specs = [SPECS[number]]
    return 1 if run_tables(experiment, specs).failures else 0


def table_command(number: str, description: str | None) -> Command:
    """Returns the command of a script, for one table or, with "", for all."""
    run = functools.partial(_run, number=number)
    return Command(sys.argv[0], description or "", EXPERIMENT, run)


TABLES = Command(
    name="tables",
    summary="Make Tables II to VI of the paper, a report and bundles.",
    example="--corpus=COGNIMUSE --seeds=0,1,2",
    options=EXPERIMENT,
    run=_run,
)
