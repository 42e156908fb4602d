r"""Does MT beat ST on people? Public films with several raters, text alone.

  python experiments/real_raters.py
  python experiments/real_raters.py --corpora=sherlock --seeds=0

Each part of a film is left out once. Beside ST, MT and the Baseline's text
network (first seed only) stand TF-IDF with logistic regression, the part's
more frequent class, chance, and what other raters say. MT with the layers of
ST tells sharing from size; TF-IDF of as many words and parts as the networks
are trained on tells the network from its input. Stop it at any moment; the same
command continues.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
from absl import flags
from rater_rows import (
    ALL,
    MEASURES,
    ONE,
    SAME,
    SMALL,
    SMALL_MT,
    TFIDF,
    all_scores,
    raters_of,
    row_of,
)

import emotion_mt as emt
from emotion_mt import cli, paper
from emotion_mt.cli import console
from emotion_mt.cli.experiment_flags import EXPERIMENT
from emotion_mt.cli.parsing import Command, names, text, whole
from emotion_mt.corpus import RATERS, is_rated
from emotion_mt.evaluation import SPECS, Job
from emotion_mt.evaluation.comparison import Comparison, compare
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.evaluation.specs import TEXT, in_working_order
from emotion_mt.runs import Experiment, Run
from emotion_mt.runs.engine import run_jobs
from emotion_mt.storage.atomic import write_text
from emotion_mt.storage.lock import locked

OPTIONS = {
    "corpora": names("Which public corpora.", list(RATERS)),
    "seeds": names("Every model is fitted once per seed.", ["0", "1", "2"]),
    "out": text("Folder of the results.", "runs/real_raters"),
    "patience": whole(
        "Epochs without improvement before fitting stops; fewer than the "
        "default elsewhere, to save time.",
        5,
    ),
    **{name: EXPERIMENT[name] for name in ("cache", "workers", "wait")},
}

#: Rows of a table, and whose difference is shown.
ROWS = (
    *("Chance", "Majority", TFIDF, SAME, "Baseline"),
    *("ST", "MT", SMALL_MT, ONE, ALL),
)
PAIRS = (
    *(("MT", "ST"), (SMALL_MT, "ST"), (SMALL_MT, "MT")),
    *(("ST", TFIDF), ("MT", TFIDF), ("ST", SAME), ("MT", SAME)),
)

#: Column of the mean over the raters; that of their average is Vavg.
MEAN = "raters' mean"


def all_jobs(
    corpus: emt.Corpus, seeds: Sequence[int], config: emt.TrainingConfig
) -> list[Job]:
    """Lists all fits, those of a seed together."""
    splits, viewers = emt.folds(corpus.movies), corpus.viewers
    jobs = []
    for seed in seeds:
        whole = SPECS["III"].jobs(viewers, splits, [seed], config)
        if seed != seeds[0]:
            whole = [job for job in whole if job.architecture != "Baseline"]
        small = dataclasses.replace(config, **SMALL)
        whole += [
            dataclasses.replace(job, config=small)
            for job in whole
            if job.architecture == "MT"
        ]
        jobs += in_working_order(whole)
    return jobs


def means(per_fold: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Returns a measure per row and rater in hundredths, mean over parts."""
    cells = 100 * per_fold.pivot_table(
        index="row", columns="column", values=measure, sort=False
    )
    raters = [c for c in cells if c != paper.AVERAGE]
    cells[MEAN] = cells[raters].mean(axis=1)
    rows = [row for row in ROWS if row in cells.index]
    return cells.reindex(rows)[[*raters, MEAN, paper.AVERAGE]]


def score_table(per_fold: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Returns `means` and MT minus ST, as texts."""
    cells = means(per_fold, measure)
    texts = cells.map(lambda x: "–" if np.isnan(x) else f"{x:.1f}")
    points = cells.loc["MT"] - cells.loc["ST"]
    texts.loc["MT − ST"] = points.map("{:+.1f}".format)
    return texts.rename_axis(index="", columns=None).reset_index()


def difference_table(per_fold: pd.DataFrame) -> pd.DataFrame:
    """Returns differences of rows with intervals and tests, as texts."""
    average = per_fold["column"] == paper.AVERAGE
    lines = []
    for ours, other in PAIRS:
        for measure, heading in MEASURES.items():
            cells = [f"{ours} − {other}", heading.split(" (")[0]]
            for part in (per_fold[~average], per_fold[average]):
                one = compare(part, ours, other, measure)
                cells.append("–" if one is None else in_words(one))
            lines.append(cells)
    columns = ["points", "measure", MEAN, paper.AVERAGE]
    return pd.DataFrame(lines, columns=columns)


def in_words(one: Comparison) -> str:
    """Returns difference, interval and p-value of a comparison's mean."""
    mean = one.rows.loc[paper.MEAN]
    if np.isnan(mean["low"]):  # One part only.
        return f"{mean['difference']:+.1f}"
    ends = f"{mean['low']:+.1f} to {mean['high']:+.1f}"
    return f"{mean['difference']:+.1f} ({ends}; p = {mean['p']:.3f})"


def correlations(corpus: emt.Corpus) -> pd.DataFrame:
    """Correlates the values of two raters over what both rated, NaN for one."""
    frame = pd.DataFrame(corpus.values, columns=list(corpus.viewers))
    found = frame[raters_of(corpus)].corr()
    return found.where(~np.eye(len(found), dtype=bool))


def agreement(corpus: emt.Corpus) -> str:
    """Says how far the raters agree."""
    raters, pairs = raters_of(corpus), correlations(corpus).stack()
    columns = [corpus.column(rater) for rater in raters]
    values, labels = corpus.values[:, columns], corpus.labels[:, columns]
    # Its memory grows with the square of the number of different values.
    interval = krippendorff.alpha(
        values.T.astype(float).round(2), level_of_measurement="interval"
    )
    nominal = krippendorff.alpha(labels.T, level_of_measurement="nominal")
    return (
        f"{len(raters)} raters, {len(corpus)} segments in "
        f"{len(corpus.movies)} parts, {np.isnan(values).mean():.2%} missing. "
        f"Two raters' values correlate with {pairs.mean():.3f} on average "
        f"({pairs.min():.2f} to {pairs.max():.2f}); Krippendorff's alpha is "
        f"{interval:.3f} for values (interval) and {nominal:.3f} for signs "
        "(nominal)."
    )


def rater_table(corpus: emt.Corpus) -> pd.DataFrame:
    """Returns what each rater gave, as texts."""
    rows = []
    for rater, closeness in correlations(corpus).mean().items():
        labels = corpus.labels[:, corpus.column(str(rater))]
        rated = labels[is_rated(labels)]
        share = f"{100 * rated.mean():.1f}"
        rows.append((rater, f"{rated.size}", share, f"{closeness:.2f}"))
    columns = ["rater", "rated", "positive (%)", "mean correlation"]
    return pd.DataFrame(rows, columns=columns)


def epochs(records: Sequence[Mapping[str, Any]]) -> str:
    """Says which epochs were kept."""
    kept = [(row_of(r), r["fit"]["best_epoch"]) for r in records]
    medians = pd.DataFrame(kept).groupby(0)[1].median()
    parts = [f"{row} {medians[row]:g}" for row in ROWS if row in medians]
    return f"Epochs kept, median: {', '.join(parts)}."


def report(
    corpus: emt.Corpus,
    records: Sequence[Mapping[str, Any]],
    per_fold: pd.DataFrame,
) -> str:
    """Returns all results on a corpus as Markdown."""
    parts = [
        f"## {corpus.name}: {corpus.annotation} {corpus.dimension}",
        "\n".join(f"- {note}" for note in corpus.notes),
        agreement(corpus),
        markdown_table(rater_table(corpus)),
    ]
    for measure, heading in MEASURES.items():
        table = markdown_table(score_table(per_fold, measure))
        parts += [f"**{heading}, mean over held-out parts**", table]
    parts += [
        "**Differences in points (95 % interval by resampling parts; exact "
        "sign-flip test over parts)**",
        markdown_table(difference_table(per_fold)),
        epochs(records),
    ]
    return "\n\n".join(parts)


#: Colour and marker of the rows that the figure shows.
LOOKS = {
    TFIDF: (style.GREY, "^"),
    "Baseline": (style.GREEN, "D"),
    "ST": (style.BLUE, "o"),
    "MT": (style.ORANGE, "s"),
}


@style.styled
def draw(results: Mapping[str, pd.DataFrame]) -> style.Figure:
    """Draws the balanced accuracies of each corpus, see `scored`."""
    tables = {n: means(r, "balanced_accuracy") for n, r in results.items()}
    figure = style.new_figure(height_in=3.0)
    grid = figure.subplots(
        1,
        len(tables),
        squeeze=False,
        sharey=True,
        width_ratios=[table.shape[1] for table in tables.values()],
    )
    for axes, (name, table) in zip(grid[0], tables.items(), strict=True):
        places = np.arange(table.shape[1])
        looks = {row: look for row, look in LOOKS.items() if row in table.index}
        for number, (row, (colour, marker)) in enumerate(looks.items()):
            look = {"color": colour, "marker": marker, "label": row}
            shifted = places + 0.18 * (number - (len(LOOKS) - 1) / 2)
            axes.scatter(shifted, table.loc[row], s=16, **look)
        lines = {"color": "black", "linewidth": 1.2, "label": ONE}
        axes.hlines(table.loc[ONE], places - 0.4, places + 0.4, **lines)
        axes.axhline(50, color=style.PALE, linewidth=1, zorder=0)
        axes.axvline(len(places) - 2.5, color=style.PALE, linewidth=1)
        axes.set_xticks(places, ["mean" if c == MEAN else c for c in table])
        axes.set_title(f"{name} ({RATERS[name].rated} valence)")
    grid[0, 0].set_ylabel("balanced accuracy on held-out parts (%)")
    style.add_legend(figure, [*LOOKS, ONE], columns=len(LOOKS) + 1)
    return figure


def run(values: flags.FlagValues) -> int:
    """Fits what is not fitted yet, and writes table and figure."""
    out, seeds = Path(values.out), tuple(map(int, values.seeds))
    cache = None if values.cache is None else Path(values.cache)
    config = emt.TrainingConfig(modalities=TEXT, patience=values.patience)
    results, texts = {}, []
    for name in values.corpora:
        begin = time.monotonic()
        corpus = Path(f"raters:{name}")
        opened = Run(Experiment(corpus=corpus, cache=cache))
        with locked(out / name, values.wait):
            outcome = run_jobs(
                all_jobs(opened.corpus, seeds, config),
                opened.job_input({None}),
                out / name / "jobs",
                workers=values.workers,
                report=print,
            )
        for job, error in outcome.failures.items():
            console.say(f"FAILED: {job.name}: {error}")
        if outcome.failures:
            return 1
        results[name] = all_scores(opened.corpus, outcome.records)
        texts.append(report(opened.corpus, outcome.records, results[name]))
        spent = (time.monotonic() - begin) / 60
        texts.append(
            f"{len(outcome.records)} fits, {outcome.reused} of them from "
            f"before; {spent:.1f} minutes."
        )
    page = "\n\n".join(texts) + "\n"
    write_text(out / "real_raters.md", page)
    style.save(draw(results), out / "real_raters.png")
    print(f"\n{page}\nWritten to {out}")
    return 0


COMMAND = Command(sys.argv[0], __doc__ or "", OPTIONS, run)

if __name__ == "__main__":
    sys.exit(cli.run(COMMAND))
