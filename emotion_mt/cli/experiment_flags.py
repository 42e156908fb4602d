"""Flags that several commands take, and what is made of them.

Defaults are written out, so that a help page needs no TensorFlow; a test
holds them against those of `Experiment`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from emotion_mt import paper
from emotion_mt.cli.parsing import (
    Definition,
    choice,
    names,
    number,
    switch,
    text,
    whole,
)

if TYPE_CHECKING:
    from emotion_mt.runs import Experiment
    from emotion_mt.training import TrainingConfig

CORPUS: Mapping[str, Definition] = {
    "allow_outside": switch(
        "Let segments.csv name videos outside of its folder."
    ),
    "corpus": text(
        "Folder of the corpus: COGNIMUSE in either layout, or segments.csv "
        "and annotations.csv."
    ),
}

RATINGS: Mapping[str, Definition] = {
    "annotation": choice(
        "experienced",
        ["experienced", "intended"],
        "Which ratings: what the viewers experienced, or what an expert "
        "thinks the film intends.",
    ),
    "dimension": choice(
        "valence", ["valence", "arousal"], "Which dimension of the ratings."
    ),
}

WEIGHTS: Mapping[str, Definition] = {
    "weights": text(
        "Kinetics-400 weights of the I3D: auto, or one of the sources that "
        "`load_i3d` documents.",
        "auto",
    ),
    "cache": text(
        "Folder of weights and features; default $EMOTION_MT_CACHE or "
        "~/.cache/emotion_mt."
    ),
}

FEATURES: Mapping[str, Definition] = {
    "dtype": text(
        "Arithmetic of the I3D: float32, or bfloat16 where the processor has "
        "it.",
        "float32",
    ),
    **WEIGHTS,
    "skip_bad_films": switch(
        "Go on without films whose files are broken. They are listed."
    ),
}

TRAINING: Mapping[str, Definition] = {
    "modalities": names(
        ["text", "visual"],
        "Input of the models: text, visual, or both, separated by a comma.",
    ),
    "l1": names(
        ["0.0001"],
        "L1 strengths to try, separated by commas; the one that is best on "
        "the validation film, see --monitor, is kept.",
    ),
    "max_epochs": whole(200, 1, "Epochs at most."),
    "patience": whole(
        10,
        1,
        "Epochs that bring nothing better, see --monitor, before fitting "
        "stops.",
    ),
    "monitor": choice(
        "val_balanced_accuracy",
        ["val_bce", "val_balanced_accuracy", "val_auc"],
        "What decides on the validation film which epoch is kept: the loss "
        "without the L1 penalty, the balanced accuracy or the area under the "
        "ROC curve.",
    ),
    "batch_size": whole(32, 1, "Segments per step."),
    "learning_rate": number(paper.LEARNING_RATE, "Adam's learning rate."),
}

EXPERIMENT: Mapping[str, Definition] = {
    **CORPUS,
    "corpus": text(
        "Folder of the corpus: COGNIMUSE in either layout, or segments.csv "
        "and annotations.csv. Without it a corpus is simulated."
    ),
    "out": text(
        "Folder of the results; default runs/<name of the corpus folder>, or "
        "runs/simulated. The same folder continues a run that was stopped."
    ),
    **RATINGS,
    **TRAINING,
    "seeds": names(
        ["0"],
        "Seeds, separated by commas. Every model is fitted once per seed and "
        "the table averages over them.",
    ),
    "baseline_validation": text(
        "Validation film of Tables V and VI, which the paper does not name; "
        "default GLA under the paper's split, else the film before those that "
        "are tested on."
    ),
    **FEATURES,
    "workers": whole(
        None,
        1,
        "Training processes; default one per core, or one where there is a "
        "GPU. The results do not depend on it.",
    ),
    "scheduler": text(
        "Address of a Dask scheduler, host:port, whose workers run the jobs; "
        "default is processes of this machine."
    ),
    "dashboard": switch(
        "Open Dask's dashboard on port 8787 while jobs run; needs the package "
        "bokeh."
    ),
    "wait": switch("Wait for another run in the same folder."),
    "corpus_seed": whole(
        0, 0, "Seed of the simulated corpus; not with --corpus."
    ),
    "segments_per_movie": whole(
        60,
        2,
        "Segments per film of the simulated corpus, on average; not with "
        "--corpus.",
    ),
}


def numbers(
    values: flags.FlagValues, name: str, kind: Callable[[str], float]
) -> tuple:
    """Reads a comma-separated flag as numbers of a kind, each at most once.

    Raises:
        flags.Error: If it holds something else.
    """
    texts: list[str] = values[name].value or []
    try:
        found = tuple(kind(text) for text in texts)
    except ValueError:
        found = ()
    if (
        not found
        or len(set(found)) < len(found)
        or any(not 0 <= number < float("inf") for number in found)
    ):
        raise flags.IllegalFlagValueError(
            f"--{name} must be different {kind.__name__} numbers >= 0, "
            f"separated by commas. Received: {','.join(texts)!r}"
        )
    return found


def optional_path(text: str | None) -> Path | None:
    """Returns the path that a flag holds, None where it was not given."""
    return None if text is None else Path(text)


def training_from_flags(values: flags.FlagValues) -> TrainingConfig:
    """Returns how a model is fitted.

    Raises:
        flags.Error: If a flag makes no sense.
    """
    modalities = tuple(values.modalities)
    if modalities not in (("text", "visual"), ("text",), ("visual",)):
        raise flags.IllegalFlagValueError(
            "--modalities must be text,visual or text or visual. "
            f"Received: {','.join(modalities)!r}"
        )
    l1 = numbers(values, "l1", float)
    # Only now: it takes seconds, and wrong usage is told at once.
    from emotion_mt.training import TrainingConfig

    return TrainingConfig(
        modalities=modalities,
        l1=l1,
        max_epochs=values.max_epochs,
        patience=values.patience,
        monitor=values.monitor,
        batch_size=values.batch_size,
        learning_rate=values.learning_rate,
    )


def corpus_experiment(values: flags.FlagValues) -> Experiment:
    """Returns an experiment of which only corpus and I3D are given."""
    from emotion_mt.runs import Experiment

    return Experiment(
        corpus=Path(values.corpus),
        annotation=values.annotation,
        dimension=values.dimension,
        weights=values.weights,
        dtype=values.dtype,
        cache=optional_path(values.cache),
        skip_bad_films=values.skip_bad_films,
        allow_outside=values.allow_outside,
    )


def experiment_from_flags(values: flags.FlagValues) -> Experiment:
    """Returns the experiment that the command line describes.

    Args:
        values: The flags, parsed.

    Raises:
        flags.Error: If flags contradict each other or make no sense.
    """
    if values.corpus is not None:
        for name in ("corpus_seed", "segments_per_movie"):
            if values[name].present:
                raise flags.IllegalFlagValueError(
                    f"--{name} is for the simulated corpus and makes no "
                    f"sense with --corpus. Received: {values[name].value}"
                )
    seeds = numbers(values, "seeds", int)
    training = training_from_flags(values)
    from emotion_mt.runs import Experiment

    corpus = optional_path(values.corpus)
    name = "simulated" if corpus is None else corpus.resolve().name
    return Experiment(
        corpus=corpus,
        out=Path(values.out or Path("runs") / name),
        annotation=values.annotation,
        dimension=values.dimension,
        seeds=seeds,
        training=training,
        baseline_validation=values.baseline_validation,
        weights=values.weights,
        dtype=values.dtype,
        cache=optional_path(values.cache),
        workers=values.workers,
        scheduler=values.scheduler,
        dashboard=values.dashboard,
        wait=values.wait,
        skip_bad_films=values.skip_bad_films,
        allow_outside=values.allow_outside,
        corpus_seed=values.corpus_seed,
        segments_per_movie=values.segments_per_movie,
    )
