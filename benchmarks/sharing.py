r"""When does sharing help? MT minus ST on films whose truth is known.

    python benchmarks/sharing.py

Three sweeps on one simulated corpus, all around the default profile: the
share of the feeling that viewers share, the number of training segments, and
the share of missing ratings. At each point and for each seed, ST (one model
per viewer and one for the average) and MT of the paper's size are fitted on
each fold of Table I, and scored on the held-out film against complete
ratings. It writes the figure docs/sharing.png, the numbers docs/sharing.csv
and the table in docs/simulation.md.

The models see the video alone, with the patience of `make tables`. The films
are the same for all seeds: a seed decides the viewers' own weights, their
noise and hands, which ratings and segments are left out, the initial weights
and the order of segments. Fewer segments means a consecutive stretch of each
training film; the validation film stays whole. Ratings are missing at random
in the training and validation films, for each viewer and segment.

Finished fits are kept in --out; stopped at any moment, the same command
continues.
"""

from __future__ import annotations

import pathlib

import fits
import numpy as np
import pandas as pd
import sharing_sweep
from absl import app, flags
from fits import MEASURES
from matplotlib.figure import Figure
from pages import replace_between_markers
from sharing_sweep import SWEEPS, Material, Setting

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.runs import Experiment, Run
from emotion_mt.simulation import SimulationConfig, simulate_state
from emotion_mt.storage import atomic

#: Whose differences are shown: the mean over the viewers, and Vavg.
GROUPS = {"viewers": "mean of the viewers", "average": paper.AVERAGE}

#: What is varied.
TITLES = {
    "sharing": "share of the feeling that viewers share",
    "training": "segments per training film (mean over films)",
    "missing": "share of missing ratings",
}


def define_flags() -> None:
    """Defines the flags of the script."""
    flags.DEFINE_string("data", "data", "Folder of simulated corpora.")
    flags.DEFINE_string("cache", None, "Folder of weights and features.")
    flags.DEFINE_string("out", "runs/sharing", "Folder of the finished fits.")
    flags.DEFINE_string("docs", "docs", "Folder of the page and the figure.")
    flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], "Seeds, see above.")
    flags.DEFINE_integer("segments_per_movie", 30, "Size of the films.")
    flags.DEFINE_integer("workers", None, "Processes; default one per core.")


def load_material(flag: flags.FlagValues) -> Material:
    """Simulates the films, or reads them, and their features.

    Raises:
        ValueError: If the ratings that are simulated in memory are not those
            of the corpus, so that features and labels would not fit.
    """
    size, data = flag.segments_per_movie, pathlib.Path(flag.data)
    cache = None if flag.cache is None else pathlib.Path(flag.cache)
    run = Run(Experiment(cache=cache, data=data, segments_per_movie=size))
    state = simulate_state(0, size, SimulationConfig())
    values = sharing_sweep.text_corpus(state).values
    if not np.array_equal(values, run.corpus.values):
        raise ValueError(
            f"{run.experiment.corpus_folder}: expected the ratings of seed 0 "
            "as this version simulates them. Received others; remove the folder"
        )
    config = emt.TrainingConfig(modalities=("visual",), patience=5)
    return Material(state, run.corpus, run.features(), config)


def by_seed_and_film(part: pd.DataFrame, column: str) -> pd.DataFrame:
    """Means over viewers of a column of one point, seeds × films.

    Seeds that lack a film that another has are left out.
    """
    table = part.groupby(["seed", "film"])[column].mean().unstack("film")
    return table.dropna(axis="columns", how="all").dropna()


def place(setting: Setting, sweep: str, segments_per_movie: int) -> float:
    """Where a point of a sweep stands on its axis."""
    if sweep == "training":
        return setting.training * segments_per_movie
    if sweep == "missing":
        return setting.missing
    if setting.sharing is not None:
        return setting.sharing
    # Of viewers who differ, the mean.
    return float(np.mean([v.sharing**2 for v in SimulationConfig().viewers]))


def summarize(frame: pd.DataFrame, segments_per_movie: int) -> pd.DataFrame:
    """Sums up each point of each sweep.

    Args:
        frame: What `sharing_sweep.fit` returned.
        segments_per_movie: Size of the films.

    Returns:
        DataFrame with one row per sweep, point and group: sweep, x (`place`),
        apart (whether it is the default profile among profiles in which all
        viewers share alike), point, group, seeds, films, and the means of the
        columns of `frame`, with the ends of their bands ("gain AUC low",
        "gain AUC high"). Points without a whole seed are left out.
    """
    columns = [c for c in frame if str(c).endswith((*MEASURES, "ceiling"))]
    is_average = frame["viewer"] == paper.AVERAGE
    group = is_average.map({False: "viewers", True: "average"}).rename("group")
    rows = []
    for (point, whose), part in frame.groupby(["point", group], sort=False):
        row: dict[str, object] = {"point": point, "group": whose}
        row["seeds"], row["films"] = by_seed_and_film(part, "ceiling").shape
        for column in columns:
            found = by_seed_and_film(part, column).to_numpy()
            row[column] = found.mean() if found.size else None
            if column.startswith("gain"):
                row[f"{column} low"], row[f"{column} high"] = fits.band(found)
        rows.append(row)
    points = [
        {
            "sweep": sweep,
            "x": place(setting, sweep, segments_per_movie),
            "apart": sweep == "sharing" and setting == Setting(),
            "point": str(setting),
        }
        for sweep, settings in SWEEPS.items()
        for setting in settings
    ]
    found = pd.DataFrame(points).merge(pd.DataFrame(rows), on="point")
    return found[found["seeds"] > 0].reset_index(drop=True)


def to_markdown(summary: pd.DataFrame) -> str:
    """Renders the means over the viewers as one table."""
    part = summary[summary["group"] == "viewers"]
    # The default profile is a point of each sweep.
    part = part.sort_values("apart", kind="stable", ascending=False)
    part = part.drop_duplicates("point").sort_index()
    shown = pd.DataFrame({"what": part["sweep"].map(TITLES)})
    value = part["x"].map("{:g}".format)
    shown["value"] = value.mask(part["apart"], "as they are")
    for name in ("ST balanced", "MT balanced", "ceiling"):
        column = name.replace("balanced", MEASURES[0])
        shown[name] = part[column].map("{:.1f}".format)
    for measure in MEASURES:
        ends = [f"gain {measure}{end}" for end in ("", " low", " high")]
        cells = [fits.interval(*row) for row in part[ends].to_numpy()]
        shown[f"MT − ST, {measure}"] = cells
    return markdown_table(shown)


def change(frame: pd.DataFrame, sweep: str, measure: str) -> str:
    """Says how MT - ST changes from one end of a sweep to the other.

    The same seeds and films are compared; "" if the ends have none in common.
    The number of films, where the band includes 0, is that with which a t-test
    over films would find the mean change with a chance of 80 %, were the
    spread over films the same.
    """
    settings = [
        s for s in SWEEPS[sweep] if sweep != "sharing" or s != Setting()
    ]
    viewers = frame[frame["viewer"] != paper.AVERAGE]
    before, after = (
        by_seed_and_film(
            viewers[viewers["point"] == str(setting)], f"gain {measure}"
        )
        for setting in (settings[0], settings[-1])
    )
    grown = (after - before).dropna()
    if grown.empty:
        return ""
    mean, (low, high) = grown.to_numpy().mean(), fits.band(grown.to_numpy())
    text = fits.interval(mean, low, high)
    if low <= 0 <= high and mean:
        needed = (2.8 * grown.mean().std() / mean) ** 2
        text += f"; {needed:.0f} films"
    return text


def changes_to_markdown(frame: pd.DataFrame) -> str:
    """Renders `change` of each sweep as one table."""
    rows = [
        {"from the first to the last value": title}
        | {f"change of MT − ST, {m}": change(frame, s, m) for m in MEASURES[:2]}
        for s, title in TITLES.items()
    ]
    return markdown_table(pd.DataFrame(rows))


@style.styled
def draw(summary: pd.DataFrame, measure: str) -> Figure:
    """Draws ST and MT above and differences below, one column per sweep."""
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, len(TITLES), sharex="col", sharey="row")
    above = {
        f"ST {measure}": (style.BLUE, "o-", "ST"),
        f"MT {measure}": (style.ORANGE, "s-", "MT"),
        "ceiling": (style.GREY, "--", "ceiling (accuracy)"),
    }
    below = {"viewers": (style.GREEN, "o"), "average": (style.PINK, "D")}
    for (sweep, title), (upper, lower) in zip(
        TITLES.items(), axes.T, strict=True
    ):
        shown = summary[summary["sweep"] == sweep]
        # The default profile is no point of the line: its viewers differ.
        for (group, apart), part in shown.groupby(
            ["group", "apart"], sort=False
        ):
            fill = "none" if apart else "full"
            for column, (color, form, label) in above.items():
                if group == "viewers":
                    line = form[0] if apart else form
                    (drawn,) = upper.plot(part["x"], part[column], line)
                    drawn.set(color=color, fillstyle=fill)
                    drawn.set_label("" if apart else label)
            gain = part[f"gain {measure}"]
            low, high = (part[f"gain {measure} {e}"] for e in ("low", "high"))
            color, marker = below[group]
            lower.errorbar(
                part["x"] + (0.004 if group == "average" else 0),
                gain,
                yerr=[gain - low, high - gain],
                fmt=f"{marker}-",
                color=color,
                fillstyle=fill,
                capsize=3,
                label="" if apart else f"MT − ST, {GROUPS[group]}",
            )
        if sweep == "training" and not shown.empty:
            upper.set_xscale("log", base=2)
            ticks = sorted(set(shown["x"]))
            upper.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            upper.minorticks_off()
        lower.set_xlabel(title.replace(" (", "\n(").replace(" that", "\nthat"))
        lower.axhline(0, color=style.GREY, linewidth=0.8, zorder=0)
    axes[0, 0].set_ylabel(f"{measure} (%),\nmean of the viewers")
    axes[1, 0].set_ylabel("MT − ST (points)")
    title = "When does sharing help? Held-out films, video alone"
    style.set_title(figure, title, simulated=True)
    style.add_legend(figure, columns=5)
    return figure


def write_results(
    docs: pathlib.Path, frame: pd.DataFrame, size: int, spent_s: float
) -> str:
    """Writes figure, numbers and the part of the page, which it returns."""
    summary = summarize(frame, size)
    docs.mkdir(parents=True, exist_ok=True)
    style.save(draw(summary, MEASURES[0]), docs / "sharing.png")
    numbers = summary.drop(columns="point")
    content = numbers.to_csv(index=False, float_format="%.3f")
    atomic.write_text(docs / "sharing.csv", content)
    counts = (sorted(set(summary[name])) for name in ("seeds", "films"))
    seeds, films = ("–".join(f"{n:g}" for n in found) for found in counts)
    parts = [
        "**SIMULATED DATA.** Percent on held-out films, mean of the viewers, "
        f"input visual, {size} segments per film, {seeds} seeds × {films} "
        "held-out films. In parentheses and as bars: "
        f"{fits.LEVEL:.0%} intervals of the mean over seeds and films, from a "
        "bootstrap that draws both. Hollow in the figure: the default "
        "profile, in which viewers share unequally much, at its mean share.",
        to_markdown(summary),
        changes_to_markdown(frame),
        "Where 0 is in the band: how many films would show such a change. "
        f"Written by `python benchmarks/sharing.py`: {spent_s / 60:.0f} "
        "minutes of one core.",
    ]
    text = "\n\n".join(parts)
    replace_between_markers(docs / "simulation.md", "sharing", text)
    return text


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    material = load_material(flag)
    # Seed after seed: what is stopped has all points of the first ones.
    points = [
        (setting, int(seed))
        for seed in flag.seeds
        for settings in SWEEPS.values()
        for setting in settings
    ]
    frame, spent_s = sharing_sweep.fit(
        material,
        points,
        material.corpus.folds,
        pathlib.Path(flag.out),
        flag.workers,
    )
    docs, size = pathlib.Path(flag.docs), flag.segments_per_movie
    print(write_results(docs, frame, size, spent_s))


if __name__ == "__main__":
    define_flags()
    app.run(main)
