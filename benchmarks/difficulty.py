r"""How hard the simulated corpus is for the networks of the paper.

    python benchmarks/difficulty.py --text_seeds=1,2

Fits ST and MT of the paper's size on the films of the default corpus, with
text, video and both, for viewers of several seeds, and writes what they reach
on held-out films, beside the targets and the ceiling, into docs/simulation.md.
A test reads the page and fails if a target is missed.

All is as in `sharing.py` at its default profile, whose fits on the video are
these. One corpus has seven films of a few minutes: by which of them a viewer
happens to feel good decides several points of a mean. So --text_seeds fits the
texts of corpora of other seeds too, which need no films to be drawn.

Half an hour on two cores, without the features. Finished fits are kept in
--out; stopped at any moment, the same command continues.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import pandas as pd
import sharing
import sharing_sweep
from absl import app, flags
from pages import replace_between_markers
from sharing_sweep import MODELS, Material

from emotion_mt import paper
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.simulation import (
    SIMULATION_VERSION,
    SimulationConfig,
    simulate_state,
)

#: Modalities of the page, as a run writes them, and the targets in percent.
TARGETS: dict[str, tuple[float, float] | None] = {
    "text": (55, 62),
    "visual": (60, 72),
    "text+visual": None,
}


def define_flags() -> None:
    """Defines the flags of the script, beside those of `sharing.py`."""
    sharing.define_flags()
    flags.DEFINE_list("text_seeds", [], "Seeds of other corpora of texts.")


def fit(
    material: Material,
    modalities: str,
    seeds: Sequence[int],
    flag: flags.FlagValues,
) -> pd.DataFrame:
    """Fits at the default profile; `sharing_sweep.fit` with "modalities"."""
    config = dataclasses.replace(
        material.config, modalities=tuple(modalities.split("+"))
    )
    frame, _ = sharing_sweep.fit(
        dataclasses.replace(material, config=config),
        [(sharing_sweep.Setting(), seed) for seed in seeds],
        pathlib.Path(flag.out) / "jobs",
        flag.workers,
        flag.folds,
    )
    return frame.assign(modalities=modalities)


def summarize(scores: pd.DataFrame) -> pd.DataFrame:
    """Averages what the networks reach on held-out films.

    Args:
        scores: What `fit` returned, for several modalities.

    Returns:
        DataFrame with a row per modalities and architecture: the means over
        seeds and films of the accuracy of the seven viewers and the average
        one together ("mean"), its standard deviation over seeds ("sd"), that
        of the average viewer ("Vavg"), the balanced accuracy ("balanced") and
        the AUC ("auc") where they are defined, and the ceiling, in percent.
    """
    rows = []
    for modalities, part in scores.groupby("modalities", sort=False):
        average = part[part["viewer"] == paper.AVERAGE]
        for model in MODELS:
            by_seed = part.groupby("seed")[f"{model} accuracy"].mean()
            by_viewer = part.groupby("viewer").mean(numeric_only=True).mean()
            row = {"modalities": modalities, "architecture": model}
            row |= {"mean": by_seed.mean(), "sd": by_seed.std()}
            row["Vavg"] = average[f"{model} accuracy"].mean()
            row |= {n: by_viewer[f"{model} {n}"] for n in ("balanced", "auc")}
            rows.append(row | {"ceiling": part["ceiling"].mean()})
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
    return "yes" if (single["mean"] < row["mean"]).all() else "no: not highest"


def to_markdown(table: pd.DataFrame) -> str:
    """Formats what `summarize` returned as the table of the page."""
    limits = [TARGETS[name] for name in table["modalities"]]
    shown = pd.DataFrame(
        {
            "input": table["modalities"].str.replace("+", " + "),
            "model": table["architecture"],
            "target": [f"{x[0]} to {x[1]}" if x else "highest" for x in limits],
            "held-out films, mean ± sd over seeds": [
                f"{mean:.1f} ± {sd:.1f}"
                for mean, sd in table[["mean", "sd"]].to_numpy()
            ],
            "met": [verdict(row, table) for _, row in table.iterrows()],
        }
    )
    numbers = table[["Vavg", "balanced", "auc", "ceiling"]]
    return markdown_table(shown.join(numbers.map("{:.1f}".format)))


def other_texts(
    material: Material, seeds: Sequence[int], flag: flags.FlagValues
) -> pd.DataFrame:
    """Fits the texts of corpora of other seeds; as `fit`, by corpus."""
    frames = []
    for seed in seeds:
        size = material.state.segments_per_movie
        state = simulate_state(seed, size, SimulationConfig())
        corpus = sharing_sweep.text_corpus(state)
        own = Material(state, corpus, None, material.config)
        frames.append(fit(own, "text", [seed], flag))
    return pd.concat(frames, ignore_index=True)


def seeds_to_markdown(scores: pd.DataFrame) -> str:
    """Formats text alone, one corpus per seed."""
    low, high = TARGETS["text"] or (0, 100)
    columns = [f"{model} accuracy" for model in MODELS]
    by_seed = scores.groupby("seed")[columns].mean().set_axis(MODELS, axis=1)
    shown = by_seed.T.map("{:.1f}".format).add_prefix("seed ")
    mean, spread = by_seed.mean(), by_seed.std()
    shown.insert(0, "text, corpora of", list(MODELS))
    shown["mean ± sd"] = [f"{mean[m]:.1f} ± {spread[m]:.1f}" for m in MODELS]
    met = mean.between(low, high).map({True: "yes", False: "no"})
    return markdown_table(shown.assign(**{f"{low} to {high}": met}))


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    seeds = [int(seed) for seed in flag.seeds]
    material = sharing.load_material(flag)
    frames = [fit(material, name, seeds, flag) for name in TARGETS]
    scores = pd.concat(frames, ignore_index=True)
    parts = [
        "**SIMULATED DATA.** Accuracy in %, mean over the viewers and Vavg, "
        f"{scores['film'].nunique()} held-out films of "
        f"{flag.segments_per_movie} segments on average, {len(seeds)} "
        f"seed(s), version {SIMULATION_VERSION} of the simulation; written by "
        "`python benchmarks/difficulty.py`.",
        to_markdown(summarize(scores)),
    ]
    if flag.text_seeds:
        corpora = [0, *map(int, flag.text_seeds)]
        parts.append(seeds_to_markdown(other_texts(material, corpora, flag)))
    text = "\n\n".join(parts)
    page = pathlib.Path(flag.docs) / "simulation.md"
    replace_between_markers(page, "difficulty", text)
    print(text)


if __name__ == "__main__":
    define_flags()
    app.run(main)
