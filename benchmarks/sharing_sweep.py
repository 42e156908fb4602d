"""What `sharing.py` varies, fits and scores.

The films stay the same throughout, so their I3D features serve all points:
the shared response, the viewers' own weights, noise and hand, and which
ratings are missing change the labels only (see
`emotion_mt/simulation/streams.py`). Training segments are left out
where the number of segments is varied.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds, labels_from_values, mean_of_rated
from emotion_mt.evaluation import score
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, versions
from emotion_mt.evaluation.records import features_digest
from emotion_mt.simulation import (
    SIMULATION_VERSION,
    SimulatedState,
    SimulationConfig,
    ceiling_accuracies,
    hidden,
    simulate_state,
    streams,
    traces,
)
from emotion_mt.training import TrainingConfig, fit_split

DIMENSION = "valence"

# Seconds of one step on one core of the machine of docs/simulation.md, and
# what else goes into the estimate of the whole.
_ST_STEP_S, _MT_STEP_S = 0.013, 0.075
_EPOCHS = 9
_START_S = 30.0


@dataclasses.dataclass(frozen=True)
class Setting:
    """One point of the sweeps.

    Attributes:
        sharing: Share of every viewer's feeling that is shared, see
            `with_shared_share`; None for the default profile, in which
            viewers differ.
        training: Share of the segments of each training film that is kept,
            in (0, 1].
        missing: Probability that a viewer did not rate a segment of a
            training or validation film, in [0, 1).
    """

    sharing: float | None = None
    training: float = 1.0
    missing: float = 0.0


@dataclasses.dataclass(frozen=True)
class Task:
    """ST for every viewer and MT, on one fold.

    Attributes:
        setting: The point.
        seed: Decides the viewers' own weights, noise and hands, which
            ratings and segments are left out, the initial weights and the
            order of segments. The films stay as they are.
        fold: Row of Table I, from 0.
    """

    setting: Setting
    seed: int
    fold: int


#: The sweeps: name to points. The default profile with everything is in all.
SWEEPS: dict[str, tuple[Setting, ...]] = {
    "sharing": (
        *(Setting(sharing=share) for share in (0.0, 0.2, 0.5, 0.8)),
        Setting(),
    ),
    "training": (
        *(Setting(training=share) for share in (0.125, 0.25, 0.5)),
        Setting(),
    ),
    "missing": (
        Setting(),
        *(Setting(missing=share) for share in (0.25, 0.5, 0.75)),
    ),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """What all tasks share.

    Attributes:
        corpus: The simulated corpus as written, with the default profile.
        features: float32 [N, 1024], visual features of its segments.
        film_seed: Seed that the films were simulated with.
        segments_per_movie: Size that they were simulated with.
        config: How all models are trained.
    """

    corpus: Corpus
    features: np.ndarray
    film_seed: int
    segments_per_movie: int
    config: TrainingConfig


def list_tasks(
    material: Material, seeds: Sequence[int], settings: Sequence[Setting]
) -> dict[str, Task]:
    """Lists all tasks under a digest of all that decides their results.

    Args:
        material: What they share.
        seeds: Seeds, see `Task`.
        settings: Points; those that are there twice count once.

    Returns:
        Key to task. The seeds follow each other, so that a run that is
        stopped has all points of the first ones.
    """
    context = {
        "corpus": material.corpus.digest(),
        "features": features_digest(material.features),
        "films": [material.film_seed, material.segments_per_movie],
        "training": material.config.to_json(),
        "simulation": SIMULATION_VERSION,
        "versions": versions(),
    }
    tasks = {}
    for seed in seeds:
        for setting in dict.fromkeys(settings):
            for fold in range(len(folds(material.corpus.movies))):
                task = Task(setting, seed, fold)
                content = {**context, "task": dataclasses.asdict(task)}
                text = json.dumps(content, sort_keys=True)
                key = hashlib.sha256(text.encode()).hexdigest()
                tasks[key] = task
    return tasks


def estimate_s(material: Material, tasks: Sequence[Task]) -> float:
    """Estimates the seconds of tasks on one core, from measured steps."""
    batch = material.config.batch_size
    splits = folds(material.corpus.movies)
    heads = len(material.corpus.viewers)
    total = 0.0
    for task in tasks:
        rows = len(material.corpus.rows(splits[task.fold].train))
        rows = round(task.setting.training * rows)
        mt_steps = -(-rows // batch)
        st_steps = -(-round(rows * (1 - task.setting.missing)) // batch)
        step_s = heads * st_steps * _ST_STEP_S + mt_steps * _MT_STEP_S
        total += _EPOCHS * step_s
    return total + _START_S if tasks else 0.0


def with_viewers(
    base: SimulatedState, seed: int, config: SimulationConfig
) -> SimulatedState:
    """Lets other viewers watch the same films.

    Args:
        base: The films.
        seed: Seed of the viewers' own weights, noise and hands.
        config: The viewers; what it says of the films is not used.

    Returns:
        The state with the films, texts and contents of `base`, and new
        feelings and traces. With the seed and the configuration of `base`
        it is `base`.
    """
    feelings = [
        hidden.make_feelings(
            film.profile, film.timeline, film.content, seed, config
        )
        for film in base.films
    ]
    written, scales = traces.make_traces(
        [film.timeline for film in base.films], feelings, seed, config
    )
    films = tuple(
        dataclasses.replace(film, feelings=felt, traces=trace)
        for film, felt, trace in zip(base.films, feelings, written, strict=True)
    )
    return dataclasses.replace(base, config=config, films=films, scales=scales)


def with_shared_share(
    config: SimulationConfig, share: float
) -> SimulationConfig:
    """Returns a configuration in which all viewers share equally much.

    `share` of the feeling's variance is shared, in [0, 1 - `marker_noise`].
    """
    viewers = tuple(
        dataclasses.replace(viewer, sharing=share**0.5)
        for viewer in config.viewers
    )
    return dataclasses.replace(config, viewers=viewers)


@functools.lru_cache(maxsize=1)
def _films(film_seed: int, segments_per_movie: int) -> SimulatedState:
    return simulate_state(film_seed, segments_per_movie, SimulationConfig())


@functools.lru_cache(maxsize=4)
def rated(
    film_seed: int, segments_per_movie: int, sharing: float | None, seed: int
) -> tuple[np.ndarray, dict[str, dict[str, float]]]:
    """Simulates what viewers answer, without writing anything.

    Args:
        film_seed: Seed of the films.
        segments_per_movie: Their size.
        sharing: See `Setting`.
        seed: Seed of the viewers.

    Returns:
        float64 [N, V + 1], segment means in [-1, 1] with the average viewer
        last; and the ceiling, film -> viewer -> accuracy in [0, 1].
    """
    config = SimulationConfig()
    if sharing is not None:
        config = with_shared_share(config, sharing)
    state = with_viewers(_films(film_seed, segments_per_movie), seed, config)
    means = np.concatenate([f.means(DIMENSION).T for f in state.films])
    return means, ceiling_accuracies(state, DIMENSION)


def remove_ratings(values: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Takes ratings away at random, and averages what is left.

    The same seed takes away more and more as the share grows, never others.

    Args:
        values: float64 [N, V + 1], the average viewer last.
        share: Probability of a rating to be missing, in [0, 1).
        seed: Seed of the choice.

    Returns:
        float64 [N, V + 1]: NaN where a rating is missing; the average is the
        mean of the ratings that are left, NaN where none is.
    """
    if not 0.0 <= share < 1.0:
        raise ValueError(f"`share` must be in [0, 1). Received: {share}")
    single = values[:, :-1]
    gone = streams.stream(seed, "missing ratings").random(single.shape) < share
    left = np.where(gone, np.nan, single)
    return np.column_stack([left, mean_of_rated(left.T)])


def kept_rows(
    corpus: Corpus, split: paper.Split, share: float, seed: int
) -> np.ndarray:
    """Chooses a stretch of each training film, as if it were shorter.

    Args:
        corpus: The corpus.
        split: Films; those for validation and test are kept whole.
        share: Share of the segments of each training film, in (0, 1].
        seed: Seed of where in the film the stretch lies.

    Returns:
        int64 [n], row numbers, increasing. Consecutive rows of each training
        film, at least one.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"`share` must be in (0, 1]. Received: {share}")
    kept = [corpus.rows((*split.validation, *split.test))]
    for movie in split.train:
        rows = corpus.rows((movie,))
        size = max(1, round(share * len(rows)))
        # One place per film and seed, wherever the film is trained on.
        place = streams.stream(seed, "stretch", movie).random()
        first = round(place * (len(rows) - size))
        kept.append(rows[first : first + size])
    return np.sort(np.concatenate(kept))


def fit_both(
    corpus: Corpus,
    features: np.ndarray,
    truth: np.ndarray,
    split: paper.Split,
    config: TrainingConfig,
    seed: int,
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Fits ST for every viewer, and MT, and scores them.

    Args:
        corpus: What the models may see.
        features: float32 [N, 1024].
        truth: float32 [N, V], labels that count for the score.
        split: The films.
        config: How the models are trained.
        seed: Seed of the fits.

    Returns:
        Architecture -> viewer -> "accuracy" and "balanced_accuracy" in
        [0, 1], the latter None where the test films have one class only.
    """
    groups = {
        SINGLE_TASK: [(viewer,) for viewer in corpus.viewers],
        MULTI_TASK: [corpus.viewers],
    }
    scores: dict[str, dict[str, dict[str, float | None]]] = {}
    for architecture, members in groups.items():
        scores[architecture] = {}
        for group in members:
            fit = fit_split(corpus, features, split, group, config, seed=seed)
            for column, viewer in enumerate(group):
                labels = truth[fit.test_rows, corpus.column(viewer)]
                found = score(labels, fit.probabilities[:, column])
                scores[architecture][viewer] = {
                    "accuracy": found.accuracy,
                    "balanced_accuracy": found.balanced_accuracy,
                }
    return scores


def run_task(material: Material, task: Task) -> dict[str, Any]:
    """Fits and scores one task.

    Returns:
        The task, the test film, the scores of `fit_both`, the ceiling per
        viewer, the number of training segments, and the seconds of processor
        time it took, which other work on the machine does not lengthen.
    """
    start = time.process_time()
    setting, seed = task.setting, task.seed
    values, ceiling = rated(
        material.film_seed, material.segments_per_movie, setting.sharing, seed
    )
    split = folds(material.corpus.movies)[task.fold]
    rows = kept_rows(material.corpus, split, setting.training, seed)
    seen = remove_ratings(values, setting.missing, seed)[rows]
    corpus = material.corpus.replace(
        segments=material.corpus.segments.iloc[rows].reset_index(drop=True),
        values=seen.astype(np.float32),
    )
    scores = fit_both(
        corpus,
        material.features[rows],
        labels_from_values(values[rows]),
        split,
        material.config,
        seed,
    )
    (film,) = split.test
    return {
        **dataclasses.asdict(task),
        "film": film,
        "training_segments": len(corpus.rows(split.train)),
        "ceiling": ceiling[film],
        "scores": scores,
        "cpu_s": round(time.process_time() - start, 2),
    }


def as_frame(results: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Lists the scores of finished tasks.

    Returns:
        DataFrame with one row per task and viewer: setting (a `Setting`),
        seed, film, viewer, ceiling, and "ST", "MT", "ST_balanced",
        "MT_balanced" in [0, 1] (balanced: NaN where undefined).
    """
    rows = []
    for result in results:
        for viewer, ceiling in result["ceiling"].items():
            row = {
                "setting": Setting(**result["setting"]),
                "seed": result["seed"],
                "film": result["film"],
                "viewer": viewer,
                "ceiling": ceiling,
            }
            for name, by_viewer in result["scores"].items():
                row[name] = by_viewer[viewer]["accuracy"]
                row[f"{name}_balanced"] = by_viewer[viewer]["balanced_accuracy"]
            rows.append(row)
    frame = pd.DataFrame(rows)
    numbers = ["ceiling", "ST", "MT", "ST_balanced", "MT_balanced"]
    frame[numbers] = frame[numbers].astype(float)
    return frame
