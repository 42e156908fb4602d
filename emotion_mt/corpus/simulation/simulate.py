"""`simulate_corpus`: a folder in COGNIMUSE's layout, made from nothing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import joblib

from emotion_mt import _version
from emotion_mt.corpus.corpus import CorpusError
from emotion_mt.corpus.load import SIMULATION_FILE
from emotion_mt.corpus.simulation import writer
from emotion_mt.corpus.simulation.ceiling import ceiling_accuracies
from emotion_mt.corpus.simulation.config import (
    SIMULATION_VERSION,
    SimulationConfig,
)
from emotion_mt.corpus.simulation.state import SimulatedState, simulate_state
from emotion_mt.corpus.traces import DIMENSIONS
from emotion_mt.storage import atomic

# What has to be the same for a folder to be used again, with `config`.
_ARGUMENTS = ("version", "seed", "segments_per_movie")
# A process takes seconds to start, and as long for some thousand frames.
_FRAMES_PER_PROCESS = 5000
# In an unfinished folder: what it will be.
_PLAN_FILE = ".plan.json"


def simulate_corpus(
    folder: str | os.PathLike[str],
    seed: int = 0,
    segments_per_movie: int = 60,
    config: SimulationConfig | None = None,
    progress: bool = True,
    jobs: int | None = None,
) -> Path:
    """Writes a corpus of simulated films, viewers and ratings.

    The folder is laid out as COGNIMUSE's release and `load_corpus` reads it:
    `Data/2002BMI/BMI.avi` (MPEG-4, 25 fps) with `BMI.srt` beside it for each
    film, `Emotion Annotation/experienced/subj{S}_{I}_{Film}.dat`,
    `Emotion Annotation/intended/intended_{I}_{Film}.dat`, and
    `simulation.json`, which says how it was made and how well a predictor
    could do that knows what is hidden (`ceiling`).

    A folder that exists with the same seed, size and configuration is used
    as it is. The folder appears when everything is written; a run that was
    stopped leaves a hidden folder beside it, and the next run continues with
    the films that are missing there.

    Args:
        folder: The folder to make.
        seed: Seed, at least 0. The same seed gives the same bytes of traces
            and subtitles and the same decoded frames.
        segments_per_movie: Mean number of rated cues per film, at least 2;
            films have cues in proportion to the real ones.
        config: Films, viewers and knobs. Default: `SimulationConfig()`,
            which follows the paper; see docs/simulation.md.
        progress: Whether to show a progress bar.
        jobs: Number of processes. Default: one per processor, but not more
            than pay off. The result does not depend on it.

    Returns:
        `folder`.

    Raises:
        ValueError: If an argument is out of range.
        CorpusError: If the folder holds something else, or a corpus that was
            simulated with other arguments, or one with files missing.

    Example:
        ```python
        corpus = emt.load_corpus(emt.simulate_corpus("simulated", seed=1))
        ```
    """
    folder = Path(folder)
    config = SimulationConfig() if config is None else config
    recipe = {
        "simulated": True,
        "version": SIMULATION_VERSION,
        "seed": seed,
        "segments_per_movie": segments_per_movie,
        "config": config.to_dict(),
    }
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    with _only_one(target):
        if _is_complete(target, recipe):
            return folder
        state = simulate_state(seed, segments_per_movie, config)
        _prepare(partial, recipe)
        writer.write_texts(partial, state)
        workers = _processes(state) if jobs is None else jobs
        writer.write_videos(partial, state, workers, progress)
        described = _describe(state, partial)
        atomic.write_json(partial / SIMULATION_FILE, {**recipe, **described})
        (partial / _PLAN_FILE).unlink()
        if target.exists():
            target.rmdir()  # it is empty, or we would not be here
        partial.rename(target)
    return folder


@contextlib.contextmanager
def _only_one(target: Path) -> Iterator[None]:
    """Lets other runs for the same folder wait; leaves no lock behind."""
    lock = target.with_name(f".{target.name}.lock")
    with filelock.FileLock(lock):
        try:
            yield
        finally:
            # Windows does not remove open files; there it stays.
            with contextlib.suppress(OSError):
                lock.unlink()


def _processes(state: SimulatedState) -> int:
    frames = sum(film.timeline.frames for film in state.films)
    return min(joblib.cpu_count(), 1 + frames // _FRAMES_PER_PROCESS)


def _describe(state: SimulatedState, root: Path) -> dict[str, Any]:
    """Returns what `simulation.json` holds besides the recipe."""
    found = {
        name: file
        for name, file in writer.describe_files(root).items()
        if name not in (SIMULATION_FILE, _PLAN_FILE)
    }
    return {
        "package_version": _version.__version__,
        "ceiling": {
            name: ceiling_accuracies(state, name) for name in DIMENSIONS
        },
        "films": {
            film.profile.movie: {
                "segments": film.timeline.rated,
                "cues_past_end": film.profile.cues_past_end,
                "frames": film.timeline.frames,
                "traces_end_s": float(film.timeline.trace_time_s[-1]),
            }
            for film in state.films
        },
        "viewers": {
            viewer.name: {
                "offset": dict(zip(DIMENSIONS, offset, strict=True)),
                "range": dict(zip(DIMENSIONS, range_, strict=True)),
            }
            for viewer, offset, range_ in zip(
                state.config.viewers,
                state.scales.offset.tolist(),
                state.scales.range.tolist(),
                strict=True,
            )
        },
        "files": found,
    }


def _is_complete(folder: Path, recipe: Mapping[str, Any]) -> bool:
    """Says whether a folder holds the corpus of a recipe.

    Raises:
        CorpusError: If it holds anything else.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise CorpusError(f"{folder}: expected a folder. Received a file")
    if not any(folder.iterdir()):
        return False
    found = _read(folder / SIMULATION_FILE)
    if found is None:
        raise CorpusError(
            f"{folder}: expected a new or empty folder, or a corpus that was "
            f"simulated. Received a folder without a readable {SIMULATION_FILE}"
        )
    differences = [
        f"{name}={found.get(name)!r} instead of {recipe[name]!r}"
        for name in _ARGUMENTS
        if found.get(name) != recipe[name]
    ]
    differences += _config_differences(found.get("config"), recipe["config"])
    if differences:
        raise CorpusError(
            f"{folder}: expected a new folder, or one simulated with the same "
            f"arguments. Received one with {', '.join(differences)}. Choose "
            "another folder or remove this one"
        )
    changed = [
        name
        for name, file in found.get("files", {}).items()
        if _size(folder / name) != file["bytes"]
    ]
    if changed:
        raise CorpusError(
            f"{folder}: expected the files that were simulated. Missing or "
            f"changed: {', '.join(changed[:3])} ({len(changed)} in all). "
            "Remove the folder to simulate it again"
        )
    return True


def _config_differences(found: Any, expected: Mapping[str, Any]) -> list[str]:
    if not isinstance(found, dict):
        return ["no config"]
    names = sorted({*found, *expected})
    return [
        f"config.{name}={found.get(name)!r} instead of {expected.get(name)!r}"
        for name in names
        if found.get(name) != expected.get(name)
    ]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _read(path: Path) -> dict[str, Any] | None:
    """Returns the JSON object in a file, or None."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _prepare(partial: Path, recipe: Mapping[str, Any]) -> None:
    """Makes the folder to write in; what fits the recipe in there is kept."""
    plan = partial / _PLAN_FILE
    # What comes back from JSON has lists for tuples.
    wanted = json.loads(json.dumps(recipe))
    if partial.exists() and _read(plan) != wanted:
        shutil.rmtree(partial)
    for path in partial.rglob(".*"):
        if path != plan:  # left by a run that was stopped
            path.unlink()
    atomic.write_json(plan, wanted)
