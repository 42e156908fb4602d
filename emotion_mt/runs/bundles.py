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
from emotion_mt.corpus import Corpus
from emotion_mt.evaluation.jobs import I3D, MULTI_TASK, SINGLE_TASK, Job
from emotion_mt.evaluation.specs import BOTH, TEXT, VISUAL
from emotion_mt.features import FeatureConfig
from emotion_mt.inference import BundleError, load_bundle, save_bundle
from emotion_mt.inference.description import NAME
from emotion_mt.runs.run import Run
from emotion_mt.runs.worker import JobInput
from emotion_mt.training import TrainingConfig

#: Kinds of bundles in a run's folder, to what their models look at.
_KINDS = {"multimodal": BOTH, "text": TEXT, "visual": VISUAL}


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedBundle:
    """A bundle on disk, trained now or before.

    Attributes:
        folder: Where it is.
        reused: Whether it was there already, trained with the same arguments.
        training: Where the model comes from, as `bundle.json` has it.
        scores: Viewer to name of the score to value; None if undefined.
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
            found, count = score["accuracy"], score["observed"]
            shown = "     –" if found is None else f"{found:6.1%}"
            lines.append(f"  {viewer:8}{shown} of {count} rated segments")
        before = ", trained before with the same settings" * self.reused
        lines += [*self.training["notes"], f"The bundle is in {self.folder}"]
        return "\n".join(lines) + before


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
        feature_config: How films became windows, see `extract_features`.
        replace: Whether a bundle that was trained otherwise is overwritten.
        progress: Whether to show the epochs on stderr.

    Returns:
        What is in the folder now.

    Raises:
        ValueError: If `folder` holds something else, or arguments do not fit.
        BundleError: If the bundle there cannot be read, nor is replaced.
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
    if found := _existing(folder, source, replace):
        return found
    # Most fits stop earlier; the bar then ends before it is full.
    epochs = config.max_epochs * len(config.l1)
    with show_progress("Training", epochs, " epochs", shown=progress) as bar:
        result, record = shared.fit(job, lambda _: bar.update())
    outcome = ("l1", "best_epoch", "left_out", "notes")
    training = {**source, **{name: record["fit"][name] for name in outcome}}
    scores = {v: part["score"] for v, part in record["viewers"].items()}
    save_bundle(
        folder,
        result.model,
        tokenizer=result.tokenizer,
        feature_config=feature_config,
        weights_digest=weights_digest,
        training=training,
        scores=scores,
        untrained_viewers=result.untrained_viewers,
    )
    return TrainedBundle(folder, False, training, scores)


def _source(job: Job, shared: JobInput) -> dict[str, Any]:
    """What decides the model, as `bundle.json` keeps it."""
    described, digests = job.as_dict(), shared.digests_of(job)
    names = ("name", "simulated", "annotation", "dimension")
    about = {name: getattr(shared.corpus, name) for name in names}
    about["digest"], features = digests["corpus"], digests["features"]
    return {
        "corpus": about,
        "features": {"digest": features, "weights": digests["weights"]},
        **{n: described[n] for n in ("split", "viewers", "config", "seed")},
        "versions": shared.versions,
        "key": shared.key_of(job),
    }


def _existing(
    folder: Path, source: Mapping[str, Any], replace: bool
) -> TrainedBundle | None:
    """The bundle in the folder if it is the wanted one; None to make it."""
    if not (folder / NAME).exists():
        return None
    try:
        found = load_bundle(folder)
    except BundleError as error:
        if not replace:
            raise
        logging.warning("The bundle is replaced. %s", error)
        return None
    different = [n for n in source if found.training.get(n) != source[n]]
    # The same corpus may have another name in another place.
    if not {"key", "features"} & set(different):
        return TrainedBundle(folder, True, found.training, found.scores)
    if replace:
        return None
    raise ValueError(
        f"{folder}: expected a new folder, or a bundle that was trained with "
        "the same arguments. Received a bundle with another "
        f"{', '.join(n for n in different if n != 'key')}. Choose another "
        "folder, or replace it (replace=True, --replace)"
    )


def train_bundles(run: Run) -> dict[str, TrainedBundle]:
    """Leaves bundles/multimodal, text and visual in a run's folder, by name.

    They are MT, trained on the first fold with the first seed. Those of the
    same experiment stay. What the corpus has no input for is left out.
    """
    corpus, experiment, trained = run.corpus, run.experiment, {}
    for name, modalities in _KINDS.items():
        visual = "visual" in modalities
        if not set(modalities) <= set(experiment.training.modalities):
            continue
        if len(corpus.viewers) == 1:
            run.say(f"Bundle {name}: left out, MT needs more viewers than one.")
            continue
        if visual and not (run.has_video or run.own_features):
            run.say(f"Bundle {name}: left out, the corpus has no videos.")
            continue
        trained[name] = train_bundle(
            experiment.out / "bundles" / name,
            corpus,
            run.features() if visual else None,
            corpus.folds[0],
            dataclasses.replace(experiment.training, modalities=modalities),
            seed=experiment.seeds[0],
            weights_digest=None if run.own_features else run.weights_digest,
            replace=True,
        )
        how = "kept" if trained[name].reused else "trained"
        run.say(f"Bundle {name}: {how}, {trained[name].folder}")
    return trained
