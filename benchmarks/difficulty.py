r"""How hard the simulated corpus is for the networks of the paper.

    python benchmarks/difficulty.py --run=runs/simulated --known=visual

Reads the finished jobs of a run (after `make tables`) and writes, for text,
video and both, what ST and MT reach on held-out films, beside the targets
and the ceiling, into docs/simulation.md. For each input that --known names, it
also fits the same networks on three fifths of every film, validates on the
next and scores the last, in turn: held-out segments of known films. For the
video that takes about two minutes of one core with 40 segments per film, for
text+visual some three times as long. With --text_seeds=1,2,3 it fits the texts
of corpora of other seeds too (five minutes of one core each). Finished fits
are kept in RUN/known.jsonl and RUN/text_corpora.jsonl.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
import pandas as pd
import resumable
import sharing_sweep
import text_difficulty
from absl import app, flags

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds
from emotion_mt.corpus.simulation import SIMULATION_VERSION, report
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK, versions

#: Modalities of the page, as a run writes them, and the targets in percent.
TARGETS: dict[str, tuple[float, float] | None] = {
    "text": (55, 62),
    "visual": (60, 72),
    "text+visual": None,
}

#: Parts of a film that are held out in turn.
BLOCKS = 5


def define_flags() -> None:
    """Defines the flags of the script."""
    flags.DEFINE_string("run", "runs/simulated", "Folder of the run.")
    flags.DEFINE_string("docs", "docs", "Folder of the page.")
    flags.DEFINE_list(
        "known",
        [],
        "Inputs to fit on parts of known films: text, visual, text+visual.",
    )
    flags.DEFINE_list("text_seeds", [], "Seeds of other corpora of texts.")
    flags.DEFINE_string("corpus", None, "For --known; default: the run's.")
    flags.DEFINE_string("cache", None, "Folder of weights and features.")
    flags.DEFINE_integer("workers", None, "Processes; default one per core.")


def read_scores(run: pathlib.Path) -> pd.DataFrame:
    """Lists the scores of a run's folds, one held-out film each.

    Args:
        run: Folder with the finished jobs in jobs/.

    Returns:
        `records.as_frame`, without the Baseline split, whose test films are
        two, and without other architectures than ST and MT.

    Raises:
        ValueError: If there are no such jobs, or they are not simulated.
    """
    paths = sorted(run.glob("jobs/*.json"), key=lambda p: p.stat().st_mtime)
    # Of jobs that were run again, with other options for instance, the last.
    found = {r["name"]: r for r in map(records.read_record, paths)}
    kept = [
        record
        for record in found.values()
        if record["job"]["architecture"] in (SINGLE_TASK, MULTI_TASK)
        and len(record["job"]["split"]["test"]) == 1
    ]
    if not kept:
        raise ValueError(
            f"{run / 'jobs'}: expected finished jobs of ST or MT that hold "
            f"one film out. Received {len(found)} other jobs"
        )
    names = {record["corpus"]["name"] for record in kept}
    real = [r["corpus"]["name"] for r in kept if not r["corpus"]["simulated"]]
    if real or len(names) > 1:
        raise ValueError(
            f"{run}: expected jobs of one simulated corpus. Received: "
            f"{sorted(names)}"
        )
    return records.as_frame(kept)


def held_out_films(scores: pd.DataFrame) -> pd.DataFrame:
    """Averages what the networks reach on held-out films.

    Args:
        scores: What `read_scores` returned.

    Returns:
        DataFrame with a row per modalities and architecture: the means over
        seeds and films of the accuracy of the seven viewers and the average
        one together ("mean"), of the average one ("Vavg"), and of the
        ceiling, and the balanced accuracy ("balanced"), in percent; and the
        numbers of "films" and "seeds".
    """
    rows = []
    by = ["modalities", "architecture"]
    for (modalities, architecture), part in scores.groupby(by, sort=False):
        columns = part.groupby("viewer")
        average = part[part["viewer"] == paper.AVERAGE]
        balanced = columns["balanced_accuracy"].mean()
        rows.append(
            {
                "modalities": modalities,
                "architecture": architecture,
                "mean": 100 * columns["accuracy"].mean().mean(),
                "Vavg": 100 * average["accuracy"].mean(),
                "balanced": 100 * balanced.mean(),
                "ceiling": 100 * columns["ceiling"].mean().mean(),
                "films": part["test"].nunique(),
                "seeds": part["seed"].nunique(),
            }
        )
    frame = pd.DataFrame(rows)
    order = {name: place for place, name in enumerate(TARGETS)}
    return frame.sort_values(
        by, key=lambda c: c.map(order) if c.name == by[0] else c == MULTI_TASK
    ).reset_index(drop=True)


def verdict(row: pd.Series, table: pd.DataFrame) -> str:
    """Says whether a row of `held_out_films` is where it should be.

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
        table: What `held_out_films` returned.
        known: The same columns for held-out segments of known films, as far
            as they were fitted.
    """
    lines = [
        "| input | model | target | held-out films | met | Vavg | balanced "
        "| held-out parts of known films | ceiling |",
        "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for _, row in table.iterrows():
        limits = TARGETS[row["modalities"]]
        target = "highest" if limits is None else f"{limits[0]} to {limits[1]}"
        lines.append(
            f"| {row['modalities'].replace('+', ' + ')} "
            f"| {row['architecture']} | {target} | {row['mean']:.1f} "
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
    run: pathlib.Path,
    corpus: Corpus,
    features: np.ndarray,
    training: Mapping[str, Any],
    workers: int,
) -> pd.DataFrame:
    """Fits on four fifths of the films and scores the last, in turn.

    Three fifths train, the next one validates, as the folds of films do.

    Returns:
        DataFrame with "modalities", "architecture" and "mean", the mean
        accuracy over viewers and parts in percent.
    """
    blocked, ordered, _ = in_blocks(corpus, features)
    context = [blocked.digest(), records.features_digest(ordered), versions()]
    tasks = {}
    for part in range(BLOCKS):
        task = {"part": part, "seed": 0, "training": dict(training)}
        text = json.dumps([*context, task], sort_keys=True)
        tasks[hashlib.sha256(text.encode()).hexdigest()] = task
    results = resumable.run(
        fit_part,
        tasks,
        run / "known.jsonl",
        (blocked, ordered),
        workers,
        f"Parts of known films, {'+'.join(training['modalities'])}",
    )
    return pd.DataFrame(
        {
            "modalities": "+".join(training["modalities"]),
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


def fit_known(run: pathlib.Path, flag: flags.FlagValues) -> pd.DataFrame:
    """Opens the corpus of a run and fits `known_films` on it.

    Raises:
        ValueError: If an input of --known is unknown, or the corpus is not
            that of the run.
    """
    if not set(flag.known) <= set(TARGETS):
        raise ValueError(
            f"--known takes {', '.join(TARGETS)}. Received: {flag.known}"
        )
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    settings = config["experiment"]
    simulated = (
        pathlib.Path(settings["data"])
        / f"simulated-{settings['segments_per_movie']}"
        f"-seed{settings['corpus_seed']}"
    )
    corpus = emt.load_corpus(flag.corpus or settings["corpus"] or simulated)
    if corpus.digest() != config["corpus_digest"]:
        raise ValueError(
            f"{corpus.name}: expected the corpus of {run}. Received one with "
            "other content"
        )
    cache = None if flag.cache is None else pathlib.Path(flag.cache)
    features = emt.extract_features(
        corpus,
        emt.load_i3d(cache_dir=cache),
        cache_dir=None if cache is None else cache / "features",
    )
    workers = flag.workers or joblib.cpu_count()
    return pd.concat(
        known_films(
            run,
            corpus,
            features,
            {**settings["training"], "modalities": name.split("+")},
            workers,
        )
        for name in flag.known
    )


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    run = pathlib.Path(flag.run)
    table = held_out_films(read_scores(run))
    known = fit_known(run, flag) if flag.known else None
    settings = _settings(run)
    text = (
        "**SIMULATED DATA.** Accuracy in %, mean over the viewers and Vavg, "
        f"{table['films'].max()} held-out films of "
        f"{settings['segments_per_movie']} segments on average, "
        f"{table['seeds'].max()} seed(s), version {SIMULATION_VERSION} of the "
        "simulation; written by `python benchmarks/difficulty.py`.\n\n"
        + to_markdown(table, known)
    )
    if flag.text_seeds:
        others = text_difficulty.over_corpora(
            run,
            [int(seed) for seed in flag.text_seeds],
            settings["segments_per_movie"],
            settings["training"],
            flag.workers or joblib.cpu_count(),
        )
        own = table[table["modalities"] == "text"].assign(
            corpus_seed=settings["corpus_seed"]
        )
        text += "\n\n" + seeds_to_markdown(pd.concat([own, others]))
    page = pathlib.Path(flag.docs) / "simulation.md"
    report.replace_between_markers(page, "difficulty", text)
    print(text)


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


def _settings(run: pathlib.Path) -> dict[str, Any]:
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return config["experiment"]


if __name__ == "__main__":
    define_flags()
    app.run(main)
