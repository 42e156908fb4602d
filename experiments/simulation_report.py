r"""Measures the simulated corpus and shows it in docs/simulation.md.

    python experiments/simulation_report.py --folder=build/simulated

Simulates a corpus (or uses the one in the folder), measures it against what
is known of the real one, writes the table of targets and achieved values
into the page and draws a contact sheet of each film beside it. Takes two
minutes on two processors.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

from absl import app, flags
from tqdm.auto import tqdm

from emotion_mt.corpus import simulation
from emotion_mt.corpus.simulation import report

_FOLDER = flags.DEFINE_string(
    "folder",
    "build/simulated",
    "Folder of the corpus; simulated if it does not exist.",
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the corpus.", lower_bound=0)
_SEGMENTS = flags.DEFINE_integer(
    "segments_per_movie",
    60,
    "Mean number of segments per film. The targets are for 60 or more.",
    lower_bound=2,
)
_OUT = flags.DEFINE_string(
    "out", "docs", "Folder of simulation.md and of the contact sheets."
)


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    out = Path(_OUT.value)
    exists = Path(_FOLDER.value).exists()
    begin = time.monotonic()
    folder = simulation.simulate_corpus(
        _FOLDER.value, _SEED.value, _SEGMENTS.value
    )
    seconds = None if exists else time.monotonic() - begin
    state = simulation.simulate_state(
        _SEED.value, _SEGMENTS.value, simulation.SimulationConfig()
    )
    found = [
        *report.measure_corpus(state),
        *report.measure_files(folder, seconds),
    ]
    heading = (
        f"Seed {state.seed}, {state.segments_per_movie} segments per film, "
        f"version {simulation.SIMULATION_VERSION} of the simulation, "
        f"{platform.system()} with {platform.machine()}."
    )
    table = report.measures_table(found)
    report.replace_between_markers(
        out / "simulation.md", "measures", f"{heading}\n\n{table}"
    )
    for film in tqdm(state.films, desc="Drawing contact sheets"):
        movie = film.profile.movie
        report.draw_contact_sheet(
            folder, state, movie, out / f"simulation_{movie}.png"
        )
    print(table)
    missed = [measure.name for measure in found if measure.met is False]
    print(f"\nWritten to {out}. Targets missed: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    app.run(main)
