"""Which epoch should be kept?

    python benchmarks/which_epoch.py --raters=raters --simulated=sim60 \
        --features=sim60.npy --folds=4

Fits ST and MT on leave-one-out splits of two rated films (benchmarks/raters.py,
text only) and of a simulated corpus (text, visual, both) for a fixed number of
epochs, and notes after each epoch the numbers that may decide and the scores on
the held-out movie. All rules are then read off the same runs: each monitor with
several patiences and first epochs, and the last epoch. It prints Markdown
tables, which docs/reproduction.md sums up.

Finished fits are kept in --out; stopped at any moment, the same command
continues.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import raters
import resumable
from absl import app, flags
from sklearn.metrics import roc_auc_score

import emotion_mt as emt
from emotion_mt.corpus import folds
from emotion_mt.evaluation import score
from emotion_mt.training import MONITORS

_RATERS = flags.DEFINE_string("raters", "raters", "Folder of raters.py.")
_SIMULATED = flags.DEFINE_string("simulated", "sim60", "A simulated corpus.")
_FEATURES = flags.DEFINE_string("features", "sim60.npy", "Its features.")
_OUT = flags.DEFINE_string("out", "runs/which_epoch", "Folder of the fits.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes to share the fits.")
_EPOCHS = flags.DEFINE_integer("epochs", 20, "Epochs of each fit.")
_SEEDS = flags.DEFINE_integer("seeds", 2, "Number of seeds.")
_FOLDS = flags.DEFINE_integer("folds", 99, "Folds per corpus at most.")

#: Corpus and modalities.
INPUTS = (
    ("studyforrest", ("text",)),
    ("sherlock", ("text",)),
    ("simulated", ("text",)),
    ("simulated", ("visual",)),
    ("simulated", ("text", "visual")),
)

#: Viewers that ST is fitted for, by corpus. MT is fitted on all viewers.
SINGLE = {
    "studyforrest": ("R4", "Vavg"),
    "sherlock": ("R3", "Vavg"),
    "simulated": ("V5", "Vavg"),
}

#: Strengths of L1; the second with the first seed only.
STRENGTHS = (1e-5, 1e-4)

_SCORES = ["epoch", "balanced", "auc"]
_FIT = ["input", "corpus", "architecture", "seed", "fold", "fitted"]


@dataclasses.dataclass(frozen=True)
class Rule:
    """What decides which epoch is kept.

    Attributes:
        monitor: One of `MONITORS`; None keeps the last epoch.
        patience: Epochs in a row without a better one that end training;
            None trains all epochs.
        min_epochs: The first epoch that may be kept.
    """

    monitor: str | None
    patience: int | None = None
    min_epochs: int = 1

    def __str__(self) -> str:
        if self.monitor is None:
            return "last epoch"
        patience = "all" if self.patience is None else self.patience
        first = f", from epoch {self.min_epochs}" * (self.min_epochs > 1)
        return f"{self.monitor}, patience {patience}{first}"

    def epoch(
        self, history: Mapping[str, Sequence[float]]
    ) -> tuple[int, float]:
        """Returns the epoch that is kept, from 0, and what decided.

        As Keras's EarlyStopping; where no viewer has both classes in the
        validation movie, "val_bce" decides, as in `fit_split`.

        Args:
            history: Monitor to one number per epoch.

        Returns:
            The epoch, and its score, higher is better; NaN for the last one.
        """
        monitor = self.monitor
        if monitor is None:
            return len(history["val_bce"]) - 1, math.nan
        if np.isnan(history[monitor]).all():
            monitor = "val_bce"
        sign = -1.0 if MONITORS[monitor] == "min" else 1.0
        best, highest = self.min_epochs - 1, -math.inf
        for number, value in enumerate(history[monitor]):
            if number + 1 < self.min_epochs:
                continue
            if sign * value > highest:
                best, highest = number, sign * value
            elif self.patience and number - best >= self.patience:
                break
        return best, highest


RULES = (
    *(
        Rule(monitor, *arguments)
        for monitor in MONITORS
        for arguments in ((), (10,), (5,), (None, 3), (None, 5))
    ),
    Rule(None),
)


def all_tasks(
    corpora: Mapping[str, emt.Corpus], epochs: int, seeds: int, most: int
) -> dict[str, dict[str, Any]]:
    """All fits by key; the first seed comes first, in case of a stop."""
    tasks = [
        {
            "corpus": name,
            "inputs": inputs,
            "input": f"{name} {'+'.join(inputs)}",
            "architecture": architecture,
            "l1": l1,
            "seed": seed,
            "fold": fold,
            "fitted": viewer,
            "epochs": epochs,
        }
        for seed in range(seeds)
        for l1 in (STRENGTHS if seed == 0 else STRENGTHS[:1])
        for name, inputs in INPUTS
        for architecture in ("MT", "ST")
        for fold in range(min(most, len(corpora[name].movies)))
        for viewer in (SINGLE[name] if architecture == "ST" else ("all",))
    ]
    named = ("input", "architecture", "l1", "seed", "fold", "fitted", "epochs")
    return {" ".join(str(task[n]) for n in named): task for task in tasks}


def fit(
    shared: tuple[Mapping[str, emt.Corpus], np.ndarray], task: dict[str, Any]
) -> dict[str, Any]:
    """Fits, and returns the numbers of each epoch.

    Returns:
        The task; "history", monitor to one number per epoch; and "scores",
        viewer to balanced accuracy and AUC per epoch; None where undefined.
    """
    corpora, features = shared
    corpus = corpora[task["corpus"]]
    every = task["fitted"] == "all"
    viewers = corpus.viewers if every else (task["fitted"],)
    config = emt.TrainingConfig(
        modalities=task["inputs"],
        l1=(task["l1"],),
        max_epochs=task["epochs"],
        patience=task["epochs"],
    )
    history: dict[str, list[float | None]] = {name: [] for name in MONITORS}
    predicted: list[np.ndarray] = []

    def note(progress: emt.Progress) -> None:
        for monitor, values in history.items():
            value = float(progress.logs[monitor])
            values.append(None if math.isnan(value) else value)
        predicted.append(progress.predict())

    result = emt.fit_split(
        corpus,
        features if "visual" in task["inputs"] else None,
        folds(corpus.movies)[task["fold"]],
        viewers,
        config,
        seed=task["seed"],
        on_epoch=note,
    )
    columns = [corpus.column(viewer) for viewer in viewers]
    labels = corpus.labels[result.test_rows][:, columns]
    scores = {
        viewer: [scores_of(labels[:, v], given[:, v]) for given in predicted]
        for v, viewer in enumerate(viewers)
        if viewer not in result.untrained_viewers
    }
    return {**task, "history": history, "scores": scores}


def scores_of(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[float | None, float | None]:
    """Balanced accuracy and AUC of one viewer; None where not defined."""
    balanced = score(labels, probabilities).balanced_accuracy
    if balanced is None:
        return None, None
    rated = ~np.isnan(labels)
    auc = roc_auc_score(labels[rated], probabilities[rated])
    return balanced, float(auc)


def apply_rules(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Applies all rules to fits.

    Args:
        results: What `fit` returned.

    Returns:
        DataFrame with `_FIT`, "l1", "rule", "viewer", "epoch" (from 1),
        "decided" (what the rule looked at, higher is better), "balanced" and
        "auc", one row per fit, rule and viewer.
    """
    rows = []
    for result in results:
        history = {
            name: np.array(values, float)
            for name, values in result["history"].items()
        }
        for rule in RULES:
            epoch, decided = rule.epoch(history)
            for viewer, scores in result["scores"].items():
                row = {name: result[name] for name in (*_FIT, "l1")}
                row |= {"rule": str(rule), "viewer": viewer}
                row |= {"epoch": epoch + 1, "decided": decided}
                row |= dict(zip(_SCORES[1:], scores[epoch], strict=True))
                rows.append(row)
    return pd.DataFrame(rows).astype({"balanced": float, "auc": float})


def averaged(frame: pd.DataFrame) -> pd.DataFrame:
    """Means over viewers, then folds, then seeds.

    Returns:
        DataFrame with `_SCORES`; its index has rule, input and architecture.
    """
    keys = ["rule", "input", "architecture", "seed", "fold"]
    found = frame.groupby(keys, sort=False)[_SCORES].mean()
    for level in (keys[:4], keys[:3]):
        found = found.groupby(level=level, sort=False).mean()
    return found


def deciding(means: pd.DataFrame) -> pd.Series:
    """Mean of balanced accuracy and AUC of ST and MT, by rule."""
    both = means[["balanced", "auc"]].mean(axis=1)
    return both.groupby("rule", sort=False).mean()


def print_table(title: str, frame: pd.DataFrame) -> None:
    """Prints numbers as a Markdown table; the index comes first."""
    print(f"\n**{title}**\n\n| rule | {' | '.join(frame)} |")
    print(f"| --- |{' ---: |' * frame.shape[1]}")
    for rule, row in frame.iterrows():
        print(f"| {rule} | {' | '.join(f'{value:.3f}' for value in row)} |")


def print_rules(title: str, means: pd.DataFrame) -> None:
    """Prints what each rule reaches; `means` as of `averaged`."""
    means = means.groupby(["rule", "architecture"], sort=False).mean()
    table = pd.concat(
        [
            means.xs(name, level="architecture").add_prefix(f"{name} ")
            for name in ("ST", "MT")
        ],
        axis=1,
    )
    print_table(title, table.assign(**{"mean of the four": deciding(means)}))


def differences(frame: pd.DataFrame) -> pd.DataFrame:
    """Compares each rule with "val_bce" on the same fits.

    Returns:
        Rule to the mean difference of the mean of the four, and its standard
        error with the held-out movies as clusters, since inputs and seeds
        share them.
    """
    one = ["rule", "input", "corpus", "fold", "seed"]
    both = frame.groupby([*one, "architecture"])[["balanced", "auc"]].mean()
    paired = both.mean(axis=1).groupby(level=one).mean().unstack("rule")
    base = paired.pop(str(Rule("val_bce")))
    found = {}
    for rule in paired:
        gain = (paired[rule] - base).dropna()
        sums = (gain - gain.mean()).groupby(level=["corpus", "fold"]).sum()
        factor = len(sums) / max(len(sums) - 1, 1)
        error = math.sqrt(factor * (sums**2).sum()) / len(gain)
        found[rule] = {"difference": gain.mean(), "standard error": error}
    return pd.DataFrame(found).T


def strengths(frame: pd.DataFrame) -> pd.DataFrame:
    """The mean of the four with each L1 strength, and with the chosen one."""
    frame = frame[frame["seed"] == 0].set_index(["rule", *_FIT, "viewer"])
    low, high = (frame[frame["l1"] == l1] for l1 in STRENGTHS)
    low, high = low.align(high, join="inner", axis=0)
    better = (high["decided"] > low["decided"]).to_numpy()
    parts = {
        f"{l1:g}": part for l1, part in zip(STRENGTHS, (low, high), strict=True)
    }
    parts["chosen by the rule"] = pd.concat([low[~better], high[better]])
    return pd.DataFrame(
        {n: deciding(averaged(p.reset_index())) for n, p in parts.items()}
    )


def main(argv: list[str]) -> None:
    """Fits and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    corpora = {
        "studyforrest": raters.studyforrest(_RATERS.value),
        "sherlock": raters.sherlock(_RATERS.value),
        "simulated": emt.load_corpus(_SIMULATED.value),
    }
    results = resumable.run(
        fit,
        all_tasks(corpora, _EPOCHS.value, _SEEDS.value, _FOLDS.value),
        pathlib.Path(_OUT.value) / f"{emt.__version__}.jsonl",
        (corpora, np.load(_FEATURES.value)),
        _WORKERS.value,
        "Fits",
    )
    frame = apply_rules(results)
    first = frame[frame["l1"] == STRENGTHS[0]]
    means = averaged(first)
    for name in first["input"].unique():
        print_rules(name, means.xs(name, level="input", drop_level=False))
    print_rules("Mean over the inputs", means)
    print_table("Against val_bce, all epochs", differences(first))
    print_table("L1 strengths, first seed: mean of the four", strengths(frame))


if __name__ == "__main__":
    app.run(main)
