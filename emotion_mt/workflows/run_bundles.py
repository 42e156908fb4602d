"""The bundles that a run of the tables leaves behind."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds
from emotion_mt.evaluation import (
    Experiment,
    RunOutcome,
    run_tables,
    specs_for,
)
from emotion_mt.evaluation.specs import BOTH, TEXT, VISUAL
from emotion_mt.training import TrainingConfig
from emotion_mt.workflows.bundles import TrainedBundle, train_bundle
from emotion_mt.workflows.material import open_corpus, open_features

#: Folder of the bundles in the folder of a run.
FOLDER = "bundles"

#: Name of each bundle to what its model looks at.
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "multimodal": BOTH,
    "text": TEXT,
    "visual": VISUAL,
}


def run_all_tables(
    experiment: Experiment, say: Callable[[str], None] = print
) -> RunOutcome:
    """Makes every table that the experiment allows, the report and bundles.

    This is what `make tables` and `emotion-mt tables` do. Stopped at any
    moment, the same call goes on.

    Args:
        experiment: What to run.
        say: Receives lines for the user.

    Returns:
        The outcome of the jobs; its `failures` are empty if the tables are
        complete.

    Raises:
        CorpusError: If the corpus cannot be read.
        ValueError: If the corpus does not fit the experiment.
        RuntimeError: If no job finished.
    """
    specs = specs_for(experiment.training.modalities)
    outcome = run_tables(experiment, specs, say)
    start = time.perf_counter()
    train_bundles_for_tables(experiment, outcome.records, say)
    say(f"Bundles took {time.perf_counter() - start:.1f} s")
    return outcome


def train_bundles_for_tables(
    experiment: Experiment,
    records: Sequence[Mapping[str, Any]] = (),
    say: Callable[[str], None] = print,
) -> dict[str, TrainedBundle]:
    """Leaves an MT bundle per kind of input in a run's folder.

    They are trained on the first fold with the first seed of the experiment,
    into bundles/multimodal, bundles/text and bundles/visual of
    `experiment.out`. Bundles of the same experiment that are there already
    stay; others are replaced. Stopped at any moment, the same call goes on
    with the bundles that are missing. Bundles need the modalities of
    `experiment.training`, a corpus with videos if they look at them, and
    several viewers; what is left out is said.

    Args:
        experiment: The experiment, whose tables were made.
        records: Result files' contents of the run. Where the same model is
            among them, its L1 strength is not searched for again. Defaults to
            none.
        say: Receives lines for the user.

    Returns:
        Name of the bundle to what is in its folder.

    Raises:
        CorpusError: If the corpus cannot be read.
        ValueError: If something else lies in a bundle's folder.
    """
    corpus = open_corpus(
        experiment.corpus_folder,
        experiment.annotation,
        experiment.dimension,
        skip_bad_films=experiment.skip_bad_films,
        allow_outside=experiment.allow_outside,
    )
    if len(corpus.viewers) == 1:
        say(f"Bundles: left out, MT needs more viewers than {corpus.viewers}.")
        return {}
    split, seed = folds(corpus.movies)[0], experiment.seeds[0]
    wanted = experiment.training.modalities
    visual = None
    if "visual" in wanted and corpus.segments["video"].notna().any():
        visual = open_features(
            corpus, experiment.weights, experiment.dtype, experiment.cache
        )
    trained = {}
    for name, modalities in BUNDLES.items():
        if not set(modalities) <= set(wanted):
            continue
        if "visual" in modalities and visual is None:
            say(f"Bundle {name}: left out, the corpus has no videos.")
            continue
        config = dataclasses.replace(experiment.training, modalities=modalities)
        trained[name] = train_bundle(
            Path(experiment.out) / FOLDER / name,
            corpus,
            None if visual is None else visual.features,
            split,
            _with_chosen_l1(config, corpus, split, seed, records),
            seed=seed,
            weights_digest=None if visual is None else visual.weights_digest,
            replace=True,
        )
        say(f"Bundle {name}: {_state(trained[name])}")
    return trained


def _with_chosen_l1(
    config: TrainingConfig,
    corpus: Corpus,
    split: paper.Split,
    seed: int,
    records: Sequence[Mapping[str, Any]],
) -> TrainingConfig:
    """The config with the one L1 strength that the run chose for this model."""
    for record in records:
        job = record["job"]
        if (
            job["viewers"] == list(corpus.viewers)
            and job["split"]["name"] == split.name
            and job["seed"] == seed
            and TrainingConfig.from_json(job["config"]) == config
        ):
            return dataclasses.replace(config, l1=(record["fit"]["l1"],))
    return config


def _state(trained: TrainedBundle) -> str:
    how = "kept" if trained.reused else "trained"
    return f"{how}, {trained.folder}"
