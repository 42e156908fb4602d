"""Flags that several commands take, and what is made of them.

Defaults are written out, so that a help page needs no TensorFlow; a test
holds them against those of `Experiment`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    "corpus": text(
        "Folder of the corpus: COGNIMUSE in either layout, or segments.csv "
        "and annotations.csv; beside them, if you like, folds.csv and "
        "features.npz or .csv. Or a public film with several raters, "
        "raters:studyforrest or raters:sherlock. `tables` simulates one where "
        "none is given."
    ),
    "allow_outside": switch("Let segments.csv name videos outside its folder."),
    "scale": names(
        "Lowest and highest value of the ratings, such as --scale=1,9; the "
        "middle of the scale becomes 0.",
        ["-1", "1"],
    ),
    "encoding": text(
        "Encoding of subtitles and tables that are not Unicode, such as "
        "cp1250; default is to guess, and to say so."
    ),
    "annotation": choice(
        "Which ratings: what the viewers experienced, or what an expert "
        "thinks the film intends.",
        *("experienced", "intended"),
    ),
    "dimension": choice(
        "Which dimension of the ratings.", "valence", "arousal"
    ),
}

WEIGHTS: Mapping[str, Definition] = {
    "weights": text(
        "Kinetics-400 weights of the I3D: auto, or one of the sources that "
        "`load_i3d` documents.",
        "auto",
    ),
    "cache": text(
        "Folder of weights, features and downloaded ratings; default "
        "$EMOTION_MT_CACHE or ~/.cache/emotion_mt."
    ),
}

#: Of a corpus and its features; each is a field of `Experiment`.
FEATURES: Mapping[str, Definition] = {
    **CORPUS,
    **WEIGHTS,
    "dtype": text(
        "Arithmetic of the I3D: float32, or bfloat16 on CPUs that have it.",
        "float32",
    ),
    "skip_bad_films": switch(
        "Go on without films whose files are broken, and list them."
    ),
}

#: Each is a field of `TrainingConfig`.
TRAINING: Mapping[str, Definition] = {
    "modalities": names(
        "Input of the models: text, visual, or both, separated by a comma.",
        ["text", "visual"],
    ),
    "l1": names(
        "L1 strengths to try, separated by commas; the one that does best "
        "on the validation film (see --monitor) is kept.",
        ["0.0001"],
    ),
    "max_epochs": whole("At most so many epochs.", 200, lower_bound=1),
    "patience": whole(
        "Epochs without improvement before fitting stops.", 10, lower_bound=1
    ),
    "monitor": choice(
        "What decides, on the validation film, which epoch is kept: balanced "
        "accuracy, the loss without the L1 penalty, or the area under the ROC "
        "curve.",
        *("val_balanced_accuracy", "val_bce", "val_auc"),
    ),
    "batch_size": whole("Segments per step.", 32, lower_bound=1),
    "learning_rate": number("Adam's learning rate.", paper.LEARNING_RATE),
}

#: Of the tables alone, and fields of `Experiment` as they are.
_RUN: Mapping[str, Definition] = {
    "baseline_validation": text(
        "Validation film of Tables V and VI, which the paper does not name; "
        "default GLA in the paper's split, else the film before those that are "
        "tested on."
    ),
    "workers": whole(
        "Training processes; default one per core, or one where there is a "
        "GPU. The results do not depend on their number.",
        lower_bound=1,
    ),
    "scheduler": text(
        "Address of a Dask scheduler, host:port, whose workers run the jobs; "
        "default is processes of this machine."
    ),
    "dashboard": switch(
        "Open Dask's dashboard on port 8787 while jobs run; needs bokeh."
    ),
    "wait": switch("Wait for the end of another run in the same folder."),
    "corpus_seed": whole(
        "Seed of the simulated corpus; not with --corpus.", 0, lower_bound=0
    ),
    "segments_per_movie": whole(
        "Segments per simulated film; not with --corpus.", 60, lower_bound=2
    ),
}

EXPERIMENT: Mapping[str, Definition] = {
    **FEATURES,
    **TRAINING,
    **_RUN,
    "out": text(
        "Folder of the results; default runs/<name of the corpus folder>, or "
        "runs/simulated. The same folder continues a run that was stopped."
    ),
    "seeds": names(
        "Seeds, separated by commas. Every model is fitted once per seed, and "
        "the tables average over them.",
        ["0"],
    ),
}


def _numbers(
    values: flags.FlagValues, name: str, kind: Callable[[str], float]
) -> tuple:
    """Reads a comma-separated flag as numbers of a kind, each at most once."""
    texts: list[str] = values[name].value or []
    try:
        found = tuple(kind(text) for text in texts)
    except ValueError:
        found = ()
    sound = all(0 <= value < float("inf") for value in found)
    if not found or not sound or len(set(found)) < len(found):
        raise flags.IllegalFlagValueError(
            f"--{name} must be different {kind.__name__} numbers >= 0, "
            f"separated by commas. Received: {','.join(texts)!r}"
        )
    return found


def training_from_flags(values: flags.FlagValues) -> TrainingConfig:
    """Returns how a model is fitted; `flags.Error` if that makes no sense."""
    given: dict[str, Any] = {name: values[name].value for name in TRAINING}
    given["modalities"] = tuple(values.modalities)
    if given["modalities"] not in (("text", "visual"), ("text",), ("visual",)):
        raise flags.IllegalFlagValueError(
            "--modalities must be text,visual or text or visual. "
            f"Received: {','.join(values.modalities)!r}"
        )
    given["l1"] = _numbers(values, "l1", float)
    # Only now: it takes seconds, and wrong usage is told at once.
    from emotion_mt.training import TrainingConfig

    return TrainingConfig(**given)


def scale_from_flags(values: flags.FlagValues) -> tuple[float, float]:
    """Returns the lowest and the highest value of the ratings."""
    from emotion_mt.corpus import Scale

    try:
        low, high = map(float, values.scale)
        Scale(low, high)
    except ValueError as error:
        raise flags.IllegalFlagValueError(
            "--scale must be two numbers, LOW,HIGH. "
            f"Received: {','.join(values.scale)!r}"
        ) from error
    return low, high


def corpus_experiment(values: flags.FlagValues, **others: Any) -> Experiment:
    """Returns an experiment from the flags `FEATURES` and other fields."""
    from emotion_mt.runs import Experiment

    given: dict[str, Any] = {name: values[name].value for name in FEATURES}
    given["scale"] = scale_from_flags(values)
    for name in ("corpus", "cache"):
        given[name] = None if given[name] is None else Path(given[name])
    return Experiment(**given, **others)


def experiment_from_flags(values: flags.FlagValues) -> Experiment:
    """Returns what `EXPERIMENT` says; `flags.Error` if it makes no sense."""
    name = "simulated"
    if values.corpus is not None:
        name = Path(values.corpus.removeprefix("raters:")).resolve().name
        for simulated in ("corpus_seed", "segments_per_movie"):
            if values[simulated].present:
                raise flags.IllegalFlagValueError(
                    f"--{simulated} is for the simulated corpus and makes no "
                    f"sense with --corpus. Received: {values[simulated].value}"
                )
    return corpus_experiment(
        values,
        out=Path(values.out or Path("runs") / name),
        seeds=_numbers(values, "seeds", int),
        training=training_from_flags(values),
        **{name: values[name].value for name in _RUN},
    )
