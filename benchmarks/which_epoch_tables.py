"""What `which_epoch.py` prints: rules read off fits, as Markdown tables."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.training import MONITORS

#: Viewers that ST is fitted for, by corpus. MT is fitted on all viewers.
SINGLE = {
    "studyforrest": ("R4", "Vavg"),
    "sherlock": ("R3", "Vavg"),
    "simulated": ("V5", "Vavg"),
}

#: Strengths of L1; the second with the first seed only.
STRENGTHS = (1e-5, 1e-4)

SCORES = ("accuracy", "balanced", "auc")
_ONE_FIT = ["cell", "architecture", "seed", "fold"]


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

    def epoch(self, history: dict[str, list[float]]) -> tuple[int, float]:
        """Returns the epoch that is kept, from 0, and its score.

        As Keras's EarlyStopping; where no viewer has both classes in the
        validation movie, "val_bce" decides, as in `fit_split`.

        Args:
            history: Monitor to one number per epoch.

        Returns:
            The epoch, and what decided, higher is better.
        """
        monitor = self.monitor
        if monitor is None:
            return len(history["val_bce"]) - 1, math.nan
        if np.isnan(history[monitor]).all():
            monitor = "val_bce"
        sign = -1.0 if MONITORS[monitor] == "min" else 1.0
        best, score = self.min_epochs - 1, -math.inf
        for number, value in enumerate(history[monitor]):
            if number + 1 < self.min_epochs:
                continue
            if sign * value > score:
                best, score = number, sign * value
            elif self.patience and number - best >= self.patience:
                break
        return best, score


RULES = (
    *(
        Rule(monitor, *arguments)
        for monitor in MONITORS
        for arguments in ((), (10,), (5,), (None, 3), (None, 5))
    ),
    Rule(None),
)


def read(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Applies all rules to fits.

    Args:
        records: Contents of the fits' files.

    Returns:
        DataFrame with the attributes of `Task`, "cell", "rule", "epoch" (from
        1), "score" (of the rule; higher is better) and `SCORES`, one row per
        fit, rule and viewer.
    """
    rows = []
    for record in records:
        task = record["task"]
        for rule in RULES:
            epoch, score = rule.epoch(record["history"])
            rows += [
                {
                    **task,
                    "cell": f"{task['corpus']} {'+'.join(task['inputs'])}",
                    "viewer": viewer,
                    "fitted": task["viewer"],
                    "rule": str(rule),
                    "epoch": epoch + 1,
                    "score": score,
                    **dict(zip(SCORES, scores[epoch], strict=True)),
                }
                for viewer, scores in record["scores"].items()
            ]
    return pd.DataFrame(rows)


def same_viewers(frame: pd.DataFrame) -> pd.DataFrame:
    """Leaves out what MT says of viewers that ST is not fitted for."""
    pairs = zip(frame["corpus"], frame["viewer"], strict=True)
    return frame[[viewer in SINGLE[corpus] for corpus, viewer in pairs]]


def averaged(frame: pd.DataFrame) -> pd.DataFrame:
    """Means over viewers, then folds, then seeds.

    Returns:
        DataFrame with "epoch", `SCORES` and "deciding", the mean of balanced
        accuracy and AUC; its index has rule, cell and architecture.
    """
    columns = ["epoch", *SCORES]
    found = frame.groupby(["rule", *_ONE_FIT], sort=False)[columns].mean()
    for level in (["rule", *_ONE_FIT[:3]], ["rule", *_ONE_FIT[:2]]):
        found = found.groupby(level=level, sort=False).mean()
    return found.assign(deciding=found[["balanced", "auc"]].mean(axis=1))


def print_markdown(title: str, header: Sequence[str], rows: list) -> None:
    """Prints one table; numbers are already text."""
    print(f"\n{title}\n\n| {' | '.join(header)} |")
    print(f"| --- |{' ---: |' * (len(header) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def _texts(values: Sequence[float]) -> list[str]:
    return [f"{value:.3f}" for value in values]


def print_cells(frame: pd.DataFrame) -> None:
    """Prints a table for each corpus and input."""
    every, same = averaged(frame), averaged(same_viewers(frame))
    header = ["rule", "ST epoch", "acc.", "bal.", "AUC", "MT epoch", "acc."]
    header += ["bal.", "AUC", "MT same viewers: acc.", "bal.", "AUC"]
    for cell in frame["cell"].unique():
        rows = []
        for rule in map(str, RULES):
            row = [rule]
            for architecture in ("ST", "MT"):
                found = every.loc[rule, cell, architecture]
                row.append(f"{found['epoch']:.1f}")
                row += _texts(found[list(SCORES)])
            row += _texts(same.loc[rule, cell, "MT"][list(SCORES)])
            rows.append(row)
        print_markdown(f"**{cell}**", header, rows)


def print_means(frame: pd.DataFrame) -> None:
    """Prints the means over corpora and inputs, which decide."""
    level = ["rule", "architecture"]
    every, same = (
        averaged(part).groupby(level=level, sort=False).mean()
        for part in (frame, same_viewers(frame))
    )
    header = ["rule", "ST epoch", "ST bal.", "ST AUC", "MT epoch", "MT bal."]
    header += ["MT AUC", "deciding", "deciding, same viewers"]
    rows = []
    for rule in map(str, RULES):
        row = [rule]
        for architecture in ("ST", "MT"):
            found = every.loc[rule, architecture]
            row.append(f"{found['epoch']:.1f}")
            row += _texts(found[["balanced", "auc"]])
        both = (table.loc[rule, "deciding"].mean() for table in (every, same))
        rows.append([*row, *_texts(list(both))])
    print_markdown("**Means over corpora and inputs**", header, rows)


def print_strengths(frame: pd.DataFrame) -> None:
    """Prints one L1 strength against the other and against choosing."""
    frame = frame[frame["seed"] == 0]
    low, high = (frame[frame["l1"] == l1] for l1 in STRENGTHS)
    keys = ["rule", *_ONE_FIT, "fitted", "viewer"]
    low, high = (part.set_index(keys) for part in (low, high))
    if len(high) != len(low):
        return
    high = high.loc[low.index]
    better = (high["score"] > low["score"]).to_numpy()
    chosen = pd.concat([low[~better], high[better]])
    parts = [
        averaged(part.reset_index()).groupby(level=["rule", "architecture"])
        for part in (low, high, chosen)
    ]
    header = ["rule"]
    for name in (*(f"{l1:g}" for l1 in STRENGTHS), "chosen"):
        header += [f"{name}: ST", "MT", "mean"]
    rows = []
    for rule in RULES:
        if rule.min_epochs > 1 or rule.patience == 5:
            continue
        row = [str(rule)]
        for part in parts:
            found = part["deciding"].mean().loc[str(rule)]
            row += _texts([found["ST"], found["MT"], found.mean()])
        of_rule = low.index.get_level_values("rule") == str(rule)
        rows.append([*row, f"{better[of_rule].mean():.0%}"])
    title = "**L1 strengths, first seed: mean of balanced accuracy and AUC**"
    print_markdown(title, [*header, f"{STRENGTHS[1]:g} chosen"], rows)


def print_spread(frame: pd.DataFrame) -> None:
    """Prints differences to "val_bce" over folds and seeds, in pairs."""
    keys = ["rule", *_ONE_FIT, "l1"]
    found = frame.groupby(keys, sort=False)[list(SCORES)].mean()
    deciding = found[["balanced", "auc"]].mean(axis=1)
    keys.remove("architecture")
    paired = deciding.groupby(level=keys, sort=False).mean()
    header = ["difference", "cell", "mean", "SD", "SE", "higher", "pairs"]
    rows = []
    for patience in (None, 10, 5):
        base = paired.loc[str(Rule("val_bce", patience))]
        others = [Rule(m, patience) for m in MONITORS if m != "val_bce"]
        if patience is None:
            others.append(Rule(None))
        for other in others:
            difference = paired.loc[str(other)] - base
            cells = difference.groupby(level="cell", sort=False)
            for name, part in (*cells, ("all", difference)):
                error = part.std() / math.sqrt(len(part))
                numbers = (part.mean(), part.std(), error)
                rows.append(
                    [
                        f"{other}, against val_bce",
                        name,
                        *(f"{number:+.3f}" for number in numbers[:1]),
                        *_texts(numbers[1:]),
                        f"{(part > 0).mean():.0%}",
                        str(len(part)),
                    ]
                )
    print_markdown(
        "**Paired differences of the deciding number**", header, rows
    )


def print_all(records: Sequence[Mapping[str, Any]]) -> None:
    """Prints all tables; those of rules for the first L1 strength."""
    warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing
    frame = read(records)
    first = frame[frame["l1"] == STRENGTHS[0]]
    print_cells(first)
    print_means(first)
    print_strengths(frame)
    print_spread(first)
