"""What `sharing.py` varies, fits and scores.

The films stay the same throughout, so their I3D features serve all points:
the shared response, the viewers' own weights, noise and hand, and which
ratings are missing change the labels only (see
`emotion_mt/simulation/streams.py`). Training segments are left out
where the number of segments is varied.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import fits
import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus import Corpus, labels_from_values, mean_of_rated
from emotion_mt.evaluation import Job
from emotion_mt.evaluation.jobs import I3D, MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.records import as_frame
from emotion_mt.runs.engine import local_cluster
from emotion_mt.runs.worker import JobInput
from emotion_mt.simulation import (
    SimulatedState,
    SimulationConfig,
    ceiling_accuracies,
    hidden,
    streams,
    traces,
)
from emotion_mt.training import TrainingConfig

MODELS = (SINGLE_TASK, MULTI_TASK)


@dataclasses.dataclass(frozen=True)
class Setting:
    """One point of the sweeps.

    Attributes:
        sharing: Share of the variance of every viewer's feeling that is
            shared, in [0, 1 - `marker_noise`]; None for the default profile,
            in which viewers differ.
        training: Share of the segments of each training film that is kept,
            in (0, 1].
        missing: Probability that a viewer did not rate a segment of a
            training or validation film, in [0, 1).
    """

    sharing: float | None = None
    training: float = 1.0
    missing: float = 0.0


def _settings(name: str, *values: float) -> tuple[Setting, ...]:
    return tuple(Setting(**{name: value}) for value in values)


#: The sweeps: name to points. The default profile with everything is in all.
SWEEPS: dict[str, tuple[Setting, ...]] = {
    "sharing": (*_settings("sharing", 0.0, 0.2, 0.5, 0.8), Setting()),
    "training": (*_settings("training", 0.125, 0.25, 0.5), Setting()),
    "missing": (Setting(), *_settings("missing", 0.25, 0.5, 0.75)),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """What all points share.

    Attributes:
        state: The films, simulated with the default profile.
        corpus: The same as a corpus, one row per rated cue.
        features: float32 [N, 1024], visual features of its segments.
        config: How all models are trained.
    """

    state: SimulatedState
    corpus: Corpus
    features: np.ndarray
    config: TrainingConfig


def values_of(state: SimulatedState) -> np.ndarray:
    """Valence of the rated cues of all films: float64 [N, V + 1]."""
    return np.concatenate([film.means("valence").T for film in state.films])


def text_corpus(state: SimulatedState) -> Corpus:
    """Texts and ratings of a simulated corpus, without its films."""
    parts = []
    for film in state.films:
        line, rated = film.timeline, film.timeline.rated
        columns = {
            "movie": film.profile.movie,
            "start_s": line.cue_start_ms[:rated] / 1000,
            "end_s": line.cue_end_ms[:rated] / 1000,
            "text": film.texts[:rated],
            "video": None,
        }
        parts.append(pd.DataFrame(columns))
    segments = pd.concat(parts, ignore_index=True)
    segments.insert(0, "segment_id", [f"S{n}" for n in segments.index])
    return Corpus(
        name="SIMULATED",
        segments=segments,
        viewers=state.viewers,
        values=values_of(state).astype(np.float32),
        simulated=True,
    )


def with_viewers(
    base: SimulatedState, seed: int, sharing: float | None
) -> SimulatedState:
    """Lets other viewers watch the same films.

    The seed decides their own weights, their noise and hands.
    """
    config = SimulationConfig()
    if sharing is not None:
        viewers = tuple(
            dataclasses.replace(viewer, sharing=sharing**0.5)
            for viewer in config.viewers
        )
        config = dataclasses.replace(config, viewers=viewers)
    feelings = [
        hidden.make_feelings(f.profile, f.timeline, f.content, seed, config)
        for f in base.films
    ]
    lines = [film.timeline for film in base.films]
    written, scales = traces.make_traces(lines, feelings, seed, config)
    films = tuple(
        dataclasses.replace(film, feelings=felt, traces=trace)
        for film, felt, trace in zip(base.films, feelings, written, strict=True)
    )
    return dataclasses.replace(base, config=config, films=films, scales=scales)


def remove_ratings(values: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Takes ratings away at random, and averages what is left.

    The same seed takes away more and more as the share grows, never others.
    Values are float64 [N, V + 1], the average viewer last: the mean of the
    ratings that are left, NaN where none is.
    """
    single = values[:, :-1]
    gone = streams.stream(seed, "missing ratings").random(single.shape) < share
    left = np.where(gone, np.nan, single)
    return np.column_stack([left, mean_of_rated(left.T)])


def kept_rows(
    corpus: Corpus, split: paper.Split, share: float, seed: int
) -> np.ndarray:
    """Row numbers of a stretch of each training film, as if it were shorter.

    It has at least one row; films for validation and test are kept whole.
    """
    kept = [corpus.rows((*split.validation, *split.test))]
    for movie in split.train:
        rows = corpus.rows((movie,))
        size = max(1, round(share * len(rows)))
        # One place per film and seed, wherever the film is trained on.
        place = streams.stream(seed, "stretch", movie).random()
        first = round(place * (len(rows) - size))
        kept.append(rows[first : first + size])
    return np.sort(np.concatenate(kept))


def rated(
    material: Material, setting: Setting, seed: int
) -> tuple[Corpus, pd.Series]:
    """Simulates what the viewers of a point answer.

    Returns:
        The corpus with the ratings that are left, and with the ceiling of
        these viewers; and all labels, viewer and segment_id → label.
    """
    state = with_viewers(material.state, seed, setting.sharing)
    values = values_of(state)
    truth = pd.DataFrame(
        labels_from_values(values),
        index=pd.Index(material.corpus.segments["segment_id"]),
        columns=pd.Index(state.viewers, name="viewer"),
    ).unstack()
    seen = remove_ratings(values, setting.missing, seed).astype(np.float32)
    ceiling = ceiling_accuracies(state, "valence")
    return material.corpus.replace(values=seen, ceiling=ceiling), truth


def inputs_of(
    material: Material,
    corpus: Corpus,
    splits: Sequence[paper.Split],
    setting: Setting,
    seed: int,
) -> Iterator[tuple[JobInput, Sequence[paper.Split]]]:
    """Yields what models are fitted on, and which of the folds it serves."""
    whole = setting.training == 1.0
    for group in [splits] if whole else [[split] for split in splits]:
        rows = np.arange(len(corpus))
        if not whole:
            rows = kept_rows(corpus, group[0], setting.training, seed)
        kept = corpus.replace(
            segments=corpus.segments.iloc[rows].reset_index(drop=True),
            values=corpus.values[rows],
        )
        yield JobInput(kept, {I3D: material.features[rows]}), group


def scores(
    records: Sequence[Mapping[str, Any]], truth: pd.Series
) -> pd.DataFrame:
    """Scores results against all labels, also those that no model saw.

    Returns:
        DataFrame with a row per film and viewer: film, viewer, ceiling, and
        for each measure such as "AUC" the columns "ST AUC", "MT AUC" and
        "gain AUC", which is MT - ST; in percent, NaN where undefined.
    """
    answers = as_frame(records).rename(columns={"test": "film"})
    asked = pd.MultiIndex.from_frame(answers[["viewer", "segment_id"]])
    answers["label"] = truth.reindex(asked).to_numpy()
    cell = ["film", "viewer"]
    found = fits.scores(answers, [*cell, "architecture"])
    wide = found.pivot(index=cell, columns="architecture", values=fits.MEASURES)
    result = 100 * answers.groupby(cell)[["ceiling"]].first()
    for measure in fits.MEASURES:
        for model in MODELS:
            result[f"{model} {measure}"] = wide[measure, model]
        gain = wide[measure, MULTI_TASK] - wide[measure, SINGLE_TASK]
        result[f"gain {measure}"] = gain
    return result.reset_index()


def fit(
    material: Material,
    points: Sequence[tuple[Setting, int]],
    splits: Sequence[paper.Split],
    out: pathlib.Path,
    workers: int | None = None,
) -> tuple[pd.DataFrame, float]:
    """Fits ST for every viewer, and MT, at settings with seeds.

    Returns:
        `scores` of all points, each counted once, with the further columns
        "point" (the `Setting` as text) and "seed"; and the seconds that the
        fits took.
    """
    frames, spent_s = [], 0.0
    viewers = material.corpus.viewers
    models = [(MULTI_TASK, viewers), *((SINGLE_TASK, (v,)) for v in viewers)]
    with local_cluster(workers) as cluster:
        todo = list(dict.fromkeys(points))
        for number, (setting, seed) in enumerate(todo, start=1):
            print(f"{number} of {len(todo)}: {setting}, seed {seed}")
            corpus, truth = rated(material, setting, seed)
            records = []
            for shared, served in inputs_of(
                material, corpus, splits, setting, seed
            ):
                jobs = [
                    Job(model, own, split, seed, material.config)
                    for split in served
                    for model, own in models
                ]
                outcome = fits.fit(
                    jobs, shared, out, scheduler=cluster.scheduler_address
                )
                spent_s += fits.fit_seconds(outcome)
                records += outcome.records
            found = scores(records, truth)
            frames.append(found.assign(point=str(setting), seed=seed))
    return pd.concat(frames, ignore_index=True), spent_s
