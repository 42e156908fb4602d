"""How hard the words are in simulated corpora of several seeds.

Text needs no films to be drawn, so other corpora cost only the fits. One
corpus has seven films of a few minutes: by which of them a viewer happens to
feel good decides several points of a mean, so one seed says little about the
defaults of the simulation. Part of `difficulty.py`.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import resumable
import sharing_sweep

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, versions
from emotion_mt.simulation import SimulationConfig, simulate_state


def text_corpus(seed: int, segments_per_movie: int) -> Corpus:
    """Texts and labels of a simulated corpus, without its films.

    Args:
        seed: Of the corpus.
        segments_per_movie: Mean number of segments per film.
    """
    state = simulate_state(seed, segments_per_movie, SimulationConfig())
    parts, ratings = [], []
    for film in state.films:
        line, rated = film.timeline, film.timeline.rated
        parts.append(
            pd.DataFrame(
                {
                    "movie": film.profile.movie,
                    "start_s": line.cue_start_ms[:rated] / 1000,
                    "end_s": line.cue_end_ms[:rated] / 1000,
                    "text": film.texts[:rated],
                    "video": None,
                }
            )
        )
        ratings.append(film.means("valence").T)
    segments = pd.concat(parts, ignore_index=True)
    segments.insert(0, "segment_id", [f"S{n}" for n in segments.index])
    return Corpus(
        name="SIMULATED",
        segments=segments,
        viewers=state.viewers,
        values=np.concatenate(ratings).astype(np.float32),
        simulated=True,
    )


def fit_fold(shared: None, task: Mapping[str, Any]) -> dict[str, Any]:
    """Fits and scores the networks on one film of one corpus."""
    corpus = text_corpus(task["corpus_seed"], task["segments_per_movie"])
    config = emt.TrainingConfig.from_json(task["training"])
    split = folds(corpus.movies)[task["fold"]]
    scores = sharing_sweep.fit_both(
        corpus, None, corpus.labels, split, config, seed=0
    )
    return {**task, "scores": scores}


def over_corpora(
    path: pathlib.Path,
    seeds: Sequence[int],
    segments_per_movie: int,
    training: Mapping[str, Any],
    workers: int,
) -> pd.DataFrame:
    """Fits ST and MT on the texts of several corpora, each film held out.

    Args:
        path: Of the finished fits.
        seeds: Of the corpora.
        segments_per_movie: Their size.
        training: `TrainingConfig` as JSON; its modalities are not read.
        workers: Processes.

    Returns:
        DataFrame with "corpus_seed", "architecture", "mean" and "Vavg", the
        accuracy in percent as `difficulty.summarize` has it.
    """
    tasks = {}
    for seed in seeds:
        digest = text_corpus(seed, segments_per_movie).digest()
        for fold in range(len(paper.MOVIES)):
            task = {
                "corpus_seed": seed,
                "segments_per_movie": segments_per_movie,
                "fold": fold,
                "training": {**training, "modalities": ["text"]},
            }
            text = json.dumps([digest, versions(), task], sort_keys=True)
            tasks[hashlib.sha256(text.encode()).hexdigest()] = task
    results = resumable.run(
        fit_fold,
        tasks,
        path,
        None,
        workers,
        "Texts of other corpora",
    )
    return summarize(results)


def summarize(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Averages results of `fit_fold`; see `over_corpora`."""
    rows = [
        {
            "corpus_seed": result["corpus_seed"],
            "architecture": architecture,
            "viewer": viewer,
            "accuracy": 100 * content["accuracy"],
        }
        for result in results
        for architecture in (SINGLE_TASK, MULTI_TASK)
        for viewer, content in result["scores"][architecture].items()
    ]
    by = ["corpus_seed", "architecture"]
    frame = pd.DataFrame(rows)
    average = frame[frame["viewer"] == paper.AVERAGE]
    return pd.DataFrame(
        {
            "mean": frame.groupby(by)["accuracy"].mean(),
            "Vavg": average.groupby(by)["accuracy"].mean(),
        }
    ).reset_index()
