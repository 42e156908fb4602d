import dataclasses
from pathlib import Path

import pytest
from absl import flags

from emotion_mt.cli.experiment_flags import (
    EXPERIMENT,
    TRAINING,
    experiment_from_flags,
    training_from_flags,
)
from emotion_mt.runs import Experiment
from emotion_mt.training import TrainingConfig


def parse(options, *arguments):
    values = flags.FlagValues()
    for name, define in options.items():
        define(name=name, flag_values=values)
    values(["program", *arguments])
    return values


def experiment(*arguments):
    return experiment_from_flags(parse(EXPERIMENT, *arguments))


def test_defaults_are_those_of_an_experiment_and_of_a_fit():
    assert experiment() == Experiment()
    assert training_from_flags(parse(TRAINING)) == TrainingConfig()


#: Flag to text and value, of experiments and of fits.
GIVEN = {
    **{"corpus": ("films", Path("films")), "out": ("runs", Path("runs"))},
    **{name: (name, name) for name in ("weights", "scheduler")},
    **{"annotation": ("intended",) * 2, "dimension": ("arousal",) * 2},
    **{"seeds": ("3,1", (3, 1)), "baseline_validation": ("LOR",) * 2},
    **{"dtype": ("bfloat16",) * 2, "cache": ("c", Path("c"))},
    **{"workers": ("2", 2), "dashboard": ("true", True)},
    **{"wait": ("true", True), "skip_bad_films": ("true", True)},
    **{"scale": ("1,9", (1.0, 9.0)), "encoding": ("cp1250",) * 2},
}
GIVEN_FIT = {
    **{"modalities": ("text", ("text",)), "l1": ("0.5,0", (0.5, 0.0))},
    **{"max_epochs": ("7", 7), "patience": ("3", 3), "batch_size": ("5", 5)},
    **{"monitor": ("val_bce",) * 2, "learning_rate": ("0.25", 0.25)},
}


def test_every_flag_reaches_the_experiment():
    given = {**GIVEN, **GIVEN_FIT}
    texts = [f"--{name}={text}" for name, (text, _) in given.items()]
    found = experiment(*texts)
    fit = {name: value for name, (_, value) in GIVEN_FIT.items()}
    others = {name: value for name, (_, value) in GIVEN.items()}
    assert found == Experiment(**others, training=TrainingConfig(**fit))
    left = {"corpus_seed", "segments_per_movie", "allow_outside"}
    assert set(EXPERIMENT) - set(given) == left

    # Those of a simulated corpus contradict `corpus`.
    found = experiment("--corpus_seed=4", "--segments_per_movie=9")
    assert (found.corpus_seed, found.segments_per_movie) == (4, 9)
    assert found.out == Path("runs/simulated")
    # Only a flag lets videos lie outside; results are named after the corpus.
    assert experiment("--corpus=x", "--allow_outside").allow_outside
    found = experiment("--corpus=a/films")
    assert (found.out, found.allow_outside) == (Path("runs/films"), False)
    fields = {field.name for field in dataclasses.fields(Experiment)}
    # `training` has flags of its own; `data` is where corpora are simulated.
    assert fields - set(EXPERIMENT) == {"training", "data"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds=0,0"], "--seeds must be different int numbers"),
        (["--seeds=x"], "Received: 'x'"),
        (["--l1=inf"], "--l1 must be different float numbers >= 0"),
        (["--modalities=visual,text"], "Received: 'visual,text'"),
        (["--corpus=x", "--corpus_seed=1"], "makes no sense with --corpus"),
    ],
)
def test_contradictions_are_refused(arguments, message):
    with pytest.raises(flags.Error, match=message):
        experiment(*arguments)
