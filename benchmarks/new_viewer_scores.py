"""Scores, tables and the figure of `new_viewer.py`."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special, stats

import emotion_mt as emt
from emotion_mt.corpus import is_rated
from emotion_mt.evaluation import score
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.inference import new_viewer as package
from emotion_mt.models.layers import LEAST_PROBABILITY

#: Numbers of ratings, and how often they are drawn.
COUNTS, DRAWS = (5, 10, 20, 50, 100), 3

#: Spreads of slope, differences and bias: the package's, and one other at a
#: time.
SPREADS = (
    package.SLOPE_SPREAD,
    package.DIFFERENCE_SPREAD,
    package.BIAS_SPREAD,
)
GRID = (
    SPREADS,
    *((x, *SPREADS[1:]) for x in (0.1, 1.0)),
    *((SPREADS[0], x, SPREADS[2]) for x in (0.01, 0.03, 0.3)),
    *((*SPREADS[:2], x) for x in (0.3, 3.0)),
)

#: Where priors are compared: on what they were chosen, see the page.
GRID_CORPORA = ("simulated", "sherlock")

#: Of the weights of the trunk's outputs, after they were standardized.
TRUNK_SPREAD = 0.3

OURS, AVERAGE, ALONE = "fit_viewer", "Vavg as it is", "ST, all ratings"
UNSEEN = "fit_viewer, ratings of an unseen film"

#: Ratings that all films for validation have.
UNSEEN_MOST = 50

#: Name to decimals that are shown.
MEASURES = {"balanced accuracy": 1, "AUC": 1, "log-loss": 3}

#: What the page shows of each.
SHOWN = {"balanced accuracy": COUNTS, "AUC": (20, 50), "log-loss": (20, 50)}

#: Colour and line of the methods in the figure.
LINES = {
    OURS: (style.BLUE, "o-"),
    UNSEEN: (style.SKY, "s--"),
    "head of Vavg, tuned": (style.GREEN, "^:"),
    AVERAGE: (style.GREY, "-"),
    ALONE: (style.ORANGE, "--"),
}

#: What `new_viewer.fit_case` returns, and a way to answer.
Case = Mapping[str, Any]
Answer = Callable[[Case, np.ndarray], np.ndarray]


def draw_ratings(
    movies: np.ndarray, rated: np.ndarray, seed: int
) -> np.ndarray:
    """Orders segments at random so that films take turns.

    Args:
        movies: str [n], film of each segment.
        rated: bool [n], whether the viewer rated it.
        seed: Of the order.

    Returns:
        int64 [at most n], rated segments; the first so many are a draw.
    """
    order = np.random.default_rng(seed).permutation(np.flatnonzero(rated))
    turn = pd.Series(movies[order]).groupby(movies[order]).cumcount()
    return order[np.argsort(turn, kind="stable")]


def choose(case: Case, count: int, draw: int, part: str = "train") -> Any:
    """Returns the rows, among those of a part's films, of one draw."""
    rated = is_rated(case[f"{part}_labels"])
    return draw_ratings(case[f"{part}_movies"], rated, draw)[:count]


def regress(
    case: Case,
    rows: np.ndarray,
    *,
    spreads: tuple[float, float, float] = SPREADS,
    trunk: float = 0.0,
    balanced: bool = True,
) -> np.ndarray:
    """Answers as `fit_viewer` does, or in a way that is like it.

    Args:
        case: Of `fit_case`.
        rows: Ratings, rows of the training films.
        spreads: Of slope, differences and bias; see there. No differences
            where theirs is 0.
        trunk: Spread of the weights of the trunk's outputs; 0 for without.
        balanced: Whether both classes count the same.
    """
    labels = case["train_labels"][rows]
    if balanced and len(set(labels)) < 2:
        return case["test_known"][:, -1]
    parts = []
    for part in ("train", "test"):
        known = case[f"{part}_known"].astype("float64")
        least = LEAST_PROBABILITY
        logits = special.logit(np.clip(known, least, 1 - least))
        average = logits[:, -1:]
        differences = (logits - average)[:, :-1]
        parts.append([average, differences, np.ones_like(average)])
        if trunk:
            parts[-1].append(_standardized(case, part))
    kept = [i for i, x in enumerate((*spreads, trunk)) if x]
    spread = np.concatenate(
        [np.full(parts[0][i].shape[1], (*spreads, trunk)[i]) for i in kept]
    )
    train, test = (np.hstack([blocks[i] for i in kept]) for blocks in parts)
    counts = package.rating_weights(labels) if balanced else np.ones(len(rows))
    mean = np.eye(1, len(spread))[0]
    found = package.posterior_mode(train[rows], labels, counts, mean, spread)
    return special.expit(test @ found)


def _standardized(case: Case, part: str) -> np.ndarray:
    scale = case["train_trunk"].std(axis=0)
    alive = scale > 1e-6
    outputs = case[f"{part}_trunk"] - case["train_trunk"].mean(axis=0)
    return outputs[:, alive] / scale[alive] / np.sqrt(alive.sum())


def ours(case: Case, rows: np.ndarray, part: str = "train") -> np.ndarray:
    """Answers as the package does, from ratings of some films."""
    known, labels = case[f"{part}_known"][rows], case[f"{part}_labels"][rows]
    fit = emt.fit_viewer(list(case["viewers"]), known, 2 * labels - 1)
    return fit.probabilities(case["test_known"])


def methods(count: int, draw: int, grid: bool) -> dict[str, Answer]:
    """Returns what is compared, by name, for one draw of ratings."""
    index = COUNTS.index(count)
    found: dict[str, Answer] = {
        OURS: ours,
        "the same, classes not balanced": functools.partial(
            regress, balanced=False
        ),
        "slope and bias of Vavg": functools.partial(
            regress, spreads=(SPREADS[0], 0.0, SPREADS[2])
        ),
        "fit_viewer with the trunk": functools.partial(
            regress, trunk=TRUNK_SPREAD
        ),
        "head of Vavg, tuned": lambda case, _: case["tuned"][index, draw],
    }
    for spreads in GRID if grid and draw == 0 else ():
        found[f"prior {spreads}"] = functools.partial(regress, spreads=spreads)
    return found


def scores(labels: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Returns `MEASURES`, NaN where the labels are of one class."""
    rated = is_rated(labels)
    truth, given = labels[rated], answers[rated].astype("float64")
    if len(set(truth)) < 2:
        return dict.fromkeys(MEASURES, np.nan)
    positive, negative = np.sum(truth == 1), np.sum(truth == 0)
    ranks = stats.rankdata(given)[truth == 1].sum()
    # Nobody is surer than `fit_viewer` can be.
    sure = np.clip(given, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    found = (
        100 * score(truth, given).balanced_accuracy,
        100 * (ranks - positive * (positive + 1) / 2) / (positive * negative),
        -np.mean(np.log(np.where(truth == 1, sure, 1 - sure))),
    )
    return dict(zip(MEASURES, found, strict=True))


def score_case(case: Case, alone: Mapping[str, np.ndarray], grid: bool) -> Any:
    """Scores all methods on one case.

    Args:
        case: Of `fit_case`.
        alone: Name to answers of ST.
        grid: Whether other priors are tried too.

    Returns:
        List of dict with "method", "count" (0 where it is none), "draw",
        `MEASURES`, and for our method "seconds" of a refit.
    """
    test = case["test_labels"]
    rows = [
        {"method": name, "count": 0, "draw": 0, **scores(test, answers)}
        for name, answers in {
            AVERAGE: case["test_known"][:, -1],
            **alone,
        }.items()
    ]
    for count in COUNTS:
        for draw in range(DRAWS):
            chosen = choose(case, count, draw)
            for name, answer in methods(count, draw, grid).items():
                start = time.perf_counter()
                answers = answer(case, chosen)
                seconds = time.perf_counter() - start
                row = {"method": name, "count": count, "draw": draw}
                rows.append({**row, **scores(test, answers), "s": seconds})
            unseen = choose(case, count, draw, "validation")
            if len(unseen) == count <= UNSEEN_MOST:
                answers = ours(case, unseen, "validation")
                row = {"method": UNSEEN, "count": count, "draw": draw}
                rows.append({**row, **scores(test, answers)})
    return rows


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Averages over parts and draws, then over viewers.

    Args:
        frame: Rows of `score_case` with "corpus", "viewer" and "part".

    Returns:
        DataFrame with corpus, method, count, measure, viewers; mean and se,
        its standard error over viewers; gain and gain_se, the same of the
        difference from `AVERAGE` of the same viewers.
    """
    by = ["corpus", "method", "count", "viewer"]
    cells = frame.groupby(by, sort=False)[list(MEASURES)].mean()
    average = cells.xs((AVERAGE, 0), level=("method", "count"))
    rows = []
    for (corpus, method, count), own in cells.groupby(
        level=[0, 1, 2], sort=False
    ):
        own = own.droplevel([0, 1, 2])
        gains = own - average.loc[corpus].loc[own.index]
        for measure in MEASURES:
            row = {"corpus": corpus, "method": method, "count": count}
            row |= {"measure": measure, "viewers": len(own)}
            for name, part in (("mean", own), ("gain", gains)):
                row[name] = part[measure].mean()
                error = part[measure].sem() if len(part) > 1 else np.nan
                row["se" if name == "mean" else "gain_se"] = error
            rows.append(row)
    return pd.DataFrame(rows)


def to_markdown(frame: pd.DataFrame, numbers: pd.DataFrame) -> str:
    """Returns the tables of the page."""
    blocks = []
    for corpus, own in numbers.groupby("corpus", sort=False):
        cases = frame[frame["corpus"] == corpus]
        size = len(cases[["viewer", "part"]].drop_duplicates())
        viewers = own["viewers"].max()
        blocks += [
            f"**{corpus}**{', SIMULATED DATA' * (corpus == 'simulated')}: "
            f"{viewers} viewers, each in turn, {size} fits of MT.",
            markdown_table(_table(own)),
        ]
    ours = frame.loc[frame["method"] == OURS, "s"]
    blocks.append(
        f"A refit, `fit_viewer` and the answers for the held-out films, took "
        f"{1000 * ours.median():.1f} ms (median), {ours.max():.2f} s at most."
    )
    grid = numbers[numbers["method"].str.startswith("prior")]
    if len(grid):
        blocks += [_grid_title(), markdown_table(_grid(grid))]
    return "\n\n".join(blocks)


def _table(own: pd.DataFrame) -> pd.DataFrame:
    """Methods by numbers of ratings, as texts; of one corpus."""
    rows = []
    shown = own[~own["method"].str.startswith("prior")]
    everybody = own["viewers"].max()
    for method, part in shown.groupby("method", sort=False):
        if part["viewers"].max() < everybody:  # Not all fits are finished.
            continue
        row = {"": method}
        for measure, counts in SHOWN.items():
            cells = part[part["measure"] == measure].set_index("count")
            for count in counts:
                name = f"{measure}, {count}" if counts != COUNTS else str(count)
                key = 0 if 0 in cells.index else count
                row[name] = "–"
                if key in cells.index:
                    mean, error = cells.loc[key, ["mean", "se"]]
                    digits = MEASURES[measure]
                    row[name] = f"{mean:.{digits}f}"
                    if counts == COUNTS:
                        row[name] += f" ± {error:.{digits}f}"
        rows.append(row)
    return pd.DataFrame(rows)


def _grid_title() -> str:
    return (
        f"Other priors on {' and '.join(GRID_CORPORA)} (spread of slope, "
        "differences, bias), mean over all numbers of ratings:"
    )


def _grid(grid: pd.DataFrame) -> pd.DataFrame:
    cells = grid.pivot_table(index="method", columns="measure", values="mean")
    texts = {
        name: cells[name].map(f"{{:.{digits}f}}".format)
        for name, digits in MEASURES.items()
    }
    names = cells.index.str.removeprefix("prior ")
    return pd.DataFrame({"prior": names, **texts})


@style.styled
def draw(numbers: pd.DataFrame) -> Figure:
    """Draws measures (rows) of corpora (columns) against ratings."""
    corpora = list(numbers["corpus"].unique())
    figure = style.new_figure(6.5)
    grid = figure.subplots(
        len(MEASURES), len(corpora), sharex=True, squeeze=False
    )
    for axes_of, measure in zip(grid, MEASURES, strict=True):
        for axes, corpus in zip(axes_of, corpora, strict=True):
            own = numbers[
                (numbers["corpus"] == corpus) & (numbers["measure"] == measure)
            ]
            _draw_lines(axes, own)
            axes.set_xscale("log")
            axes.set_xticks(COUNTS, COUNTS)
            axes.minorticks_off()
        axes_of[0].set_ylabel(measure)
    for axes, corpus in zip(grid[0], corpora, strict=True):
        simulated = f"\n{style.SIMULATED}" * (corpus == "simulated")
        axes.set_title(corpus + simulated)
    for axes in grid[-1]:
        axes.set_xlabel("ratings of the new viewer")
    style.add_legend(figure, columns=3)
    return figure


def _draw_lines(axes: Axes, own: pd.DataFrame) -> None:
    for method, (colour, line) in LINES.items():
        part = own[own["method"] == method].sort_values("count")
        if part.empty:
            continue
        x, mean, error = (part[c].to_numpy() for c in ("count", "mean", "se"))
        if x[0] == 0:  # The same for any number of ratings.
            x = np.array([COUNTS[0], COUNTS[-1]])
            mean, error = np.repeat(mean, 2), np.repeat(error, 2)
        axes.plot(x, mean, line, color=colour, label=method, markersize=3)
        if method in (OURS, AVERAGE, ALONE):
            axes.fill_between(
                x, mean - error, mean + error, color=colour, alpha=0.15, lw=0
            )
