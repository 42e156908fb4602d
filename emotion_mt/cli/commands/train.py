"""`emotion-mt train`: fits one model and saves it as a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.commands.inspect import describe_corpus
from emotion_mt.cli.experiment_flags import (
    CORPUS,
    FEATURES,
    RATINGS,
    TRAINING,
    corpus_experiment,
    training_from_flags,
)
from emotion_mt.cli.parsing import (
    JSON,
    Command,
    names,
    switch,
    text,
    whole,
)

if TYPE_CHECKING:
    from emotion_mt.corpus import Corpus
    from emotion_mt.runs import TrainedBundle


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
    options={
        **CORPUS,
        "out": text(
            "Folder of the bundle. One that was trained with the same flags "
            "is left as it is."
        ),
        "replace": switch(
            "Whether a bundle that was trained otherwise may be overwritten."
        ),
        "fold": text(
            "Which films train, validate and test: F1, F2, … of Table I, or "
            "Baseline. Other corpora leave out one film after the other.",
            "F1",
        ),
        "viewers": names(
            None,
            "Viewers with a head each, separated by commas; default all. A "
            "single viewer makes a single-task model.",
        ),
        "seed": whole(
            0, 0, "Decides initial weights and the order of segments."
        ),
        **RATINGS,
        **TRAINING,
        **FEATURES,
        **JSON,
    },
    run=_run,
    required=("corpus", "out"),
)
