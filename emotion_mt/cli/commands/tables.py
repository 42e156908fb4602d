"""`emotion-mt tables`: Tables II to VI of the paper."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli.experiment_flags import (
    define_experiment_flags,
    experiment_from_flags,
)
from emotion_mt.cli.parsing import Command


def _run(values: flags.FlagValues) -> int:
    experiment = experiment_from_flags(values)
    from emotion_mt.workflows import run_all_tables

    outcome = run_all_tables(experiment)
    return 1 if outcome.failures else 0


COMMAND = Command(
    name="tables",
    summary="Make Tables II to VI of the paper, a report and bundles.",
    example="--corpus=COGNIMUSE --seeds=0,1,2",
    define=define_experiment_flags,
    run=_run,
)
