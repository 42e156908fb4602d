"""Bands, tables and the figure of `sharing.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sharing_sweep import SWEEPS, Setting

from emotion_mt import paper
from emotion_mt.evaluation.figures import style
from emotion_mt.simulation import SimulationConfig

#: Draws of the bootstrap, and the coverage of the bands.
DRAWS, LEVEL = 9999, 0.95

#: Whose differences are shown: the mean over the viewers, and Vavg.
GROUPS = {"viewers": "mean of the viewers", "average": paper.AVERAGE}

_AXES = {
    "sharing": "share of the feeling\nthat viewers share",
    "training": "segments per training film\n(mean over films)",
    "missing": "share of missing ratings",
}


def band(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Interval of a mean over seeds and films, by resampling both.

    Each draw takes as many seeds and as many films as there are, both with
    replacement, and averages the differences where they cross (percentile
    bootstrap, `DRAWS` draws). Films share training films and seeds share the
    films, so true uncertainty about new films and viewers is larger.

    Args:
        differences: float64 [S, F], one row per seed, one column per film.
        seed: Of the draws.

    Returns:
        Lower and upper end; (NaN, NaN) for fewer than two films.
    """
    seeds, films = differences.shape
    if films < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    rows = rng.integers(seeds, size=(DRAWS, seeds, 1))
    columns = rng.integers(films, size=(DRAWS, 1, films))
    means = differences[rows, columns].mean(axis=(1, 2))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def by_seed_and_film(
    frame: pd.DataFrame, setting: Setting, group: str, column: str
) -> pd.DataFrame:
    """Arranges one number of one point.

    Args:
        frame: What `sharing_sweep.as_frame` returned.
        setting: The point.
        group: One of `GROUPS`.
        column: A column of `frame`, or "gain" for MT - ST, or
            "gain_balanced".

    Returns:
        DataFrame with seeds as rows and films as columns, averaged over the
        viewers of the group for whom it is defined. Seeds that lack a film
        that another has are left out.
    """
    part = frame[frame["setting"] == setting]
    average = part["viewer"] == paper.AVERAGE
    part = part[average if group == "average" else ~average]
    suffix = column.removeprefix("gain")
    if column.startswith("gain"):
        values = part[f"MT{suffix}"] - part[f"ST{suffix}"]
    else:
        values = part[column]
    table = values.groupby([part["seed"], part["film"]]).mean().unstack("film")
    return table.dropna(axis="columns", how="all").dropna()


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums up each point of each sweep.

    Args:
        frame: What `sharing_sweep.as_frame` returned.

    Returns:
        DataFrame with one row per sweep, point and group: sweep, sharing
        (NaN for the default profile), training, missing, group, seeds,
        films; ST, MT, ceiling, gain and gain_balanced in points, and the
        ends of the bands of both gains. Points without a whole seed are
        left out.
    """
    rows = []
    for sweep, settings in SWEEPS.items():
        for setting in settings:
            for group in GROUPS:
                row = _summary(frame, setting, group)
                if row is not None:
                    rows.append({"sweep": sweep, **row})
    return pd.DataFrame(rows)


def _summary(
    frame: pd.DataFrame, setting: Setting, group: str
) -> dict[str, object] | None:
    gains = by_seed_and_film(frame, setting, group, "gain")
    if gains.empty:
        return None
    row: dict[str, object] = {
        "sharing": np.nan if setting.sharing is None else setting.sharing,
        "training": setting.training,
        "missing": setting.missing,
        "group": group,
        "seeds": len(gains.index),
        "films": len(gains.columns),
    }
    for column in ("ST", "MT", "ceiling"):
        found = by_seed_and_film(frame, setting, group, column)
        row[column] = 100 * found.to_numpy().mean()
    for column in ("gain", "gain_balanced"):
        found = 100 * by_seed_and_film(frame, setting, group, column).to_numpy()
        row[column] = found.mean() if found.size else np.nan
        ends = band(found) if found.size else (np.nan, np.nan)
        row[f"{column}_low"], row[f"{column}_high"] = ends
    return row


def change(
    frame: pd.DataFrame, first: Setting, last: Setting, group: str
) -> tuple[float, float, float] | None:
    """How much MT - ST grows from one point to another, in points.

    The same seeds and films are compared.

    Returns:
        Mean and the ends of its band; None if the points have no seed in
        common.
    """
    before = by_seed_and_film(frame, first, group, "gain")
    after = by_seed_and_film(frame, last, group, "gain")
    grown = 100 * (after - before).dropna()
    if grown.empty:
        return None
    return (float(grown.to_numpy().mean()), *band(grown.to_numpy()))


def _ends(name: str) -> tuple[Setting, Setting]:
    """The points of a sweep that differ most, the default profile aside."""
    settings = SWEEPS[name]
    return (settings[0], settings[-2 if name == "sharing" else -1])


def _value(row: pd.Series, sweep: str, segments_per_movie: int) -> str:
    if sweep == "sharing":
        default = pd.isna(row["sharing"])
        return "default profile" if default else f"{row['sharing']:g}"
    if sweep == "training":
        return f"{row['training'] * segments_per_movie:g}"
    return f"{row['missing']:g}"


def to_markdown(
    frame: pd.DataFrame, summary: pd.DataFrame, segments_per_movie: int
) -> str:
    """Writes the numbers of the page, and what changes from end to end."""
    parts = []
    for sweep, title in _AXES.items():
        part = summary[summary["sweep"] == sweep]
        if part.empty:
            continue
        title = title.replace("\n", " ")
        lines = [
            f"| {title} | whose | ST | MT | ceiling | MT − ST, points "
            "| the same, balanced |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for _, row in part.iterrows():
            lines.append(
                f"| {_value(row, sweep, segments_per_movie)} "
                f"| {GROUPS[row['group']]} | {row['ST']:.1f} "
                f"| {row['MT']:.1f} | {row['ceiling']:.1f} "
                f"| {_interval(row, 'gain')} "
                f"| {_interval(row, 'gain_balanced')} |"
            )
        parts.append("\n".join(lines))
        parts.append(_sentence(frame, sweep, segments_per_movie))
    return "\n\n".join(part for part in parts if part)


def _interval(row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:+.1f} ({low:+.1f} to {high:+.1f})"


def _sentence(frame: pd.DataFrame, sweep: str, segments_per_movie: int) -> str:
    """Says how MT - ST changes from one end of a sweep to the other."""
    first, last = _ends(sweep)
    said = []
    for group, name in GROUPS.items():
        found = change(frame, first, last, group)
        if found is not None:
            mean, low, high = found
            sure = "" if low > 0 or high < 0 else ", which includes 0"
            said.append(
                f"{mean:+.1f} points for {name} ({low:+.1f} to {high:+.1f}"
                f"{sure})"
            )
    if not said:
        return ""
    scale = segments_per_movie if sweep == "training" else 1
    ends = [scale * getattr(setting, sweep) for setting in (first, last)]
    return f"From {ends[0]:g} to {ends[1]:g}, MT − ST changes by " + (
        " and by ".join(said) + "."
    )


@style.styled
def draw(summary: pd.DataFrame, segments_per_movie: int) -> Figure:
    """Draws accuracies above and differences below, one column per sweep."""
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, len(_AXES), sharex="col", sharey="row")
    for column, (sweep, title) in enumerate(_AXES.items()):
        part = summary[summary["sweep"] == sweep]
        upper, lower = axes[:, column]
        if not part.empty:
            _draw_sweep(upper, lower, part, sweep, segments_per_movie)
        lower.set_xlabel(title)
        lower.axhline(0, color=style.GREY, linewidth=0.8, zorder=0)
    axes[0, 0].set_ylabel("accuracy (%), mean of\nthe viewers")
    axes[1, 0].set_ylabel("MT − ST (points)")
    style.set_title(
        figure,
        "When does sharing help? Held-out films, video alone",
        simulated=True,
    )
    style.add_legend(
        figure,
        ["ST", "MT", "ceiling", *(f"MT − ST, {n}" for n in GROUPS.values())],
        columns=5,
    )
    return figure


def _places(part: pd.DataFrame, sweep: str, segments: int) -> pd.Series:
    """Where the points of a sweep stand on the axis."""
    if sweep == "training":
        return part["training"] * segments
    if sweep == "missing":
        return part["missing"]
    viewers = SimulationConfig().viewers
    return part["sharing"].fillna(np.mean([v.sharing**2 for v in viewers]))


def _draw_sweep(
    upper: Axes, lower: Axes, part: pd.DataFrame, sweep: str, segments: int
) -> None:
    part = part.assign(x=_places(part, sweep, segments))
    # The default profile is no point of the line: its viewers differ.
    alone = part["sharing"].isna() & (sweep == "sharing")
    viewers = part["group"] == "viewers"
    looks = (
        ("ST", style.BLUE, "o", "-"),
        ("MT", style.ORANGE, "s", "-"),
        ("ceiling", style.GREY, "", "--"),
    )
    for name, color, marker, line in looks:
        shown = part[viewers & ~alone]
        upper.plot(
            shown["x"], shown[name], line, marker=marker, color=color,
            label=name, markersize=4,
        )  # fmt: skip
        extra = part[viewers & alone]
        upper.plot(
            extra["x"], extra[name], marker=marker or "_", color=color,
            linestyle="", markersize=6, fillstyle="none",
        )  # fmt: skip
    width = np.ptp(part["x"]) or 1.0
    for shift, group, color, marker in (
        (-0.012, "viewers", style.GREEN, "o"),
        (0.012, "average", style.PINK, "D"),
    ):
        own = part["group"] == group
        shown = part[own & ~alone]
        lower.fill_between(
            shown["x"], shown["gain_low"], shown["gain_high"],
            color=color, alpha=0.2, linewidth=0,
        )  # fmt: skip
        lower.plot(
            shown["x"], shown["gain"], "-", marker=marker, color=color,
            label=f"MT − ST, {GROUPS[group]}", markersize=4,
        )  # fmt: skip
        extra = part[own & alone]
        lower.errorbar(
            extra["x"] + shift * width, extra["gain"],
            yerr=[
                extra["gain"] - extra["gain_low"],
                extra["gain_high"] - extra["gain"],
            ],
            fmt=marker, color=color, markersize=6, fillstyle="none",
            capsize=3, linewidth=1,
        )  # fmt: skip
    if sweep == "training":
        upper.set_xscale("log", base=2)
        ticks = sorted(set(part["x"]))
        upper.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        upper.minorticks_off()


def caption(summary: pd.DataFrame) -> str:
    """Says what the bands are over and how many seeds there are."""
    seeds = sorted(set(summary["seeds"]))
    films = sorted(set(summary["films"]))
    return (
        f"{'–'.join(map(str, seeds))} seeds × {'–'.join(map(str, films))} "
        f"held-out films. In parentheses and as bands: {LEVEL:.0%} intervals "
        "of the mean over seeds and films, from a bootstrap that draws both. "
        "Hollow in the figure: the default profile, in which viewers share "
        "unequally much, at its mean share."
    )
