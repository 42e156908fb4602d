"""One picture per film: frames, what is said, what is felt."""

from __future__ import annotations

import textwrap
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_mt import paper
from emotion_mt.corpus.simulation import traces, writer
from emotion_mt.corpus.simulation.state import SimulatedFilm, SimulatedState
from emotion_mt.corpus.simulation.timeline import STEP_MS
from emotion_mt.corpus.traces import DIMENSIONS

_COLUMNS, _ROWS = 4, 2
_SIZE_IN = (9.2, 6.2)
_DPI = 80
_CAPTION_CHARACTERS = 38


def draw_contact_sheet(
    folder: Path, state: SimulatedState, movie: str, out: Path
) -> None:
    """Draws frames with their cues over the traces of the film.

    Args:
        folder: A folder that `simulate_corpus` wrote; its video is read.
        state: The same corpus.
        movie: Film code.
        out: PNG file to write.

    Raises:
        RuntimeError: If the video cannot be read.
    """
    film = next(f for f in state.films if f.profile.movie == movie)
    shown = np.linspace(0, film.timeline.rated - 1, _COLUMNS * _ROWS)
    cues = np.round(shown).astype(int)
    middles_ms = (film.timeline.cue_start_ms + film.timeline.cue_end_ms) // 2
    pictures = _read_frames(
        writer.video_path(folder, movie),
        (middles_ms[cues] // STEP_MS).tolist(),
    )
    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
    grid = figure.add_gridspec(
        _ROWS + 1, _COLUMNS, height_ratios=[1.0] * _ROWS + [1.45]
    )
    for number, (cue, picture) in enumerate(zip(cues, pictures, strict=True)):
        axes = figure.add_subplot(grid[divmod(number, _COLUMNS)])
        axes.imshow(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        axes.set_xticks([])
        axes.set_yticks([])
        caption = textwrap.fill(film.texts[cue], _CAPTION_CHARACTERS)
        seconds = middles_ms[cue] / 1000
        axes.set_xlabel(f"{seconds:.0f} s: {caption}", fontsize=7)
    _draw_traces(
        figure.add_subplot(grid[_ROWS, :]), film, state, middles_ms[cues] / 1000
    )
    figure.suptitle(
        f"{movie} (simulated, seed {state.seed}): {len(cues)} of "
        f"{film.timeline.rated} cues, and the valence of the viewers"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Software": None})


def _draw_traces(
    axes: Axes,
    film: SimulatedFilm,
    state: SimulatedState,
    marked_s: np.ndarray,
) -> None:
    time_s = film.timeline.trace_time_s
    valence = film.traces[:, :, traces.VALENCE]
    owner = film.feelings.viewer_of_pass
    by_viewer = []
    for row, viewer in enumerate(state.config.viewers):
        mean = valence[:, owner == row].mean(axis=1)
        by_viewer.append(mean)
        axes.plot(time_s, mean, linewidth=0.9, label=viewer.name)
    average = np.mean(by_viewer, axis=0)
    axes.plot(time_s, average, color="black", linewidth=2, label=paper.AVERAGE)
    hidden = film.feelings.shared[:, traces.VALENCE]
    axes.plot(
        time_s,
        0.3 * hidden,
        color="black",
        linewidth=1.2,
        linestyle=":",
        label="hidden valence × 0.3",
    )
    for start_ms, end_ms in zip(
        film.timeline.cue_start_ms, film.timeline.cue_end_ms, strict=True
    ):
        axes.axvspan(start_ms / 1000, end_ms / 1000, color="0.93", zorder=0)
    axes.plot(marked_s, [-0.97] * len(marked_s), "k^", markersize=5)
    axes.axhline(0, color="0.5", linewidth=0.6)
    axes.set_xlim(0, film.timeline.duration_s)
    axes.set_ylim(-1.02, 1.02)
    axes.set_xlabel("time in s; grey: cues; triangles: the frames above")
    axes.set_ylabel(DIMENSIONS[traces.VALENCE])
    axes.legend(loc="upper right", ncols=9, fontsize=6, framealpha=0.8)


def _read_frames(path: Path, frames: list[int]) -> list[np.ndarray]:
    """Returns uint8 [H, W, 3] for each of some increasing frame numbers."""
    capture = cv2.VideoCapture(str(path))
    pictures = []
    position = 0
    try:
        for frame in frames:
            while position < frame:
                capture.grab()
                position += 1
            found, picture = capture.read()
            if not found:
                raise RuntimeError(
                    f"{path}: expected a video of more than {frame} frames. "
                    f"Received: nothing at frame {position}"
                )
            pictures.append(picture)
            position += 1
    finally:
        capture.release()
    return pictures
