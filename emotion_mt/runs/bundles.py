"""From a corpus to saved bundles, each trained once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from emotion_mt import paper
from emotion_mt._progress import progress as show_progress
from emotion_mt.corpus import Corpus, folds
from emotion_mt.evaluation.jobs import (
    MULTI_TASK,
    SINGLE_TASK,
    Job,
    versions,
)
from emotion_mt.evaluation.records import features_digest, make_record
from emotion_mt.features import FeatureConfig
from emotion_mt.inference import BundleError, load_bundle, save_bundle
from emotion_mt.inference.description import NAME
from emotion_mt.runs.run import Run
from emotion_mt.training import FitResult, Progress, TrainingConfig, fit_split

#: Entries of a bundle's `training` that say what decided it.
_DECISIVE = ("corpus", "features", "split", "viewers", "config", "seed")


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedBundle:
    """A bundle on disk, trained now or before.

    Attributes:
        folder: Where it is.
        reused: Whether it was there already, trained with the same arguments.
        training: Where the model comes from, as `bundle.json` has it.
        scores: Viewer to name of the score to value, on the tested films;
            None where it is undefined.
    """

    folder: Path
    reused: bool
    training: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, Any]]

    def render(self) -> str:
        """Returns the scores and the place as text for a terminal."""
        split = self.training["split"]
        simulated = self.training["corpus"]["simulated"]
        lines = [
            f"Accuracy on {', '.join(split['test'])}"
            f"{' (SIMULATED data)' if simulated else ''}:",
            *(
                f"  {viewer:8}{_percent(score['accuracy'])} of "
                f"{score['observed']} rated segments"
                for viewer, score in self.scores.items()
            ),
            *self.training["notes"],
            f"The bundle is in {self.folder}"
            + (", trained before with the same settings" * self.reused),
        ]
        return "\n".join(lines)


def train_bundle(
    folder: str | os.PathLike[str],
    corpus: Corpus,
    features: np.ndarray | None,
    split: paper.Split,
    config: TrainingConfig | None = None,
    *,
    viewers: Sequence[str] | None = None,
    seed: int = 0,
    weights_digest: str | None = None,
    feature_config: FeatureConfig | None = None,
    replace: bool = False,
    progress: bool = True,
) -> TrainedBundle:
    """Fits one model on one split and saves it, with card and scores.

    A bundle that was trained with the same arguments, by the same versions,
    is left as it is. The fit is scored on the films that the split tests on.

    Args:
        folder: Where to; new, empty, or an earlier bundle.
        corpus: Segments and ratings.
        features: float32 [N, 1024] visual features; may be None where
            `config.modalities` has no "visual".
        split: Films for training, validation and test.
        config: How the model is fitted. Defaults to `TrainingConfig()`.
        viewers: Viewers with a head each; one makes a single-task model.
            Defaults to None, all of the corpus.
        seed: Decides initial weights and the order of segments.
        weights_digest: `model_digest` of the I3D that made `features`; with
            it the bundle takes videos. Defaults to None, not known.
        feature_config: How films became windows. Defaults to None,
            `FeatureConfig()`, as in `extract_features`.
        replace: Whether a bundle in `folder` that was trained otherwise is
            overwritten.
        progress: Whether to show the epochs on stderr.

    Returns:
        What is in the folder now.

    Raises:
        ValueError: If `folder` holds a bundle that was trained otherwise, or
            something else; or if arguments do not fit the corpus.
        BundleError: If the bundle in `folder` is damaged or of an earlier
            version, and is not to be replaced.

    Example:
        ```python
        trained = emt.train_bundle(
            "models/mt",
            corpus,
            features,
            emt.folds(corpus.movies)[0],
            weights_digest=emt.model_digest(i3d),
        )
        emt.Predictor.load(trained.folder)
        ```
    """
    folder = Path(folder)
    config = TrainingConfig() if config is None else config
    if "visual" not in config.modalities:
        features, weights_digest, feature_config = None, None, None
    elif feature_config is None:
        feature_config = FeatureConfig()
    job = _job(corpus, split, config, viewers, seed)
    digests = {
        "corpus": corpus.digest(),
        "features": features_digest(features),
        "weights": weights_digest or "none",
    }
    key = job.key(digests["corpus"], digests["features"])
    source = _source(job, corpus, digests, key)
    if (folder / NAME).exists():
        found = _existing(folder, source, replace)
        if found is not None:
            return found
    result = _fit(job, corpus, features, progress)
    training = {**source, **_outcome(result)}
    record = make_record(job, key, corpus, digests, result)
    save_bundle(
        folder,
        result.model,
        tokenizer=result.tokenizer,
        feature_config=feature_config,
        weights_digest=weights_digest,
        training=training,
        scores={v: part["score"] for v, part in record["viewers"].items()},
        untrained_viewers=result.untrained_viewers,
    )
    return _read(folder, reused=False)


def _job(
    corpus: Corpus,
    split: paper.Split,
    config: TrainingConfig,
    viewers: Sequence[str] | None,
    seed: int,
) -> Job:
    chosen = corpus.viewers if viewers is None else tuple(viewers)
    for viewer in chosen:
        corpus.column(viewer)  # raises if there is no such viewer
    architecture = MULTI_TASK if len(chosen) > 1 else SINGLE_TASK
    return Job(architecture, chosen, split, seed, config)


def _source(
    job: Job, corpus: Corpus, digests: Mapping[str, str], key: str
) -> dict[str, Any]:
    """What decides the model, as `bundle.json` keeps it."""
    described = job.as_dict()
    return {
        "corpus": {
            "name": corpus.name,
            "digest": digests["corpus"],
            "simulated": corpus.simulated,
            "annotation": corpus.annotation,
            "dimension": corpus.dimension,
        },
        "features": {
            "digest": digests["features"],
            "weights": digests["weights"],
        },
        **{name: described[name] for name in ("split", "viewers", "seed")},
        "config": described["config"],
        "versions": versions(),
        "key": key,
    }


def _outcome(result: FitResult) -> dict[str, Any]:
    """What the fit itself decided."""
    return {
        "l1": result.l1,
        "best_epoch": result.best_epoch,
        "left_out": {k: dict(v) for k, v in result.left_out.items()},
        "notes": list(result.notes),
    }


def _existing(
    folder: Path, source: Mapping[str, Any], replace: bool
) -> TrainedBundle | None:
    """The bundle in the folder if it is the wanted one; None to replace it."""
    try:
        found = _read(folder, reused=True)
    except BundleError as error:
        if not replace:
            raise
        logging.warning("The bundle is replaced. %s", error)
        return None
    # The same corpus may have another name in another place.
    if found.training.get("key") == source["key"] and (
        found.training["features"] == source["features"]
    ):
        return found
    if replace:
        return None
    different = [
        name
        for name in (*_DECISIVE, "versions")
        if found.training.get(name) != source[name]
    ]
    raise ValueError(
        f"{folder}: expected a new folder, or a bundle that was trained with "
        "the same arguments. Received a bundle with another "
        f"{', '.join(different)}. Choose another folder, or replace it "
        "(replace=True, --replace)"
    )


def _read(folder: Path, *, reused: bool) -> TrainedBundle:
    bundle = load_bundle(folder)
    return TrainedBundle(folder, reused, bundle.training, bundle.scores)


def _fit(
    job: Job, corpus: Corpus, features: np.ndarray | None, progress: bool
) -> FitResult:
    """Fits with a bar over all epochs that there may be."""
    config = job.config
    # Most fits stop earlier; the bar then ends before it is full.
    total = config.max_epochs * len(config.l1)
    with show_progress("Training", total, " epochs", shown=progress) as bar:

        def on_epoch(_: Progress) -> None:
            bar.update()

        return fit_split(
            corpus,
            features,
            job.split,
            job.viewers,
            config,
            seed=job.seed,
            on_epoch=on_epoch,
        )


def _percent(accuracy: float | None) -> str:
    return "     –" if accuracy is None else f"{accuracy:6.1%}"


#: Folder of the bundles in the folder of a run.
FOLDER = "bundles"

#: Name of each bundle to what its model looks at.
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "multimodal": ("text", "visual"),
    "text": ("text",),
    "visual": ("visual",),
}


def train_bundles(
    run: Run, records: Sequence[Mapping[str, Any]] = ()
) -> dict[str, TrainedBundle]:
    """Leaves an MT bundle per kind of input in a run's folder.

    They are trained on the first fold with the first seed of the experiment,
    into bundles/multimodal, bundles/text and bundles/visual of its folder.
    Bundles of the same experiment that are there already stay; others are
    replaced. They need the modalities of the experiment, a corpus with videos
    if they look at them, and several viewers; what is left out is said.

    Args:
        run: The run.
        records: Result files' contents of the run. Where the same model is
            among them, its L1 strength is not searched for again.

    Returns:
        Name of the bundle to what is in its folder.

    Raises:
        ValueError: If something else lies in a bundle's folder.
    """
    corpus, experiment = run.corpus, run.experiment
    if len(corpus.viewers) == 1:
        run.say(
            f"Bundles: left out, MT needs more viewers than {corpus.viewers}."
        )
        return {}
    split, seed = folds(corpus.movies)[0], experiment.seeds[0]
    trained = {}
    for name, modalities in BUNDLES.items():
        if not set(modalities) <= set(experiment.training.modalities):
            continue
        if "visual" in modalities and not run.has_video:
            run.say(f"Bundle {name}: left out, the corpus has no videos.")
            continue
        config = dataclasses.replace(experiment.training, modalities=modalities)
        trained[name] = train_bundle(
            Path(experiment.out) / FOLDER / name,
            corpus,
            run.features() if "visual" in modalities else None,
            split,
            _with_chosen_l1(config, corpus, split, seed, records),
            seed=seed,
            weights_digest=run.weights_digest,
            replace=True,
        )
        how = "kept" if trained[name].reused else "trained"
        run.say(f"Bundle {name}: {how}, {trained[name].folder}")
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
