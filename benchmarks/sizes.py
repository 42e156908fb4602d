r"""How many segments and seeds the main job needs to say something.

    python benchmarks/sizes.py
    python benchmarks/sizes.py --segments=30 --seeds=0

Fits ST and MT of Tables II to IV as `make tables` does (the same jobs, without
the Baseline) on simulated corpora of several sizes with several seeds of the
fits, and writes what they reach on held-out films into docs/simulation.md.
The films are those of corpus seed 0. Finished fits are kept in --out, so that
`experiments/tables.py --out=…/30 --segments_per_movie=30 --patience=5` would
use them again; stopped at any moment, the same command continues.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import fits
import numpy as np
import pandas as pd
from absl import app, flags
from pages import replace_between_markers

import emotion_mt as emt
from emotion_mt.evaluation import SPECS, Job
from emotion_mt.evaluation.jobs import BASELINE
from emotion_mt.evaluation.records import as_frame
from emotion_mt.evaluation.rendering import markdown_table
from emotion_mt.evaluation.specs import in_working_order
from emotion_mt.runs import Experiment, Run
from emotion_mt.storage.lock import locked

_SEGMENTS = flags.DEFINE_list("segments", ["30", "60", "120"], "Per film.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Of the fits.")
_PATIENCE = flags.DEFINE_integer("patience", 5, "As in `make tables`.")
_WORKERS = flags.DEFINE_integer("workers", None, "Processes.")
_CACHE = flags.DEFINE_string("cache", None, "Folder of weights and features.")
_DATA = flags.DEFINE_string("data", "data", "Folder of simulated corpora.")
_OUT = flags.DEFINE_string("out", "runs/sizes", "Folder of the finished fits.")
_DOCS = flags.DEFINE_string("docs", "docs", "Folder of the page.")

#: One row of the table.
_ROW = ["segments per film", "input", "model"]


def jobs_of(run: Run, config: emt.TrainingConfig) -> list[Job]:
    """Lists the fits of ST and MT in Tables II to IV, seed after seed."""
    viewers, splits = run.corpus.viewers, emt.folds(run.corpus.movies)
    jobs: list[Job] = []
    for seed in map(int, _SEEDS.value):
        tables = (SPECS[number] for number in ("II", "III", "IV"))
        own = [
            j for t in tables for j in t.jobs(viewers, splits, [seed], config)
        ]
        kept = [job for job in own if job.architecture != BASELINE]
        jobs += in_working_order(list(dict.fromkeys(kept)))
    return jobs


def scores(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Scores each viewer on each held-out film; see `fits.scores`."""
    names = {"modalities": "input", "architecture": "model"}
    answers = as_frame(records).rename(columns=names)
    return fits.scores(answers, [*names.values(), "seed", "viewer", "fold"])


def table(found: pd.DataFrame) -> pd.DataFrame:
    """Returns means over viewers, films and seeds, as texts; a row per model.

    Args:
        found: `scores` of all sizes with a column "segments per film".
    """
    measures = fits.MEASURES[:2]
    by_seed = found.groupby([*_ROW, "seed"])[measures].mean()
    over = by_seed.groupby(_ROW)
    mean, spread = over.mean(), over.std()
    texts = pd.DataFrame(index=mean.index)
    for measure in measures:
        pairs = zip(mean[measure], spread[measure], strict=True)
        texts[measure] = [
            f"{m:.1f}" if np.isnan(s) else f"{m:.1f} ± {s:.1f}"
            for m, s in pairs
        ]
    texts["worst seed, balanced"] = (
        over["balanced accuracy"].min().map("{:.1f}".format)
    )
    wide = texts.unstack("segments per film")
    wide.columns = [f"{measure}, {size}" for measure, size in wide.columns]
    return wide.reset_index()


def gains(found: pd.DataFrame) -> pd.DataFrame:
    """Returns MT - ST in balanced accuracy with its band, a row per input.

    Args:
        found: As of `table`.
    """
    keys = ["input", "segments per film", "seed", "fold", "model"]
    means = found.groupby(keys)["balanced accuracy"].mean().unstack("model")
    gain = means["MT"] - means["ST"]
    cells = gain.groupby(keys[:2]).agg(_with_band).unstack(keys[1])
    cells.columns = [f"MT − ST, {size}" for size in cells.columns]
    return cells.reset_index()


def _with_band(gain: pd.Series) -> str:
    by_seed_and_film = gain.unstack("fold").to_numpy()
    mean = float(by_seed_and_film.mean())
    return fits.interval(mean, *fits.band(by_seed_and_film))


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    frames, minutes = [], []
    cache = None if _CACHE.value is None else pathlib.Path(_CACHE.value)
    config = emt.TrainingConfig(patience=_PATIENCE.value)
    for size in map(int, _SEGMENTS.value):
        out = pathlib.Path(_OUT.value) / str(size)
        data = pathlib.Path(_DATA.value)
        how = Experiment(cache=cache, data=data, segments_per_movie=size)
        run = Run(how)
        jobs = jobs_of(run, config)
        shared = run.job_input({job.feature_kind for job in jobs})
        with locked(out, wait=False):
            outcome = fits.fit(
                jobs, shared, out, workers=_WORKERS.value, report=print
            )
        frame = scores(outcome.records)
        frames.append(frame.assign(**{"segments per film": size}))
        minutes.append(f"{size}: {fits.fit_seconds(outcome) / 60:.0f}")
    found = pd.concat(frames, ignore_index=True)
    text = "\n\n".join(
        [
            "**SIMULATED DATA.** Held-out films, in hundredths: mean over the "
            f"viewers and Vavg ± standard deviation over {len(_SEEDS.value)} "
            "seed(s) of the fits, by segments per film; written by "
            "`python benchmarks/sizes.py`.",
            markdown_table(table(found)),
            "MT − ST in balanced accuracy; in parentheses the "
            f"{fits.LEVEL:.0%} interval of the mean over seeds and films.",
            markdown_table(gains(found)),
            "Minutes of the fits in one process, by segments per film: "
            f"{', '.join(minutes)}.",
        ]
    )
    page = pathlib.Path(_DOCS.value) / "simulation.md"
    replace_between_markers(page, "sizes", text)
    print(text)


if __name__ == "__main__":
    app.run(main)
