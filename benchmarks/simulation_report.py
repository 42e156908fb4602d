r"""Measures the simulated corpus and shows it in docs/simulation_targets.md.

    python benchmarks/simulation_report.py --folder=build/simulated

Simulates a corpus (or uses the one in the folder), measures it against what
is known of the real one, writes the table of targets and achieved values
into the page and draws a contact sheet of each film beside it: frames, what
is said, what is felt. Takes two minutes on two processors.
"""

from __future__ import annotations

import platform
import textwrap
from pathlib import Path

import numpy as np
import pages
import pandas as pd
import simulation_measures
from absl import app, flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from simulation_measures import Row

from emotion_mt import paper, simulation
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.simulation import SimulatedFilm, SimulatedState
from emotion_mt.simulation.pictures import render_frames
from emotion_mt.simulation.timeline import STEP_MS

_COLUMNS, _ROWS = 4, 2


def define_flags(values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines the flags of the script."""
    known = {"flag_values": values}
    text = "Of the corpus; simulated if absent."
    flags.DEFINE_string("folder", "build/simulated", text, **known)
    text = "Folder of simulation_targets.md and of the contact sheets."
    flags.DEFINE_string("out", "docs", text, **known)
    flags.DEFINE_integer("seed", 0, "Seed of the corpus.", **known)
    text = "Mean number; targets are for 60 or more."
    flags.DEFINE_integer("segments_per_movie", 60, text, **known)


def measures_table(groups: dict[str, list[Row]]) -> str:
    """Formats measures as a Markdown table."""
    marks = {True: "yes", False: "NO", None: "–"}
    lines = [
        (group * (n == 0), name, target or "–", achieved, marks[met])
        for group, rows in groups.items()
        for n, (name, target, achieved, met) in enumerate(rows)
    ]
    columns = ["", "what", "target", "achieved", "met"]
    return markdown_table(pd.DataFrame(lines, columns=columns))


def draw_contact_sheet(
    film: SimulatedFilm, state: SimulatedState, out: Path
) -> None:
    """Draws frames with their cues over the traces: simulation_<film>.png."""
    movie, line = film.profile.movie, film.timeline
    shown = np.linspace(0, line.rated - 1, _COLUMNS * _ROWS)
    cues = np.round(shown).astype(int)
    middles_ms = (line.cue_start_ms + line.cue_end_ms)[cues] // 2
    known = (movie, line, film.content, state.seed, state.config)
    pictures = render_frames(*known, middles_ms // STEP_MS)
    figure = Figure(figsize=(9.2, 6.2), dpi=80, layout="constrained")
    ratios = [1.0] * _ROWS + [1.45]
    grid = figure.add_gridspec(_ROWS + 1, _COLUMNS, height_ratios=ratios)
    for number, picture in enumerate(pictures):
        axes = figure.add_subplot(grid[divmod(number, _COLUMNS)])
        axes.imshow(picture[..., ::-1])
        axes.set(xticks=[], yticks=[])
        caption = textwrap.fill(film.texts[cues[number]], 38)
        seconds = middles_ms[number] / 1000
        axes.set_xlabel(f"{seconds:.0f} s: {caption}", fontsize=7)
    _draw_traces(figure.add_subplot(grid[_ROWS, :]), film, state)
    figure.axes[-1].plot(middles_ms / 1000, [-0.97] * len(cues), "k^", ms=5)
    figure.suptitle(
        f"{movie} (simulated, seed {state.seed}): {len(cues)} of "
        f"{line.rated} cues, and the valence of the viewers"
    )
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / f"simulation_{movie}.png", metadata={"Software": None})


def _draw_traces(
    axes: Axes, film: SimulatedFilm, state: SimulatedState
) -> None:
    line, owner = film.timeline, film.feelings.viewer_of_pass
    time_s = line.trace_time_s
    by_viewer = pd.DataFrame(film.traces[..., 0]).T.groupby(owner).mean().T
    axes.plot(time_s, by_viewer, linewidth=0.9, label=state.viewers[:-1])
    average = by_viewer.mean(axis=1)
    axes.plot(time_s, average, color="black", lw=2, label=paper.AVERAGE)
    hidden, name = 0.3 * film.feelings.shared[:, 0], "hidden valence × 0.3"
    axes.plot(time_s, hidden, "k:", linewidth=1.2, label=name)
    for span_ms in zip(line.cue_start_ms, line.cue_end_ms, strict=True):
        axes.axvspan(*np.divide(span_ms, 1000), color="0.93", zorder=0)
    axes.axhline(0, color="0.5", linewidth=0.6)
    axes.set(
        xlim=(0, line.frames * STEP_MS / 1000),
        ylim=(-1.02, 1.02),
        xlabel="time in s; grey: cues; triangles: the frames above",
        ylabel="valence",
    )
    axes.legend(loc="upper right", ncols=9, fontsize=6, framealpha=0.8)


def run(flag: flags.FlagValues) -> None:
    """Simulates, measures, writes and draws."""
    out, folder = Path(flag.out), Path(flag.folder)
    size = (flag.seed, flag.segments_per_movie)
    simulation.simulate_corpus(folder, *size)
    state = simulation.simulate_state(*size, simulation.SimulationConfig())
    groups = {
        name: list(rows(state))
        for name, rows in simulation_measures.GROUPS.items()
    }
    groups["Files"] = list(simulation_measures.files(folder))
    text = (
        f"Seed {state.seed}, {state.segments_per_movie} segments per film, "
        f"version {simulation.SIMULATION_VERSION} of the simulation, "
        f"{platform.system()} with {platform.machine()}.\n\n"
        f"{measures_table(groups)}"
    )
    page = out / "simulation_targets.md"
    pages.replace_between_markers(page, "measures", text)
    for film in state.films:
        draw_contact_sheet(film, state, out)
    missed = [r[0] for rows in groups.values() for r in rows if r[3] is False]
    print(text)
    print(f"\nWritten to {out}. Targets missed: {', '.join(missed) or 'none'}")


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    run(flags.FLAGS)


if __name__ == "__main__":
    define_flags()
    app.run(main)
