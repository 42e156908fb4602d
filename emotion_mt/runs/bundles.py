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
from emotion_mt.evaluation.jobs import I3D, MULTI_TASK, SINGLE_TASK, Job
from emotion_mt.evaluation.records import make_record
from emotion_mt.features import FeatureConfig
from emotion_mt.inference import BundleError, load_bundle, save_bundle
from emotion_mt.inference.description import NAME
from emotion_mt.runs.run import Run
from emotion_mt.runs.worker import JobInput
from emotion_mt.training import FitResult, Progress, TrainingConfig, fit_split

#: Kinds of bundles in a run's folder, to what their models look at.
_KINDS = {
    "multimodal": ("text", "visual"),
    "text": ("text",),
    "visual": ("visual",),
}


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
        films = ", ".join(self.training["split"]["test"])
        simulated = self.training["corpus"]["simulated"]
        lines = [f"Accuracy on {films}{' (SIMULATED data)' * simulated}:"]
        for viewer, score in self.scores.items():
            accuracy = score["accuracy"]
            shown = "     –" if accuracy is None else f"{accuracy:6.1%}"
            rated = f"{score['observed']} rated segments"
            lines.append(f"  {viewer:8}{shown} of {rated}")
        before = ", trained before with the same settings" * self.reused
        place = f"The bundle is in {self.folder}{before}"
        return "\n".join([*lines, *self.training["notes"], place])


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
    chosen = corpus.viewers if viewers is None else tuple(viewers)
    architecture = MULTI_TASK if len(chosen) > 1 else SINGLE_TASK
    job = Job(architecture, chosen, split, seed, config)
    arrays = {} if features is None else {I3D: features}
    shared = JobInput(corpus, arrays, weights_digest or "none")
    source = _source(job, shared)
    if (folder / NAME).exists():
        found = _existing(folder, source, replace)
        if found is not None:
            return found
    result = _fit(job, corpus, features, progress)
    record = make_record(
        job, source["key"], corpus, shared.digests_of(job), result
    )
    outcome = ("l1", "best_epoch", "left_out", "notes")
    save_bundle(
        folder,
        result.model,
        tokenizer=result.tokenizer,
        feature_config=feature_config,
        weights_digest=weights_digest,
        training={**source, **{name: record["fit"][name] for name in outcome}},
        scores={v: part["score"] for v, part in record["viewers"].items()},
        untrained_viewers=result.untrained_viewers,
    )
    return _read(folder, reused=False)


def _source(job: Job, shared: JobInput) -> dict[str, Any]:
    """What decides the model, as `bundle.json` keeps it."""
    described, digests = job.as_dict(), shared.digests_of(job)
    about = ("name", "simulated", "annotation", "dimension")
    return {
        "corpus": {
            **{name: getattr(shared.corpus, name) for name in about},
            "digest": digests["corpus"],
        },
        "features": {
            "digest": digests["features"],
            "weights": digests["weights"],
        },
        **{n: described[n] for n in ("split", "viewers", "config", "seed")},
        "versions": shared.versions,
        "key": shared.key_of(job),
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
    different = [n for n in source if found.training.get(n) != source[n]]
    # The same corpus may have another name in another place.
    if not {"key", "features"} & set(different):
        return found
    if replace:
        return None
    raise ValueError(
        f"{folder}: expected a new folder, or a bundle that was trained with "
        "the same arguments. Received a bundle with another "
        f"{', '.join(n for n in different if n != 'key')}. Choose another "
        "folder, or replace it (replace=True, --replace)"
    )


def _read(folder: Path, *, reused: bool) -> TrainedBundle:
    bundle = load_bundle(folder)
    return TrainedBundle(folder, reused, bundle.training, bundle.scores)


def _fit(
    job: Job, corpus: Corpus, features: np.ndarray | None, progress: bool
) -> FitResult:
    """Fits with a bar over all epochs that there may be."""
    # Most fits stop earlier; the bar then ends before it is full.
    total = job.config.max_epochs * len(job.config.l1)
    with show_progress("Training", total, " epochs", shown=progress) as bar:

        def on_epoch(_: Progress) -> None:
            bar.update()

        return fit_split(
            *(corpus, features, job.split, job.viewers, job.config),
            seed=job.seed,
            on_epoch=on_epoch,
        )


def train_bundles(run: Run) -> dict[str, TrainedBundle]:
    """Leaves an MT bundle per kind of input in a run's folder.

    They are trained on the first fold with the first seed of the experiment,
    into bundles/multimodal, bundles/text and bundles/visual of its folder.
    Bundles of the same experiment that are there already stay; others are
    replaced. They need the modalities of the experiment, a corpus with videos
    if they look at them, and several viewers; what is left out is said.

    Args:
        run: The run.

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
    trained = {}
    for name, modalities in _KINDS.items():
        if not set(modalities) <= set(experiment.training.modalities):
            continue
        if "visual" in modalities and not run.has_video:
            run.say(f"Bundle {name}: left out, the corpus has no videos.")
            continue
        trained[name] = train_bundle(
            experiment.out / "bundles" / name,
            corpus,
            run.features() if "visual" in modalities else None,
            folds(corpus.movies)[0],
            dataclasses.replace(experiment.training, modalities=modalities),
            seed=experiment.seeds[0],
            weights_digest=run.weights_digest,
            replace=True,
        )
        how = "kept" if trained[name].reused else "trained"
        run.say(f"Bundle {name}: {how}, {trained[name].folder}")
    return trained
