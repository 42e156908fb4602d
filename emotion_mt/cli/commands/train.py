"""`emotion-mt train`: fits one model and saves it as a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.commands.inspect import describe_corpus
from emotion_mt.cli.experiment_flags import (
    corpus_experiment,
    define_corpus_flag,
    define_i3d_flags,
    define_rating_flags,
    define_skip_flag,
    define_training_flags,
    training_from_flags,
)
from emotion_mt.cli.parsing import Command

if TYPE_CHECKING:
    from emotion_mt.corpus import Corpus
    from emotion_mt.runs import TrainedBundle


def _define(values: flags.FlagValues) -> None:
    define_corpus_flag(values)
    flags.DEFINE_string(
        "out",
        None,
        "Folder of the bundle. One that was trained with the same flags is "
        "left as it is.",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "replace",
        False,
        "Whether a bundle that was trained otherwise may be overwritten.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "fold",
        "F1",
        "Which films train, validate and test: F1, F2, … of Table I, or "
        "Baseline. Other corpora leave out one film after the other.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "viewers",
        None,
        "Viewers with a head each, separated by commas; default all. A single "
        "viewer makes a single-task model.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seed",
        0,
        "Decides initial weights and the order of segments.",
        lower_bound=0,
        flag_values=values,
    )
    define_rating_flags(values)
    define_training_flags(values)
    define_i3d_flags(values)
    define_skip_flag(values)
    console.define_json_flag(values)


def _run(values: flags.FlagValues) -> int:
    config = training_from_flags(values)
    from emotion_mt.runs import Run, train_bundle

    run = Run(corpus_experiment(values), console.say)
    split = run.split(values.fold)
    trained = train_bundle(
        values.out,
        run.corpus,
        run.features() if "visual" in config.modalities else None,
        split,
        config,
        viewers=values.viewers,
        seed=values.seed,
        weights_digest=run.weights_digest,
        replace=values.replace,
    )
    if values.json:
        console.write_json(_content(run.corpus, trained))
    else:
        print(trained.render())
    return 0


def _content(corpus: Corpus, trained: TrainedBundle) -> dict[str, object]:
    return {
        "bundle": str(trained.folder),
        "reused": trained.reused,
        "corpus": describe_corpus(corpus),
        "split": dict(trained.training["split"]),
        "seed": trained.training["seed"],
        "l1": trained.training["l1"],
        "best_epoch": trained.training["best_epoch"],
        "scores": {v: dict(s) for v, s in trained.scores.items()},
        "notes": list(trained.training["notes"]),
    }


COMMAND = Command(
    name="train",
    summary="Fit a model with a head per viewer and save it as a bundle.",
    example="--corpus=data/tiny --out=models/tiny --max_epochs=20",
    define=_define,
    run=_run,
    required=("corpus", "out"),
)
