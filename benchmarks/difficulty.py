r"""How hard the simulated corpus is for the networks of the paper.

    python benchmarks/difficulty.py --known=visual --text_seeds=1,2

Fits ST and MT of the paper's size on the films of the default corpus, with
text, video and both, for viewers of several seeds, and writes what they reach
on held-out films, beside the targets and the ceiling, into docs/simulation.md.
A test reads the page and fails if a target is missed.

All is as in `sharing.py` at its default profile, whose fits on the video are
these: the films are the same for all seeds; a seed decides the viewers' own
weights, noise and hands, the initial weights and the order of segments. With
--text_seeds it fits the texts of corpora of other seeds too, which need no
films to be drawn. For each input that --known names, it also fits the same
networks on three fifths of every film, validates on the next and scores the
last, in turn: held-out segments of known films.

Half an hour on two cores, without the features. Finished fits are kept in
--out; stopped at any moment, the same command continues.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
import resumable
import sharing
import sharing_sweep
import text_difficulty
from absl import app, flags
from pages import replace_between_markers

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, versions
from emotion_mt.evaluation.records import features_digest
from emotion_mt.simulation import SIMULATION_VERSION

#: Modalities of the page, as a run writes them, and the targets in percent.
TARGETS: dict[str, tuple[float, float] | None] = {
    "text": (55, 62),
    "visual": (60, 72),
    "text+visual": None,
}

#: The default profile of the viewers, with all segments and ratings.
DEFAULT = sharing_sweep.Setting()

#: Parts of a film that are held out in turn.
BLOCKS = 5


def define_flags() -> None:
    """Defines the flags of the script, beside those of `sharing.py`."""
    sharing.define_flags()
    flags.DEFINE_list(
        "known",
        [],
        "Inputs to fit on parts of known films: text, visual, text+visual.",
    )
    flags.DEFINE_list("text_seeds", [], "Seeds of other corpora of texts.")


def with_input(
    material: sharing_sweep.Material, modalities: str
) -> sharing_sweep.Material:
    """Returns the material for models that look at something else.

    Args:
        material: For any input.
        modalities: One of `TARGETS`.
    """
    config = dataclasses.replace(
        material.config, modalities=tuple(modalities.split("+"))
    )
    return dataclasses.replace(material, config=config)


def fit_films(
    material: sharing_sweep.Material,
    seeds: Sequence[int],
    path: pathlib.Path,
    workers: int,
) -> pd.DataFrame:
    """Fits and scores the networks with each input, each film held out.

    Args:
        material: The films.
        seeds: Seeds of the viewers and the fits.
        path: Of the finished fits.
        workers: Processes.

    Returns:
        `sharing_sweep.as_frame` with a further column "modalities".
    """
    frames = []
    for modalities in TARGETS:
        chosen = with_input(material, modalities)
        results = resumable.run(
            sharing_sweep.run_task,
            sharing_sweep.list_tasks(chosen, seeds, [DEFAULT]),
            path,
            chosen,
            workers,
            f"Held-out films, {modalities}",
        )
        frame = sharing_sweep.as_frame(results)
        frames.append(frame.assign(modalities=modalities))
    return pd.concat(frames, ignore_index=True)


def summarize(scores: pd.DataFrame) -> pd.DataFrame:
    """Averages what the networks reach on held-out films.

    Args:
        scores: What `fit_films` returned.

    Returns:
        DataFrame with a row per modalities and architecture: the means over
        seeds and films of the accuracy of the seven viewers and the average
        one together ("mean"), its standard deviation over seeds ("sd"), that
        of the average viewer ("Vavg"), the balanced accuracy ("balanced",
        where it is defined) and the ceiling, in percent.
    """
    rows = []
    for modalities, part in scores.groupby("modalities", sort=False):
        average = part[part["viewer"] == paper.AVERAGE]
        for architecture in (SINGLE_TASK, MULTI_TASK):
            by_seed = part.groupby("seed")[architecture].mean()
            balanced = part.groupby("viewer")[f"{architecture}_balanced"]
            rows.append(
                {
                    "modalities": modalities,
                    "architecture": architecture,
                    "mean": 100 * by_seed.mean(),
                    "sd": 100 * by_seed.std(),
                    "Vavg": 100 * average[architecture].mean(),
                    "balanced": 100 * balanced.mean().mean(),
                    "ceiling": 100 * part["ceiling"].mean(),
                }
            )
    return pd.DataFrame(rows)


def verdict(row: pd.Series, table: pd.DataFrame) -> str:
    """Says whether a row of `summarize` is where it should be.

    Text and video have a range each; both together shall be higher than
    either of them with the same architecture. All shall be under the ceiling.
    """
    if row["mean"] >= row["ceiling"]:
        return "no: not under the ceiling"
    limits = TARGETS[row["modalities"]]
    if limits is not None:
        low, high = limits
        if low <= row["mean"] <= high:
            return "yes"
        return f"no: {'below' if row['mean'] < low else 'above'}"
    same = table[table["architecture"] == row["architecture"]]
    single = same[same["modalities"] != row["modalities"]]
    if len(single) < len(TARGETS) - 1:
        return "–"
    return "yes" if (single["mean"] < row["mean"]).all() else "no: not highest"


def to_markdown(table: pd.DataFrame, known: pd.DataFrame | None) -> str:
    """Formats the table of the page.

    Args:
        table: What `summarize` returned.
        known: "modalities", "architecture" and "mean" for held-out segments
            of known films, as far as they were fitted.
    """
    lines = [
        "| input | model | target | held-out films, mean ± sd over seeds "
        "| met | Vavg | balanced | held-out parts of known films | ceiling |",
        "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for _, row in table.iterrows():
        limits = TARGETS[row["modalities"]]
        target = "highest" if limits is None else f"{limits[0]} to {limits[1]}"
        lines.append(
            f"| {row['modalities'].replace('+', ' + ')} "
            f"| {row['architecture']} | {target} "
            f"| {row['mean']:.1f} ± {row['sd']:.1f} "
            f"| {verdict(row, table)} | {row['Vavg']:.1f} "
            f"| {row['balanced']:.1f} | {_known(row, known)} "
            f"| {row['ceiling']:.1f} |"
        )
    return "\n".join(lines)


def _known(row: pd.Series, known: pd.DataFrame | None) -> str:
    if known is None:
        return "–"
    same = (known["modalities"] == row["modalities"]) & (
        known["architecture"] == row["architecture"]
    )
    return f"{known[same]['mean'].item():.1f}" if same.any() else "–"


def in_blocks(
    corpus: Corpus, features: np.ndarray
) -> tuple[Corpus, np.ndarray, np.ndarray]:
    """Makes a "film" of each fifth of all films, to hold it out as one.

    The fifths are consecutive, so that few shots are in two of them.

    Args:
        corpus: The corpus.
        features: float32 [N, C].

    Returns:
        A corpus whose `movie` column is the number of the fifth, its
        features, and the true film of each of its rows, str [N].
    """
    movies = corpus.segments["movie"].to_numpy()
    block = np.empty(len(corpus), dtype=np.int64)
    for movie in corpus.movies:
        rows = corpus.rows((movie,))
        block[rows] = np.arange(len(rows)) * BLOCKS // len(rows)
    order = np.argsort(block, kind="stable")
    segments = corpus.segments.iloc[order].reset_index(drop=True)
    segments["movie"] = [f"part {number + 1}" for number in block[order]]
    blocked = corpus.replace(segments=segments, values=corpus.values[order])
    return blocked, features[order], movies[order]


def fit_part(
    shared: tuple[Corpus, np.ndarray], task: Mapping[str, Any]
) -> dict[str, Any]:
    """Fits and scores the networks on one part; see `fit_both`."""
    corpus, features = shared
    config = emt.TrainingConfig.from_json(task["training"])
    split = folds(corpus.movies)[task["part"]]
    scores = sharing_sweep.fit_both(
        corpus, features, corpus.labels, split, config, task["seed"]
    )
    return {**task, "scores": scores}


def known_films(
    material: sharing_sweep.Material, path: pathlib.Path, workers: int
) -> pd.DataFrame:
    """Fits on four fifths of the films and scores the last, in turn.

    Three fifths train, the next one validates, as the folds of films do.

    Args:
        material: The films, and the networks' input.
        path: Of the finished fits.
        workers: Processes.

    Returns:
        DataFrame with "modalities", "architecture" and "mean", the mean
        accuracy over viewers and parts in percent.
    """
    blocked, ordered, _ = in_blocks(material.corpus, material.features)
    context = [blocked.digest(), features_digest(ordered), versions()]
    training = material.config.to_json()
    tasks = {}
    for part in range(BLOCKS):
        task = {"part": part, "seed": 0, "training": training}
        text = json.dumps([*context, task], sort_keys=True)
        tasks[hashlib.sha256(text.encode()).hexdigest()] = task
    modalities = "+".join(material.config.modalities)
    results = resumable.run(
        fit_part,
        tasks,
        path,
        (blocked, ordered),
        workers,
        f"Parts of known films, {modalities}",
    )
    return pd.DataFrame(
        {
            "modalities": modalities,
            "architecture": architecture,
            "mean": 100
            * np.mean(
                [
                    content["accuracy"]
                    for result in results
                    for content in result["scores"][architecture].values()
                ]
            ),
        }
        for architecture in (SINGLE_TASK, MULTI_TASK)
    )


def seeds_to_markdown(found: pd.DataFrame) -> str:
    """Formats text alone on several corpora.

    Args:
        found: Rows with "corpus_seed", "architecture" and "mean" in percent.
    """
    low, high = TARGETS["text"] or (0, 100)
    by_seed = found.pivot(
        index="architecture", columns="corpus_seed", values="mean"
    ).loc[[SINGLE_TASK, MULTI_TASK]]
    names = " | ".join(f"seed {seed}" for seed in by_seed.columns)
    lines = [
        f"| text, corpora of | {names} | mean ± sd | {low} to {high} |",
        "| --- |" + " ---: |" * (by_seed.shape[1] + 1) + " --- |",
    ]
    for architecture, row in by_seed.iterrows():
        cells = " | ".join(f"{value:.1f}" for value in row)
        mean = row.mean()
        met = "yes" if low <= mean <= high else "no"
        lines.append(
            f"| {architecture} | {cells} | {mean:.1f} ± {row.std():.1f} "
            f"| {met} |"
        )
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    if not set(flag.known) <= set(TARGETS):
        raise app.UsageError(
            f"--known takes {', '.join(TARGETS)}. Received: {flag.known}"
        )
    out = pathlib.Path(flag.out)
    workers = flag.workers or joblib.cpu_count()
    seeds = [int(seed) for seed in flag.seeds]
    material = sharing.load_material(flag)
    scores = fit_films(material, seeds, out / "results.jsonl", workers)
    table = summarize(scores)
    known = None
    if flag.known:
        known = pd.concat(
            known_films(
                with_input(material, name), out / "known.jsonl", workers
            )
            for name in flag.known
        )
    text = (
        "**SIMULATED DATA.** Accuracy in %, mean over the viewers and Vavg, "
        f"{scores['film'].nunique()} held-out films of "
        f"{material.segments_per_movie} segments on average, {len(seeds)} "
        f"seed(s), version {SIMULATION_VERSION} of the simulation; written by "
        "`python benchmarks/difficulty.py`.\n\n" + to_markdown(table, known)
    )
    if flag.text_seeds:
        others = text_difficulty.over_corpora(
            out / "text_corpora.jsonl",
            [material.film_seed, *map(int, flag.text_seeds)],
            material.segments_per_movie,
            material.config.to_json(),
            workers,
        )
        text += "\n\n" + seeds_to_markdown(others)
    page = pathlib.Path(flag.docs) / "simulation.md"
    replace_between_markers(page, "difficulty", text)
    print(text)


if __name__ == "__main__":
    define_flags()
    app.run(main)
